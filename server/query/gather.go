package query

import (
	"context"
	"errors"
	"sync"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"

	"github.com/sonde-dev/sonde/server/query/increase"
)

// family names the metrics that together describe one kind of thing; "" for what that kind does not have.
type family struct {
	durations, errors, slow, untimed, partial, requestBytes, responseBytes string
}

// The families that the agent writes (signal's catalogue of metrics).
func serviceFamily() family {
	return family{
		durations: "sonde_service_request_duration_seconds", errors: "sonde_service_errors_total", slow: "sonde_service_slow_requests_total",
		untimed: "sonde_service_untimed_requests_total",
		partial: "sonde_service_partial_requests_total", requestBytes: "sonde_service_request_bytes_total", responseBytes: "sonde_service_response_bytes_total",
	}
}

func edgeFamily() family {
	return family{
		durations: "sonde_edge_request_duration_seconds", errors: "sonde_edge_errors_total", slow: "sonde_edge_slow_requests_total",
		untimed:      "sonde_edge_untimed_requests_total",
		requestBytes: "sonde_edge_request_bytes_total", responseBytes: "sonde_edge_response_bytes_total",
	}
}

func instanceFamily() family {
	return family{
		durations: "sonde_instance_request_duration_seconds", errors: "sonde_instance_errors_total", slow: "sonde_instance_slow_requests_total",
		untimed: "sonde_instance_untimed_requests_total",
	}
}

// gathering reads one family into tallies, one for each key.
type gathering[K comparable] struct {
	reader *increase.Reader
	cuts   []int64
	key    func(labels.Labels) K
	// note, where set, sees the labels of each series of requests that grew: durations, and those that wait.
	note func(K, labels.Labels)

	mu      sync.Mutex
	tallies map[K]*tally
	errs    []error
}

// gather reads the metrics of f side by side. Things that did nothing in the range have no tally, or one without requests.
func (g *gathering[K]) gather(ctx context.Context, f family, ms ...*labels.Matcher) (map[K]*tally, error) {
	g.tallies = map[K]*tally{}
	var wg sync.WaitGroup
	wg.Go(func() {
		g.failed(g.reader.Histograms(ctx, g.cuts, g.durations, named(f.durations, ms)...))
	})
	counters := []struct {
		name string
		add  func(t *tally, ls labels.Labels, c increase.Counter)
	}{
		{f.untimed, func(t *tally, ls labels.Labels, c increase.Counter) {
			for i, d := range c.Delta {
				t.untimed[i] += d
				t.seen[i] = t.seen[i] || c.Seen[i]
			}
			if g.note != nil {
				g.note(g.key(ls), ls)
			}
		}},
		{f.errors, func(t *tally, ls labels.Labels, c increase.Counter) { t.addErrors(ls.Get("error_type"), c) }},
		{f.slow, func(t *tally, _ labels.Labels, c increase.Counter) {
			for i, d := range c.Delta {
				t.slow[i] += d
			}
		}},
		{f.partial, func(t *tally, _ labels.Labels, c increase.Counter) { t.partial += c.Sum() }},
		{f.requestBytes, func(t *tally, _ labels.Labels, c increase.Counter) { t.requestB += c.Sum() }},
		{f.responseBytes, func(t *tally, _ labels.Labels, c increase.Counter) { t.responseB += c.Sum() }},
	}
	for _, c := range counters {
		if c.name == "" {
			continue
		}
		wg.Go(func() {
			g.failed(g.reader.Counters(ctx, g.cuts, func(ls labels.Labels, inc increase.Counter) {
				if inc.Sum() == 0 {
					return
				}
				g.mu.Lock()
				defer g.mu.Unlock()
				c.add(g.tally(g.key(ls)), ls, inc)
			}, named(c.name, ms)...))
		})
	}
	wg.Wait()
	return g.tallies, errors.Join(g.errs...)
}

func (g *gathering[K]) durations(ls labels.Labels, h increase.Histogram) {
	k := g.key(ls)
	g.mu.Lock()
	defer g.mu.Unlock()
	if err := g.tally(k).addDurations(h); err != nil {
		g.errs = append(g.errs, err)
	}
	if g.note == nil {
		return
	}
	for _, d := range h.Delta {
		if d != nil {
			g.note(k, ls)
			return
		}
	}
}

// tally returns the tally of k; the caller holds mu.
func (g *gathering[K]) tally(k K) *tally {
	t := g.tallies[k]
	if t == nil {
		t = newTally(len(g.cuts) - 1)
		g.tallies[k] = t
	}
	return t
}

func (g *gathering[K]) failed(err error) {
	if err == nil {
		return
	}
	g.mu.Lock()
	g.errs = append(g.errs, err)
	g.mu.Unlock()
}

func named(metric string, ms []*labels.Matcher) []*labels.Matcher {
	out := make([]*labels.Matcher, 0, len(ms)+1)
	out = append(out, is(model.MetricNameLabel, metric))
	return append(out, ms...)
}

// is matches one label value.
func is(label, v string) *labels.Matcher {
	return &labels.Matcher{Type: labels.MatchEqual, Name: label, Value: v}
}
