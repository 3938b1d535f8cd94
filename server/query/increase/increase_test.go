package increase_test

import (
	"context"
	"log/slog"
	"maps"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"

	"github.com/sonde-dev/sonde/server/query/increase"
	"github.com/sonde-dev/sonde/server/store/metricstore"
	"github.com/sonde-dev/sonde/signal"
)

const t0 = int64(1_700_000_000_000)

// observation is one event of the synthetic truth: what happened, and when the store was told of it.
type observation struct {
	told  int64
	index int32 // native bucket
}

// world drives a store like an agent that flushes, pauses, restarts and ends series, and remembers every observation.
type world struct {
	t     *testing.T
	rnd   *rand.Rand
	store *metricstore.Store
	now   int64
	id    uint64
	born  int64
	count float64
	hist  map[int32]uint64
	truth []observation
	fresh []observation // not told yet
}

func newWorld(t *testing.T, seed uint64) *world {
	cfg := metricstore.DefaultConfig()
	cfg.Dir = t.TempDir()
	store, err := metricstore.Open(cfg, slog.New(slog.DiscardHandler), nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { store.Close() })
	return &world{t: t, rnd: rand.New(rand.NewPCG(seed, 1)), store: store, now: t0, id: 1, born: t0, hist: map[int32]uint64{}}
}

func (w *world) observe() {
	index := int32(w.rnd.NormFloat64() * 40)
	w.count++
	w.hist[index]++
	w.fresh = append(w.fresh, observation{index: index})
}

var (
	counterDesc = &signal.Desc{Name: "c_total", Type: signal.Counter, Labels: []string{"k"}}
	histDesc    = &signal.Desc{Name: "h_seconds", Type: signal.Histogram, Labels: []string{"k"}}
)

func (w *world) flush(ended ...uint64) {
	h := &signal.NativeHistogram{Schema: signal.HistogramSchema, ZeroThreshold: 1e-128}
	for _, i := range slices.Sorted(maps.Keys(w.hist)) {
		h.Buckets = append(h.Buckets, signal.Bucket{Index: i, Count: w.hist[i]})
		h.Count += w.hist[i]
		h.Sum += float64(w.hist[i]) * float64(i)
	}
	b := &signal.Batch{Time: time.UnixMilli(w.now), Ended: ended}
	if len(ended) == 0 {
		lv, created := []string{"x"}, time.UnixMilli(w.born)
		b.Series = []signal.Series{
			{Desc: counterDesc, ID: w.id, LabelValues: lv, Created: created, Value: w.count},
			{Desc: histDesc, ID: w.id + 1, LabelValues: lv, Created: created, Histogram: h},
		}
		for _, o := range w.fresh {
			w.truth = append(w.truth, observation{told: w.now, index: o.index})
		}
		w.fresh = w.fresh[:0]
	}
	if err := w.store.Append(context.Background(), b); err != nil {
		w.t.Fatal(err)
	}
}

// restart begins the series anew, as after a restart of the agent: counting from zero, under a new id.
func (w *world) restart() {
	w.fresh, w.count, w.hist = w.fresh[:0], 0, map[int32]uint64{} // what was not told is lost with the agent
	w.id += 2
	w.now += w.rnd.Int64N(20_000) + 2000
	w.born = w.now - 1000
}

func (w *world) live(flushes int) {
	for range flushes {
		for range w.rnd.IntN(6) {
			w.observe()
		}
		w.now += 5000
		w.flush()
		switch w.rnd.IntN(60) {
		case 0:
			w.restart()
		case 1: // idle: ends with a staleness marker, and comes again
			w.now += 5000
			w.flush(w.id, w.id+1)
			w.restart()
		}
	}
}

// want computes the increases from the truth alone.
func (w *world) want(cuts []int64) (counts []float64, buckets []map[int32]float64) {
	for i := 1; i < len(cuts); i++ {
		n, m := 0.0, map[int32]float64{}
		for _, o := range w.truth {
			if o.told > cuts[i-1] && o.told <= cuts[i] {
				n++
				m[o.index]++
			}
		}
		counts, buckets = append(counts, n), append(buckets, m)
	}
	return counts, buckets
}

func (w *world) check(cuts []int64) {
	w.t.Helper()
	r := increase.NewReader(w.store)
	wantCounts, wantBuckets := w.want(cuts)
	var counts []float64
	err := r.Counters(context.Background(), cuts, func(_ labels.Labels, c increase.Counter) {
		counts = slices.Clone(c.Delta)
	}, labels.MustNewMatcher(labels.MatchEqual, model.MetricNameLabel, "c_total"))
	if err != nil {
		w.t.Fatal(err)
	}
	if d := cmp.Diff(wantCounts, counts); d != "" {
		w.t.Fatalf("counter, cuts %v (-want +got):\n%s", cuts, d)
	}
	var buckets []map[int32]float64
	var total []float64
	err = r.Histograms(context.Background(), cuts, func(_ labels.Labels, h increase.Histogram) {
		for _, d := range h.Delta {
			m, n := map[int32]float64{}, 0.0
			if d != nil {
				n = d.Count
				for it := d.PositiveBucketIterator(); it.Next(); {
					if b := it.At(); b.Count != 0 {
						m[b.Index] = b.Count
					}
				}
			}
			buckets, total = append(buckets, m), append(total, n)
		}
	}, labels.MustNewMatcher(labels.MatchEqual, model.MetricNameLabel, "h_seconds"))
	if err != nil {
		w.t.Fatal(err)
	}
	if d := cmp.Diff(wantCounts, total); d != "" {
		w.t.Fatalf("histogram counts, cuts %v (-want +got):\n%s", cuts, d)
	}
	if d := cmp.Diff(wantBuckets, buckets); d != "" {
		w.t.Fatalf("histogram buckets, cuts %v (-want +got):\n%s", cuts, d)
	}
}

// Random lives of an agent, random cuts: every increase equals the number of observations told in the interval.
func TestIncreasesEqualTheTruth(t *testing.T) {
	for seed := range uint64(6) {
		w := newWorld(t, seed)
		w.live(600)
		for range 150 {
			n := 2 + w.rnd.IntN(12)
			cuts := make([]int64, n)
			for i := range cuts {
				cuts[i] = t0 - 60_000 + w.rnd.Int64N(w.now-t0+120_000)
			}
			slices.Sort(cuts)
			w.check(slices.Compact(append(cuts, math.MaxInt64/2))[:n])
		}
	}
}

func TestNothingMatches(t *testing.T) {
	w := newWorld(t, 1)
	err := increase.NewReader(w.store).Counters(context.Background(), []int64{1, 2}, func(labels.Labels, increase.Counter) {
		t.Error("visited a series that does not exist")
	}, labels.MustNewMatcher(labels.MatchEqual, model.MetricNameLabel, "c_total"))
	if err != nil {
		t.Fatal(err)
	}
}
