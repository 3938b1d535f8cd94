package dns

import (
	"encoding/binary"

	"github.com/sonde-dev/sonde/agent/protocol"
	"github.com/sonde-dev/sonde/signal"
)

// parser follows one connection, or the traffic between two UDP ports.
type parser struct {
	isDatagrams bool
	streams     [2]stream // by protocol.Direction; of TCP
	cut         [2]cut    // of UDP
	waiting     waiting
	lastID      uint64
	names       names
	scratch     [512]byte
}

// maxKept is how much of a message is looked at: sixteen addresses and more, behind the longest name.
const maxKept = 4096

// stream takes messages out of one direction of a TCP connection.
type stream struct {
	isLost bool   // nobody knows where a message begins
	buf    []byte // length and message, up to maxKept or to the first gap
	isCut  bool   // by a gap
	have   int    // bytes of length and message that passed
	want   int    // length and message, 0 while the length is not whole
	id     uint64 // of the request that has begun
}

// cut is a datagram of which the copy ended before the datagram.
type cut struct {
	id   uint64 // 0 for none
	size uint64 // that was seen
}

var _ protocol.Parser = (*parser)(nil)

// Data implements protocol.Parser.
func (p *parser) Data(dir protocol.Direction, b []byte, sink protocol.Sink) {
	if p.isDatagrams {
		p.finishCut(dir, 0, sink)
		p.datagram(dir, b, sink)
		return
	}
	s := &p.streams[dir]
	if s.isLost {
		want := protocol.IsRequest
		if dir == protocol.FromServer {
			want = protocol.IsResponse
		}
		if recognizeStream(b) != want {
			return
		}
		s.isLost = false
	}
	for len(b) > 0 && !s.isLost {
		b = p.take(s, dir, b, sink)
	}
}

// take adds bytes to the message of a stream and returns those behind it.
func (p *parser) take(s *stream, dir protocol.Direction, b []byte, sink protocol.Sink) []byte {
	if s.have == 0 {
		p.begin(s, dir, sink)
	}
	n := len(b)
	if s.want > 0 {
		n = min(n, s.want-s.have)
	} else {
		n = min(n, lengthBytes-s.have)
	}
	if !s.isCut {
		s.buf = append(s.buf, b[:min(n, maxKept-len(s.buf))]...)
	}
	s.have += n
	if s.want == 0 && s.have == lengthBytes {
		s.want = lengthBytes + int(binary.BigEndian.Uint16(s.buf))
		if s.want < lengthBytes+headerBytes {
			p.lose(s, sink)
			return nil
		}
	}
	if s.have == s.want {
		p.end(s, dir, sink)
	}
	return b[n:]
}

// begin notes the first byte of a message. That of an answer tells nothing yet.
func (p *parser) begin(s *stream, dir protocol.Direction, sink protocol.Sink) {
	if dir == protocol.ToServer {
		p.lastID++
		s.id = p.lastID
		sink.RequestBegin(s.id)
	}
}

// end hands on a message that has passed.
func (p *parser) end(s *stream, dir protocol.Direction, sink protocol.Sink) {
	m := message{bytes: s.buf[lengthBytes:], size: uint64(s.want - lengthBytes), isLost: s.isCut}
	var ok bool
	if dir == protocol.ToServer {
		ok = p.request(&m, s.id, sink)
	} else {
		_, ok = p.response(&m, sink)
	}
	s.reset()
	if !ok {
		s.isLost = true
	}
}

func (s *stream) reset() {
	if cap(s.buf) > 512 {
		s.buf = nil // few messages are so long
	}
	s.buf, s.isCut, s.have, s.want, s.id = s.buf[:0], false, 0, 0, 0
}

// lose gives up on a direction until a call begins like a message.
func (p *parser) lose(s *stream, sink protocol.Sink) {
	if s.id != 0 {
		sink.RequestEnd(s.id, protocol.End{}) // without a head, it never was
	}
	s.reset()
	s.isLost = true
	sink.Lost(signal.ParserGaveUp, 1)
}

// Gap implements protocol.Parser. Within a message it is skipped; what is known of the message before it counts.
func (p *parser) Gap(dir protocol.Direction, n uint32, _ []byte, sink protocol.Sink) {
	if p.isDatagrams {
		p.finishCut(dir, uint64(n), sink)
		return
	}
	s := &p.streams[dir]
	rest := int64(n)
	switch {
	case s.isLost || n == 0:
		return
	case s.have > 0 && s.want == 0:
		p.lose(s, sink)
		return
	case s.have > 0:
		skip := min(rest, int64(s.want-s.have))
		s.have += int(skip)
		s.isCut = true
		rest -= skip
		if s.have == s.want {
			p.end(s, dir, sink)
		}
	}
	if rest > 0 && !s.isLost {
		p.lose(s, sink)
	}
}

// Close implements protocol.Parser.
func (p *parser) Close(sink protocol.Sink) {
	for dir := range p.cut {
		p.finishCut(protocol.Direction(dir), 0, sink)
	}
	for dir := range p.streams {
		p.streams[dir] = stream{isLost: true}
	}
	p.waiting = waiting{}
}

// datagram takes one message. What is none is left alone: it says nothing of the next.
func (p *parser) datagram(dir protocol.Direction, b []byte, sink protocol.Sink) {
	m := message{bytes: b, size: uint64(len(b)), mayGrow: true}
	if dir == protocol.FromServer {
		if id, _ := p.response(&m, sink); m.isOpen {
			p.cut[dir] = cut{id, m.size}
		}
		return
	}
	p.lastID++
	id := p.lastID
	sink.RequestBegin(id)
	if p.request(&m, id, sink); m.isOpen {
		p.cut[dir] = cut{id, m.size}
	}
}

// finishCut ends a datagram of which n bytes were not copied.
func (p *parser) finishCut(dir protocol.Direction, n uint64, sink protocol.Sink) {
	c := p.cut[dir]
	if c.id == 0 {
		return
	}
	p.cut[dir] = cut{}
	end := protocol.End{BodyBytes: c.size + n, Before: n == 0}
	if dir == protocol.ToServer {
		sink.RequestEnd(c.id, end)
		return
	}
	end.Partial = true // addresses may be missing
	sink.ResponseEnd(c.id, end)
}
