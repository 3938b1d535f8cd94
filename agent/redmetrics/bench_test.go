package redmetrics

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/sonde-dev/sonde/agent/exchange"
	"github.com/sonde-dev/sonde/signal"
)

// traffic is a shop's worth of exchanges: 20 services, 5 routes each, 1 000 raw targets, lognormal durations. It is kept
// small, because in life an exchange is in the cache when it is observed.
type traffic struct {
	targets  []string
	entities []*signal.Entity
	list     []small
	x        exchange.Exchange
}

type small struct {
	duration       uint32
	target, entity uint16
	side           exchange.Side
	isError        bool
}

func shop(n int) *traffic {
	rng := rand.New(rand.NewPCG(1, 2))
	t := &traffic{x: *get(exchange.Server, "", "", 0)}
	for i := range 20 {
		t.entities = append(t.entities, process(fmt.Sprint("service", i), uint32(i+1)))
	}
	for i := range 1000 {
		t.targets = append(t.targets, fmt.Sprintf("/route%d/%d", i%5, i))
	}
	for range n {
		t.list = append(t.list, small{
			duration: uint32(math.Exp(rng.NormFloat64()*0.8) * 5e6), target: uint16(rng.IntN(len(t.targets))),
			entity: uint16(rng.IntN(len(t.entities))), side: exchange.Side(rng.IntN(2)), isError: rng.IntN(50) == 0,
		})
	}
	return t
}

// observe lets r see the i-th exchange.
func (t *traffic) observe(r *Recorder, i int) {
	s := &t.list[i&(len(t.list)-1)]
	x := &t.x
	x.Target, x.Side, x.ResponseEnd = t.targets[s.target], s.side, x.RequestStart+uint64(s.duration)
	x.Status, x.Error = "200", ""
	if s.isError {
		x.Status, x.Error = "500", "500"
	}
	r.Observe(x, t.entities[s.entity], t.entities[(int(s.entity)+1)%len(t.entities)])
}

func BenchmarkObserve(b *testing.B) {
	b.Run("one", func(b *testing.B) {
		r := testRecorder(nil)
		self, peer := process("a", 1), process("b", 2)
		x := get(exchange.Server, "/route/17", "200", 5*time.Millisecond)
		loop(b, func(int) { r.Observe(x, self, peer) })
	})
	b.Run("shop", func(b *testing.B) {
		r := testRecorder(nil)
		t := shop(1 << 14)
		for i := range 2 * len(t.list) {
			t.observe(r, i)
		}
		loop(b, func(i int) {
			t.observe(r, i)
		})
	})
	b.Run("new target", func(b *testing.B) {
		r := testRecorder(nil)
		self, peer := process("a", 1), process("b", 2)
		x := get(exchange.Server, "", "200", 5*time.Millisecond)
		targets := make([]string, 1<<17)
		for i := range targets {
			targets[i] = fmt.Sprint("/item/", i)
		}
		loop(b, func(i int) {
			x.Target = targets[i&(len(targets)-1)]
			r.Observe(x, self, peer)
		})
	})
}

// cpu is the CPU time of the process, which tells more than the clock on a busy machine. The collector's is in it.
func cpu(b *testing.B) time.Duration {
	var u unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// loop runs f b.N times and reports CPU time beside the clock's.
func loop(b *testing.B, f func(i int)) {
	b.ReportAllocs()
	began, n := cpu(b), 0
	for b.Loop() {
		f(n)
		n++
	}
	b.ReportMetric(float64(cpu(b)-began)/float64(n), "cpu-ns/op")
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
		tr.observe(r, i)
		i++
	}
	for range 2 * len(tr.list) {
		next()
	}
	if n := testing.AllocsPerRun(len(tr.list), next); n != 0 {
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
