package mqtt

import (
	"unicode/utf8"

	"github.com/sonde-dev/sonde/agent/protocol"
)

// Control packet types (§2.1.2).
const (
	connect     = 1
	connack     = 2
	publish     = 3
	puback      = 4
	pubrec      = 5
	pubrel      = 6
	pubcomp     = 7
	subscribe   = 8
	suback      = 9
	unsubscribe = 10
	unsuback    = 11
	pingreq     = 12
	pingresp    = 13
	disconnect  = 14
	auth        = 15
)

// isHeader checks the first byte of a packet (§2.1.3: the flags of all but PUBLISH are fixed).
func isHeader(b byte, dir protocol.Direction) bool {
	flags := b & 15
	switch kind := b >> 4; kind {
	case publish:
		qos := flags >> 1 & 3
		return qos != 3 && (qos > 0 || flags&8 == 0) // §3.3.1.1: no DUP with QoS 0
	case pubrel:
		return flags == 2
	case subscribe, unsubscribe:
		return flags == 2 && dir == protocol.ToServer
	case connect, pingreq:
		return flags == 0 && dir == protocol.ToServer
	case connack, suback, unsuback, pingresp:
		return flags == 0 && dir == protocol.FromServer
	case puback, pubrec, pubcomp, disconnect, auth:
		return flags == 0
	}
	return false
}

// variable reads a variable byte integer (§1.5.5); n is its length, 0 when bytes are missing, -1 when it is none.
func variable(b []byte) (x uint64, n int) {
	const longest = 4
	for i, c := range b {
		if i == longest {
			return 0, -1
		}
		x |= uint64(c&127) << (7 * i)
		if c < 128 {
			if i > 0 && c == 0 {
				return 0, -1 // §1.5.5: the least number of bytes
			}
			return x, i + 1
		}
	}
	if len(b) >= longest {
		return 0, -1
	}
	return 0, 0
}

// packetSize returns the size of the packet that begins with b and the length of its fixed header; size 0 asks for more bytes.
func packetSize(b []byte) (size uint64, head int, ok bool) {
	if len(b) < 2 {
		return 0, 0, true
	}
	x, n := variable(b[1:])
	if n <= 0 {
		return 0, 0, n == 0
	}
	return uint64(1+n) + x, 1 + n, isLength(b[0]>>4, x)
}

// isLength checks the remaining length of a packet.
func isLength(kind byte, n uint64) bool {
	switch kind {
	case pingreq, pingresp:
		return n == 0
	case puback, pubrec, pubrel, pubcomp, connack, unsuback:
		return n >= 2
	case publish, suback:
		return n >= 3
	case subscribe:
		return n >= 6
	case unsubscribe:
		return n >= 5
	case connect:
		return n >= 12
	}
	return true
}

// reader reads the fields of a packet; what is missing reads as zero and makes it broken.
type reader struct {
	b        []byte
	isBroken bool
}

func (r *reader) take(n int) []byte {
	if len(r.b) < n {
		r.b, r.isBroken = nil, true
		return nil
	}
	b := r.b[:n]
	r.b = r.b[n:]
	return b
}

func (r *reader) byte() byte {
	if b := r.take(1); b != nil {
		return b[0]
	}
	return 0
}

func (r *reader) uint16() uint16 {
	if b := r.take(2); b != nil {
		return uint16(b[0])<<8 | uint16(b[1])
	}
	return 0
}

func (r *reader) text() []byte { return r.take(int(r.uint16())) }

func (r *reader) variable() int {
	x, n := variable(r.b)
	if n <= 0 {
		r.b, r.isBroken = nil, true
		return 0
	}
	r.b = r.b[n:]
	return int(x)
}

// properties skips them and returns what follows.
func (r *reader) properties() []byte {
	p := reader{b: r.take(r.variable())}
	for len(p.b) > 0 {
		p.property(p.byte())
	}
	r.isBroken = r.isBroken || p.isBroken
	return r.b
}

// property skips the value of a property (§2.2.2.2); one that does not exist is broken.
func (r *reader) property(id byte) {
	switch id {
	case 0x01, 0x17, 0x19, 0x24, 0x25, 0x28, 0x29, 0x2a:
		r.take(1)
	case 0x13, 0x21, 0x22, topicAlias:
		r.take(2)
	case 0x02, 0x11, 0x18, 0x27:
		r.take(4)
	case 0x0b:
		r.variable()
	case 0x03, 0x08, 0x09, 0x12, 0x15, 0x16, 0x1a, 0x1c, 0x1f:
		r.text()
	case 0x26: // user property
		r.text()
		r.text()
	default:
		r.b, r.isBroken = nil, true
	}
}

const topicAlias = 0x23

// alias reads the properties of a PUBLISH (§3.3.2.3) up to the topic alias; 0 for none.
func (r *reader) alias() uint16 {
	n := r.variable()
	p := reader{b: r.b[:min(n, len(r.b))]}
	for len(p.b) > 0 {
		id := p.byte()
		if id == topicAlias {
			return p.uint16()
		}
		p.property(id)
	}
	return 0
}

// endsWithProperties reports whether properties or nothing are the rest of a packet.
func (r *reader) endsWithProperties() bool {
	return len(r.b) == 0 || len(r.properties()) == 0 && !r.isBroken
}

// filters reads the list of a SUBSCRIBE or UNSUBSCRIBE, which reaches to the end, and returns the first; nil when it is none.
func filters(kind byte, b []byte) (first []byte) {
	for r := (reader{b: b}); len(r.b) > 0; {
		f := r.text()
		isWrong := len(f) == 0 || !isText(f) || !utf8.Valid(f)
		if kind == subscribe {
			o := r.byte()
			isWrong = isWrong || o&3 == 3 || o&0xc0 != 0 // §3.8.3.1: QoS, reserved bits
		}
		if r.isBroken || isWrong {
			return nil
		}
		if first == nil {
			first = f
		}
	}
	return first
}

// isText accepts visible UTF-8, as far as bytes tell.
func isText(b []byte) bool {
	for _, c := range b {
		if c < ' ' || c == 0x7f || c >= 0xf5 || c == 0xc0 || c == 0xc1 {
			return false
		}
	}
	return true
}
