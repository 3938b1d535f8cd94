package export

import (
	"sync"

	"github.com/sonde-dev/sonde/signal"
)

// queue is a bounded queue of batches. When it is full the oldest gives way: what is newer knows more.
type queue struct {
	mu     sync.Mutex
	items  []*signal.Batch
	size   int      // bound on items
	bytes  int      // of items, as sizeOf sees them
	limit  int      // bound on bytes; one batch may be larger
	ended  []uint64 // of batches that were dropped; the next one to leave tells it
	signal chan struct{}
}

func newQueue(size, limit int) *queue {
	return &queue{size: size, limit: limit, signal: make(chan struct{}, 1)} // 1: "there is something" need not be said twice
}

// put adds a batch without ever blocking, and returns the number of batches dropped for it.
func (q *queue) put(b *signal.Batch) (dropped uint64) {
	n := sizeOf(b)
	q.mu.Lock()
	for len(q.items) > 0 && (len(q.items) >= q.size || q.bytes+n > q.limit) {
		q.remember(q.pop().Ended)
		dropped++
	}
	q.items = append(q.items, b)
	q.bytes += n
	q.mu.Unlock()
	select {
	case q.signal <- struct{}{}:
	default:
	}
	return dropped
}

// mostEnded bounds the news kept of dropped batches, 2 MB. A sink must not depend on hearing all of it.
const mostEnded = 1 << 18

// remember keeps the news of what ended when its batch is dropped.
func (q *queue) remember(ended []uint64) {
	q.ended = append(q.ended, ended...)
	if over := len(q.ended) - mostEnded; over > 0 {
		q.ended = append([]uint64(nil), q.ended[over:]...)
	}
}

// pop takes the oldest batch out.
func (q *queue) pop() *signal.Batch {
	b := q.items[0]
	q.items[0] = nil
	q.items = q.items[1:]
	q.bytes -= sizeOf(b)
	return b
}

// sizeOf is the memory of a batch. Histograms that did not change are shared with the batch before, which is left out of
// account.
func sizeOf(b *signal.Batch) int {
	const perSeries, perHistogram, perBucket = 80, 64, 16
	n := len(b.Series) * perSeries
	for i := range b.Series {
		if h := b.Series[i].Histogram; h != nil {
			n += perHistogram + perBucket*len(h.Buckets)
		}
	}
	return n
}

// take returns the oldest batch, or nil.
func (q *queue) take() *signal.Batch {
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.items) == 0 {
		return nil
	}
	b := q.pop()
	if len(q.ended) > 0 {
		with := *b // the batch is shared with the other queues
		with.Ended = append(q.ended, b.Ended...)
		b, q.ended = &with, nil
	}
	return b
}

// isFull reports whether the next batch is likely to push one out.
func (q *queue) isFull() bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	return len(q.items) >= q.size || len(q.items) > 0 && q.bytes+q.bytes/len(q.items) > q.limit
}

// drop gives up a batch that was taken and returns how many that is.
func (q *queue) drop(b *signal.Batch) uint64 {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.remember(b.Ended)
	return 1
}

func (q *queue) len() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return len(q.items)
}
