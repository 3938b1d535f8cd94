package truth

import (
	"sync"
	"time"
)

// timer measures how long requests take that may be under way together. The zero value is ready to use.
type timer struct {
	mu      sync.Mutex
	waiting sync.WaitGroup
	seconds []float64
}

func (t *timer) since(begin time.Time) {
	took := time.Since(begin).Seconds()
	t.mu.Lock()
	defer t.mu.Unlock()
	t.seconds = append(t.seconds, took)
}

// until measures from begin on until done is closed.
func (t *timer) until(begin time.Time, done <-chan struct{}) {
	t.waiting.Go(func() {
		<-done
		t.since(begin)
	})
}

// all waits for what is still under way.
func (t *timer) all() []float64 {
	t.waiting.Wait()
	return t.seconds
}
