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
	if side == exchange.Client {
		n.Duration, n.RequestSize, n.ResponseSize = sem.ClientDuration, sem.ClientRequestSize, sem.ClientResponseSize
		n.Target = sem.ClientTargetLabel
	}
	return n.Describe()
}

func (r *Recorder) protocolOf(p protocol.Protocol) *protocolMetrics {
	sem := p.Semantics()
	m := r.protocols[sem]
	if m == nil {
		m = &protocolMetrics{name: p.Name(), semantics: sem}
		for _, side := range []exchange.Side{exchange.Client, exchange.Server} {
			m.metrics[side] = Describe(p, side)
		}
		r.protocols[sem] = m
	}
	return m
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

func (m *protocolMetrics) template(target string) string {
	if m.semantics.Template == nil {
		return target
	}
	return m.semantics.Template(target)
}
