package postgres

import (
	"encoding/binary"

	"github.com/sonde-dev/sonde/agent/protocol"
	"github.com/sonde-dev/sonde/signal"
)

// state is the place of a stream inside its messages.
type state uint8

const (
	between  state = iota // the next byte begins a message
	inHeader              // some bytes of type and length are there
	inBody                // remain bytes of the body are to come
	lost                  // until a call begins like a message
)

// stream is one direction.
type stream struct {
	state   state
	header  [headerSize]byte
	have    int    // of header
	remain  uint32 // of the body
	want    int    // bytes of the body to be kept
	buf     []byte // those that were
	isHoled bool   // wanted bytes are missing
}

// text is the part of a message's body that the parser wanted.
type text struct {
	kind  byte
	b     []byte
	isCut bool // there was more of it
	isGap bool // and it was not seen, though it was wanted
}

// keepBuf is the size up to which a buffer is kept for the next message.
const keepBuf = 2048

// begin takes a header that is complete; false when it is none.
func (s *stream) begin(dir protocol.Direction) bool {
	if !isHeader(dir, s.header[:]) {
		return false
	}
	s.state, s.have, s.isHoled = inBody, 0, false
	s.remain = binary.BigEndian.Uint32(s.header[1:]) - 4
	s.want = shapeOf(dir, s.header[0]).want
	return true
}

func (s *stream) size() uint64 { return uint64(binary.BigEndian.Uint32(s.header[1:])) + 1 }

// read takes some of b, at least one byte unless nothing of the body is to come; done when the message is complete. t is valid until the next call.
func (s *stream) read(b []byte) (n int, t text, done bool) {
	n = int(min(uint64(len(b)), uint64(s.remain)))
	s.remain -= uint32(n)
	if s.remain == 0 && len(s.buf) == 0 && !s.isHoled {
		return n, text{kind: s.header[0], b: b[:min(n, s.want)], isCut: n > s.want}, true
	}
	if room := s.want - len(s.buf); room > 0 && !s.isHoled {
		s.buf = append(s.buf, b[:min(n, room)]...)
	}
	return n, s.kept(), s.remain == 0
}

// skip passes over some of n bytes that are not known.
func (s *stream) skip(n uint64) (skipped uint64, t text, done bool) {
	skipped = min(n, uint64(s.remain))
	s.remain -= uint32(skipped)
	s.isHoled = s.isHoled || skipped > 0 && len(s.buf) < s.want
	return skipped, s.kept(), s.remain == 0
}

func (s *stream) kept() text {
	return text{kind: s.header[0], b: s.buf, isCut: s.size()-headerSize > uint64(len(s.buf)), isGap: s.isHoled}
}

// end prepares for the next message.
func (s *stream) end() {
	s.state = between
	s.buf = s.buf[:0]
	if cap(s.buf) > keepBuf {
		s.buf = nil
	}
}

// lose gives up the message being read.
func (s *stream) lose() {
	s.end()
	s.state, s.have = lost, 0
}

// data reads b; atCall is true when it begins where a socket call began.
func (p *parser) data(dir protocol.Direction, b []byte, atCall bool, sink protocol.Sink) {
	s := &p.streams[dir]
	for len(b) > 0 && !p.isOpaque {
		switch {
		case dir == protocol.ToServer && p.phase == starting:
			b = b[p.readStartup(b, sink):]
		case dir == protocol.FromServer && p.phase == asked:
			b = b[p.answer(b[0], sink):]
		case s.state == lost:
			if !atCall || !p.resumes(dir, b) {
				p.passLost(dir, b, sink)
				return
			}
			s.state = between
		case s.state == between:
			p.first(dir, b[0], sink)
			s.state = inHeader
		case s.state == inHeader:
			n := copy(s.header[s.have:], b)
			s.have += n
			b = b[n:]
			p.header(dir, sink)
		default:
			n, t, done := s.read(b)
			b = b[n:]
			p.message(dir, t, done, sink)
		}
		atCall = false
	}
}

// header begins the body when the header is complete. An empty body is over at once.
func (p *parser) header(dir protocol.Direction, sink protocol.Sink) {
	s := &p.streams[dir]
	if s.have < headerSize {
		return
	}
	if !s.begin(dir) {
		sink.Lost(signal.ParserGaveUp, 1)
		p.lose(dir, nil, sink)
		return
	}
	if s.remain == 0 {
		_, t, done := s.read(nil)
		p.message(dir, t, done, sink)
	}
}

// message hands on a message that is complete.
func (p *parser) message(dir protocol.Direction, t text, done bool, sink protocol.Sink) {
	if !done {
		return
	}
	size := p.streams[dir].size()
	if dir == protocol.ToServer {
		p.request(t, size, sink)
	} else {
		p.response(t, size, sink)
	}
	if s := &p.streams[dir]; s.state != lost {
		s.end()
	}
}

// gap passes over n bytes of which only the tail is known.
func (p *parser) gap(dir protocol.Direction, n uint64, tail []byte, sink protocol.Sink) {
	s := &p.streams[dir]
	for n > 0 && !p.isOpaque {
		if s.state != inBody {
			p.lose(dir, tail, sink)
			return
		}
		skipped, t, done := s.skip(n)
		n -= skipped
		p.message(dir, t, done, sink)
	}
}
