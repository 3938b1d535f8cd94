package http2

import (
	"encoding/binary"
	"maps"
	"math"
	"slices"

	"github.com/sonde-dev/sonde/agent/protocol"
	"github.com/sonde-dev/sonde/signal"
)

// parser follows one connection.
//
//	half.go      one direction: frames, and the fragments of field blocks
//	hpack.go     field blocks
//	streams.go   requests
//	responses.go responses
type parser struct {
	halves     [2]half // by protocol.Direction
	isJoined   bool
	hasPreface bool

	streams map[uint32]*stream
	early   int // of them: responses before their requests
	spare   []*stream
	nextID  uint64

	first, last uint32 // streams of the first and the latest request seen; 0 for none
	seen        seen
	refused     uint32 // streams above were refused by GOAWAY

	names names
	text  []byte // of a head that is handed on, until the next one
}

func newParser(isJoined bool) *parser {
	return &parser{isJoined: isJoined, streams: make(map[uint32]*stream), refused: math.MaxUint32}
}

// Data implements protocol.Parser.
func (p *parser) Data(dir protocol.Direction, b []byte, sink protocol.Sink) {
	p.names.keepsText = protocol.IsContentWanted(sink)
	for atCall := true; len(b) > 0; atCall = false {
		b = b[p.read(dir, b, atCall, sink):]
	}
	h := &p.halves[dir]
	h.since.Stamp(h.state == inHeader && h.n > 0, sink)
}

// Gap implements protocol.Parser. Inside a frame the place is kept; with the header of a frame it is lost.
func (p *parser) Gap(dir protocol.Direction, n uint32, _ []byte, sink protocol.Sink) {
	h := &p.halves[dir]
	if h.state == inPayload {
		k := min(n, h.remain)
		p.skip(dir, k, sink)
		n -= k
	}
	if n > 0 {
		p.lose(dir, sink)
	}
}

// Close implements protocol.Parser. A stream whose response has not begun is left to the caller, who knows why the connection ended.
func (p *parser) Close(sink protocol.Sink) {
	for _, s := range p.inOrder() {
		p.decide(s, sink)
		if s.hasHead && s.hasFinal && !s.responseEnded {
			if !s.requestEnded {
				sink.RequestEnd(s.id, protocol.End{BodyBytes: s.requestBody, Partial: s.isRequestPartial, Before: true, Cut: true})
			}
			s.tellView(true, s.isPartial, sink)
			sink.ResponseEnd(s.id, protocol.End{BodyBytes: s.responseBody, Partial: s.isPartial, Before: true, Cut: true})
		}
		p.dropEarly(s, sink)
	}
	p.streams = nil
	p.halves = [2]half{}
}

// inOrder returns the streams in the order of their numbers.
func (p *parser) inOrder() []*stream {
	return slices.SortedFunc(maps.Values(p.streams), func(a, b *stream) int { return int(a.number) - int(b.number) })
}

// lose gives up the place in a direction, and what cannot be known any more: whatever was under way there may have ended in what is missing.
func (p *parser) lose(dir protocol.Direction, sink protocol.Sink) {
	h := &p.halves[dir]
	table := h.table
	table.forget()
	*h = half{table: table, isUsed: true}
	for _, s := range p.inOrder() {
		switch {
		case s.id == 0:
			p.dropEarly(s, sink)
		case dir == protocol.ToServer && !s.hasHead:
			sink.Lost(signal.ParserGaveUp, 1)
			p.endRequest(s, protocol.End{Partial: true}, sink)
			p.remove(s)
		case dir == protocol.ToServer:
			if !s.requestEnded {
				p.endRequest(s, protocol.End{Partial: true}, sink)
				p.settle(s)
			}
		case s.hasHead: // otherwise it is still being sent
			sink.Lost(signal.ParserGaveUp, 1)
			p.giveUp(s, sink)
		}
	}
}

// giveUp ends an exchange of which nothing more can be known.
func (p *parser) giveUp(s *stream, sink protocol.Sink) {
	if !s.requestEnded {
		p.endRequest(s, protocol.End{Partial: true}, sink)
	}
	if !s.responseEnded {
		s.tellView(true, true, sink)
		sink.ResponseEnd(s.id, protocol.End{BodyBytes: s.responseBody, Partial: true})
	}
	p.remove(s)
}

// control acts on RST_STREAM and GOAWAY (RFC 9113 §6.4, §6.8).
func (p *parser) control(dir protocol.Direction, f frame, b []byte, isCut bool, sink protocol.Sink) {
	if f.kind == frameReset {
		s := p.streams[f.stream]
		switch {
		case s == nil:
		case isCut:
			s.isPartial = true
			p.reset(s, 0, sink)
		default:
			p.reset(s, binary.BigEndian.Uint32(b), sink)
		}
		return
	}
	if dir == protocol.ToServer || isCut || len(b) < 8 {
		return // a client's GOAWAY is about server push
	}
	p.refused = binary.BigEndian.Uint32(b) &^ (1 << 31)
	for _, s := range p.inOrder() {
		if s.number > p.refused && s.id != 0 {
			p.refuse(s, sink)
		}
	}
}

// refuse ends a response that will never come: GOAWAY says that the server has not looked at the request (RFC 9113 §8.7).
func (p *parser) refuse(s *stream, sink protocol.Sink) {
	if !s.responseEnded {
		s.fail(codeRefused)
		p.endResponse(s, sink)
	}
}
