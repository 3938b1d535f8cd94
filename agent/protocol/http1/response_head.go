package http1

import (
	"github.com/sonde-dev/sonde/agent/protocol"
	"github.com/sonde-dev/sonde/agent/protocol/dialect"
	"github.com/sonde-dev/sonde/signal"
)

func (p *parser) readResponseHead(b []byte, sink protocol.Sink) int {
	s := &p.res
	var h head
	n, complete, full := s.readHead(b, &h)
	s.tellResponse(b[:n], sink)
	switch {
	case complete:
		p.responseHead(&h, true, sink)
		s.release()
	case full:
		sink.Lost(signal.ParserGaveUp, 1)
		p.cutResponseHead(sink)
	}
	return n
}

// cutResponseHead reports a head of which no more will come.
func (p *parser) cutResponseHead(sink protocol.Sink) {
	s := &p.res
	var h head
	h.scan(s.buf)
	p.responseHead(&h, false, sink)
	s.release()
}

// responseHead reports a head; when it is not complete, what is there of it.
func (p *parser) responseHead(h *head, complete bool, sink protocol.Sink) {
	s := &p.res
	line := h.line
	if line == nil && !complete && len(h.raw) > len("HTTP/1.1 200") {
		line = h.raw // the reason phrase is cut, the code is not
	}
	if line == nil {
		p.startUnknown(sink)
		return
	}
	code, _, ok := parseStatusLine(line)
	if !ok {
		s.state = lost
		p.loseResponses(sink)
		return
	}
	f := &h.fields
	if code < 200 && code != 101 { // informational: the final response is still to come (RFC 9110 §15.2)
		s.state = between
		if !complete {
			s.state = lost
		}
		return
	}
	isHead, isConnect := false, false
	if s.id != 0 {
		e := p.queue.front()
		isHead, isConnect = e.isHead, e.isConnect
	}
	isTunnel := s.id != 0 && complete && (code == 101 || isConnect && code/100 == 2)
	framed := f.responseFraming(code, isHead)
	if isTunnel {
		framed = noBody
	} else if !complete {
		framed = unknown
	} else if framed == unknown {
		sink.Lost(signal.ParserGaveUp, 1)
	}
	if s.id != 0 {
		r := response(code)
		r.Unbounded = framed == unknown
		sink.ResponseHead(s.id, r)
		if s.dialect != nil {
			s.dialect.Response(code, dialect.SignsOfHead(h.raw))
		}
	}
	if s.startBody(framed, f.length) {
		return
	}
	p.endResponse(protocol.End{}, sink)
	if isTunnel {
		p.isOpaque = true
		sink.Opaque()
	} else if isConnect && p.req.state == inTunnel {
		p.req.state = lost
	}
}

// startUnknown goes on after a head whose status is not known.
func (p *parser) startUnknown(sink protocol.Sink) {
	p.res.startBody(unknown, 0)
	sink.Lost(signal.ParserGaveUp, 1)
}

// response translates a status code. OpenTelemetry: a server's error is 5xx, a client's 4xx and 5xx.
func response(code int) protocol.Response {
	r := protocol.Response{Status: statusName(code)}
	if code >= 400 {
		r.ClientError = r.Status
	}
	if code >= 500 {
		r.ServerError = r.Status
	}
	return r
}
