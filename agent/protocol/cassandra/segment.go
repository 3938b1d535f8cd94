package cassandra

import (
	"hash/crc32"

	"github.com/sonde-dev/sonde/agent/protocol"
	"github.com/sonde-dev/sonde/agent/protocol/internal/prefix"
)

// Version 5 puts frames into segments once STARTUP was answered (native_protocol_v5.spec §2.2):
//
//	| length 17 bits | self-contained 1 | 0 | CRC24 |             payload | CRC32 |
//	| length 17 bits | expanded length 17 | self-contained 1 | 0 | CRC24 | payload | CRC32 |   with LZ4
const (
	plainHead  = 3 + 3
	lz4Head    = 5 + 3
	segmentEnd = 4
	lengthMask = 1<<17 - 1
)

// segment is the header of one.
type segment struct {
	head            int
	length          int // of the payload on the wire
	expanded        int // 0: it is not compressed
	isSelfContained bool
}

// parseSegment reads the header of a segment; !ok: it is none, or cut.
func parseSegment(b []byte, isLZ4 bool) (s segment, ok bool) {
	s.head = plainHead
	if isLZ4 {
		s.head = lz4Head
	}
	if len(b) < s.head {
		return s, false
	}
	var bits uint64
	for i := range s.head - 3 {
		bits |= uint64(b[i]) << (8 * i)
	}
	crc := uint32(b[s.head-3]) | uint32(b[s.head-2])<<8 | uint32(b[s.head-1])<<16
	if crc24(b[:s.head-3]) != crc {
		return s, false
	}
	s.length = int(bits & lengthMask)
	bits >>= 17
	if isLZ4 {
		s.expanded = int(bits & lengthMask)
		bits >>= 17
	}
	s.isSelfContained = bits&1 != 0
	return s, bits>>1 == 0 && s.length > 0
}

// crc24 is that of the specification (§2.2, appendix).
func crc24(b []byte) uint32 {
	const initial, polynomial = 0x875060, 0x1974F0B
	crc := uint32(initial)
	for _, c := range b {
		crc ^= uint32(c) << 16
		for range 8 {
			if crc <<= 1; crc&0x1000000 != 0 {
				crc ^= polynomial
			}
		}
	}
	return crc
}

// payloadCRC is the CRC32 of a payload, which begins with four bytes of the specification's.
func payloadCRC(b []byte) uint32 {
	return crc32.Update(crc32.ChecksumIEEE([]byte{0xFA, 0x2D, 0x55, 0xCA}), crc32.IEEETable, b)
}

// unwrapper takes the segments off one direction. What is in them goes to a prefix.Reader.
type unwrapper struct {
	isLZ4   bool
	isLost  bool
	buf     []byte // the header, or the payload of a compressed segment
	now     segment
	rest    int  // of the payload
	end     int  // of the CRC behind it
	hasHole bool // of a compressed payload, buf is what came before it
	out     []byte
}

// isKeeping says whether a segment has begun of which nothing was passed on yet.
func (u *unwrapper) isKeeping() bool {
	return len(u.buf) > 0 || u.rest > 0 && u.rest == u.now.length
}

// data unwraps b.
func (u *unwrapper) data(b []byte, atCall bool, to *prefix.Reader, h prefix.Handler) {
	for len(b) > 0 {
		n := 0
		switch {
		case u.isLost && !atCall:
			h.Lost(to.Dir)
			return
		case u.isLost:
			if _, ok := parseSegment(b, u.isLZ4); !ok {
				h.Lost(to.Dir)
				return
			}
			u.isLost = false
		case u.rest > 0:
			n = min(len(b), u.rest)
			u.payload(b[:n], to, h)
		case u.end > 0:
			n = min(len(b), u.end)
			u.end -= n
		default:
			n = u.begin(b, to, h)
		}
		b, atCall = b[n:], atCall && n == 0
	}
}

// begin reads the header.
func (u *unwrapper) begin(b []byte, to *prefix.Reader, h prefix.Handler) int {
	head := plainHead
	if u.isLZ4 {
		head = lz4Head
	}
	n := min(len(b), head-len(u.buf))
	u.buf = append(u.buf, b[:n]...)
	if len(u.buf) < head {
		return n
	}
	s, ok := parseSegment(u.buf, u.isLZ4)
	u.buf = u.buf[:0]
	if !ok {
		u.lose(to, h)
		return len(b)
	}
	u.now, u.rest, u.end, u.hasHole = s, s.length, segmentEnd, false
	return n
}

func (u *unwrapper) lose(to *prefix.Reader, h prefix.Handler) {
	u.isLost, u.rest, u.end, u.buf = true, 0, 0, u.buf[:0]
	to.Lose(h)
}

// payload passes on bytes of a segment, those of a compressed one when they are whole.
func (u *unwrapper) payload(b []byte, to *prefix.Reader, h prefix.Handler) {
	isFirst := u.rest == u.now.length
	u.rest -= len(b)
	if u.now.expanded == 0 {
		to.Data(b, isFirst && u.now.isSelfContained, h)
		return
	}
	if !u.hasHole {
		n := min(len(b), prefix.MaxKeep-len(u.buf))
		u.buf = append(u.buf, b[:n]...)
		u.hasHole = n < len(b)
	}
	if u.rest == 0 {
		u.expand(to, h)
	}
}

// expand passes on a compressed segment, as a gap what cannot be expanded.
func (u *unwrapper) expand(to *prefix.Reader, h prefix.Handler) {
	n := u.now.expanded
	if cap(u.out) < n {
		u.out = make([]byte, 0, n)
	}
	out := unlz4(u.out[:0:n], u.buf) // up to a hole, it is right
	u.buf = u.buf[:0]
	if len(out) > 0 {
		to.Data(out, u.now.isSelfContained, h)
	}
	if rest := n - len(out); rest > 0 {
		to.Gap(uint32(rest), nil, h)
	}
	if cap(u.buf) > 4096 {
		u.buf = nil
	}
	if cap(u.out) > 16<<10 {
		u.out = nil
	}
}

// gap passes over n bytes that were not copied.
func (u *unwrapper) gap(n int, to *prefix.Reader, h prefix.Handler) {
	for n > 0 {
		switch {
		case u.isLost:
			h.Lost(to.Dir)
			return
		case u.rest > 0:
			k := min(n, u.rest)
			n -= k
			u.rest -= k
			if u.now.expanded == 0 {
				to.Gap(uint32(k), nil, h)
				continue
			}
			u.hasHole = true
			if u.rest == 0 {
				u.expand(to, h)
			}
		case u.end > 0:
			k := min(n, u.end)
			n -= k
			u.end -= k
		default:
			u.lose(to, h)
		}
	}
}

// strictSegment judges whether b begins with a segment that begins with a frame.
func strictSegment(b []byte) (isLZ4 bool, v protocol.Verdict) {
	for _, isLZ4 := range []bool{false, true} {
		s, ok := parseSegment(b, isLZ4)
		if !ok || !s.isSelfContained {
			continue
		}
		body := b[s.head:min(len(b), s.head+s.length)]
		var room [64]byte
		if s.expanded > 0 {
			body = unlz4(room[:0], body)
		}
		f, ok := parseFrame(body)
		switch {
		case !ok || f.version != 5:
		case f.isResponse:
			return isLZ4, protocol.IsResponse
		default:
			return isLZ4, protocol.IsRequest
		}
	}
	return false, protocol.No
}
