package query

import (
	"cmp"
	"context"
	"errors"
	"slices"

	"github.com/prometheus/prometheus/model/labels"

	"github.com/sonde-dev/sonde/server/query/increase"
)

const (
	kindHTTP  = "http"
	kindRPC   = "rpc"
	kindOther = "other"
)

// kindOf returns the kind of a protocol; "other" for one that is not, or no longer, in the registry.
func (a *api) kindOf(protocol string) string {
	for _, p := range a.cfg.Protocols {
		if p.Protocol == protocol {
			return p.Kind
		}
	}
	return kindOther
}

// interfaceKey is one operation on one target, at one peer for calls made.
type interfaceKey struct{ service, operation, target, peer string }

// interfaces reads what a service offers (side server) or calls (side client), busiest first.
func (a *api) interfaces(ctx context.Context, s span, side string, own *labels.Matcher) ([]Interface, error) {
	out := []Interface{}
	for _, p := range a.cfg.Protocols {
		tallies, err := a.interfaceTallies(ctx, s, p, side, own)
		if err != nil {
			return out, err
		}
		for k, t := range tallies {
			if x := interfaceOf(p, k, t, s); x.RED.Requests > 0 {
				out = append(out, x)
			}
		}
	}
	slices.SortFunc(out, func(a, b Interface) int {
		return cmp.Or(cmp.Compare(b.RED.Requests, a.RED.Requests), compareNames(a, b))
	})
	return out, nil
}

// compareNames orders what counts the same.
func compareNames(a, b Interface) int {
	return cmp.Or(cmp.Compare(a.Protocol, b.Protocol), cmp.Compare(a.Target, b.Target),
		cmp.Compare(a.Operation, b.Operation), cmp.Compare(a.Peer, b.Peer))
}

func interfaceOf(p ProtocolMetrics, k interfaceKey, t *tally, s span) Interface {
	x := Interface{
		Protocol: p.Protocol, Kind: p.Kind, Operation: k.operation, Target: k.target, Peer: k.peer,
		Statuses: t.byStatus, Counts: t.counts, RED: t.red(0, 1, s.seconds()),
	}
	x.RED.Untimed = t.untimedAlso
	if t.untimedAlso == 0 {
		x.Time = x.RED.Mean * x.RED.Requests
	}
	return x
}

// interfaceTallies reads the interfaces of one side by one protocol, of all services that match.
func (a *api) interfaceTallies(ctx context.Context, s span, p ProtocolMetrics, side string, ms ...*labels.Matcher) (map[interfaceKey]*tally, error) {
	m := p.Server
	if side == sideClient {
		m = p.Client
	}
	cuts := []int64{s.start, s.end}
	ms = append(slices.Clone(ms), is("network_protocol_name", p.Protocol))
	tallies := map[interfaceKey]*tally{}
	at := func(operation, target string, ls labels.Labels) *tally {
		k := interfaceKey{ls.Get("service_name"), operation, target, ls.Get("peer_service")}
		if tallies[k] == nil {
			tallies[k] = newTally(1)
		}
		return tallies[k]
	}
	own := func(ls labels.Labels) *tally { return at(value(ls, p.OperationLabel), value(ls, m.TargetLabel), ls) }
	var errs []error
	failed := func(err error) { errs = append(errs, err) }
	histograms := func(metric string, visit func(*tally, labels.Labels, increase.Histogram), more ...*labels.Matcher) {
		if metric == "" {
			return
		}
		failed(a.reader.Histograms(ctx, cuts, func(ls labels.Labels, h increase.Histogram) {
			if h.Delta[0] != nil {
				visit(own(ls), ls, h)
			}
		}, named(metric, slices.Concat(ms, more))...))
	}
	counters := func(metric string, tally func(labels.Labels) *tally, add func(*tally, float64), ms ...*labels.Matcher) {
		failed(a.reader.Counters(ctx, cuts, func(ls labels.Labels, c increase.Counter) {
			if n := c.Sum(); n > 0 {
				add(tally(ls), n)
			}
		}, named(metric, ms)...))
	}
	histograms(m.Duration, func(t *tally, ls labels.Labels, h increase.Histogram) {
		n := h.Delta[0].Count
		failed(t.addDurations(h))
		if status := value(ls, p.StatusLabel); status != "" {
			t.byStatus[status] += n
		}
		if kind := ls.Get("error_type"); kind != "" {
			t.byType[kind] += n
			t.errors[0] += n
		}
	})
	histograms(m.RequestSize, func(t *tally, _ labels.Labels, h increase.Histogram) { t.requestB += h.Delta[0].Sum })
	histograms(m.ResponseSize, func(t *tally, _ labels.Labels, h increase.Histogram) { t.responseB += h.Delta[0].Sum })
	for _, c := range m.Counts {
		var label []*labels.Matcher
		if c.Label != "" {
			label = append(label, is(c.Label, c.Value))
		}
		if c.IsHistogram {
			histograms(c.Metric, func(t *tally, _ labels.Labels, h increase.Histogram) { t.counts[c.Name] += h.Delta[0].Sum }, label...)
			continue
		}
		counters(c.Metric, own, func(t *tally, n float64) { t.counts[c.Name] += n }, slices.Concat(ms, label)...)
	}
	general := func(ls labels.Labels) *tally {
		return at(unless(p.OperationLabel == "", ls.Get("operation")), unless(m.TargetLabel == "", ls.Get("target")), ls)
	}
	ms = append(ms, is("side", side))
	counters("sonde_interface_slow_requests_total", general, func(t *tally, n float64) { t.slow[0] += n }, ms...)
	counters("sonde_interface_untimed_requests_total", general, func(t *tally, n float64) { t.untimedAlso += n }, ms...)
	return tallies, errors.Join(errs...)
}

func unless(absent bool, v string) string {
	if absent {
		return ""
	}
	return v
}

// value is "" where the label has no name.
func value(ls labels.Labels, label string) string {
	if label == "" {
		return ""
	}
	return ls.Get(label)
}
