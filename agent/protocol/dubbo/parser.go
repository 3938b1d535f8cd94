package dubbo

import (
	"github.com/sonde-dev/sonde/agent/protocol"
	"github.com/sonde-dev/sonde/agent/protocol/byid"
	"github.com/sonde-dev/sonde/agent/protocol/internal/names"
	"github.com/sonde-dev/sonde/agent/protocol/internal/piecewise"
	"github.com/sonde-dev/sonde/signal"
)

// Bytes of the body that are looked at: the names of a request, the class of an exception.
const (
	requestStart  = 1024
	responseStart = 256
)

// call is the operation of every exchange: what is called is the target.
const call = "call"

// statusException is the status of a result that is an exception.
const statusException = "EXCEPTION"

// parser follows one connection. Its two directions are the types toServer and fromServer.
type parser struct {
	req, res piecewise.Reader
	nextID   uint64
	waiting  byid.Pending[uint64] // by request id
	names    names.Cache
	path     []byte // of the last request, with its method: most are called again

	reqID  uint64 // of the request being read; 0 for none
	pushID uint64 // of the request of the server being read
	resID  uint64 // of the request whose response is being read
	// isNameless: the name of that request is missing. isBlind: nothing is known of what comes from the server but its head.
	isNameless, isBlind bool
}

func newParser(joined bool) *parser {
	p := &parser{}
	if joined {
		p.req.Lose()
		p.res.Lose()
	}
	return p
}

// Data implements protocol.Parser.
func (p *parser) Data(dir protocol.Direction, b []byte, sink protocol.Sink) {
	if dir == protocol.ToServer {
		p.req.Data(b, (*toServer)(p), sink)
	} else {
		p.res.Data(b, (*fromServer)(p), sink)
	}
}

// Gap implements protocol.Parser.
func (p *parser) Gap(dir protocol.Direction, n uint32, _ []byte, sink protocol.Sink) {
	if dir == protocol.ToServer {
		p.req.Gap(n, (*toServer)(p), sink)
	} else {
		p.res.Gap(n, (*fromServer)(p), sink)
	}
}

// Close implements protocol.Parser.
func (p *parser) Close(sink protocol.Sink) {
	_, _, sent := p.req.Open()
	_, _, received := p.res.Open()
	if p.reqID != 0 {
		sink.RequestEnd(p.reqID, protocol.End{BodyBytes: sent, Cut: true, Before: true})
	}
	if p.pushID != 0 {
		sink.RequestEnd(p.pushID, protocol.End{BodyBytes: received, Cut: true, Before: true})
	}
	if p.resID != 0 {
		sink.ResponseEnd(p.resID, protocol.End{BodyBytes: received, Cut: true, Before: true})
	}
	p.reqID, p.pushID, p.resID = 0, 0, 0
	p.req.Lose()
	p.res.Lose()
}

// readHead reads the start of a frame, with as much of the body as is looked at.
func readHead(b []byte, isCut bool) (h head, body []byte, size uint64, n int) {
	if len(b) < headSize {
		if isCut {
			return h, nil, 0, 0
		}
		return h, nil, 0, headSize
	}
	h, ok := parseHead(b)
	if !ok {
		return h, nil, 0, 0
	}
	want := headSize + responseStart
	if h.isRequest() {
		want = headSize + requestStart
	}
	want = int(min(uint64(want), h.size()))
	if len(b) < want && !isCut {
		return h, nil, 0, want
	}
	n = min(len(b), want)
	return h, b[headSize:n], h.size(), n
}

// request translates what a request says.
func (p *parser) request(h *head, body []byte, isPush bool) protocol.Request {
	q := protocol.Request{Operation: call, NoResponse: isPush || !h.isTwoWay()}
	if path, method, ok := invocation(h.serial(), body); ok {
		p.path = append(append(append(p.path[:0], path...), '/'), method...)
		q.Target = p.names.String(p.path)
	}
	return q
}

// response translates what a response says.
func (p *parser) response(h *head, body []byte) protocol.Response {
	s := statuses[h.status]
	r := protocol.Response{Status: s.name}
	if h.status != statusOK {
		r.ClientError = s.name
		if s.isServer {
			r.ServerError = s.name
		}
		return r
	}
	if class, isException, _ := exception(h.serial(), body); isException {
		r.Status, r.ClientError = statusException, statusException
		if class != nil {
			r.ClientError = p.names.String(class)
		}
		r.ServerError = r.ClientError
	}
	return r
}

// giveUp ends a request whose response will not be told from others.
func giveUp(id uint64, sink protocol.Sink) {
	sink.Lost(signal.ParserGaveUp, 1)
	sink.ResponseEnd(id, protocol.End{Partial: true})
}
