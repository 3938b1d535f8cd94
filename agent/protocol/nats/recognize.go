package nats

import (
	"bytes"
	"unicode/utf8"

	"github.com/sonde-dev/sonde/agent/protocol"
)

// The starts of a connection.
const (
	greeting = `INFO {"server_id":"`
	opening  = `CONNECT {"`
)

// recognize wants the greeting, CONNECT, or the whole control line of a message or subscription, in capitals and ended as all clients do. PING,
// PONG and +OK before it are passed over: by themselves they may be Redis's.
func recognize(b []byte) protocol.Verdict {
	if len(b) == 0 {
		return protocol.Maybe
	}
	for _, start := range []struct {
		text string
		is   protocol.Verdict
	}{{greeting, protocol.IsResponse}, {opening, protocol.IsRequest}} {
		if n := min(len(b), len(start.text)); string(b[:n]) == start.text[:n] {
			if n == len(start.text) {
				return start.is
			}
			return protocol.Maybe
		}
	}
	for {
		l, isWhole, isValid := parseLine(b)
		switch {
		case !isValid, b[0] >= 'a':
			return protocol.No
		case !isWhole:
			return maybe(l.verb, b)
		case l.size < 2 || b[l.size-2] != '\r' || !utf8.Valid(b[:l.size]):
			return protocol.No
		}
		switch l.verb {
		case ping, pong, ok:
			if b = b[l.size:]; len(b) == 0 {
				return protocol.No
			}
			continue
		case pub, hpub, sub, unsub, msg, hmsg:
			if !isEnded(&l, b) || l.verb == unsub {
				return protocol.No
			}
			if l.verb.isFrom(protocol.ToServer) {
				return protocol.IsRequest
			}
			return protocol.IsResponse
		}
		return protocol.No
	}
}

// maybe judges the start of a line. A few letters may become anything.
func maybe(v verb, b []byte) protocol.Verdict {
	const long = 256
	for _, c := range b {
		if c < ' ' && c != '\r' && c != '\t' || c >= 0x7f {
			return protocol.No
		}
	}
	if len(b) > long || v == failed {
		return protocol.No
	}
	return protocol.Maybe
}

// isEnded reports whether the payload ends as the line says, as far as it is there.
func isEnded(l *line, b []byte) bool {
	size := l.messageSize()
	if !l.hasPayload() || uint64(len(b)) < size {
		return true
	}
	return string(b[size-2:size]) == "\r\n"
}

// strict judges the start of a call on a connection that is known to speak NATS.
func strict(dir protocol.Direction, b []byte) protocol.Verdict {
	l, isWhole, isValid := parseLine(b)
	switch {
	case !isValid, l.verb != unknown && !l.verb.isFrom(dir):
		return protocol.No
	case isWhole:
		if !isEnded(&l, b) {
			return protocol.No
		}
		return protocol.IsRequest
	case bytes.HasPrefix(b, []byte(greeting)), bytes.HasPrefix(b, []byte(opening)):
		return protocol.IsRequest
	}
	return protocol.Maybe
}

// isOther reports whether a line of that start is of something else that begins like a client's connection: a connection between
// servers (routes, gateways, leaf nodes), or TLS, which follows INFO.
func isOther(b []byte) bool {
	for _, start := range []string{"\x16\x03", "RS+ ", "RS- ", "RMSG ", "HRMSG", "LS+ ", "LS- ", "LMSG ", "HLMSG", "A+ ", "A- "} {
		if bytes.HasPrefix(b, []byte(start)) {
			return true
		}
	}
	return false
}
