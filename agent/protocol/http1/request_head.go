package http1

import (
	"bytes"

	"github.com/sonde-dev/sonde/agent/protocol"
	"github.com/sonde-dev/sonde/agent/protocol/dialect"
	"github.com/sonde-dev/sonde/signal"
)

func (p *parser) readRequestHead(b []byte, sink protocol.Sink) int {
	s := &p.req
	var h head
	n, complete, full := s.readHead(b, &h)
	protocol.Tell(sink, s.id, protocol.ToServer, protocol.FormHTTP, b[:n])
	switch {
	case complete:
		p.requestHead(&h, true, sink)
		s.release()
	case full:
		sink.Lost(signal.ParserGaveUp, 1)
		p.cutRequestHead(sink)
	}
	return n
}

// cutRequestHead reports a head of which no more will come.
func (p *parser) cutRequestHead(sink protocol.Sink) {
	s := &p.req
	var h head
	h.scan(s.buf)
	p.requestHead(&h, false, sink)
	s.release()
}

// requestHead reports a head; when it is not complete, what is there of it.
func (p *parser) requestHead(h *head, complete bool, sink protocol.Sink) {
	s := &p.req
	if h.line == nil {
		p.requestWithoutLine(h.raw, sink)
		return
	}
	line, ok := parseRequestLine(h.line)
	if !ok {
		p.dropRequest(sink)
		return
	}
	f := &h.fields
	path, host := splitTarget(line.method, line.target)
	if len(host) == 0 {
		host = f.host
	}
	e := p.queued(s.id)
	if e != nil {
		e.isHead, e.isConnect = line.method == "HEAD", line.method == "CONNECT"
	}
	r := protocol.Request{Operation: line.method, Target: p.names.path(path), Attributes: p.names.attributes(hostName(host), line.minor)}
	sink.RequestHead(s.id, r)
	if complete && dialect.MayBegin(line.method, r.Target, h.raw) {
		s.dialect = dialect.Begin(dialect.Request{
			Method: line.method, Path: r.Target, Query: queryOf(line.target), Host: p.names.lastHost, Signs: dialect.SignsOfHead(h.raw),
		})
		if e != nil {
			e.dialect = s.dialect
		}
		p.askWhole(s.dialect, sink)
	}
	framed := f.requestFraming()
	if !complete {
		framed = unknown
	} else if framed == unknown {
		sink.Lost(signal.ParserGaveUp, 1)
		p.hidden = true
	}
	if !s.startBody(framed, f.length) {
		p.endRequest(protocol.End{}, sink)
		if line.method == "CONNECT" {
			s.state = inTunnel
		}
	}
}

// requestWithoutLine handles a request whose first line is cut: at most the method is known.
func (p *parser) requestWithoutLine(head []byte, sink protocol.Sink) {
	s := &p.req
	s.startBody(unknown, 0)
	method, known := "", false
	if sp := bytes.IndexByte(head[:min(len(head), maxKnownMethod+1)], ' '); sp > 0 {
		method, known = knownMethod(head[:sp])
	}
	if !known {
		sink.Lost(signal.ParserGaveUp, 1)
		return
	}
	if e := p.queued(s.id); e != nil {
		e.isHead, e.isConnect = method == "HEAD", method == "CONNECT"
	}
	sink.RequestHead(s.id, protocol.Request{Operation: method, Attributes: p.names.attributes(nil, 0)})
}

// dropRequest takes back a message that turned out to be none.
func (p *parser) dropRequest(sink protocol.Sink) {
	sink.Lost(signal.ParserGaveUp, 1)
	sink.RequestEnd(p.req.id, protocol.End{Partial: true})
	if p.queue.len() > 0 && p.queue.back().id == p.req.id && p.res.id != p.req.id {
		p.queue.dropBack()
		if p.queue.len() == 0 {
			p.queue.clear()
		}
	}
	p.req.state = lost
	p.hidden = true
}
