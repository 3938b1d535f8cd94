package redmetrics

import (
	"github.com/sonde-dev/sonde/agent/exchange"
	"github.com/sonde-dev/sonde/signal"
)

// name is a service name in use. It is in use as long as a service side or an edge bears it.
type name struct {
	uses       int
	isExternal bool
}

// admit returns the name under which an entity is counted: its own while there is room.
func (r *Recorder) admit(e *signal.Entity) (service string, limited bool) {
	if r.names[e.Service] != nil {
		return e.Service, false
	}
	switch {
	case e.External && (r.externals >= r.cfg.ExternalPeers || len(r.names) >= r.cfg.Services):
		return otherExternal, true
	case len(r.names) >= r.cfg.Services:
		return other, true
	}
	return e.Service, false
}

// use counts a user of a name. The names for what is beyond the bounds are not bounded themselves.
func (r *Recorder) use(service string, isExternal bool) {
	if service == other || service == otherExternal {
		return
	}
	n := r.names[service]
	if n == nil {
		n = &name{isExternal: isExternal}
		r.names[service] = n
		if isExternal {
			r.externals++
		}
	}
	n.uses++
}

func (r *Recorder) unuse(service string) {
	n := r.names[service]
	if n == nil {
		return
	}
	if n.uses--; n.uses == 0 {
		delete(r.names, service)
		if n.isExternal {
			r.externals--
		}
	}
}

type sideKey struct {
	service  string
	protocol *protocolMetrics
	side     exchange.Side
}

// serviceSide is what a service serves, or what it asks of others, by one protocol.
type serviceSide struct {
	group
	key     sideKey
	service string

	duration                                   histogram
	slow, partial, requestBytes, responseBytes uint64
	untimed                                    uint64 // a series from the first on
	errors, statuses                           byValue

	operations []*operation
	rawUsed    int
	scopes     map[string]*scope
	gauges     map[gaugeKey]*gauge
	progress   map[progressKey]*progress
	overflow   *routeSeries // what the bound on series keeps from having its own
}

// sideOf returns the side of a service. That of a view has no series of its own: it is there for its interfaces.
func (r *Recorder) sideOf(service string, side exchange.Side, p *protocolMetrics, isView bool) *serviceSide {
	key := sideKey{service, p, side}
	if s := r.sides[key]; s != nil {
		return s
	}
	labels := []string{service, side.String(), p.name}
	s := &serviceSide{key: key, service: service, scopes: map[string]*scope{}, gauges: map[gaugeKey]*gauge{}, progress: map[progressKey]*progress{}}
	r.use(service, false)
	r.sides[key] = s
	r.add(s)
	if isView {
		return s
	}
	r.newDuration(&s.group, signal.ServiceDuration, &s.duration, labels...)
	r.newCounter(&s.group, signal.ServiceSlow, &s.slow, labels...)
	r.newCounter(&s.group, signal.ServicePartial, &s.partial, labels...)
	r.newCounter(&s.group, signal.ServiceRequestBytes, &s.requestBytes, labels...)
	r.newCounter(&s.group, signal.ServiceResponseBytes, &s.responseBytes, labels...)
	s.errors.labels, s.statuses.labels = labels, labels
	return s
}

func (s *serviceSide) remove(r *Recorder) {
	delete(r.sides, s.key)
	r.rawUsed -= s.rawUsed
	r.unuse(s.service)
}
