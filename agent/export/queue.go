package export

import (
	"sync"

	"github.com/sonde-dev/sonde/signal"
)

// queue is a bounded queue of batches. When it is full the oldest gives way: what is newer knows more.
type queue struct {
	mu     sync.Mutex
	items  []*signal.Batch
	size   int
	ended  []uint64 // of batches that were dropped; the next one to leave tells it
	signal chan struct{}
}

func newQueue(size int) *queue {
	return &queue{size: size, signal: make(chan struct{}, 1)} // 1: "there is something" need not be said twice
}

// put adds a batch without ever blocking, and returns the number of batches dropped for it.
func (q *queue) put(b *signal.Batch) (dropped uint64) {
	q.mu.Lock()
	if len(q.items) >= q.size {
		q.forget()
		dropped = 1
	}
	q.items = append(q.items, b)
	q.mu.Unlock()
	select {
	case q.signal <- struct{}{}:
	default:
	}
	return dropped
}

// forget drops the oldest batch, but not the news of what ended.
func (q *queue) forget() {
	q.ended = append(q.ended, q.items[0].Ended...)
	q.items[0] = nil
	q.items = q.items[1:]
}

// take returns the oldest batch, or nil.
func (q *queue) take() *signal.Batch {
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.items) == 0 {
		return nil
	}
	b := q.items[0]
	q.items[0] = nil
	q.items = q.items[1:]
	if len(q.ended) > 0 {
		with := *b // the batch is shared with the other queues
		with.Ended = append(q.ended, b.Ended...)
		b, q.ended = &with, nil
	}
	return b
}

// isFull reports whether the next batch would push one out.
func (q *queue) isFull() bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	return len(q.items) >= q.size
}

// drop gives up a batch that was taken and returns how many that is.
func (q *queue) drop(b *signal.Batch) uint64 {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.ended = append(q.ended, b.Ended...)
	return 1
}

func (q *queue) len() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return len(q.items)
}
