package http1

import (
	"bytes"

	"github.com/sonde-dev/sonde/agent/protocol"
	"github.com/sonde-dev/sonde/signal"
)

// readRequest reads some of b and returns how much, at least one byte.
func (p *parser) readRequest(b []byte, atCall bool, sink protocol.Sink) int {
	s := &p.req
	switch s.state {
	case between:
		rest := skipNewlines(b)
		skipped := len(b) - len(rest)
		if len(rest) == 0 {
			return skipped
		}
		if !isToken(rest[0]) {
			sink.Lost(signal.ParserGaveUp, 1)
			s.state = lost
			return len(b)
		}
		p.isPipelined = p.isPipelined || !atCall && p.queue.len() > 0 // two requests in one call
		p.beginRequest(sink)
		return skipped + p.readRequestHead(rest, sink)
	case lost, inUnknown, inLostBody:
		if atCall && startsRequest(b) {
			if s.state != lost {
				p.endRequest(protocol.End{Partial: true, Before: true}, sink)
			}
			s.state = between
			return p.readRequest(b, true, sink)
		}
		if s.state == inLostBody && s.end.read(b, atCall) {
			s.body += uint64(len(b))
			p.endRequest(protocol.End{Partial: p.isPipelined}, sink)
			p.hidden = p.isPipelined
			return len(b)
		}
		// Too short to be believed, and yet it may be one.
		p.hidden = p.hidden || atCall && recognizeRequest(b) == protocol.Maybe
		s.body += uint64(len(b))
		return len(b)
	case inHead:
		return p.readRequestHead(b, sink)
	case inFixed:
		n := min(uint64(len(b)), s.remain)
		protocol.Tell(sink, s.id, protocol.ToServer, protocol.FormHTTP, b[:n])
		s.readBody(protocol.ToServer, b[:n])
		p.skipFixedRequest(n, sink)
		return int(n)
	case inChunked:
		n, done, ok := s.chunk.read(b, s.dialect, protocol.ToServer)
		protocol.Tell(sink, s.id, protocol.ToServer, protocol.FormHTTP, b[:n])
		s.body += uint64(n)
		if done {
			p.endRequest(protocol.End{}, sink)
		} else if !ok {
			sink.Lost(signal.ParserGaveUp, 1)
			s.state, s.partial = inUnknown, true
			p.hidden = true
		}
		return n
	}
	return len(b) // inTunnel
}

// startsRequest is stricter than a message between two others: after a loss, only a known method counts.
func startsRequest(b []byte) bool {
	const methodAndTarget = 6 // "GET /x"
	v := recognizeRequest(skipNewlines(b))
	return v == protocol.IsRequest || v == protocol.Maybe && len(b) >= methodAndTarget && bytes.IndexByte(b, ' ') > 0
}

func (p *parser) beginRequest(sink protocol.Sink) {
	p.endOpenResponse(sink)
	id := p.enqueue(sink)
	p.req.begin(id)
	p.req.partial = p.isDoubtful
	sink.RequestBegin(id)
}

func (p *parser) skipFixedRequest(n uint64, sink protocol.Sink) {
	p.req.body += n
	p.req.remain -= n
	if p.req.remain == 0 {
		p.endRequest(protocol.End{}, sink)
	}
}

// endRequest reports the end of the request being read.
func (p *parser) endRequest(e protocol.End, sink protocol.Sink) {
	s := &p.req
	e.BodyBytes = s.body
	e.Partial = e.Partial || s.partial
	p.tellRequestView(e.Partial, sink)
	sink.RequestEnd(s.id, e)
	s.state = between
}

// skipRequest passes over some of n unknown bytes and returns how many.
func (p *parser) skipRequest(n uint64, sink protocol.Sink) uint64 {
	s := &p.req
	s.loseBody(protocol.ToServer)
	switch s.state {
	case inFixed:
		k := min(n, s.remain)
		p.skipFixedRequest(k, sink)
		return k
	case inChunked:
		if k := s.skipChunk(n); k > 0 {
			return k
		}
		s.state = inLostBody
	case inHead:
		p.cutRequestHead(sink)
	case between:
		s.state = lost
	}
	s.end.forget()
	s.body += n
	p.hidden = p.hidden || s.state != inTunnel
	return n
}

// queued returns the entry of a request that waits, nil when it does not any more.
func (p *parser) queued(id uint64) *entry {
	if p.queue.len() > 0 {
		if e := p.queue.back(); e.id == id { // the request being read is always the last
			return e
		}
	}
	return nil
}
