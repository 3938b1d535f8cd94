package http1

import (
	"bytes"

	"github.com/sonde-dev/sonde/agent/protocol"
	"github.com/sonde-dev/sonde/agent/protocol/internal/ascii"
)

// enoughOfLine is the number of bytes of an unfinished request line that suffice to believe in it: method, space, slash
// and this much visible text are not the start of any other protocol we know.
const enoughOfLine = 32

// recognize judges the first bytes of a call.
func recognize(b []byte) protocol.Verdict {
	b = skipNewlines(b)
	if len(b) == 0 {
		return protocol.Maybe
	}
	if b[0] == 'H' {
		if v := recognizeResponse(b); v != protocol.No {
			return v
		}
	}
	return recognizeRequest(b)
}

// recognizeRequest wants "METHOD target HTTP/1.x", as much of it as is there.
func recognizeRequest(b []byte) protocol.Verdict {
	sp := bytes.IndexByte(b[:min(len(b), maxKnownMethod+1)], ' ')
	if sp < 0 {
		if isMethodPrefix(b) {
			return protocol.Maybe
		}
		return protocol.No
	}
	method, known := knownMethod(b[:sp])
	if !known {
		return protocol.No
	}
	target := b[sp+1:]
	if len(target) == 0 {
		return protocol.Maybe
	}
	if !isTargetStart(method, target) {
		return protocol.No
	}
	nl := bytes.IndexByte(b, '\n')
	if nl >= 0 {
		if _, ok := parseRequestLine(b[:nl]); ok {
			return protocol.IsRequest
		}
		return protocol.No
	}
	for _, c := range target {
		if c < ' ' && c != '\r' || c == 0x7f {
			return protocol.No
		}
	}
	if len(b) >= enoughOfLine {
		return protocol.IsRequest
	}
	return protocol.Maybe
}

// isTargetStart accepts the four forms of RFC 9112 §3.2.
func isTargetStart(method string, target []byte) bool {
	c := target[0]
	switch {
	case method == "CONNECT":
		return isAlphanumeric(c) || c == '['
	case c == '/':
		return true
	case c == '*':
		return method == "OPTIONS" && (len(target) == 1 || target[1] == ' ')
	}
	for _, scheme := range [...]string{"http://", "https://"} {
		n := min(len(scheme), len(target))
		if ascii.EqualFold(target[:n], scheme[:n]) {
			return true
		}
	}
	return false
}

// recognizeResponse wants "HTTP/1.x ddd", as much of it as is there.
func recognizeResponse(b []byte) protocol.Verdict {
	const shape = "HTTP/1.d ddd"
	if len(b) > len(shape) {
		if _, _, ok := parseStatusLine(b[:len(shape)]); ok && isAfterCode(b[len(shape)]) {
			return protocol.IsResponse
		}
		return protocol.No
	}
	for i := range min(len(b), len(shape)) {
		if shape[i] == 'd' {
			if !isDigit(b[i]) {
				return protocol.No
			}
		} else if b[i] != shape[i] {
			return protocol.No
		}
	}
	if len(b) >= 10 && b[9] == '0' {
		return protocol.No
	}
	if len(b) == len(shape) {
		return protocol.IsResponse
	}
	return protocol.Maybe
}

func isAfterCode(c byte) bool { return c == ' ' || c == '\r' || c == '\n' }

// skipNewlines drops empty lines before a message: RFC 9112 §2.2 asks servers to ignore at least one.
func skipNewlines(b []byte) []byte {
	for len(b) > 0 && (b[0] == '\r' || b[0] == '\n') {
		b = b[1:]
	}
	return b
}
