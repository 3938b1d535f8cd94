package cassandra

import (
	"maps"
	"slices"

	"github.com/sonde-dev/sonde/agent/protocol"
	"github.com/sonde-dev/sonde/agent/protocol/internal/prefix"
	"github.com/sonde-dev/sonde/agent/protocol/sqltext"
	"github.com/sonde-dev/sonde/signal"
)

const (
	maxWaiting   = 1024 // requests that wait for their response; those beyond are counted without
	keepRequest  = 8 << 10
	keepResponse = 16 << 10 // the metadata of a result of many columns
)

// framing is how frames travel.
type framing uint8

const (
	framingUnknown framing = iota
	framingPlain
	framingSegments // version 5, once STARTUP was answered
)

// parser follows one connection.
type parser struct {
	streams  [2]prefix.Reader
	segments [2]unwrapper
	reading  [2]message
	nextID   uint64
	sink     protocol.Sink // during a call
	texts    sqltext.Cache
	out      []byte // see room

	framing     framing
	isSwitching bool // the answer to STARTUP is being read; segments follow
	compression compression
	waiting     map[int16]waiting
	untracked   int // requests that were sent and not entered
}

// message is what is being read in one direction.
type message struct {
	id      uint64 // 0 for one that belongs to no exchange
	size    uint64
	hasHead bool
	was     waiting // the request that a response belongs to
}

// waiting is a request without a response.
type waiting struct {
	id     uint64
	opcode byte
	text   statement // of a PREPARE
}

// newParser makes one that waits for a call that begins with a frame or a segment.
func newParser() *parser {
	p := &parser{waiting: map[int16]waiting{}}
	for d := range p.streams {
		p.streams[d].Dir = protocol.Direction(d)
		p.streams[d].StartLost()
		p.segments[d].isLost = true
	}
	return p
}

// Data implements protocol.Parser.
func (p *parser) Data(dir protocol.Direction, b []byte, sink protocol.Sink) {
	p.sink = sink
	if p.framing == framingUnknown {
		if isLZ4, v := strictSegment(b); v != protocol.No {
			p.wrap(isLZ4)
		}
	}
	if p.framing == framingSegments {
		p.segments[dir].data(b, true, &p.streams[dir], p)
	} else {
		p.streams[dir].Data(b, true, p)
	}
	p.streams[dir].Stamp(sink, p.segments[dir].isKeeping())
	p.sink = nil
}

// wrap begins to read segments.
func (p *parser) wrap(isLZ4 bool) {
	p.framing = framingSegments
	for d := range p.segments {
		p.segments[d].isLZ4 = isLZ4
	}
}

// Gap implements protocol.Parser.
func (p *parser) Gap(dir protocol.Direction, n uint32, tail []byte, sink protocol.Sink) {
	p.sink = sink
	if p.framing == framingSegments {
		p.segments[dir].gap(int(n), &p.streams[dir], p)
	} else {
		p.streams[dir].Gap(n, tail, p)
	}
	p.streams[dir].Stamp(sink, p.segments[dir].isKeeping())
	p.sink = nil
}

// Close implements protocol.Parser. What waits for an answer is left to the engine, which knows why the connection ended.
func (p *parser) Close(sink protocol.Sink) {
	p.sink = sink
	for d := range p.reading {
		p.end(protocol.Direction(d), protocol.End{Cut: true, Before: true})
	}
}

// Measure implements prefix.Handler. The message begins here.
func (p *parser) Measure(dir protocol.Direction, b []byte) (size uint64, keep int, ok bool) {
	if len(b) < frameHead {
		return 0, 0, short(b) == protocol.Maybe
	}
	f, ok := parseFrame(b)
	if !ok || !f.isFrom(dir) {
		return 0, 0, false
	}
	if p.framing == framingUnknown {
		p.framing = framingPlain
	}
	size = frameHead + uint64(f.length)
	if dir == protocol.ToServer {
		p.nextID++
		p.reading[dir] = message{id: p.nextID, size: size}
		p.sink.RequestBegin(p.nextID)
		p.streams[dir].Date(p.nextID, p.sink)
		return size, keepRequest, true
	}
	w := p.answered(&f)
	p.reading[dir] = message{id: w.id, size: size, was: w}
	return size, keepResponse, true
}

