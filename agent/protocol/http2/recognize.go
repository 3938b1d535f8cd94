package http2

import (
	"encoding/binary"

	"github.com/sonde-dev/sonde/agent/protocol"
)

// preface is what a client sends first (RFC 9113 §3.4).
const preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"

// What DATA frames are accepted as a reason to look further: most senders make them no longer than every peer must accept (RFC 9113
// §4.2), and connections of some ten million streams have been seen.
const (
	usualData   = 16 << 10
	usualStream = 1 << 28
)

// recognize judges the first bytes of a call. The preface claims; so does the HEADERS frame of a request or response when all frames
// before it are strict and its field block can be nothing else. Other frames, a server's first settings too, say nothing of the
// direction: they ask for more.
func recognize(b []byte) protocol.Verdict {
	if n := min(len(b), len(preface)); string(b[:n]) == preface[:n] {
		if n == len(preface) {
			return protocol.IsRequest
		}
		return protocol.Maybe
	}
	verdict := protocol.No
	for len(b) >= headerSize {
		f := parseFrame(b)
		if !f.isStrict() || f.kind == frameData && (f.length > usualData || f.stream > usualStream) {
			return protocol.No
		}
		b = b[headerSize:]
		verdict = protocol.Maybe
		if uint64(f.length) > uint64(len(b)) {
			return verdict
		}
		payload := b[:f.length]
		b = b[f.length:]
		if !hasSense(f, payload) {
			return protocol.No
		}
		if f.kind == frameHeaders && f.has(flagEndHeaders) {
			if v := recognizeHeaders(f, payload); v != protocol.Maybe {
				return v
			}
		}
	}
	return verdict
}

// hasSense checks what fixed payloads may hold.
func hasSense(f frame, b []byte) bool {
	const highest = 13 // of the registered error codes
	switch f.kind {
	case frameReset:
		return binary.BigEndian.Uint32(b) <= highest
	case frameGoAway:
		return b[0]&0x80 == 0 && binary.BigEndian.Uint32(b[4:]) <= highest
	case frameWindowUpdate:
		return binary.BigEndian.Uint32(b)-1 < 1<<31-1
	case frameSettings:
		return haveSense(b)
	}
	return true
}

// haveSense checks settings (RFC 9113 §6.5.2). Extensions have numbers up to 16, and some in the range for private use.
func haveSense(b []byte) bool {
	const private = 0xf000
	for ; len(b) >= 6; b = b[6:] {
		id, v := binary.BigEndian.Uint16(b), binary.BigEndian.Uint32(b[2:])
		switch {
		case id == 0, id > 16 && id < private:
			return false
		case (id == 2 || id == 8) && v > 1, id == 4 && v > 1<<31-1, id == 5 && (v < 1<<14 || v >= 1<<24):
			return false
		}
	}
	return true
}

// recognizeHeaders wants a field block that reads to its end as sensible text: a request says two of its pseudo-fields at least, the
// method among them, a response begins with its status. With less, entries of a table that was not seen, it may be either.
func recognizeHeaders(f frame, payload []byte) protocol.Verdict {
	b, ok := f.unpad(payload)
	if !ok || len(b) == 0 {
		return protocol.No
	}
	var pseudo, statuses, methods int
	for isFirst := true; len(b) > 0; {
		kind, rest, ok := strictField(b)
		if !ok {
			return protocol.No
		}
		isUpdate := b[0]&0xe0 == 0x20
		switch kind {
		case fieldStatus:
			if !isFirst || statuses > 0 {
				return protocol.No
			}
			statuses++
		case fieldMethod:
			methods++
			pseudo++
		case fieldPath, fieldScheme, fieldAuthority:
			pseudo++
		}
		isFirst = isFirst && isUpdate
		b = rest
	}
	switch {
	case statuses > 0 && pseudo > 0, methods > 1, pseudo > 4:
		return protocol.No
	case statuses > 0:
		return protocol.IsResponse
	case methods == 1 && pseudo >= 2:
		return protocol.IsRequest
	}
	return protocol.Maybe
}

// resumes reports whether a call may be read from its first byte on a connection that speaks HTTP/2: its frames are strict as far as
// they are there.
func resumes(b []byte) bool {
	if len(b) < headerSize {
		return false
	}
	for len(b) >= headerSize {
		f := parseFrame(b)
		if !f.isStrict() {
			return false
		}
		b = b[headerSize:]
		if uint64(f.length) > uint64(len(b)) {
			break
		}
		if !hasSense(f, b[:f.length]) {
			return false
		}
		if f.kind == frameHeaders && !f.has(flagEndHeaders) {
			break // a CONTINUATION follows
		}
		b = b[f.length:]
	}
	return true
}
