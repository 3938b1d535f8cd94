package export

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sonde-dev/sonde/signal"
)

// fakeSink answers with a function and remembers what it took.
type fakeSink struct {
	name   string
	answer func(attempt int) error
	mu     sync.Mutex
	tries  []time.Time
	taken  []*signal.Batch
}

func (s *fakeSink) Name() string { return s.name }

func (s *fakeSink) Write(ctx context.Context, b *signal.Batch) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.tries = append(s.tries, time.Now())
	if s.answer != nil {
		if err := s.answer(len(s.tries)); err != nil {
			return err
		}
	}
	s.taken = append(s.taken, b)
	return nil
}

// blocked never takes anything.
type blocked struct{}

func (blocked) Name() string { return "blocked" }
func (blocked) Write(ctx context.Context, _ *signal.Batch) error {
	<-ctx.Done()
	return ctx.Err()
}

// run starts a fan-out in the bubble and returns what ends it.
func run(f *Fanout) (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { _ = f.Run(ctx); close(done) }()
	return func() { cancel(); <-done }
}

func TestDeadSinkCostsOnlyItsOwnQueue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := DefaultConfig
		cfg.QueueBatches = 3
		good := &fakeSink{name: "good"}
		f := NewFanout(cfg, slog.New(slog.DiscardHandler), blocked{}, good)
		stop := run(f)
		for i := range 10 {
			f.Publish(&signal.Batch{Ended: []uint64{uint64(i)}})
			synctest.Wait()
		}
		if len(good.taken) != 10 {
			t.Errorf("the good sink took %d batches, want 10", len(good.taken))
		}
		// One is being written, three wait, six were dropped.
		if l := f.Losses()[signal.QueueFull]; l != 6 {
			t.Errorf("%d dropped, want 6", l)
		}
		began := time.Now()
		stop()
		if d := time.Since(began); d != cfg.Grace {
			t.Errorf("ended after %v, want the grace of %v", d, cfg.Grace)
		}
		if l := f.Losses()[signal.QueueFull]; l != 10 {
			t.Errorf("%d dropped at the end, want all 10 of the dead sink", l)
		}
	})
}

func TestBackOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sink := &fakeSink{name: "flaky", answer: func(n int) error {
			if n <= 5 {
				return errors.New("down")
			}
			return nil
		}}
		f := NewFanout(DefaultConfig, slog.New(slog.DiscardHandler), sink)
		stop := run(f)
		f.Publish(&signal.Batch{})
		time.Sleep(time.Minute)
		stop()
		if len(sink.tries) != 6 || len(sink.taken) != 1 || len(f.Losses()) != 0 {
			t.Fatalf("%d tries, %d taken, losses %v", len(sink.tries), len(sink.taken), f.Losses())
		}
		pause := DefaultConfig.MinBackoff
		for i := range 5 {
			if d := sink.tries[i+1].Sub(sink.tries[i]); d < pause/2 || d > pause {
				t.Errorf("pause %d of %v, want %v to %v", i, d, pause/2, pause)
			}
			pause *= 2
		}
	})
}

func TestRetryAfterAndRefusal(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sink := &fakeSink{name: "busy", answer: func(n int) error {
			switch n {
			case 1:
				return &RetryError{errors.New("too many"), 7 * time.Second}
			case 2:
				return &RefusedError{errors.New("bad")}
			}
			return nil
		}}
		f := NewFanout(DefaultConfig, slog.New(slog.DiscardHandler), sink)
		stop := run(f)
		f.Publish(&signal.Batch{})
		f.Publish(&signal.Batch{})
		time.Sleep(time.Minute)
		stop()
		if len(sink.tries) != 3 || len(sink.taken) != 1 || f.Losses()[signal.ExportRejected] != 1 {
			t.Fatalf("%d tries, %d taken, losses %v", len(sink.tries), len(sink.taken), f.Losses())
		}
		if d := sink.tries[1].Sub(sink.tries[0]); d != 7*time.Second {
			t.Errorf("tried again after %v, want 7 s", d)
		}
	})
}

// Whatever is dropped on the way, the sink hears of every series that ended.
func TestEndedSurvivesDrops(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := DefaultConfig
		cfg.QueueBatches = 2
		isDown := true
		sink := &fakeSink{name: "down", answer: func(int) error {
			if isDown {
				return errors.New("down")
			}
			return nil
		}}
		f := NewFanout(cfg, slog.New(slog.DiscardHandler), sink)
		stop := run(f)
		for i := range 20 {
			f.Publish(&signal.Batch{Ended: []uint64{uint64(i)}})
			time.Sleep(time.Second)
		}
		sink.mu.Lock()
		isDown = false
		sink.mu.Unlock()
		time.Sleep(time.Minute)
		stop()
		var ended []uint64
		for _, b := range sink.taken {
			ended = append(ended, b.Ended...)
		}
		slices.Sort(ended)
		if len(ended) != 20 || slices.Compact(ended)[19] != 19 {
			t.Errorf("ended %v, want 0 to 19", ended)
		}
		if got := uint64(len(sink.taken)) + f.Losses()[signal.QueueFull]; got != 20 {
			t.Errorf("%d taken and %d dropped, want 20 in all", len(sink.taken), f.Losses()[signal.QueueFull])
		}
	})
}

func TestQueueIsBoundedInBytes(t *testing.T) {
	large := func() *signal.Batch { return &signal.Batch{Series: make([]signal.Series, 100)} } // 8 000 bytes
	q := newQueue(100, 20_000)
	var dropped uint64
	for range 10 {
		dropped += q.put(large())
	}
	if dropped != 8 || q.len() != 2 || q.bytes != 16_000 {
		t.Errorf("%d dropped, %d wait with %d bytes, want 8, 2, 16000", dropped, q.len(), q.bytes)
	}
	if n := q.put(&signal.Batch{Series: make([]signal.Series, 1000)}); n != 2 || q.len() != 1 {
		t.Errorf("%d dropped, %d wait, want one batch beyond the bound to be kept alone", n, q.len())
	}
	for q.take() != nil {
	}
	if q.bytes != 0 {
		t.Errorf("%d bytes in an empty queue", q.bytes)
	}
}
