package query

import (
	"context"
	"errors"
	"net/http"
	"runtime"
	"testing"
)

func TestGateTurnsAwayWhatIsTooMuch(t *testing.T) {
	g := newGate(1, 1)
	leave, err := g.enter(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	waited := make(chan error)
	go func() {
		_, err := g.enter(ctx)
		waited <- err
	}()
	for len(g.admitted) < 2 { // until the second one waits
		runtime.Gosched()
	}
	var p problem
	if _, err := g.enter(context.Background()); !errors.As(err, &p) || p.status != http.StatusTooManyRequests {
		t.Errorf("third = %v, want 429", err)
	}
	cancel()
	if err := <-waited; !errors.As(err, &p) || p.status != http.StatusServiceUnavailable {
		t.Errorf("second = %v, want 503", err)
	}
	leave()
	if leave, err = g.enter(context.Background()); err != nil {
		t.Errorf("after all left: %v", err)
	}
	leave()
}
