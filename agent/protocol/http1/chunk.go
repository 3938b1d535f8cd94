package http1

import (
	"github.com/sonde-dev/sonde/agent/protocol"
	"github.com/sonde-dev/sonde/agent/protocol/dialect"
)

// chunkState follows the chunked coding (RFC 9112 §7.1) byte by byte outside the data, which is skipped by size.
type chunkState uint8

const (
	chunkSize      chunkState = iota // hexadecimal digits
	chunkExtension                   // to the end of the size line
	chunkData
	chunkDataEnd // CR LF after the data
	trailerStart // at the start of a line of the trailer section
	trailerCR    // after a CR at the start of a line
	trailerLine
)

// maxChunkDigits: 15 hexadecimal digits fit 60 bits.
const maxChunkDigits = 15

// chunkReader is the place inside a chunked body. Its zero value is before the first chunk.
type chunkReader struct {
	state  chunkState
	digits uint8
	remain uint64
}

// read consumes bytes of the body. It returns how many, whether the body ended with them, and whether they made sense. The data goes to to,
// if that is not nil.
func (c *chunkReader) read(b []byte, to dialect.Reader, dir protocol.Direction) (n int, done, ok bool) {
	for n < len(b) {
		if c.state == chunkData {
			k := min(uint64(len(b)-n), c.remain)
			c.skip(k)
			if to != nil {
				to.Body(dir, b[n:n+int(k)])
			}
			n += int(k)
			continue
		}
		ch := b[n]
		n++
		switch c.state {
		case chunkSize:
			if !c.sizeByte(ch) {
				return n, false, false
			}
		case chunkExtension:
			if ch == '\n' {
				c.sizeDone()
			}
		case chunkDataEnd:
			if ch == '\n' {
				c.state, c.digits, c.remain = chunkSize, 0, 0
			} else if ch != '\r' {
				return n, false, false
			}
		case trailerStart, trailerCR:
			switch {
			case ch == '\n':
				return n, true, true
			case ch == '\r' && c.state == trailerStart:
				c.state = trailerCR
			default:
				c.state = trailerLine
			}
		case trailerLine:
			if ch == '\n' {
				c.state = trailerStart
			}
		}
	}
	return n, false, true
}

func (c *chunkReader) sizeByte(ch byte) bool {
	v, isHex := hexValue(ch)
	switch {
	case isHex:
		if c.digits == maxChunkDigits {
			return false
		}
		c.digits++
		c.remain = c.remain<<4 | uint64(v)
	case c.digits == 0:
		return false
	case ch == '\n':
		c.sizeDone()
	case ch == ';' || ch == ' ' || ch == '\t' || ch == '\r':
		c.state = chunkExtension
	default:
		return false
	}
	return true
}

func (c *chunkReader) sizeDone() {
	c.state = chunkData
	if c.remain == 0 {
		c.state = trailerStart
	}
}

// skip passes over n bytes of chunk data; n must not exceed remain.
func (c *chunkReader) skip(n uint64) {
	c.remain -= n
	if c.remain == 0 {
		c.state = chunkDataEnd
	}
}

func hexValue(c byte) (byte, bool) {
	switch {
	case isDigit(c):
		return c - '0', true
	case 'a' <= c|0x20 && c|0x20 <= 'f':
		return c | 0x20 - 'a' + 10, true
	}
	return 0, false
}
