package dialect

import "github.com/sonde-dev/sonde/agent/protocol"

// names are a dialect for the registry.
type names struct {
	name      string
	semantics protocol.Semantics
	reading   protocol.Reading
}

var _ protocol.Reader = (*names)(nil)

// Name returns the value of network.protocol.name under which the view is counted.
func (n *names) Name() string { return n.name }

// Recognize never claims anything: dialects are found inside HTTP.
func (n *names) Recognize([]byte) protocol.Verdict { return protocol.No }

// NewParser returns one that reads nothing; nobody asks for it.
func (n *names) NewParser(protocol.Start) protocol.Parser { return nothing{} }

// Semantics names the metrics and labels of the view.
func (n *names) Semantics() *protocol.Semantics { return &n.semantics }

// Reads says what is read.
func (n *names) Reads() protocol.Reading {
	r := n.reading
	r.Transports = []string{"HTTP/1", "HTTP/2"}
	return r
}

type nothing struct{}

func (nothing) Data(protocol.Direction, []byte, protocol.Sink)        {}
func (nothing) Gap(protocol.Direction, uint32, []byte, protocol.Sink) {}
func (nothing) Close(protocol.Sink)                                   {}

// headOnly is the part of a Reader that looks at no body.
type headOnly struct{}

func (headOnly) Body(protocol.Direction, []byte) {}
func (headOnly) Gap(protocol.Direction)          {}
func (headOnly) Whole() bool                     { return false }
