package amqp

import (
	"encoding/binary"

	"github.com/sonde-dev/sonde/agent/protocol"
	"github.com/sonde-dev/sonde/agent/protocol/internal/names"
	"github.com/sonde-dev/sonde/agent/protocol/internal/prefix"
	"github.com/sonde-dev/sonde/signal"
)

// parser follows one connection.
type parser struct {
	streams  [2]prefix.Reader
	channels map[uint16]*channel
	nextID   uint64
	sink     protocol.Sink // during a call
	names    names.Cache

	last       *channel // of channels
	lastNumber uint16
	opens      [2]*content // the content that the frame being read belongs to
	size       uint64      // of the method being read
}

// newParser makes one that waits for a call that begins with a method: where the protocol was recognised by one direction, the other
// may be in the middle of a message.
func newParser() *parser {
	p := &parser{channels: map[uint16]*channel{}}
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
	for _, n := range p.numbers() {
		c := p.channels[n]
		for i := range c.contents {
			o := &c.contents[i]
			p.endContent(o, protocol.End{BodyBytes: p.moved(protocol.Direction(i), o), Cut: true, Before: true})
		}
	}
}

// Measure implements prefix.Handler.
func (p *parser) Measure(dir protocol.Direction, b []byte) (size uint64, keep int, ok bool) {
	if b[0] == protocolHeader[0] && dir == protocol.ToServer {
		n := min(len(b), len(protocolHeader))
		if string(b[:n]) != protocolHeader[:n] {
			return 0, 0, false
		}
		if n < len(protocolHeader) {
			return 0, 0, true
		}
		return uint64(n), n, true
	}
	size, ok = frameSize(b)
	if !ok || size == 0 {
		return size, 0, ok
	}
	switch b[0] {
	case frameMethod:
		const names = 2048 // holds the names of any method; tables are not read
		return size, int(min(size, names)), true
	case frameHeader:
		const toBodySize = frameHead + 12
		return size, toBodySize, true
	}
	return size, frameHead, true
}

// Strict implements prefix.Handler.
func (p *parser) Strict(dir protocol.Direction, b []byte) protocol.Verdict { return strict(dir, b) }

// Message implements prefix.Handler: one frame, or the protocol header.
func (p *parser) Message(dir protocol.Direction, b []byte, size uint64, isCut bool) bool {
	if isCut {
		return false
	}
	if uint64(len(b)) == size && b[0] != protocolHeader[0] && b[len(b)-1] != frameEnd {
		return false
	}
	p.opens[dir] = nil
	switch b[0] {
	case frameHeartbeat:
	case frameMethod:
		return p.method(dir, b, size)
	case frameHeader, frameBody:
		p.content(dir, b, size)
	default:
		p.connect(size)
	}
	return true
}

// End implements prefix.Handler: a content may end with this frame.
func (p *parser) End(dir protocol.Direction) {
	o := p.opens[dir]
	if o == nil {
		return
	}
	p.opens[dir] = nil
	if o.hasHeader && o.rest == 0 {
		p.endContent(o, protocol.End{BodyBytes: o.bytes})
	}
}

// Lost implements prefix.Handler.
func (p *parser) Lost(dir protocol.Direction) {
	n := p.forget()
	p.opens = [2]*content{}
	p.sink.Lost(signal.ParserGaveUp, p.streams[dir].GaveUp(n))
}

// content takes a frame of a message's header or body.
func (p *parser) content(dir protocol.Direction, b []byte, size uint64) {
	o := &p.channel(binary.BigEndian.Uint16(b[1:])).contents[dir]
	if o.id == 0 {
		return // of a message that began before Sonde looked
	}
	o.bytes += size
	p.opens[dir] = o
	if b[0] == frameHeader {
		const bodySize = frameHead + 4 // after class and weight
		o.hasHeader, o.rest = true, binary.BigEndian.Uint64(b[bodySize:])
		return
	}
	o.rest -= min(o.rest, size-frameHead-frameTail)
}

// method takes the frame of a method.
func (p *parser) method(dir protocol.Direction, b []byte, size uint64) bool {
	m, ok := methodOf(b)
	if !ok || m.role != either && (m.role == fromServer) != (dir == protocol.FromServer) {
		return false
	}
	n := binary.BigEndian.Uint16(b[1:])
	id := binary.BigEndian.Uint32(b[frameHead:])
	a := args(b[frameHead+methodIDs:])
	p.size = size
	c := p.channel(n)
	if o := &c.contents[dir]; o.id != 0 {
		p.endCut(dir, o)
	}
	if dir == protocol.ToServer {
		p.toServer(n, c, id, m, a)
	} else {
		p.fromServer(n, c, id, m, a)
	}
	return true
}

// begin tells a request of which head and, without a content, end are known.
func (p *parser) begin(c *channel, dir protocol.Direction, r protocol.Request, hasBody bool) uint64 {
	p.nextID++
	id := p.nextID
	p.sink.RequestBegin(id)
	p.streams[dir].Date(id, p.sink)
	p.sink.RequestHead(id, r)
	if hasBody {
		c.contents[dir] = content{id: id, bytes: p.size}
	} else {
		p.sink.RequestEnd(id, protocol.End{BodyBytes: p.size})
	}
	return id
}

// respond tells a whole response.
func (p *parser) respond(id uint64, r protocol.Response, size uint64) {
	p.sink.ResponseBegin(id)
	p.sink.ResponseHead(id, r)
	p.sink.ResponseEnd(id, protocol.End{BodyBytes: size})
}

// connect takes the protocol header: a new connection.
func (p *parser) connect(size uint64) {
	p.forget()
	p.size = size
	c := p.channel(0)
	id := p.begin(c, protocol.ToServer, protocol.Request{Operation: "connection.start"}, false)
	c.await(pending{id: id, method: connectionStart - 1})
}
