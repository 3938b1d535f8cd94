package kafka

import (
	"github.com/sonde-dev/sonde/agent/protocol"
	"github.com/sonde-dev/sonde/agent/protocol/internal/piecewise"
)

// parser follows one connection. Its two directions are the types requests and responses.
type parser struct {
	req, res piecewise.Reader

	nextID  uint64
	waiting []waiting // requests without response, in order
	names   names
	session fetchSession
	// isRaw: after SaslHandshake 0, tokens go back and forth as they are, behind their length, until a request comes (KIP-43).
	isRaw bool
	// isSynced: a response was found, so that the next one begins where it ends. Responses before the first may be in the middle.
	isSynced bool

	request  request
	response response
}

// request is the one being read.
type request struct {
	id   uint64
	head head // without client
	api  *api
	// client is the client id.
	client  string
	isKnown bool
	walk    walker
	found   found
}

// response is the one being read.
type response struct {
	of    waiting // id 0 for none
	walk  walker
	found found
}

func newParser(joined bool, shared *topics) *parser {
	p := &parser{}
	p.names.shared = shared
	if joined {
		p.req.Lose()
		p.res.Lose()
	}
	return p
}

// Data implements protocol.Parser.
func (p *parser) Data(dir protocol.Direction, b []byte, sink protocol.Sink) {
	if dir == protocol.ToServer {
		p.req.Data(b, (*requests)(p), sink)
	} else {
		p.res.Data(b, (*responses)(p), sink)
	}
}

// Gap implements protocol.Parser.
func (p *parser) Gap(dir protocol.Direction, n uint32, _ []byte, sink protocol.Sink) {
	if dir == protocol.ToServer {
		p.req.Gap(n, (*requests)(p), sink)
	} else {
		p.res.Gap(n, (*responses)(p), sink)
	}
}

// Close implements protocol.Parser.
func (p *parser) Close(sink protocol.Sink) {
	if begun, hasHead, size := p.req.Open(); begun {
		e := protocol.End{BodyBytes: size, Cut: true, Before: true}
		if hasHead {
			(*requests)(p).finish(e, sink)
		} else {
			sink.RequestEnd(p.request.id, e)
		}
	}
	if _, hasHead, size := p.res.Open(); hasHead && p.response.of.id != 0 {
		sink.ResponseEnd(p.response.of.id, protocol.End{BodyBytes: size, Cut: true, Before: true})
	}
	for _, w := range p.waiting {
		if w.isDoubtful {
			p.giveUp(w, sink)
		}
	}
	p.req.Lose()
	p.res.Lose()
	p.waiting = nil
}
