package mongodb

import (
	"maps"
	"slices"

	"github.com/sonde-dev/sonde/agent/protocol"
	"github.com/sonde-dev/sonde/agent/protocol/internal/names"
	"github.com/sonde-dev/sonde/agent/protocol/internal/prefix"
	"github.com/sonde-dev/sonde/signal"
)

const (
	maxWaiting = 1024     // commands that wait for their reply; those beyond are counted without
	keepCmd    = 16 << 10 // of a command: its name comes first, $db behind what it asks for
	keepReply  = prefix.MaxKeep
)

// parser follows one connection.
type parser struct {
	streams [2]prefix.Reader
	reading [2]message
	nextID  uint64
	sink    protocol.Sink // during a call
	names   names.Cache
	attrs   []protocol.Attribute // of the last database; shared, never changed

	waiting   map[uint32]uint64 // request id → exchange
	untracked int               // commands that were sent and not entered
	stream    uint32            // the last reply of an exhaust stream: the next answers it
	hasStream bool
}

// message is what is being read in one direction.
type message struct {
	id        uint64 // 0 for one that belongs to no exchange
	size      uint64
	hasHead   bool
	isPartial bool
}

// newParser makes one that waits for a call that begins with a message.
func newParser() *parser {
	p := &parser{waiting: map[uint32]uint64{}}
	for d := range p.streams {
		p.streams[d].Dir = protocol.Direction(d)
		p.streams[d].StartLost()
	}
	return p
}

// Data implements protocol.Parser.
func (p *parser) Data(dir protocol.Direction, b []byte, sink protocol.Sink) {
	p.sink = sink
	p.streams[dir].Data(b, true, p)
	p.streams[dir].Stamp(sink, false)
	p.sink = nil
}

// Gap implements protocol.Parser.
func (p *parser) Gap(dir protocol.Direction, n uint32, tail []byte, sink protocol.Sink) {
	p.sink = sink
	p.streams[dir].Gap(n, tail, p)
	p.streams[dir].Stamp(sink, false)
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
	if len(b) < headerSize {
		return 0, 0, true
	}
	h, ok := parseHeader(b)
	if !ok || (h.opcode == opReply) != (dir == protocol.FromServer) && h.opcode != opMsg && h.opcode != opCompressed {
		return 0, 0, false
	}
	if dir == protocol.ToServer {
		p.nextID++
		p.reading[dir] = message{id: p.nextID, size: uint64(h.size)}
		p.sink.RequestBegin(p.nextID)
		p.streams[dir].Date(p.nextID, p.sink)
		return uint64(h.size), keepCmd, true
	}
	p.reading[dir] = message{id: p.answered(&h), size: uint64(h.size)}
	return uint64(h.size), keepReply, true
}

// answered finds the command that a reply belongs to.
func (p *parser) answered(h *header) uint64 {
	id, ok := p.waiting[h.responseTo]
	switch {
	case ok:
		delete(p.waiting, h.responseTo)
		p.sink.ResponseBegin(id)
	case p.hasStream && h.responseTo == p.stream:
	case p.untracked > 0:
		p.untracked--
	default:
		p.sink.Lost(signal.OrphanResponse, 1)
	}
	return id
}

// Strict implements prefix.Handler.
func (p *parser) Strict(dir protocol.Direction, b []byte) protocol.Verdict { return strict(dir, b) }

// Message implements prefix.Handler.
func (p *parser) Message(dir protocol.Direction, b []byte, size uint64, isCut bool) bool {
	h, ok := parseHeader(b)
	if !ok {
		return false
	}
	opcode, body := h.opcode, b[headerSize:]
	if opcode == opCompressed {
		x := expanders.Get().(*expander)
		defer expanders.Put(x)
		opcode, body = x.expand(body)
	}
	isWhole := !isCut && uint64(len(b)) == size
	if dir == protocol.ToServer {
		p.command(&h, opcode, body)
	} else {
		p.reply(&h, opcode, body, isWhole)
	}
	return true
}

// End implements prefix.Handler.
func (p *parser) End(dir protocol.Direction) { p.end(dir, protocol.End{}) }

// end ends what is being read in a direction.
func (p *parser) end(dir protocol.Direction, e protocol.End) {
	m := &p.reading[dir]
	if m.id != 0 {
		e.BodyBytes = m.size - p.streams[dir].Rest()
		e.Partial = e.Partial || m.isPartial
		switch {
		case dir == protocol.FromServer:
			p.sink.ResponseEnd(m.id, e)
		case m.hasHead:
			p.sink.RequestEnd(m.id, e)
		default:
			p.sink.RequestHead(m.id, protocol.Request{Operation: other})
			p.sink.RequestEnd(m.id, e)
			p.sink.ResponseEnd(m.id, protocol.End{Partial: true})
		}
	}
	*m = message{}
}

// Lost implements prefix.Handler. Replies name their command, so lost commands take no reply from others; but nobody knows which replies
// are among what is missing.
func (p *parser) Lost(dir protocol.Direction) {
	n := 0
	partial := protocol.End{Partial: true}
	if p.reading[dir].id != 0 {
		n++
	}
	p.end(dir, partial)
	if dir == protocol.FromServer {
		n += len(p.waiting)
		for _, id := range slices.Sorted(maps.Values(p.waiting)) {
			p.sink.ResponseEnd(id, partial)
		}
		clear(p.waiting)
	}
	p.untracked, p.hasStream = 0, false
	p.sink.Lost(signal.ParserGaveUp, p.streams[dir].GaveUp(n))
}

// await enters a command.
func (p *parser) await(requestID uint32, id uint64) {
	if old, ok := p.waiting[requestID]; ok { // ids are not used again before they are answered
		p.sink.ResponseEnd(old, protocol.End{Partial: true})
		p.sink.Lost(signal.ParserGaveUp, 1)
	}
	p.waiting[requestID] = id
}
