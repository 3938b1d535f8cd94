package dns

import (
	"encoding/binary"
	"math"
	"net/netip"
	"strconv"
	"strings"
)

// Sizes and bits of RFC 1035 §4.1 and, of the flags, RFC 6895 §2.
const (
	headerBytes   = 12
	questionTail  = 4   // type and class
	maxName       = 255 // bytes of a name as sent, RFC 1035 §2.3.4
	maxLabel      = 63
	recordTail    = 10 // type, class, time to live, length
	smallestQuery = headerBytes + 1 + questionTail

	flagResponse  = 1 << 15
	flagTruncated = 1 << 9
	flagZero      = 1 << 6
	opcodeShift   = 11
	opcodeMask    = 15
	rcodeMask     = 15
)

// header is the first twelve bytes of a message.
type header struct {
	id, flags                             uint16
	questions, answers, authorities, more uint16
}

func readHeader(b []byte) (h header, ok bool) {
	if len(b) < headerBytes {
		return h, false
	}
	be := binary.BigEndian
	return header{
		be.Uint16(b), be.Uint16(b[2:]), be.Uint16(b[4:]), be.Uint16(b[6:]), be.Uint16(b[8:]), be.Uint16(b[10:]),
	}, true
}

func (h header) isResponse() bool { return h.flags&flagResponse != 0 }
func (h header) opcode() uint16   { return h.flags >> opcodeShift & opcodeMask }

// question is what is asked. name is as sent; it lies in the message.
type question struct {
	name        []byte
	qtype       uint16
	class       uint16
	isTruncated bool // of the message, there is less than that
}

// readQuestion reads the only question of a message. end is where it ends.
func readQuestion(b []byte) (q question, end int, ok bool) {
	end, ok = skipLabels(b, headerBytes)
	if !ok || end+questionTail > len(b) {
		return question{isTruncated: ok || end >= len(b)}, end, false
	}
	q.name = b[headerBytes:end]
	q.qtype, q.class = binary.BigEndian.Uint16(b[end:]), binary.BigEndian.Uint16(b[end+2:])
	return q, end + questionTail, true
}

// skipLabels returns the end of a name without compression that begins at from. Without ok, the name is wrong, or longer than b if
// end is len(b).
func skipLabels(b []byte, from int) (end int, ok bool) {
	for at := from; at < len(b); {
		n := int(b[at])
		if n > maxLabel {
			return at, false
		}
		at += 1 + n
		if at-from > maxName {
			return from, false
		}
		if n == 0 {
			return at, true
		}
	}
	return len(b), false
}

// skipName is skipLabels for a name that may end with a pointer (RFC 1035 §4.1.4).
func skipName(b []byte, from int) (end int, ok bool) {
	const pointer = 0xc0
	for at := from; at < len(b); {
		switch n := int(b[at]); {
		case n >= pointer:
			return at + 2, at+2 <= len(b)
		case n > maxLabel || at-from > maxName:
			return at, false
		case n == 0:
			return at + 1, true
		default:
			at += 1 + n
		}
	}
	return len(b), false
}

// record is one resource record; data lies in the message.
type record struct {
	rtype, class uint16
	ttl          uint32
	data         []byte
}

// readRecord reads the record at from. Without ok it is wrong or cut off; isCut tells.
func readRecord(b []byte, from int) (r record, end int, ok, isCut bool) {
	at, ok := skipName(b, from)
	if !ok {
		return r, from, false, at >= len(b)
	}
	if at+recordTail > len(b) {
		return r, from, false, true
	}
	be := binary.BigEndian
	r.rtype, r.class, r.ttl = be.Uint16(b[at:]), be.Uint16(b[at+2:]), be.Uint32(b[at+4:])
	at += recordTail
	end = at + int(be.Uint16(b[at-2:]))
	if end > len(b) {
		return r, from, false, true
	}
	r.data = b[at:end]
	return r, end, true, false
}

// reply is what the records of an answer say.
type reply struct {
	rcode   uint16
	answers []byte // addresses as text, separated by commas
	ttl     uint32 // least of the answers'
	isCut   bool   // the message went on
	isWrong bool   // a record makes no sense
}

// maxAnswers bounds the addresses that are told.
const maxAnswers = 16

// readReply reads the records behind the question of an answer; into is the memory for the addresses.
func readReply(b []byte, h header, from int, into []byte) (r reply) {
	r = reply{rcode: h.flags & rcodeMask, answers: into[:0], ttl: math.MaxUint32}
	told := 0
	for i := range int(h.answers) + int(h.authorities) + int(h.more) {
		rec, end, ok, isCut := readRecord(b, from)
		if !ok {
			r.isCut, r.isWrong = isCut, !isCut
			return r
		}
		from = end
		isAnswer := i < int(h.answers)
		if isAnswer { // an alias that ends takes the address with it
			r.ttl = min(r.ttl, rec.ttl)
		}
		switch {
		case rec.rtype == typeOPT && i >= int(h.answers)+int(h.authorities):
			r.rcode |= uint16(rec.ttl>>24) << 4 // RFC 6891 §6.1.3
		case isAnswer && rec.class == classIN && told < maxAnswers && isAddress(&rec):
			addr, _ := netip.AddrFromSlice(rec.data)
			if told > 0 {
				r.answers = append(r.answers, ',')
			}
			r.answers = addr.AppendTo(r.answers)
			told++
		}
	}
	return r
}

func isAddress(r *record) bool {
	return r.rtype == typeA && len(r.data) == 4 || r.rtype == typeAAAA && len(r.data) == 16
}

// nameText writes a name as people do: lower case, no final dot, and what is no printable character as \DDD (RFC 1035 §5.1).
func nameText(into, name []byte) []byte {
	into = into[:0]
	for at := 0; at < len(name) && name[at] != 0; {
		label := name[at+1 : at+1+int(name[at])]
		at += 1 + len(label)
		if len(into) > 0 {
			into = append(into, '.')
		}
		for _, c := range label {
			switch {
			case c == '.' || c == '\\':
				into = append(into, '\\', c)
			case c <= ' ' || c >= 0x7f:
				into = append(into, '\\')
				if c < 100 {
					into = append(into, strings.Repeat("0", 3-len(strconv.Itoa(int(c))))...)
				}
				into = strconv.AppendInt(into, int64(c), 10)
			default:
				into = append(into, lower(c))
			}
		}
	}
	if len(into) == 0 {
		into = append(into, '.') // the root
	}
	return into
}

func lower(c byte) byte {
	if c >= 'A' && c <= 'Z' {
		c += 'a' - 'A'
	}
	return c
}

// sum is a hash of a question, letter case apart (FNV-1a).
func (q *question) sum() uint64 {
	const offset, prime = 14695981039346656037, 1099511628211
	h := uint64(offset)
	for _, c := range q.name {
		h = (h ^ uint64(lower(c))) * prime
	}
	return ((h^uint64(q.qtype))*prime ^ uint64(q.class)) * prime
}
