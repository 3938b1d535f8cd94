package query

import (
	"cmp"
	"context"
	"errors"
	"slices"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"

	"github.com/sonde-dev/sonde/server/query/increase"
)

// interfaceKey is one operation on one target, at one peer for calls made.
type interfaceKey struct{ operation, target, peer string }

// interfaces reads what a service offers (side server) or calls (side client), busiest first.
func (a *api) interfaces(ctx context.Context, s span, side string, own *labels.Matcher) ([]Interface, error) {
	out := []Interface{}
	for _, p := range a.cfg.Protocols {
		m := p.Server
		if side == sideClient {
			m = p.Client
		}
		found, err := a.protocolInterfaces(ctx, s, p, m, side, own)
		if err != nil {
			return out, err
		}
		out = append(out, found...)
	}
	slices.SortFunc(out, func(a, b Interface) int {
		return cmp.Or(cmp.Compare(b.RED.Requests, a.RED.Requests), cmp.Compare(a.Protocol, b.Protocol),
			cmp.Compare(a.Target, b.Target), cmp.Compare(a.Operation, b.Operation), cmp.Compare(a.Peer, b.Peer))
	})
	return out, nil
}

func (a *api) protocolInterfaces(ctx context.Context, s span, p ProtocolMetrics, m SideMetrics, side string, own *labels.Matcher) ([]Interface, error) {
	cuts := []int64{s.start, s.end}
	tallies := map[interfaceKey]*tally{}
	at := func(k interfaceKey) *tally {
		if tallies[k] == nil {
			tallies[k] = newTally(1)
		}
		return tallies[k]
	}
	key := func(ls labels.Labels) interfaceKey {
		return interfaceKey{ls.Get(p.OperationLabel), ls.Get(m.TargetLabel), ls.Get("peer_service")}
	}
	var errs []error
	failed := func(err error) { errs = append(errs, err) }
	failed(a.reader.Histograms(ctx, cuts, func(ls labels.Labels, h increase.Histogram) {
		d := h.Delta[0]
		if d == nil {
			return
		}
		t, n := at(key(ls)), d.Count
		failed(t.addDurations(h))
		if status := ls.Get(p.StatusLabel); status != "" {
			t.byStatus[status] += n
		}
		if kind := ls.Get("error_type"); kind != "" {
			t.byType[kind] += n
			t.errors[0] += n
		}
	}, is(model.MetricNameLabel, m.Duration), own))
	size := func(metric string, add func(*tally, float64)) {
		if metric == "" {
			return
		}
		failed(a.reader.Histograms(ctx, cuts, func(ls labels.Labels, h increase.Histogram) {
			if d := h.Delta[0]; d != nil {
				add(at(key(ls)), d.Sum)
			}
		}, is(model.MetricNameLabel, metric), own))
	}
	size(m.RequestSize, func(t *tally, n float64) { t.requestB += n })
	size(m.ResponseSize, func(t *tally, n float64) { t.responseB += n })
	failed(a.reader.Counters(ctx, cuts, func(ls labels.Labels, c increase.Counter) {
		if n := c.Sum(); n > 0 {
			at(interfaceKey{ls.Get("operation"), ls.Get("target"), ls.Get("peer_service")}).slow[0] += n
		}
	}, is(model.MetricNameLabel, "sonde_interface_slow_requests_total"), own, is("side", side), is("network_protocol_name", p.Protocol)))

	out := []Interface{}
	for k, t := range tallies {
		if r := t.red(0, 1, s.seconds()); r.Requests > 0 {
			out = append(out, Interface{Protocol: p.Protocol, Operation: k.operation, Target: k.target, Peer: k.peer, Statuses: t.byStatus, RED: r})
		}
	}
	return out, errors.Join(errs...)
}