// answered finds the request that a response belongs to.
func (p *parser) answered(f *frame) waiting {
	if f.opcode == opEvent {
		return waiting{}
	}
	w, ok := p.waiting[f.stream]
	switch {
	case ok:
		delete(p.waiting, f.stream)
		p.sink.ResponseBegin(w.id)
	case p.untracked > 0:
		p.untracked--
	default:
		p.sink.Lost(signal.OrphanResponse, 1)
	}
	return w
}

// Strict implements prefix.Handler.
func (p *parser) Strict(dir protocol.Direction, b []byte) protocol.Verdict {
	if p.framing == framingSegments { // the checksum of the segment was right: a frame begins here
		if f, ok := parseFrame(b); len(b) >= frameHead && (!ok || !f.isFrom(dir)) {
			return protocol.No
		}
		if len(b) < frameHead {
			return short(b)
		}
		return protocol.IsRequest
	}
	if len(b) >= frameHead {
		// One that says little about itself is believed when it is all there is.
		f, ok := parseFrame(b)
		if !ok || !f.isFrom(dir) {
			return protocol.No
		}
		if uint64(len(b)) == frameHead+uint64(f.length) {
			return protocol.IsRequest
		}
	}
	return recognize(b)
}

// Message implements prefix.Handler.
func (p *parser) Message(dir protocol.Direction, b []byte, size uint64, isCut bool) bool {
	f, ok := parseFrame(b)
	if !ok {
		return false
	}
	body := b[frameHead:]
	if f.flags&flagCompressed != 0 {
		body, _ = p.expand(body)
	}
	r := reader{b: body}
	r.prefix(&f)
	if dir == protocol.ToServer {
		p.request(&f, &r)
	} else {
		p.response(&f, &r)
	}
	return true
}

// End implements prefix.Handler.
func (p *parser) End(dir protocol.Direction) {
	p.end(dir, protocol.End{})
	if p.isSwitching && dir == protocol.FromServer {
		p.isSwitching = false
		p.wrap(p.compression == compressionLZ4)
		p.segments[0].isLost, p.segments[1].isLost = false, false
	}
}

// end ends what is being read in a direction.
func (p *parser) end(dir protocol.Direction, e protocol.End) {
	m := &p.reading[dir]
	if m.id != 0 {
		e.BodyBytes = m.size - p.streams[dir].Rest()
		switch {
		case dir == protocol.FromServer:
			p.sink.ResponseEnd(m.id, e)
		case m.hasHead:
			p.sink.RequestEnd(m.id, e)
		default:
			p.sink.RequestHead(m.id, protocol.Request{Operation: sqltext.Other})
			p.sink.RequestEnd(m.id, e)
			p.sink.ResponseEnd(m.id, protocol.End{Partial: true})
		}
	}
	*m = message{}
}

// Lost implements prefix.Handler. Responses name their stream, so lost requests take no response from others; but nobody knows which
// responses are among what is missing.
func (p *parser) Lost(dir protocol.Direction) {
	n := 0
	partial := protocol.End{Partial: true}
	if p.reading[dir].id != 0 {
		n++
	}
	p.end(dir, partial)
	if dir == protocol.FromServer {
		n += len(p.waiting)
		for _, stream := range slices.Sorted(maps.Keys(p.waiting)) {
			p.sink.ResponseEnd(p.waiting[stream].id, partial)
		}
		clear(p.waiting)
	}
	p.untracked, p.isSwitching = 0, false
	p.sink.Lost(signal.ParserGaveUp, p.streams[dir].GaveUp(n))
}
