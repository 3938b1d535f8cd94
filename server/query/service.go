package query

import (
	"context"
	"errors"
	"slices"
	"sync"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"

	"github.com/sonde-dev/sonde/server/query/increase"
)

var errUnknownSide = errors.New("side must be server or client")

// service answers for one service in detail; row is its row of the overview.
func (a *api) service(ctx context.Context, s span, row Service, side string) (ServiceReply, error) {
	if side == "" {
		if side = sideServer; row.Server == nil {
			side = sideClient
		}
	}
	out := ServiceReply{
		Range: s.reply(), Service: row, Side: side, SlowThreshold: a.cfg.SlowThreshold.Seconds(),
		Callers: []Peer{}, Dependencies: []Peer{},
	}
	own := is("service_name", row.Name)
	var (
		wg   sync.WaitGroup
		errs [6]error
		in   []edge
		to   []edge
	)
	wg.Go(func() { out.Series, errs[0] = a.series(ctx, s, side, own) })
	wg.Go(func() {
		if out.Interfaces, errs[1] = a.interfaces(ctx, s, sideServer, own); errs[1] == nil {
			out.Calls, errs[1] = a.interfaces(ctx, s, sideClient, own)
		}
	})
	wg.Go(func() { in, errs[2] = a.edges(ctx, s, is("server", row.Name)) })
	wg.Go(func() { to, errs[3] = a.edges(ctx, s, is("client", row.Name)) })
	wg.Go(func() { out.Instances, errs[4] = a.instanceRows(ctx, s, side, own) })
	wg.Go(func() { out.Loss, errs[5] = a.loss(ctx, s) })
	wg.Wait()
	for _, e := range in {
		out.Callers = append(out.Callers, Peer{e.Client, e.clientExternal, e.Protocol, e.Kind, e.RED, e.Severity, e.Reasons})
	}
	for _, e := range to {
		out.Dependencies = append(out.Dependencies, Peer{e.Server, e.serverExternal, e.Protocol, e.Kind, e.RED, e.Severity, e.Reasons})
	}
	slices.SortStableFunc(out.Callers, comparePeers)
	slices.SortStableFunc(out.Dependencies, comparePeers)
	return out, errors.Join(errs[:]...)
}

// comparePeers puts the worst first, then the busiest.
func comparePeers(a, b Peer) int {
	if d := b.Severity.rank() - a.Severity.rank(); d != 0 {
		return d
	}
	return int(min(1, max(-1, b.RED.Requests-a.RED.Requests)))
}

// series reads the golden signals over time.
func (a *api) series(ctx context.Context, s span, side string, own *labels.Matcher) (Series, error) {
	cuts, first, last := s.stepped()
	g := gathering[string]{reader: a.reader, cuts: cuts, key: func(labels.Labels) string { return side }}
	f := serviceFamily()
	f.partial, f.requestBytes, f.responseBytes = "", "", "" // not shown over time
	tallies, err := g.gather(ctx, f, own, is("side", side))
	if err != nil {
		return Series{}, err
	}
	t := tallies[side]
	if t == nil {
		t = newTally(len(cuts) - 1)
	}
	n := max(0, last-first)
	out := Series{
		Time: make([]float64, n), Rate: make([]*float64, n), Errors: make([]*float64, n), ErrorRatio: make([]*float64, n),
		Slow: make([]*float64, n), P50: make([]*float64, n), P90: make([]*float64, n), P95: make([]*float64, n), P99: make([]*float64, n),
		Status: map[string][]*float64{},
	}
	step := float64(s.step) / 1000
	for i := range n {
		k := first + i
		out.Time[i] = float64(cuts[k+1]) / 1000
		if !t.seen[k] {
			continue
		}
		r := t.red(k, k+1, step)
		errorRate, slowRate := r.Errors/step, r.Slow/step
		out.Rate[i], out.Errors[i], out.Slow[i] = &r.Rate, &errorRate, &slowRate
		if r.Requests > 0 {
			out.ErrorRatio[i] = &r.ErrorRatio
		}
		if r.Requests > r.Untimed {
			out.P50[i], out.P90[i], out.P95[i], out.P99[i] = &r.P50, &r.P90, &r.P95, &r.P99
		}
	}
	err = a.reader.Counters(ctx, cuts, func(ls labels.Labels, c increase.Counter) {
		if c.Sum() > 0 {
			addRates(out.Status, a.statusClass(ls.Get("network_protocol_name"), ls.Get("status")), c, first, n, step)
		}
	}, is(model.MetricNameLabel, "sonde_service_status_total"), own, is("side", side))
	return out, err
}

func addRates(m map[string][]*float64, class string, c increase.Counter, first, n int, step float64) {
	if m[class] == nil {
		m[class] = make([]*float64, n)
	}
	for i := range n {
		if !c.Seen[first+i] {
			continue
		}
		v := c.Delta[first+i] / step
		if old := m[class][i]; old != nil {
			v += *old
		}
		m[class][i] = &v
	}
}

// statusClass folds the three-digit codes of HTTP into classes ("2xx"); other statuses stay, no status is "none".
func (a *api) statusClass(protocol, status string) string {
	switch {
	case status == "":
		return "none"
	case a.kindOf(protocol) == kindHTTP && len(status) == 3 && status[0] >= '1' && status[0] <= '5':
		return status[:1] + "xx"
	}
	return status
}
