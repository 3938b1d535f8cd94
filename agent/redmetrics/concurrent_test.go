package redmetrics

import (
	"sync"
	"testing"
	"time"

	"github.com/sonde-dev/sonde/signal"
)

// Snapshots taken while exchanges come in are each consistent, never go back, and miss nothing in the end.
func TestSnapshotsDuringObservation(t *testing.T) {
	const writers, each = 2, 20_000
	r := testRecorder(nil)
	var wg sync.WaitGroup
	for range writers {
		wg.Go(func() {
			tr := shop(1 << 10)
			for i := range each {
				tr.observe(r, i)
			}
		})
	}
	done := make(chan struct{})
	go func() { wg.Wait(); close(done) }()

	last := map[uint64]uint64{}
	now := start
	check := func() (exchanges float64) {
		now = now.Add(time.Second)
		b := r.Snapshot(now)
		exchanges, _ = total(b, signal.AgentExchanges.Name, "")
		for _, m := range []string{signal.ServiceDuration.Name, signal.EdgeDuration.Name, signal.InstanceDuration.Name, signal.ServiceStatus.Name} {
			if sum, _ := total(b, m, ""); sum != exchanges {
				t.Errorf("%s: %v requests of %v exchanges", m, sum, exchanges)
			}
		}
		for _, s := range b.Series {
			if s.Histogram == nil {
				continue
			}
			var sum uint64
			for _, k := range s.Histogram.Buckets {
				sum += k.Count
			}
			if sum+s.Histogram.ZeroCount != s.Histogram.Count {
				t.Errorf("%s: %d in buckets, count %d", s.Desc.Name, sum, s.Histogram.Count)
			}
			if s.Histogram.Count < last[s.ID] {
				t.Errorf("%s went back from %d to %d", s.Desc.Name, last[s.ID], s.Histogram.Count)
			}
			last[s.ID] = s.Histogram.Count
		}
		return exchanges
	}
	for {
		select {
		case <-done:
			if n := check(); n != writers*each {
				t.Errorf("%v exchanges in the end, want %d", n, writers*each)
			}
			return
		default:
			check()
		}
	}
}
