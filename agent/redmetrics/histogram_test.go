package redmetrics

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	prom "github.com/prometheus/prometheus/model/histogram"
	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/promql/parser/posrange"

	"github.com/sonde-dev/sonde/signal"
	"github.com/sonde-dev/sonde/signal/promhist"
)

// distributions give nanoseconds.
var distributions = map[string]func(*rand.Rand) uint64{
	"lognormal σ=0.3": func(r *rand.Rand) uint64 { return uint64(math.Exp(r.NormFloat64()*0.3) * 5e6) },
	"lognormal σ=1":   func(r *rand.Rand) uint64 { return uint64(math.Exp(r.NormFloat64()) * 20e6) },
	"lognormal σ=2":   func(r *rand.Rand) uint64 { return uint64(math.Exp(r.NormFloat64()*2) * 1e6) },
	"bimodal": func(r *rand.Rand) uint64 {
		if r.IntN(100) < 70 {
			return uint64(2e6 + r.NormFloat64()*1e5)
		}
		return uint64(8e8 + r.NormFloat64()*5e7)
	},
	"constant":    func(*rand.Rand) uint64 { return 12_345_678 },
	"one second":  func(*rand.Rand) uint64 { return 1e9 }, // exactly on a bound
	"uniform":     func(r *rand.Rand) uint64 { return 1e3 + r.Uint64N(1e6) },
	"nanoseconds": func(r *rand.Rand) uint64 { return 1e5 + r.Uint64N(2e4) },
}

func put(h *histogram1, v uint64) { h.observe(v, bucketIndex(float64(v)/nanoseconds), &h.b) }

// histogram1 is a histogram with bounds of its own.
type histogram1 struct {
	histogram
	b buckets
}

func newHistogram1(perSeries, inAll int) *histogram1 {
	return &histogram1{histogram{schema: signal.HistogramSchema}, buckets{perSeries: perSeries, inAll: inAll}}
}

func (h *histogram1) prometheus(t *testing.T) *prom.FloatHistogram {
	t.Helper()
	r := testRecorder(nil)
	g := &pair{}
	g.series = []*series{{hist: &h.histogram, scale: nanoseconds}}
	r.add(g)
	h.dirty = true
	p := promhist.ToHistogram(r.Snapshot(start.Add(time.Second)).Series[0].Histogram)
	if err := p.Validate(); err != nil {
		t.Fatalf("Prometheus refuses the histogram: %v", err)
	}
	return p.ToFloat(nil)
}

// quantile is what a user gets: Prometheus' histogram_quantile.
func quantile(q float64, h *prom.FloatHistogram) float64 {
	v, _ := promql.HistogramQuantile(q, h, "x", posrange.PositionRange{})
	return v
}

// The oracle is the sorted list of what was observed: the percentile is the value of nearest rank.
func TestPercentilesAgainstExact(t *testing.T) {
	for name, next := range distributions {
		for seed := range uint64(3) {
			t.Run(fmt.Sprintf("%s/%d", name, seed), func(t *testing.T) {
				rng := rand.New(rand.NewPCG(seed, 7))
				h := newHistogram1(DefaultConfig.BucketsPerSeries, DefaultConfig.Buckets)
				all := make([]uint64, 50_000)
				for i := range all {
					all[i] = next(rng)
					put(h, all[i])
				}
				slices.Sort(all)
				p := h.prometheus(t)
				for _, q := range []float64{0.5, 0.9, 0.95, 0.99} {
					want := float64(all[int(math.Ceil(q*float64(len(all))))-1]) / nanoseconds
					if got := quantile(q, p); math.Abs(got-want)/want > 0.011 {
						t.Errorf("p%v = %v, want %v: off by %.2f %%", q*100, got, want, 100*math.Abs(got-want)/want)
					}
				}
			})
		}
	}
}

func TestMergedHistogramsSumExactly(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	next := distributions["lognormal σ=1"]
	all := newHistogram1(4096, 1e6)
	var merged *prom.FloatHistogram
	for range 5 {
		part := newHistogram1(4096, 1e6)
		for range 10_000 {
			v := next(rng)
			put(part, v)
			put(all, v)
		}
		if p := part.prometheus(t); merged == nil {
			merged = p
		} else if _, _, _, err := merged.Add(p); err != nil {
			t.Fatal(err)
		}
	}
	want := all.prometheus(t)
	merged.Compact(0)
	want.Compact(0)
	if merged.Count != want.Count || !slices.Equal(merged.PositiveBuckets, want.PositiveBuckets) ||
		!slices.Equal(merged.PositiveSpans, want.PositiveSpans) {
		t.Errorf("sum of parts = %v\nwant %v", merged, want)
	}
	if math.Abs(merged.Sum-want.Sum) > 1e-9*want.Sum { // addition of floats in another order
		t.Errorf("sum = %v, want %v", merged.Sum, want.Sum)
	}
}

// The oracle of a reduction is Prometheus' own.
func TestReduceAsPrometheus(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 3))
	fine, bounded := newHistogram1(1e6, 1e6), newHistogram1(smallHistogram, 1e6)
	for range 20_000 {
		v := distributions["lognormal σ=2"](rng)
		put(fine, v)
		put(bounded, v)
	}
	put(fine, 0)
	put(bounded, 0)
	got := bounded.prometheus(t)
	if len(bounded.index) > smallHistogram || got.Schema >= signal.HistogramSchema {
		t.Fatalf("%d buckets at schema %d, want at most %d and coarser", len(bounded.index), got.Schema, smallHistogram)
	}
	if bounded.b.used != len(bounded.index) {
		t.Errorf("%d buckets accounted for, want %d", bounded.b.used, len(bounded.index))
	}
	want := fine.prometheus(t)
	if err := want.ReduceResolution(got.Schema); err != nil {
		t.Fatal(err)
	}
	got.Compact(0)
	want.Compact(0)
	if !got.Equals(want) {
		t.Errorf("reduced = %v\nwant %v", got, want)
	}
}

// All buckets together are bounded too: many histograms under a tight bound stay near it and lose no count.
func TestBoundOnAllBuckets(t *testing.T) {
	rng := rand.New(rand.NewPCG(4, 4))
	b := buckets{perSeries: 1024, inAll: 2000}
	hs := make([]histogram, 100)
	for i := range hs {
		hs[i].schema = signal.HistogramSchema
	}
	for range 200_000 {
		h := &hs[rng.IntN(len(hs))]
		v := distributions["lognormal σ=2"](rng)
		h.observe(v, bucketIndex(float64(v)/nanoseconds), &b)
	}
	var count, used int
	for _, h := range hs {
		used += len(h.index)
		for _, n := range h.counts {
			count += int(n)
		}
	}
	if count != 200_000 || used != b.used || used > len(hs)*smallHistogram {
		t.Errorf("%d observations in %d buckets (accounted: %d), want 200000 in at most %d", count, used, b.used, len(hs)*smallHistogram)
	}
}
