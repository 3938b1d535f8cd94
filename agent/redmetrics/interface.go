package redmetrics

import (
	"slices"
	"strings"

	"github.com/sonde-dev/sonde/agent/exchange"
	"github.com/sonde-dev/sonde/agent/protocol"
)

// outcomesPerRoute bounds the pairs of status and error of one route; what comes beyond has the status "other".
const outcomesPerRoute = 128

// scope is the interfaces of a service side that bear one peer_service, or all of them where that label is absent
// (server side).
type scope struct {
	side   *serviceSide
	peer   string
	routes map[*route]*routeSeries
	latest *routeSeries // of routes
	pairs  int          // that lead here
}

func (s *serviceSide) scopeOf(peer string, side exchange.Side) *scope {
	if side == exchange.Server {
		peer = ""
	}
	sc := s.scopes[peer]
	if sc == nil {
		sc = &scope{side: s, peer: peer, routes: map[*route]*routeSeries{}}
		s.scopes[peer] = sc
	}
	return sc
}

// release forgets a scope that is empty.
func (sc *scope) release() {
	if sc.pairs == 0 && len(sc.routes) == 0 {
		delete(sc.side.scopes, sc.peer)
	}
}

// routeSeries are the series of one interface: a route in a scope. route and scope are nil for what is beyond the
// bound on series.
type routeSeries struct {
	group
	side                    *serviceSide
	scope                   *scope
	route                   *route
	operation, target, peer string // label values

	requestSize, responseSize       histogram
	hasRequestSize, hasResponseSize bool                       // false where the protocol has none
	slow, untimed                   uint64                     // series from the first on
	counts                          [protocol.MaxCounts]uint64 // likewise
	distributions                   [protocol.MaxCounts]*histogram
	outcomes                        []*outcome
}

// outcome is one combination of status and error of an interface.
type outcome struct {
	group
	of            *routeSeries
	status, error string
	duration      histogram
}

// find returns the series for an exchange: its own, or those of what is beyond the bound on series.
func (sc *scope) find(r *Recorder, p *pair, rt *route, x *exchange.Exchange) (*routeSeries, *outcome) {
	rs := sc.latest
	if rs == nil || rs.route != rt {
		if rs = sc.routes[rt]; rs == nil {
			if r.isFull(p.protocol) {
				rt.release()
				return sc.side.overflown(r, p, x)
			}
			rs = r.newRouteSeries(p, rt, x.Side)
		}
		sc.latest = rs
	}
	status, failure := x.Status, x.Error
	if out := rs.outcome(status, failure); out != nil {
		return rs, out
	}
	if r.isFull(p.protocol) {
		return sc.side.overflown(r, p, x)
	}
	if len(rs.outcomes) >= outcomesPerRoute {
		status, failure = other, ""
		if out := rs.outcome(status, failure); out != nil {
			return rs, out
		}
	}
	return rs, r.newOutcome(rs, p, x.Side, status, failure)
}

// isFull reports whether the bound on series leaves no room for one more interface.
func (r *Recorder) isFull(m *protocolMetrics) bool {
	seriesOfInterface := 4 + len(m.semantics.Counts) // duration, two sizes, slow or untimed
	return r.seriesCount+seriesOfInterface > r.cfg.Series
}

// overflown returns the series of a service side for what is beyond the bound on series. They are not bound by it.
func (s *serviceSide) overflown(r *Recorder, p *pair, x *exchange.Exchange) (*routeSeries, *outcome) {
	if s.overflow == nil {
		s.overflow = r.newRouteSeries(p, nil, x.Side)
		r.newOutcome(s.overflow, p, x.Side, "", "")
	}
	if len(s.overflow.outcomes) == 0 {
		r.newOutcome(s.overflow, p, x.Side, "", "")
	}
	return s.overflow, s.overflow.outcomes[0]
}

// newRouteSeries makes the series of a route in the scope of p; rt is nil for what is beyond the bound on series.
func (r *Recorder) newRouteSeries(p *pair, rt *route, side exchange.Side) *routeSeries {
	rs := &routeSeries{side: p.side, operation: other, target: other}
	if side == exchange.Client {
		rs.peer = other
	}
	if rt != nil {
		rs.scope, rs.route, rs.operation, rs.target, rs.peer = p.scope, rt, rt.operation.name, rt.template, p.scope.peer
		p.scope.routes[rt] = rs
		rt.uses++
	}
	m := p.protocol.metrics[side]
	if m.RequestSize != nil {
		rs.hasRequestSize = true
		r.newSize(&rs.group, m.RequestSize, &rs.requestSize, p.protocol.labels(rs, side)...)
	}
	if m.ResponseSize != nil {
		rs.hasResponseSize = true
		r.newSize(&rs.group, m.ResponseSize, &rs.responseSize, p.protocol.labels(rs, side)...)
	}
	r.add(rs)
	return rs
}

func (r *Recorder) newOutcome(rs *routeSeries, p *pair, side exchange.Side, status, failure string) *outcome {
	out := &outcome{of: rs, status: strings.Clone(status), error: strings.Clone(failure)}
	if d := p.protocol.metrics[side].Duration; d != nil {
		labels := p.protocol.labels(rs, side, named(p.protocol.semantics.StatusLabel, out.status), out.error)
		r.newDuration(&out.group, d, &out.duration, labels...)
	}
	rs.outcomes = append(rs.outcomes, out)
	r.add(out)
	return out
}

// outcome returns the one with this status and error, or nil. What is used moves to the front: there are few.
func (rs *routeSeries) outcome(status, failure string) *outcome {
	for i, o := range rs.outcomes {
		if o.status == status && o.error == failure {
			if i > 0 {
				rs.outcomes[i], rs.outcomes[i-1] = rs.outcomes[i-1], o
			}
			return o
		}
	}
	return nil
}

func (rs *routeSeries) remove(r *Recorder) {
	if rs.route == nil {
		rs.side.overflow = nil
		return
	}
	delete(rs.scope.routes, rs.route)
	if rs.scope.latest == rs {
		rs.scope.latest = nil
	}
	rs.scope.release()
	rs.route.uses--
	rs.route.release()
}

func (o *outcome) remove(r *Recorder) {
	o.of.outcomes = slices.DeleteFunc(o.of.outcomes, func(e *outcome) bool { return e == o })
}
