package mysql

import (
	"github.com/sonde-dev/sonde/agent/protocol"
)

// headerSize is a length of 3 bytes and the number of the packet ("MySQL Packets").
const headerSize = 4

// fullPacket is the length of a packet whose payload goes on in the next one.
const fullPacket = 1<<24 - 1

const (
	maxText     = 64 << 10 // of a statement that is kept
	maxLogin    = 1024     // of a client's answer to the greeting: flags, user, response, database
	maxGreeting = 256
	maxHead     = 64 // of a response's packet: OK and ERR with their numbers
	maxDatabase = 256
)

// state is the place of a stream inside its packets.
type state uint8

const (
	between  state = iota // the next byte begins a packet
	inHeader              // some bytes of the header are there
	inBody                // remain bytes of the payload are to come
	lost                  // until a call begins like a packet
)

// stream is one direction.
type stream struct {
	state    state
	header   [headerSize]byte
	have     int    // of header
	remain   uint32 // of this packet's payload
	bytes    uint64 // of the packets of this payload, headers included
	isNext   bool   // this packet continues the payload of the one before
	hasFirst bool   // the first byte of the payload was seen
	want     int    // bytes of the payload to be kept
	buf      []byte // those that were
	isHoled  bool   // wanted bytes are missing
}

// packet is the part of a payload that the parser wanted.
type packet struct {
	b     []byte
	seq   byte   // of its last packet
	size  uint64 // of the payload
	bytes uint64 // with headers
	isCut bool   // there was more of it
	isGap bool   // and it was not seen, though it was wanted
}

func (s *stream) length() uint32 {
	return uint32(s.header[0]) | uint32(s.header[1])<<8 | uint32(s.header[2])<<16
}
func (s *stream) seq() byte { return s.header[3] }

// keepBuf is the size up to which a buffer is kept for the next payload.
const keepBuf = 2048

// end prepares for the next payload. What was kept may be a secret while somebody logs in.
func (s *stream) end() {
	s.state, s.isNext, s.hasFirst, s.isHoled, s.bytes = between, false, false, false, 0
	if cap(s.buf) > keepBuf {
		s.buf = nil
	}
	s.buf = s.buf[:0]
}

func (s *stream) lose() {
	s.end()
	s.state, s.have = lost, 0
}

// data reads b; atCall is true when it begins where a call began.
func (p *parser) data(dir protocol.Direction, b []byte, atCall bool, sink protocol.Sink) {
	s := &p.streams[dir]
	for len(b) > 0 && !p.isOpaque {
		switch s.state {
		case lost:
			if !atCall || !p.resumes(dir, b) {
				p.passLost(dir, b, sink)
				return
			}
			s.state = between
		case between:
			s.state = inHeader
		case inHeader:
			n := copy(s.header[s.have:], b)
			s.have += n
			b = b[n:]
			p.startPacket(dir, sink)
		default:
			n := int(min(uint64(len(b)), uint64(s.remain)))
			p.body(dir, b[:n], sink)
			b = b[n:]
		}
		atCall = false
	}
}

// startPacket begins the payload when the header is complete.
func (p *parser) startPacket(dir protocol.Direction, sink protocol.Sink) {
	s := &p.streams[dir]
	if s.have < headerSize {
		return
	}
	if !s.isNext {
		s.want = p.wanted(dir, s.seq())
	}
	s.have, s.state, s.remain = 0, inBody, s.length()
	s.bytes += headerSize + uint64(s.remain)
	if s.remain == 0 {
		p.endPacket(dir, nil, sink)
	}
}

// wanted is how much of a payload is read.
func (p *parser) wanted(dir protocol.Direction, seq byte) int {
	switch {
	case p.phase == greeting && dir == protocol.FromServer:
		return maxGreeting
	case p.phase == login && dir == protocol.ToServer:
		return maxLogin
	case dir == protocol.FromServer:
		return maxHead
	case p.phase != running || seq != 0: // credentials; data of a file
		return 0
	}
	return maxText + 1
}

// body takes bytes of a payload.
func (p *parser) body(dir protocol.Direction, b []byte, sink protocol.Sink) {
	s := &p.streams[dir]
	if !s.hasFirst && !s.isNext && !s.isHoled {
		s.hasFirst = true
		p.first(dir, b[0], sink)
		if p.isOpaque || s.state == lost {
			return
		}
	}
	s.remain -= uint32(len(b))
	if s.remain == 0 && len(s.buf) == 0 && !s.isHoled && !s.isNext && s.length() < fullPacket {
		p.endPacket(dir, b, sink)
		return
	}
	if room := s.want - len(s.buf); room > 0 && !s.isHoled {
		s.buf = append(s.buf, b[:min(len(b), room)]...)
	}
	if s.remain == 0 {
		p.endPacket(dir, s.buf, sink)
	}
}

// endPacket ends a packet, and the payload unless it goes on.
func (p *parser) endPacket(dir protocol.Direction, b []byte, sink protocol.Sink) {
	s := &p.streams[dir]
	if s.length() == fullPacket {
		s.state, s.isNext = between, true
		return
	}
	size := s.bytes - headerSize*(1+s.bytes/(headerSize+fullPacket))
	t := packet{b: b[:min(len(b), s.want)], seq: s.seq(), size: size, bytes: s.bytes, isGap: s.isHoled}
	t.isCut = uint64(len(t.b)) < size
	if dir == protocol.ToServer {
		p.fromClient(t, sink)
	} else {
		p.fromServer(t, sink)
	}
	if s.state != lost {
		if p.phase != running {
			clear(s.buf)
		}
		s.end()
	}
}

// gap passes over n bytes that are not known.
func (p *parser) gap(dir protocol.Direction, n uint64, sink protocol.Sink) {
	s := &p.streams[dir]
	for n > 0 && !p.isOpaque {
		// Without its first byte nobody knows what a payload is, but for a client's data.
		if s.state != inBody || !s.hasFirst && !s.isNext && (dir == protocol.FromServer || s.seq() == 0) {
			p.lose(dir, sink)
			return
		}
		k := min(n, uint64(s.remain))
		n -= k
		s.remain -= uint32(k)
		s.isHoled = s.isHoled || k > 0 && len(s.buf) < s.want
		if s.remain == 0 {
			p.endPacket(dir, s.buf, sink)
		}
	}
}
