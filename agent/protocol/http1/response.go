package http1

import (
	"github.com/sonde-dev/sonde/agent/protocol"
	"github.com/sonde-dev/sonde/signal"
)

// readResponse reads some of b and returns how much, at least one byte.
func (p *parser) readResponse(b []byte, atCall bool, sink protocol.Sink) int {
	s := &p.res
	if atCall && s.state != between && s.state != inHead && p.resynchronize(b, sink) {
		return p.readResponse(b, false, sink)
	}
	switch s.state {
	case between:
		rest := skipNewlines(b)
		skipped := len(b) - len(rest)
		if len(rest) == 0 {
			return skipped
		}
		if recognizeResponse(rest) == protocol.No {
			p.loseResponses(sink)
			return len(b)
		}
		p.beginResponse(!s.afterLoss, sink)
		return skipped + p.readResponseHead(rest, sink)
	case inHead:
		return p.readResponseHead(b, sink)
	case inFixed:
		n := min(uint64(len(b)), s.remain)
		s.tellResponse(b[:n], sink)
		s.readBody(protocol.FromServer, b[:n])
		p.skipFixedResponse(n, sink)
		return int(n)
	case inChunked:
		n, done, ok := s.chunk.read(b, s.dialect, protocol.FromServer)
		s.tellResponse(b[:n], sink)
		s.body += uint64(n)
		if done {
			p.endResponse(protocol.End{}, sink)
		} else if !ok {
			sink.Lost(signal.ParserGaveUp, 1)
			s.state, s.partial = inUnknown, true
		}
		return n
	case inLostBody:
		s.body += uint64(len(b))
		if s.end.read(b, atCall) {
			p.endLostBody(protocol.End{}, sink)
		}
		return len(b)
	}
	if s.state == inUntilEnd {
		s.tellResponse(b, sink)
		s.readBody(protocol.FromServer, b)
	}
	s.body += uint64(len(b)) // inUntilEnd, inUnknown, lost
	return len(b)
}

// resynchronize leaves a state without exact framing when a call begins like a response. It reports whether it did.
func (p *parser) resynchronize(b []byte, sink protocol.Sink) bool {
	s := &p.res
	switch s.state {
	case lost:
	case inLostBody, inUnknown, inUntilEnd:
		// A body may contain anything: believe it only when another request waits.
		if s.id != 0 && p.queue.len() < 2 || s.id == 0 && p.queue.len() == 0 {
			return false
		}
	default:
		return false
	}
	if !startsResponse(b) {
		if s.state == lost && p.queue.len() > 0 { // whatever this is, it may be the rest of the response that is waited for
			p.responsesHidden(sink)
		}
		return false
	}
	if s.state != lost {
		p.endLostBody(protocol.End{Before: true, Partial: true}, sink)
	}
	s.afterLoss = s.state == lost
	s.state = between
	return true
}

// startsResponse accepts the name of the protocol as enough.
func startsResponse(b []byte) bool {
	v := recognizeResponse(b)
	return v == protocol.IsResponse || v == protocol.Maybe && len(b) >= len("HTTP/")
}

// endLostBody ends a body whose framing was lost. If other requests wait, the lost bytes may have held their responses.
func (p *parser) endLostBody(e protocol.End, sink protocol.Sink) {
	isKnown := p.res.id != 0
	e.Partial = e.Partial || p.queue.len() > 1
	p.endResponse(e, sink)
	if isKnown && p.queue.len() > 0 {
		p.giveUp(sink)
	}
}

// loseResponses is called when bytes make no sense where a response should begin.
func (p *parser) loseResponses(sink protocol.Sink) {
	sink.Lost(signal.ParserGaveUp, 1)
	p.giveUp(sink)
	p.res.state = lost
}

// beginResponse takes the request in front. wasExact: no byte is missing before it.
func (p *parser) beginResponse(wasExact bool, sink protocol.Sink) {
	if p.queue.len() == 0 || p.queue.front().id == 0 {
		p.res.begin(0)
		return
	}
	p.isPipelined = p.isPipelined || wasExact && p.queue.len() > 1
	e := p.queue.front()
	p.res.begin(e.id)
	p.res.partial, p.res.dialect = e.isDoubtful, e.dialect
	e.dialect = nil // entries are used again
	sink.ResponseBegin(e.id)
}

// tellResponse hands on what can be read of a response that has a request.
func (s *stream) tellResponse(b []byte, sink protocol.Sink) {
	if s.id != 0 {
		protocol.Tell(sink, s.id, protocol.FromServer, protocol.FormHTTP, b)
	}
}

func (p *parser) skipFixedResponse(n uint64, sink protocol.Sink) {
	p.res.body += n
	p.res.remain -= n
	if p.res.remain == 0 {
		p.endResponse(protocol.End{}, sink)
	}
}

// endResponse ends the response being read and takes its request off the queue.
func (p *parser) endResponse(e protocol.End, sink protocol.Sink) {
	s := &p.res
	s.state = between
	e.BodyBytes = s.body
	e.Partial = e.Partial || s.partial
	if s.id == 0 {
		p.endOrphan(sink)
		return
	}
	p.queue.pop()
	s.tellView(e.Partial, sink)
	sink.ResponseEnd(s.id, e)
	if p.req.id == s.id && (p.req.state == inUnknown || p.req.state == inLostBody) {
		// Its end cannot be told from the request's own bytes; it was over when the response was.
		p.endRequest(protocol.End{Partial: p.req.state == inUnknown, Before: true}, sink)
		p.req.state = lost
		p.hidden = p.hidden && p.isPipelined
	}
}

func (p *parser) endOrphan(sink protocol.Sink) {
	sink.Lost(signal.OrphanResponse, 1)
	if p.queue.len() > 0 && p.queue.front().id == 0 {
		p.queue.pop()
		p.hasEaten = true
		return
	}
	p.orphanSeen = true
}

// endOpenResponse is called when a request begins: on a connection that does not pipeline, the response before it is over.
func (p *parser) endOpenResponse(sink protocol.Sink) {
	s := &p.res
	if p.isPipelined || s.state == between || s.state == lost {
		return
	}
	switch {
	case s.id == 0:
		p.endOrphan(sink)
		s.state = lost
	case p.queue.len() == 1 && (s.state == inUnknown || s.state == inLostBody):
		p.endResponse(protocol.End{Before: true}, sink)
		s.state = lost
	}
}

// skipResponse passes over some of n unknown bytes and returns how many.
func (p *parser) skipResponse(n uint64, sink protocol.Sink) uint64 {
	s := &p.res
	s.loseBody(protocol.FromServer)
	switch s.state {
	case inFixed:
		k := min(n, s.remain)
		p.skipFixedResponse(k, sink)
		return k
	case inChunked:
		if k := s.skipChunk(n); k > 0 {
			return k
		}
		s.state = inLostBody
		s.partial = s.partial || !p.hasTail // whole calls are missing, perhaps in the other direction too: the end may be another's
	case inHead:
		p.cutResponseHead(sink)
		if s.state == lost {
			p.responsesHidden(sink)
		}
	case between, lost:
		p.responsesHidden(sink)
		s.state = lost
	}
	s.end.forget()
	s.body += n
	return n
}
