package redmetrics

import (
	"github.com/sonde-dev/sonde/agent/exchange"
	"github.com/sonde-dev/sonde/signal"
)

// Observe counts one exchange. self is the end that observed it, peer the other one; nil stands for an end that could not
// be named ("unknown", external). The entities must not change afterwards, and the same entity should come with the same pointer: it is
// the key. Neither x nor its strings are kept.
//
// It does not allocate once the two ends, the route and the status were seen before.
func (r *Recorder) Observe(x *exchange.Exchange, self, peer *signal.Entity) {
	ns := x.Duration()
	var at int32
	if ns > 0 {
		at = bucketIndex(float64(ns) / nanoseconds)
	}

	r.mu.Lock()
	defer r.mu.Unlock()
	p := r.pairOf(x, self, peer, false)
	isSlow := ns > r.slow && x.IsTimed()

	p.touched = true
	p.exchanges.touched = true
	p.exchanges.total++
	p.side.observe(r, x, ns, at, isSlow)
	p.edge.observe(r, x, ns, at, isSlow)
	p.instance.observe(r, x, ns, at, isSlow)
	limited := r.observeInterface(p, x, ns, at, isSlow)
	if len(x.Levels) > 0 {
		limited = r.observeLevels(p, x) || limited
	}
	if x.View != nil {
		limited = r.observeView(x, self, peer, ns, at, isSlow) || limited
	}
	if limited || p.limited {
		r.lost.Add(signal.SeriesLimit, 1)
	}
}

// observeInterface counts an exchange under its route, and reports whether the bound on series forced it under "other".
func (r *Recorder) observeInterface(p *pair, x *exchange.Exchange, ns uint64, at int32, isSlow bool) (limited bool) {
	rt := p.side.routeOf(r, x, p.protocol)
	rs, out := p.scope.find(r, p, rt, x)
	limited = rs.route == nil
	if rt.isOther && !limited {
		r.lost.Add(signal.RouteLimit, 1)
	}
	rs.touched, out.touched = true, true

	if p.protocol.metrics[x.Side].Duration != nil {
		r.observe(&out.duration, ns, at)
	}
	rs.count(r, p, x)
	if rs.hasRequestSize {
		r.observeSize(&rs.requestSize, x.RequestBytes)
	}
	if rs.hasResponseSize {
		r.observeSize(&rs.responseSize, x.ResponseBytes)
	}
	if isSlow {
		rs.add(r, p, x.Side, signal.InterfaceSlow, &rs.slow)
	}
	if !x.IsTimed() {
		rs.add(r, p, x.Side, signal.InterfaceUntimed, &rs.untimed)
	}
	return limited
}

// add counts one more of a counter that is a series from the first on.
func (rs *routeSeries) add(r *Recorder, p *pair, side exchange.Side, d *signal.Desc, n *uint64) {
	if *n == 0 {
		r.newCounter(&rs.group, d, n, p.side.service, side.String(), p.protocol.name, rs.operation, rs.target, rs.peer)
	}
	*n++
}

// count adds what the protocol counts besides. A number is a series from the first time on.
func (rs *routeSeries) count(r *Recorder, p *pair, x *exchange.Exchange) {
	for i, d := range p.protocol.metrics[x.Side].Counts {
		n := x.Counts[i]
		if n == 0 || d == nil {
			continue
		}
		if d.Type == signal.Histogram {
			r.observeSize(rs.distribution(r, p, x.Side, i, d), n)
			continue
		}
		if rs.counts[i] == 0 {
			r.newCounter(&rs.group, d, &rs.counts[i], p.protocol.countLabels(rs, x.Side, i)...)
		}
		rs.counts[i] += n
	}
}

// distribution returns the histogram of one of the protocol's numbers.
func (rs *routeSeries) distribution(r *Recorder, p *pair, side exchange.Side, i int, d *signal.Desc) *histogram {
	h := rs.distributions[i]
	if h == nil {
		h = &histogram{}
		rs.distributions[i] = h
		r.newSize(&rs.group, d, h, p.protocol.countLabels(rs, side, i)...)
	}
	return h
}

// observeSize counts a message size. 64-bit sizes are exact in the sum; their bucket is that of the nearest float64.
func (r *Recorder) observeSize(h *histogram, n uint64) {
	var at int32
	if n > 0 {
		at = bucketIndex(float64(n))
	}
	r.observe(h, n, at)
}

func (s *serviceSide) observe(r *Recorder, x *exchange.Exchange, ns uint64, at int32, isSlow bool) {
	s.touched = true
	if !x.IsTimed() {
		if s.untimed == 0 {
			r.newCounter(&s.group, signal.ServiceUntimed, &s.untimed, s.statuses.labels...)
		}
		s.untimed++
	} else {
		r.observe(&s.duration, ns, at)
	}
	s.requestBytes += x.RequestBytes
	s.responseBytes += x.ResponseBytes
	*s.statuses.of(r, &s.group, signal.ServiceStatus, x.Status)++
	if isSlow {
		s.slow++
	}
	if x.Partial {
		s.partial++
	}
	if x.Error != "" {
		*s.errors.of(r, &s.group, signal.ServiceErrors, x.Error)++
	}
}

func (e *edge) observe(r *Recorder, x *exchange.Exchange, ns uint64, at int32, isSlow bool) {
	e.touched = true
	if !x.IsTimed() {
		if e.untimed == 0 {
			r.newCounter(&e.group, signal.EdgeUntimed, &e.untimed, e.ends...)
		}
		e.untimed++
	} else {
		r.observe(&e.duration, ns, at)
	}
	e.requestBytes += x.RequestBytes
	e.responseBytes += x.ResponseBytes
	if isSlow {
		e.slow++
	}
	if x.Error != "" {
		*e.errors.of(r, &e.group, signal.EdgeErrors, x.Error)++
	}
}

func (i *instance) observe(r *Recorder, x *exchange.Exchange, ns uint64, at int32, isSlow bool) {
	i.touched = true
	i.info.touched = true
	if !x.IsTimed() {
		if i.untimed == 0 {
			r.newCounter(&i.group, signal.InstanceUntimed, &i.untimed, i.labels...)
		}
		i.untimed++
	} else {
		r.observe(&i.duration, ns, at)
	}
	if isSlow {
		i.slow++
	}
	if x.Error != "" {
		i.errors++
	}
}
