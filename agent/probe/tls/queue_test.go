package tls

import (
	"slices"
	"testing"
	"time"
)

func TestQueueGivesEachLookOnceAndInTime(t *testing.T) {
	at := func(ms int) time.Time { return time.Unix(0, 0).Add(time.Duration(ms) * time.Millisecond) }
	var q queue
	if got := q.until(at(0)); got < time.Minute {
		t.Errorf("an empty queue is due in %v", got)
	}
	q.add(at(1000), 1)
	q.add(at(200), 2)
	q.add(at(10_000), 3)
	if got := q.until(at(0)); got != 200*time.Millisecond {
		t.Errorf("due in %v, want 200ms", got)
	}
	for _, step := range []struct {
		ms   int
		want []uint32
	}{{100, nil}, {250, []uint32{2}}, {1500, []uint32{1}}, {1500, nil}, {20_000, []uint32{3}}} {
		if got := q.due(at(step.ms)); !slices.Equal(got, step.want) {
			t.Errorf("at %d ms: %v, want %v", step.ms, got, step.want)
		}
	}
	for range maxWaiting {
		if !q.add(at(1), 4) {
			t.Fatal("refused below the bound")
		}
	}
	if q.add(at(1), 4) {
		t.Error("the bound does not hold")
	}
}
