package query

import (
	"context"
	"net/http"
)

// gate bounds the expensive queries: so many run, so many wait, further ones are turned away.
type gate struct {
	running, admitted chan struct{}
}

func newGate(running, waiting int) *gate {
	return &gate{running: make(chan struct{}, running), admitted: make(chan struct{}, running+waiting)}
}

// enter waits for a place; leave gives it back.
func (g *gate) enter(ctx context.Context) (leave func(), err error) {
	select {
	case g.admitted <- struct{}{}:
	default:
		return nil, tooManyWaiting("too many queries are waiting: try again in a moment")
	}
	select {
	case g.running <- struct{}{}:
		return func() { <-g.running; <-g.admitted }, nil
	case <-ctx.Done():
		<-g.admitted
		return nil, overloaded("the query waited too long for others to end: try again in a moment")
	}
}

// limited runs h within the gate and the time bound.
func (a *api) limited(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ctx, cancel := context.WithTimeout(r.Context(), a.cfg.Timeout)
		defer cancel()
		leave, err := a.gate.enter(ctx)
		if err != nil {
			w.Header().Set("Retry-After", "1")
			a.answer(func(*http.Request) (any, error) { return nil, err }).ServeHTTP(w, r)
			return
		}
		defer leave()
		h.ServeHTTP(w, r.WithContext(ctx))
	})
}
