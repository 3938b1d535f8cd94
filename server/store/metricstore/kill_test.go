package metricstore_test

import (
	"context"
	"strconv"
	"testing"
	"time"

	"github.com/sonde-dev/sonde/server/store/killtest"
	"github.com/sonde-dev/sonde/signal"
)

func TestMain(m *testing.M) {
	killtest.Main(m, func(dir string) func(int) error {
		s := open(&testing.T{}, dir)
		return func(i int) error { return s.Append(context.Background(), batch(i)) }
	})
}

// batch is the i-th: 50 counters and a histogram.
func batch(i int) *signal.Batch {
	start := time.UnixMilli(1_700_000_000_000)
	b := &signal.Batch{Time: start.Add(time.Duration(i) * time.Second)}
	for id := range 50 {
		b.Series = append(b.Series, counter(uint64(id+1), start, float64(i), strconv.Itoa(id), ""))
	}
	b.Series = append(b.Series, hist(1000, start, uint64(i), uint64(2*i)))
	return b
}

// A child writes and says after each batch that it was acknowledged; it is killed in the middle. All that it
// acknowledged must be there, twice over (killed, reopened, killed again).
func TestKillLosesNothingAcknowledged(t *testing.T) {
	dir := t.TempDir()
	for round := range 2 {
		last := killtest.Kill(t, dir, 200)
		s := open(t, dir)
		series := read(t, s, "test_total")
		if len(series) != 50 {
			t.Errorf("round %d: %d counters, want 50", round, len(series))
		}
		for name, xs := range series {
			if got := xs[len(xs)-1]; got.v < float64(last) || len(xs) < last+1 {
				t.Errorf("round %d: %s ends with %v after %d samples, want at least %d", round, name, got, len(xs), last)
			}
		}
		for _, xs := range read(t, s, "test_seconds") {
			if got := xs[len(xs)-1].v; got < float64(3*last) {
				t.Errorf("round %d: histogram ends with count %v, want at least %d", round, got, 3*last)
			}
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
}
