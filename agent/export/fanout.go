package export

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/sonde-dev/sonde/signal"
)

// Config says how patient the way out is.
type Config struct {
	// QueueBatches and QueueBytes bound what waits for one sink; beyond, the oldest batch is dropped and counted as
	// signal.QueueFull. A single batch may wait however large it is.
	QueueBatches, QueueBytes int
	// MinBackoff and MaxBackoff bound the pause after a failure; it doubles each time. What a sink asks for (RetryError) may be longer.
	MinBackoff, MaxBackoff time.Duration
	// Grace is how long Run goes on delivering what is queued after its context has ended.
	Grace time.Duration
}

// DefaultConfig bridges one to two minutes at a flush interval of 5 to 10 s, less where batches are large: one of 10 000
// busy series has about 10 MB.
var DefaultConfig = Config{
	QueueBatches: 12,
	QueueBytes:   32 << 20,
	MinBackoff:   100 * time.Millisecond,
	MaxBackoff:   30 * time.Second,
	Grace:        2 * time.Second,
}

// Validate returns what is wrong with the configuration, or nil.
func (c Config) Validate() error {
	if c.QueueBatches < 1 || c.QueueBytes < 1 {
		return fmt.Errorf("queue of %d batches and %d bytes: must be at least 1", c.QueueBatches, c.QueueBytes)
	}
	if c.MinBackoff <= 0 || c.MaxBackoff < c.MinBackoff {
		return fmt.Errorf("back-off from %v to %v: must be positive and in this order", c.MinBackoff, c.MaxBackoff)
	}
	if c.Grace < 0 {
		return fmt.Errorf("grace of %v: must not be negative", c.Grace)
	}
	return nil
}

// Fanout gives each batch to several sinks. A slow or dead sink costs its own queue and nothing else.
type Fanout struct {
	cfg  Config
	ways []*way

	mu   sync.Mutex
	lost signal.Losses
}

// way is a sink with its queue.
type way struct {
	sink  Sink
	queue *queue
	log   errorLog
}

// NewFanout makes a fan-out to the sinks. cfg must be valid.
func NewFanout(cfg Config, log *slog.Logger, sinks ...Sink) *Fanout {
	f := &Fanout{cfg: cfg, lost: signal.Losses{}}
	for _, s := range sinks {
		f.ways = append(f.ways, &way{sink: s, queue: newQueue(cfg.QueueBatches, cfg.QueueBytes), log: errorLog{log: log.With("sink", s.Name())}})
	}
	return f
}

// Publish hands a batch to all sinks. It never blocks. The batch must not be modified afterwards.
func (f *Fanout) Publish(b *signal.Batch) {
	for _, w := range f.ways {
		f.count(signal.QueueFull, w.queue.put(b))
	}
}

// Losses returns a copy of what was dropped so far, by cause, over all sinks.
func (f *Fanout) Losses() signal.Losses {
	f.mu.Lock()
	defer f.mu.Unlock()
	return maps.Clone(f.lost)
}

func (f *Fanout) count(c signal.Cause, n uint64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.lost.Add(c, n)
}

// Run delivers until ctx ends, and then what is queued for Config.Grace at most. It returns nil.
func (f *Fanout) Run(ctx context.Context) error {
	// Writes outlive ctx by the grace, so that the last values arrive.
	late, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	stop := context.AfterFunc(ctx, func() {
		t := time.AfterFunc(f.cfg.Grace, cancel)
		context.AfterFunc(late, func() { t.Stop() })
	})
	defer stop()

	var wg sync.WaitGroup
	for _, w := range f.ways {
		wg.Go(func() { f.deliver(ctx, late, w) })
	}
	wg.Wait()
	return nil
}

// deliver serves one sink until ctx has ended and the queue is empty, or late has ended.
func (f *Fanout) deliver(ctx, late context.Context, w *way) {
	for {
		b := w.queue.take()
		if b != nil {
			f.write(late, w, b)
			continue
		}
		select {
		case <-w.queue.signal:
		case <-ctx.Done():
			if w.queue.len() == 0 {
				return
			}
		}
	}
}

// write delivers one batch: it tries again until it is taken, refused, or pushed out by newer ones.
func (f *Fanout) write(ctx context.Context, w *way, b *signal.Batch) {
	backoff := f.cfg.MinBackoff
	for {
		if ctx.Err() != nil {
			f.count(signal.QueueFull, w.queue.drop(b))
			return
		}
		err := w.sink.Write(ctx, b)
		if err == nil {
			w.log.ok()
			return
		}
		if refused := (*RefusedError)(nil); errors.As(err, &refused) {
			w.log.failed("drop a batch that the other end refuses", err)
			f.count(signal.ExportRejected, 1)
			return
		}
		w.log.failed("deliver a batch, trying again", err)
		if !f.pause(ctx, w, pauseFor(err, backoff)) {
			continue // the end: counted above
		}
		backoff = min(2*backoff, f.cfg.MaxBackoff)
		if w.queue.isFull() {
			f.count(signal.QueueFull, w.queue.drop(b))
			return
		}
	}
}

// pauseFor returns how long to wait after an error: half to all of the back-off, so that many agents do not come back
// together, or what the other end asked for.
func pauseFor(err error, backoff time.Duration) time.Duration {
	d := backoff/2 + rand.N(backoff/2+1)
	if retry := (*RetryError)(nil); errors.As(err, &retry) {
		d = max(d, retry.After)
	}
	return d
}

// pause waits, and reports false if the end came first.
func (f *Fanout) pause(ctx context.Context, w *way, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}
