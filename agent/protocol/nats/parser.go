package nats

import (
	"github.com/sonde-dev/sonde/agent/protocol"
	"github.com/sonde-dev/sonde/agent/protocol/internal/names"
	"github.com/sonde-dev/sonde/agent/protocol/internal/prefix"
	"github.com/sonde-dev/sonde/signal"
)

const (
	maxRequests = 1024 // that wait for their response; those beyond are counted without
	maxWaiting  = 1024 // lines that wait for +OK
	maxPings    = 64
	maxInboxes  = 8 // subscriptions of the client for its responses
	maxHeaders  = 1024
)

// parser follows one connection.
type parser struct {
	streams [2]prefix.Reader
	reading [2]message
	nextID  uint64
	sink    protocol.Sink // during a call
	names   names.Cache

	isOpaque, isOver bool
	// isWhole is true while no request can have been missed: from INFO or CONNECT on, until bytes are lost.
	isWhole   bool
	isVerbose bool

	requests map[uint64]uint64 // hash of the reply subject → exchange
	waiting  []waiting         // for +OK
	pings    []uint64
	inboxes  []string // wildcard subscriptions, without the last segment
}

// message is what is being read in one direction.
type message struct {
	id         uint64
	isResponse bool
	isPartial  bool
	size       uint64
}

// waiting is a line of a verbose client.
type waiting struct {
	id   uint64 // 0: a request, whose response is another
	verb verb
}

// newParser makes one that waits for a call that begins with a line.
func newParser() *parser {
	p := &parser{requests: map[uint64]uint64{}}
	for d := range p.streams {
		p.streams[d].Dir, p.streams[d].MaxHeader = protocol.Direction(d), maxLine
		p.streams[d].StartLost()
	}
	return p
}

// Data implements protocol.Parser.
func (p *parser) Data(dir protocol.Direction, b []byte, sink protocol.Sink) {
	if p.isOver {
		return
	}
	p.sink = sink
	p.streams[dir].Data(b, true, p)
	p.streams[dir].Stamp(sink, false)
	p.endData()
}

// Gap implements protocol.Parser.
func (p *parser) Gap(dir protocol.Direction, n uint32, tail []byte, sink protocol.Sink) {
	if p.isOver {
		return
	}
	p.sink = sink
	p.streams[dir].Gap(n, tail, p)
	p.streams[dir].Stamp(sink, false)
	p.endData()
}

func (p *parser) endData() {
	if p.isOpaque {
		p.isOver = true
		p.sink.Opaque()
	}
	p.sink = nil
}

// Close implements protocol.Parser. What waits for an answer is left to the engine, which knows why the connection ended.
func (p *parser) Close(sink protocol.Sink) {
	if p.isOver {
		return
	}
	p.sink = sink
	for d := range p.reading {
		p.end(protocol.Direction(d), protocol.End{Cut: true, Before: true})
	}
}

// Measure implements prefix.Handler.
func (p *parser) Measure(dir protocol.Direction, b []byte) (size uint64, keep int, ok bool) {
	l, isWhole, isValid := parseLine(b)
	switch {
	case p.isOpaque:
		return 0, 0, false
	case !isValid && isOther(b):
		p.isOpaque = true
		return 0, 0, false
	case !isValid, l.verb != unknown && !l.verb.isFrom(dir):
		return 0, 0, false
	case !isWhole:
		return 0, 0, true
	}
	return l.messageSize(), l.size + min(l.header, maxHeaders), true
}

// Strict implements prefix.Handler.
func (p *parser) Strict(dir protocol.Direction, b []byte) protocol.Verdict {
	if p.nextID == 0 && isOther(b) {
		p.isOpaque = true
	}
	if p.isOpaque {
		return protocol.No
	}
	return strict(dir, b)
}

// Message implements prefix.Handler.
func (p *parser) Message(dir protocol.Direction, b []byte, size uint64, isCut bool) bool {
	l, isWhole, isValid := parseLine(b)
	if !isWhole || !isValid {
		return false
	}
	p.reading[dir] = message{size: size}
	switch l.verb {
	case connect:
		p.connect(b)
	case pub, hpub:
		p.publish(&l)
	case sub, unsub:
		p.subscribe(&l)
	case ping:
		if dir == protocol.ToServer { // the server's own only keep the connection alive
			p.ping()
		}
	case pong:
		if dir == protocol.FromServer {
			p.pong()
		}
	case info:
		p.isWhole = p.isWhole || p.nextID == 0
	case msg, hmsg:
		p.deliver(&l, b[l.size:], isCut)
	case ok:
		p.ok()
	case failed:
		p.failed(b[:l.size])
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
		if m.isResponse {
			p.sink.ResponseEnd(m.id, e)
		} else {
			p.sink.RequestEnd(m.id, e)
		}
	}
	*m = message{}
}

// Lost implements prefix.Handler: answers may be among what is missing, so nothing in flight is certain any more.
func (p *parser) Lost(dir protocol.Direction) {
	if p.isOpaque {
		return
	}
	n := len(p.waiting) + len(p.requests) + len(p.pings)
	partial := protocol.End{Partial: true}
	for d := range p.reading {
		p.end(protocol.Direction(d), partial)
	}
	for _, w := range p.waiting {
		if w.id != 0 {
			p.sink.ResponseEnd(w.id, partial)
		}
	}
	p.endRequests(partial)
	for _, id := range p.pings {
		p.sink.ResponseEnd(id, partial)
	}
	// What is answered by order alone is counted without an answer from here on.
	p.waiting, p.pings, p.isWhole, p.isVerbose = p.waiting[:0], p.pings[:0], false, false
	p.sink.Lost(signal.ParserGaveUp, p.streams[dir].GaveUp(n))
}

// begin tells a request; it is moved up to End.
func (p *parser) begin(dir protocol.Direction, r protocol.Request) uint64 {
	p.nextID++
	p.sink.RequestBegin(p.nextID)
	p.streams[dir].Date(p.nextID, p.sink)
	p.sink.RequestHead(p.nextID, r)
	p.reading[dir].id = p.nextID
	return p.nextID
}

// respond begins a response; it is moved up to End.
func (p *parser) respond(dir protocol.Direction, id uint64, r protocol.Response) {
	p.sink.ResponseBegin(id)
	p.sink.ResponseHead(id, r)
	m := &p.reading[dir]
	m.id, m.isResponse = id, true
}
