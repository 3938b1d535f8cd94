package redmetrics

import (
	"github.com/sonde-dev/sonde/agent/exchange"
	"github.com/sonde-dev/sonde/signal"
)

// end is one end of an edge.
type end struct {
	service    string
	isExternal bool
}

func (e end) externalLabel() string {
	if e.isExternal {
		return "true"
	}
	return ""
}

type edgeKey struct {
	client, server end
	protocol       *protocolMetrics
	side           exchange.Side
}

// edge is the requests from one service to another, seen from one side.
type edge struct {
	group
	key edgeKey

	duration                          histogram
	slow, requestBytes, responseBytes uint64
	untimed                           uint64   // a series from the first on
	ends                              []string // labels with both ends
	errors                            byValue
}

func (r *Recorder) edgeOf(client, server end, side exchange.Side, p *protocolMetrics) (e *edge, limited bool) {
	key := edgeKey{client, server, p, side}
	if e := r.edges[key]; e != nil {
		return e, false
	}
	if len(r.edges) >= r.cfg.Edges {
		limited = true
		key.client, key.server = end{service: other}, end{service: other}
		if e := r.edges[key]; e != nil {
			return e, true
		}
	}
	labels := []string{key.client.service, key.server.service, side.String(), p.name}
	e = &edge{key: key}
	e.ends = append(labels[:4:4], key.client.externalLabel(), key.server.externalLabel())
	r.newDuration(&e.group, signal.EdgeDuration, &e.duration, e.ends...)
	r.newCounter(&e.group, signal.EdgeSlow, &e.slow, labels...)
	r.newCounter(&e.group, signal.EdgeRequestBytes, &e.requestBytes, labels...)
	r.newCounter(&e.group, signal.EdgeResponseBytes, &e.responseBytes, labels...)
	e.errors.labels = labels
	r.use(key.client.service, key.client.isExternal)
	r.use(key.server.service, key.server.isExternal)
	r.edges[key] = e
	r.add(e)
	return e, limited
}

func (e *edge) remove(r *Recorder) {
	delete(r.edges, e.key)
	r.unuse(e.key.client.service)
	r.unuse(e.key.server.service)
}
