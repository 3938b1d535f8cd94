package redmetrics

import (
	"github.com/sonde-dev/sonde/agent/exchange"
	"github.com/sonde-dev/sonde/agent/protocol"
	"github.com/sonde-dev/sonde/signal"
)

// protocolMetrics are the names of one protocol, ready for use.
type protocolMetrics struct {
	name      string
	semantics *protocol.Semantics
	constants []string
	metrics   [2]signal.InterfaceMetrics // by exchange.Side
}

// Describe returns the interface metrics of a protocol for one side: the entries of the catalogue whose names the
// protocol chooses.
func Describe(p protocol.Protocol, side exchange.Side) signal.InterfaceMetrics {
	sem := p.Semantics()
	n := signal.InterfaceNames{
		Protocol: p.Name(), Side: side.String(), Operation: sem.OperationLabel, Status: sem.StatusLabel,
		Duration: sem.ServerDuration, RequestSize: sem.ServerRequestSize, ResponseSize: sem.ServerResponseSize,
		Target: sem.ServerTargetLabel,
	}
	for _, a := range sem.Constant {
		n.Constants = append(n.Constants, a.Key)
	}
	for _, c := range sem.Counts {
		name := c.Server
		if side == exchange.Client {
			name = c.Client
		}
		n.Counts = append(n.Counts, signal.CountName{Name: name, Unit: c.Unit, Help: c.Help, IsHistogram: c.IsHistogram, Label: c.Label.Key})
	}
	for _, g := range sem.Gauges {
		name := g.Server
		if side == exchange.Client {
			name = g.Client
		}
		n.Gauges = append(n.Gauges, signal.CountName{Name: name, Unit: g.Unit, Help: g.Help, Label: g.Label})
	}
	if side == exchange.Client {
		n.Duration, n.RequestSize, n.ResponseSize = sem.ClientDuration, sem.ClientRequestSize, sem.ClientResponseSize
		n.Target = sem.ClientTargetLabel
	}
	return n.Describe()
}

// protocolOf returns the metrics of a protocol by its name: versions of one protocol share their series.
func (r *Recorder) protocolOf(p protocol.Protocol) *protocolMetrics {
	m := r.protocols[p.Name()]
	if m == nil {
		m = &protocolMetrics{name: p.Name(), semantics: p.Semantics()}
		for _, side := range []exchange.Side{exchange.Client, exchange.Server} {
			m.metrics[side] = Describe(p, side)
		}
		for _, a := range m.semantics.Constant {
			m.constants = append(m.constants, a.Value)
		}
		r.protocols[m.name] = m
	}
	return m
}

// labels are the label values of an interface, in the order of signal.InterfaceNames; outcome tells responses apart.
func (m *protocolMetrics) labels(rs *routeSeries, side exchange.Side, outcome ...string) []string {
	return m.values(side, rs.side.service, named(m.semantics.OperationLabel, rs.operation), rs.target, rs.peer, outcome...)
}

func (m *protocolMetrics) values(side exchange.Side, service, operation, target, peer string, outcome ...string) []string {
	ls := []string{service, operation, named(m.targetLabel(side), target)}
	ls = append(append(ls, outcome...), m.name)
	if side == exchange.Client {
		ls = append(ls, peer)
	}
	return append(ls, m.constants...)
}

// countLabels are the label values of one of the numbers that the protocol counts besides.
func (m *protocolMetrics) countLabels(rs *routeSeries, side exchange.Side, i int) []string {
	if l := m.semantics.Counts[i].Label; l.Key != "" {
		return m.labels(rs, side, l.Value)
	}
	return m.labels(rs, side)
}

// named returns the value where the label has a name, and "" (the label is absent) where the protocol has none for it.
func named(label, value string) string {
	if label == "" {
		return ""
	}
	return value
}

func (m *protocolMetrics) targetLabel(side exchange.Side) string {
	if side == exchange.Client {
		return m.semantics.ClientTargetLabel
	}
	return m.semantics.ServerTargetLabel
}
