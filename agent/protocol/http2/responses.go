package http2

import (
	"github.com/sonde-dev/sonde/agent/protocol"
	"github.com/sonde-dev/sonde/agent/protocol/http1"
	"github.com/sonde-dev/sonde/signal"
)

// responseHeaders acts on a field block of a server: an interim response, the final one, or trailers.
func (p *parser) responseHeaders(number uint32, f *fields, isEnd bool, sink protocol.Sink) {
	s := p.streams[number]
	if s == nil {
		if s = p.unasked(number, f, isEnd, sink); s == nil {
			return
		}
	}
	if s.responseEnded || f.isInterim() && !isEnd {
		return
	}
	s.hasUnknown = s.hasUnknown || f.hasUnknown
	if f.grpcStatus != "" {
		s.grpcStatus = f.grpcStatus
	}
	if s.hasFinal {
		s.tellMessage(f, sink)
		if isEnd {
			p.endResponse(s, sink)
		}
		return
	}
	s.hasFinal = true
	s.code, s.signs = f.code(), f.signs
	if s.dialect != nil {
		s.dialect.Response(s.code, s.signs)
	}
	if s.undecided != nil {
		s.isGRPC = f.content == mediaGRPC
		p.decide(s, sink)
	}
	p.tellResponse(s, f, sink)
	switch {
	case !s.hasHead: // told with it
	case s.isConnect && s.code/100 == 2: // a tunnel from here on (RFC 9113 §8.5)
		p.endTunnel(s, sink)
		return
	case !isEnd:
		sink.ResponseHead(s.id, s.response(false))
	}
	if isEnd {
		p.endResponse(s, sink)
	}
}

// unasked judges a response whose request was not seen. It is counted, or kept when its request may be reported a moment later.
func (p *parser) unasked(number uint32, f *fields, isEnd bool, sink protocol.Sink) *stream {
	isHead := f.status != "" && !f.isInterim() || f.status == "" && f.hasUnknown && !isEnd
	if number&1 == 0 || !isHead {
		return nil
	}
	const farthest = 2 * maxEarly // client streams have odd numbers
	isNew := number > p.last
	switch {
	case p.isUpgraded(number) && p.first != 0:
	case isNew && p.halves[protocol.ToServer].state != lost && number <= p.last+farthest && p.early < maxEarly:
		p.early++
		return p.newStream(number, sink)
	case isNew, number < p.first, !p.seen.has(number, p.last):
		sink.Lost(signal.OrphanResponse, 1)
	}
	return nil // of a request that is over
}

// replay reports a response that came before the head of its request.
func (p *parser) replay(s *stream, sink protocol.Sink) {
	sink.ResponseBegin(s.id)
	if s.dialect != nil { // its head is not read again, its body was not kept
		s.dialect.Response(s.code, s.signs)
		s.dialect.Gap(protocol.FromServer)
	}
	if s.isConnect && s.code/100 == 2 && s.failure == "" {
		p.endTunnel(s, sink)
		return
	}
	if !s.responseEnded {
		sink.ResponseHead(s.id, s.response(false))
		return
	}
	p.tellEnd(s, sink)
}

func (p *parser) endTunnel(s *stream, sink protocol.Sink) {
	sink.ResponseHead(s.id, s.response(true))
	if !s.requestEnded {
		p.endRequest(s, protocol.End{}, sink)
	}
	sink.ResponseEnd(s.id, protocol.End{Partial: s.isPartial})
	p.remove(s)
}

// endResponse ends a response; one that waits for the head of its request is told with it.
func (p *parser) endResponse(s *stream, sink protocol.Sink) {
	s.responseEnded = true
	if s.hasHead {
		p.tellEnd(s, sink)
		p.settle(s)
	}
}

func (p *parser) tellEnd(s *stream, sink protocol.Sink) {
	p.decide(s, sink)
	r := s.response(true)
	s.isPartial = s.isPartial || r.Status == "" && s.failure == ""
	sink.ResponseHead(s.id, r)
	s.tellView(true, s.isPartial || s.failure != "", sink)
	sink.ResponseEnd(s.id, protocol.End{BodyBytes: s.responseBody, Partial: s.isPartial})
}

// reset acts on RST_STREAM of either side: what is not over ends now. A server that has answered may stop an upload by it.
func (p *parser) reset(s *stream, code uint32, sink protocol.Sink) {
	if !s.responseEnded {
		s.fail(code)
	}
	if s.id == 0 {
		s.responseEnded = true
		return
	}
	if !s.hasHead { // in the middle of its field block
		p.endRequest(s, protocol.End{Partial: true}, sink)
		p.remove(s)
		return
	}
	if !s.requestEnded {
		p.endRequest(s, protocol.End{}, sink)
	}
	if !s.responseEnded {
		p.endResponse(s, sink)
		return
	}
	p.settle(s)
}

// fail says why a response ends early.
func (s *stream) fail(code uint32) {
	s.failure = resetName(code)
	if s.grpcStatus == "" {
		s.grpcStatus = grpcFromReset(code)
	}
}

// response says what is known of the response. isEnd: there will be no more; before, a gRPC response has no status.
func (s *stream) response(isEnd bool) protocol.Response {
	if !s.isGRPC {
		var r protocol.Response
		if s.code != 0 {
			r = http1.Response(s.code)
		}
		if s.failure != "" {
			r.ServerError, r.ClientError = s.failure, s.failure
		}
		return r
	}
	switch {
	case !isEnd:
		return protocol.Response{}
	case s.grpcStatus != "":
		return grpcResponse(s.grpcStatus)
	case s.hasUnknown:
		return protocol.Response{}
	}
	return grpcResponse(grpcFromHTTP(s.code))
}
