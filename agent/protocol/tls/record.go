package tls

import "encoding/binary"

// Record types, RFC 8446 §B.1.
const (
	typeChangeCipherSpec = 20
	typeAlert            = 21
	typeHandshake        = 22
	typeData             = 23
)

// Handshake messages, RFC 8446 §B.3.
const (
	msgClientHello = 1
	msgServerHello = 2
)

const (
	headerBytes = 5 // RFC 8446 §5.1: type, version, length
	// maxRecord: RFC 5246 §6.2.3 allows 2048 bytes on top of the plain text.
	maxRecord = 1<<14 + 2048
	// minSealed is the shortest encrypted record: a tag (RFC 8446 §5.2) and one byte.
	minSealed = 17
)

// header is that of a record.
type header struct {
	kind byte
	n    int
}

// parseHeader reads the header of a record; false if it can be none.
func parseHeader(b []byte) (header, bool) {
	h := header{b[0], int(binary.BigEndian.Uint16(b[3:]))}
	return h, h.kind >= typeChangeCipherSpec && h.kind <= typeData && b[1] == 3 && b[2] <= 4 && h.n > 0 && h.n <= maxRecord
}

// reader takes a message apart. Reading beyond the end sets isShort and gives nothing.
type reader struct {
	b       []byte
	isShort bool
}

func (r *reader) take(n int) []byte {
	if n > len(r.b) {
		r.isShort, r.b = true, nil
		return nil
	}
	b := r.b[:n]
	r.b = r.b[n:]
	return b
}

// number reads one of n bytes.
func (r *reader) number(n int) int {
	v := 0
	for _, b := range r.take(n) {
		v = v<<8 | int(b)
	}
	return v
}

// vector reads bytes whose length is in n bytes before them.
func (r *reader) vector(n int) []byte { return r.take(r.number(n)) }
