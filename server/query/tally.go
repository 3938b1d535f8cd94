package query

import (
	"fmt"
	"slices"

	"github.com/prometheus/prometheus/model/histogram"
	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/promql/parser/posrange"

	"github.com/sonde-dev/sonde/server/query/increase"
)

// tally collects what one thing (a service, an edge, …) did in each interval between cuts.
type tally struct {
	durations   []*histogram.FloatHistogram // nil where no request ended
	seen        []bool
	errors      []float64
	slow        []float64
	untimed     []float64 // requests without service time: not in durations, but for those of interfaces
	untimedAlso float64   // the same of an interface: they are in its durations too
	counts      map[string]float64
	byType      map[string]float64
	byStatus    map[string]float64
	partial     float64
	requestB    float64
	responseB   float64
}

func newTally(intervals int) *tally {
	return &tally{
		durations: make([]*histogram.FloatHistogram, intervals), seen: make([]bool, intervals),
		errors: make([]float64, intervals), slow: make([]float64, intervals), untimed: make([]float64, intervals),
		counts: map[string]float64{}, byType: map[string]float64{}, byStatus: map[string]float64{},
	}
}

// addDurations merges the growth of one histogram; it takes ownership of its parts.
func (t *tally) addDurations(h increase.Histogram) error {
	for i, d := range h.Delta {
		t.seen[i] = t.seen[i] || h.Seen[i]
		if d == nil {
			continue
		}
		if t.durations[i] == nil {
			t.durations[i] = d
			continue
		}
		sum, _, _, err := t.durations[i].Add(d)
		if err != nil {
			return fmt.Errorf("add histograms: %w", err)
		}
		t.durations[i] = sum
	}
	return nil
}

func (t *tally) addErrors(kind string, c increase.Counter) {
	for i, d := range c.Delta {
		t.errors[i] += d
	}
	if n := c.Sum(); n > 0 && kind != "" {
		t.byType[kind] += n
	}
}

// requests returns the number of requests in the intervals [from, to).
func (t *tally) requests(from, to int) float64 {
	n := sum(t.untimed[from:to])
	for _, d := range t.durations[from:to] {
		if d != nil {
			n += d.Count
		}
	}
	return n
}

func (t *tally) all() int { return len(t.durations) }

// red sums up the intervals [from, to), which last for the given seconds. Of the totals without intervals (partial,
// bytes, errors by type) it tells only when asked for all intervals.
func (t *tally) red(from, to int, seconds float64) RED {
	r := RED{Errors: sum(t.errors[from:to]), Slow: sum(t.slow[from:to]), Untimed: sum(t.untimed[from:to])}
	r.Requests = r.Untimed
	if d := merge(t.durations[from:to]); d != nil {
		r.Requests += d.Count
		r.Mean = d.Sum / d.Count
		r.P50, r.P90, r.P95, r.P99 = quantile(0.5, d), quantile(0.9, d), quantile(0.95, d), quantile(0.99, d)
	}
	if r.Requests > 0 {
		r.Rate, r.ErrorRatio = r.Requests/seconds, r.Errors/r.Requests
	}
	if from == 0 && to == t.all() {
		r.ErrorsByType, r.Partial, r.RequestBytes, r.ResponseBytes = t.byType, t.partial, t.requestB, t.responseB
	}
	return r
}

// third is what the judgement asks of one of the three equal parts of the range. timed are the requests whose duration
// is service time.
type third struct{ requests, timed, p95 float64 }

// thirds returns the three equal parts; the number of intervals must divide by three. p95 is read only where there are
// enough requests to judge by.
func (t *tally) thirds() (out [3]third) {
	n := t.all() / 3
	for i := range out {
		out[i].requests = sum(t.untimed[i*n : (i+1)*n])
		d := merge(t.durations[i*n : (i+1)*n])
		if d == nil {
			continue
		}
		out[i].requests += d.Count
		if out[i].timed = d.Count; i > 0 && d.Count >= jumpRequests {
			out[i].p95 = quantile(0.95, d)
		}
	}
	return out
}

// seenLately is true when there is a sample in the last third, so that silence means that nothing happened.
func (t *tally) seenLately() bool { return slices.Contains(t.seen[t.all()*2/3:], true) }

func sum(xs []float64) float64 {
	var s float64
	for _, x := range xs {
		s += x
	}
	return s
}

// merge returns the sum of histograms, nil for none; the parts stay as they are. Mixed resolutions end in the coarsest;
// what cannot be added (custom bounds of a foreign writer) is left out.
func merge(hs []*histogram.FloatHistogram) *histogram.FloatHistogram {
	var out *histogram.FloatHistogram
	owned := false
	for _, h := range hs {
		switch {
		case h == nil || h.Count == 0:
		case out == nil:
			out = h
		default:
			if !owned {
				out, owned = out.Copy(), true
			}
			if added, _, _, err := out.Add(h); err == nil {
				out = added
			}
		}
	}
	return out
}

// quantile interpolates exponentially, as PromQL's histogram_quantile does.
func quantile(q float64, h *histogram.FloatHistogram) float64 {
	v, _ := promql.HistogramQuantile(q, h, "", posrange.PositionRange{})
	return v
}
