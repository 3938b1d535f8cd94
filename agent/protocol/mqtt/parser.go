package mqtt

import (
	"maps"
	"slices"

	"github.com/sonde-dev/sonde/agent/protocol"
	"github.com/sonde-dev/sonde/agent/protocol/internal/names"
	"github.com/sonde-dev/sonde/agent/protocol/internal/prefix"
	"github.com/sonde-dev/sonde/signal"
)

const (
	maxWaiting = 1024 // packets of one direction that wait for their answer; those beyond are counted without
	maxAliases = 64   // topics remembered of one direction
	maxPings   = 16
	maxKeep    = 1024 // longer topics and lists of filters are cut
)

// parser follows one connection.
type parser struct {
	streams [2]prefix.Reader
	flows   [2]flow
	nextID  uint64
	sink    protocol.Sink // during a call
	names   names.Cache
	version byte // 0: not known

	connecting, authenticating uint64 // the exchange, 0 for none
	pings                      []uint64
}

// flow is what one side has begun: packet ids of the two sides are apart (§2.2.1).
type flow struct {
	waiting   map[uint16]waiting
	untracked int // that were begun and not entered
	aliases   map[uint16]string
	message   uint64 // whose payload is being moved, 0 for none
	bytes     uint64
}

// waiting is a packet without its last answer.
type waiting struct {
	id    uint64
	kind  byte
	bytes uint64 // of the answers so far
	began bool   // PUBREC was seen
}

// newParser makes one that waits for a call that begins with a packet.
func newParser() *parser {
	p := &parser{}
	for d := range p.streams {
		p.streams[d].Dir = protocol.Direction(d)
		p.streams[d].StartLost()
		p.flows[d].waiting = map[uint16]waiting{}
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
	for d := range p.flows {
		p.endMessage(protocol.Direction(d), protocol.End{Cut: true, Before: true})
	}
}

// endMessage ends the message that is being read in a direction.
func (p *parser) endMessage(dir protocol.Direction, e protocol.End) {
	f := &p.flows[dir]
	if f.message == 0 {
		return
	}
	e.BodyBytes = f.bytes - p.streams[dir].Rest()
	p.sink.RequestEnd(f.message, e)
	f.message = 0
}

// Measure implements prefix.Handler.
func (p *parser) Measure(dir protocol.Direction, b []byte) (size uint64, keep int, ok bool) {
	if !isHeader(b[0], dir) {
		return 0, 0, false
	}
	size, head, ok := packetSize(b)
	if !ok || size == 0 {
		return 0, 0, ok
	}
	keep = int(min(size, maxKeep))
	if b[0]>>4 == publish {
		const lengths = 2 + 2 // of the topic, and the packet id
		const properties = 256
		if len(b) < head+2 {
			return 0, 0, true
		}
		keep = head + lengths + int(b[head])<<8 + int(b[head+1])
		if p.version == 5 {
			keep += properties
		}
	}
	return size, int(min(size, uint64(keep), maxKeep)), true
}

// Strict implements prefix.Handler.
func (p *parser) Strict(dir protocol.Direction, b []byte) protocol.Verdict { return strict(dir, b) }

// Message implements prefix.Handler.
func (p *parser) Message(dir protocol.Direction, b []byte, size uint64, isCut bool) bool {
	_, head, ok := packetSize(b)
	if !ok || head == 0 {
		return false
	}
	if kind := b[0] >> 4; isCut && kind != connect && kind != publish {
		return false
	}
	switch r := (reader{b: b[head:]}); b[0] >> 4 {
	case connect:
		p.connect(b[head:], size)
	case connack:
		p.connack(&r, size)
	case publish:
		return p.publish(dir, b[0], &r, size, isCut)
	case puback, pubrec, pubcomp:
		p.acknowledge(dir, b[0]>>4, &r, size)
	case subscribe, unsubscribe:
		return p.subscribe(b[0]>>4, b[head:], size)
	case suback, unsuback:
		p.suback(b[0]>>4, &r, size)
	case pingreq:
		p.ping(size)
	case pingresp:
		p.pong(size)
	case disconnect:
		p.disconnect(dir, &r, size)
	case auth:
		p.auth(dir, &r, size)
	}
	return true // PUBREL is the middle of an exchange that QoS 2 makes one of
}

// End implements prefix.Handler.
func (p *parser) End(dir protocol.Direction) { p.endMessage(dir, protocol.End{}) }

// Lost implements prefix.Handler: answers may be among what is missing, so nothing in flight is certain any more.
func (p *parser) Lost(dir protocol.Direction) {
	n := p.forget()
	p.sink.Lost(signal.ParserGaveUp, p.streams[dir].GaveUp(n))
}

// forget ends everything in flight as partial, and returns how many.
func (p *parser) forget() (n int) {
	partial := protocol.End{Partial: true}
	for d := range p.flows {
		f := &p.flows[d]
		p.endMessage(protocol.Direction(d), partial)
		for _, id := range slices.Sorted(maps.Keys(f.waiting)) {
			p.sink.ResponseEnd(f.waiting[id].id, partial)
			n++
		}
		clear(f.waiting)
		f.untracked, f.aliases = 0, nil
	}
	for _, id := range append(p.pings, p.connecting, p.authenticating) {
		if id != 0 {
			p.sink.ResponseEnd(id, partial)
			n++
		}
	}
	p.pings, p.connecting, p.authenticating = p.pings[:0], 0, 0
	return n
}

// begin tells a request whose head is known; its message is moved up to End.
func (p *parser) begin(dir protocol.Direction, r protocol.Request, size uint64) uint64 {
	p.nextID++
	p.sink.RequestBegin(p.nextID)
	p.streams[dir].Date(p.nextID, p.sink)
	p.sink.RequestHead(p.nextID, r)
	f := &p.flows[dir]
	f.message, f.bytes = p.nextID, size
	return p.nextID
}

// await enters a packet that waits for an answer. A packet id that is in use already begins anew: its answer was not seen.
func (p *parser) await(dir protocol.Direction, packet uint16, w waiting) {
	f := &p.flows[dir]
	if old, ok := f.waiting[packet]; ok {
		p.sink.ResponseEnd(old.id, protocol.End{Partial: true})
		p.sink.Lost(signal.ParserGaveUp, 1)
	}
	f.waiting[packet] = w
}

// isFull counts a packet that cannot wait.
func (f *flow) isFull(packet uint16) bool {
	if _, ok := f.waiting[packet]; ok || len(f.waiting) < maxWaiting {
		return false
	}
	f.untracked++
	return true
}

// orphan counts an answer to a packet that was not seen.
func (p *parser) orphan(f *flow) {
	if f != nil && f.untracked > 0 {
		f.untracked--
		return
	}
	p.sink.Lost(signal.OrphanResponse, 1)
}

// respond tells a whole response.
func (p *parser) respond(id uint64, r protocol.Response, size uint64) {
	p.sink.ResponseBegin(id)
	p.sink.ResponseHead(id, r)
	p.sink.ResponseEnd(id, protocol.End{BodyBytes: size})
}
