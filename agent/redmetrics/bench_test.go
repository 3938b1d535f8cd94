package redmetrics

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/sonde-dev/sonde/agent/exchange"
	"github.com/sonde-dev/sonde/signal"
)

// traffic is a shop's worth of exchanges: 20 services, 5 routes each, 1 000 raw targets, lognormal durations.
type traffic struct {
	xs    []*exchange.Exchange
	self  []*signal.Entity
	peers []*signal.Entity
}

func shop(n int) traffic {
	rng := rand.New(rand.NewPCG(1, 2))
	var es []*signal.Entity
	for i := range 20 {
		es = append(es, process(fmt.Sprint("service", i), uint32(i+1)))
	}
	var t traffic
	for range n {
		x := get(exchange.Side(rng.IntN(2)), fmt.Sprintf("/route%d/%d", rng.IntN(5), rng.IntN(200)), "200",
			time.Duration(math.Exp(rng.NormFloat64()*0.8)*5e6))
		if rng.IntN(50) == 0 {
			x.Status, x.Error = "500", "500"
		}
		i := rng.IntN(len(es))
		t.xs = append(t.xs, x)
		t.self = append(t.self, es[i])
		t.peers = append(t.peers, es[(i+1)%len(es)])
	}
	return t
}

func BenchmarkObserve(b *testing.B) {
	b.Run("one", func(b *testing.B) {
		r := testRecorder(nil)
		self, peer := process("a", 1), process("b", 2)
		x := get(exchange.Server, "/route/17", "200", 5*time.Millisecond)
		b.ReportAllocs()
		for b.Loop() {
			r.Observe(x, self, peer)
		}
	})
	b.Run("shop", func(b *testing.B) {
		r := testRecorder(nil)
		t := shop(1 << 14)
		for i, x := range t.xs {
			r.Observe(x, t.self[i], t.peers[i])
		}
		b.ReportAllocs()
		for i := 0; b.Loop(); i++ {
			i &= len(t.xs) - 1
			r.Observe(t.xs[i], t.self[i], t.peers[i])
		}
	})
	b.Run("new target", func(b *testing.B) {
		r := testRecorder(nil)
		self, peer := process("a", 1), process("b", 2)
		x := get(exchange.Server, "", "200", 5*time.Millisecond)
		targets := make([]string, 1<<17)
		for i := range targets {
			targets[i] = fmt.Sprint("/item/", i)
		}
		b.ReportAllocs()
		for i := 0; b.Loop(); i++ {
			x.Target = targets[i&(len(targets)-1)]
			r.Observe(x, self, peer)
		}
	})
}

// tenThousandSeries fills a recorder and returns a function that touches every series again.
func tenThousandSeries() (*Recorder, func()) {
	r := testRecorder(nil)
	rng := rand.New(rand.NewPCG(1, 2))
	var es []*signal.Entity
	for i := range 20 {
		es = append(es, process(fmt.Sprint("service", i), uint32(i+1)))
	}
	xs := []*exchange.Exchange{}
	for i := range 80 {
		xs = append(xs, get(exchange.Server, fmt.Sprintf("/%dx", i), "200", 0), get(exchange.Client, fmt.Sprintf("/%dx", i), "200", 0))
	}
	observe := func(n int) {
		for range n {
			for i, e := range es {
				for _, x := range xs {
					x.ResponseEnd = x.RequestStart + uint64(math.Exp(rng.NormFloat64()*0.5)*5e6)
					r.Observe(x, e, es[(i+1)%len(es)])
				}
			}
		}
	}
	observe(300)
	return r, func() { observe(1) }
}

func BenchmarkSnapshot(b *testing.B) {
	r, touch := tenThousandSeries()
	now := start
	for _, bench := range []struct {
		name  string
		touch func()
	}{{"all changed", touch}, {"none changed", func() {}}} {
		b.Run(bench.name, func(b *testing.B) {
			b.ReportAllocs()
			var series int
			for b.Loop() {
				b.StopTimer()
				bench.touch()
				now = now.Add(time.Second)
				b.StartTimer()
				series = len(r.Snapshot(now).Series)
			}
			b.ReportMetric(float64(series), "series")
			b.ReportMetric(float64(r.Stats().Buckets), "buckets")
		})
	}
}

// The hot path does not allocate once everything was seen.
func TestObserveDoesNotAllocate(t *testing.T) {
	r := testRecorder(nil)
	tr := shop(1 << 12)
	i := 0
	next := func() {
		r.Observe(tr.xs[i], tr.self[i], tr.peers[i])
		i = (i + 1) & (len(tr.xs) - 1)
	}
	for range 2 * len(tr.xs) {
		next()
	}
	if n := testing.AllocsPerRun(len(tr.xs), next); n != 0 {
		t.Errorf("%v allocations for each exchange, want none", n)
	}
}

// BenchmarkSnapshotLock is the part of Snapshot for which Observe waits, all series changed.
func BenchmarkSnapshotLock(b *testing.B) {
	r, touch := tenThousandSeries()
	r.Snapshot(start.Add(time.Second))
	for b.Loop() {
		b.StopTimer()
		touch()
		sc := &r.scratch
		sc.index, sc.counts, sc.pending = sc.index[:0], sc.counts[:0], sc.pending[:0]
		batch := &signal.Batch{Time: start.Add(2 * time.Second), Series: make([]signal.Series, 0, r.Stats().Series)}
		b.StartTimer()
		r.collect(batch)
	}
}
