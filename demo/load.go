package demo

import (
	"context"
	"math/rand/v2"
	"sync"
	"time"
)

// maxShoppers at once: more than any healthy shop needs, so that a stuck one does not collect them without bound.
const maxShoppers = 256

// jobPause makes a job live about half a second if nothing is slow.
const jobPause = 30 * time.Millisecond

// weights of the steps of a visit, in the order of shop(): most look, few buy.
func weights() []int { return []int{20, 22, 20, 12, 12, 9, 5} }

// load makes the calls of the first route: as shoppers for ever, or as a job once each if no rate is given.
func (p *player) load(ctx context.Context) error {
	calls := p.spec.routes[0].calls
	if p.spec.rate == 0 {
		for _, c := range calls { // not ctx: a job that runs is left to finish
			p.call(context.WithoutCancel(ctx), c, someNumber(), c.bytes)
			time.Sleep(jobPause)
		}
		return nil
	}
	var wg sync.WaitGroup
	defer wg.Wait()
	slots := make(chan struct{}, maxShoppers)
	start := time.Now()
	for {
		// Poisson arrivals: people do not come at a beat.
		t := time.NewTimer(time.Duration(rand.ExpFloat64() / p.rateAt(time.Since(start)) * float64(time.Second)))
		select {
		case <-ctx.Done():
			t.Stop()
			return nil
		case <-t.C:
		}
		select {
		case slots <- struct{}{}:
		default:
			continue // the shop is jammed; this visitor leaves
		}
		c := calls[pick(len(calls))]
		wg.Go(func() {
			defer func() { <-slots }()
			// Not ctx: a request under way is finished, so that both ends and the log agree on it.
			p.call(context.WithoutCancel(ctx), c, someNumber(), c.bytes)
		})
	}
}

// rateAt is the rate at a time since the start.
func (p *player) rateAt(t time.Duration) float64 {
	if p.spec.everyMs > 0 && t.Milliseconds()%int64(p.spec.everyMs) >= int64(p.spec.everyMs-p.spec.longMs) {
		return p.spec.burst
	}
	return p.spec.rate
}

// pick draws one of n calls by weight.
func pick(n int) int {
	w := weights()[:n]
	r := rand.IntN(sum(w))
	for i := range w {
		if r -= w[i]; r < 0 {
			return i
		}
	}
	return n - 1
}

func sum(ns []int) (total int) {
	for _, n := range ns {
		total += n
	}
	return total
}
