package http1

import "bytes"

// lastChunk ends a chunked body without trailers (RFC 9112 §7.1), seen from the data before it.
var lastChunk = []byte("\r\n0\r\n\r\n")

// ending looks for the end of a chunked body whose framing is lost: the last chunk at the end of a socket call.
type ending struct {
	last [7]byte // the last bytes seen, without a hole
	n    int
}

// read reports whether the body ends with b. atCall: b begins where a socket call began.
func (e *ending) read(b []byte, atCall bool) bool {
	if atCall && bytes.Equal(b, lastChunk[2:]) { // many servers send it alone
		return true
	}
	if len(b) >= len(e.last) {
		e.n = copy(e.last[:], b[len(b)-len(e.last):])
	} else {
		keep := min(e.n, len(e.last)-len(b))
		copy(e.last[:], e.last[e.n-keep:e.n])
		e.n = keep + copy(e.last[keep:], b)
	}
	return bytes.Equal(e.last[:e.n], lastChunk)
}

// forget says that unknown bytes come between.
func (e *ending) forget() { e.n = 0 }
