package nats

import (
	"bytes"

	"github.com/sonde-dev/sonde/agent/protocol"
)

// verb is the first word of a control line.
type verb uint8

const (
	unknown verb = iota
	connect
	pub
	hpub
	sub
	unsub
	ping
	pong
	info
	msg
	hmsg
	ok
	failed
)

var verbs = map[string]verb{
	"CONNECT": connect, "PUB": pub, "HPUB": hpub, "SUB": sub, "UNSUB": unsub, "PING": ping, "PONG": pong,
	"INFO": info, "MSG": msg, "HMSG": hmsg, "+OK": ok, "-ERR": failed,
}

// isFrom reports whether a side may send a verb.
func (v verb) isFrom(dir protocol.Direction) bool {
	switch v {
	case ping, pong:
		return true
	case connect, pub, hpub, sub, unsub:
		return dir == protocol.ToServer
	case info, msg, hmsg, ok, failed:
		return dir == protocol.FromServer
	}
	return false
}

const (
	maxLine    = 32 << 10 // CONNECT with a token and INFO with many addresses; other lines are at most 4 KiB (max_control_line)
	maxPayload = 64 << 20 // the largest that nats-server lets itself be configured for
	maxVerb    = 7        // CONNECT
	maxFields  = 5        // HMSG subject sid reply header total
)

// line is a control line.
type line struct {
	verb   verb
	fields [maxFields][]byte // behind the verb, of those that have fields
	n      int
	size   int // with its end
	header int // bytes of the payload that are headers
	total  int // bytes of the payload, 0 without one
}

// verbOf reads the first word; isWhole: it is followed by something.
func verbOf(b []byte) (v verb, isWhole bool) {
	var word [maxVerb]byte
	for i, c := range b {
		if c == ' ' || c == '\t' || c == '\r' || c == '\n' {
			return verbs[string(word[:i])], true
		}
		if i == maxVerb {
			return unknown, true
		}
		if c >= 'a' && c <= 'z' { // verbs are not case-sensitive
			c -= 'a' - 'A'
		}
		word[i] = c
	}
	return unknown, false
}

// mayBecome reports whether the start of a word may be one of the verbs.
func mayBecome(b []byte) bool {
	for name := range verbs {
		if len(b) <= len(name) && bytes.EqualFold(b, []byte(name[:len(b)])) {
			return true
		}
	}
	return false
}

// parseLine reads the control line that b begins with; isWhole is false when its end is missing, isValid when it is none.
func parseLine(b []byte) (l line, isWhole, isValid bool) {
	v, known := verbOf(b)
	if v == unknown {
		return l, false, !known && mayBecome(b)
	}
	l.verb = v
	end := bytes.IndexByte(b, '\n')
	if end < 0 {
		return l, false, true
	}
	l.size = end + 1
	text := bytes.TrimSuffix(b[:end], []byte("\r"))
	switch v {
	case ping, pong, ok:
		return l, true, true
	case connect, info:
		return l, true, bytes.IndexByte(text, '{') > 0
	case failed:
		return l, true, true
	}
	for text = text[bytes.IndexAny(text, " \t")+1:]; ; {
		text = bytes.TrimLeft(text, " \t")
		if len(text) == 0 {
			break
		}
		if l.n == maxFields {
			return l, true, false
		}
		i := bytes.IndexAny(text, " \t")
		if i < 0 {
			i = len(text)
		}
		l.fields[l.n] = text[:i]
		l.n++
		text = text[i:]
	}
	return l, true, l.check()
}

// check reads the numbers and looks at the fields.
func (l *line) check() bool {
	least, most := 2, 3
	numbers := 1
	switch l.verb {
	case msg:
		least, most = 3, 4
	case hmsg:
		least, most, numbers = 4, 5, 2
	case hpub:
		least, most, numbers = 3, 4, 2
	case sub:
		numbers = 0
	case unsub:
		least, most, numbers = 1, 2, 0
	}
	if l.n < least || l.n > most {
		return false
	}
	for i := range l.n - numbers {
		if !isSubject(l.fields[i]) {
			return false
		}
	}
	if numbers == 0 {
		return true
	}
	var isNumber bool
	if l.total, isNumber = number(l.fields[l.n-1]); !isNumber || l.total > maxPayload {
		return false
	}
	if numbers == 2 {
		if l.header, isNumber = number(l.fields[l.n-2]); !isNumber || l.header > l.total {
			return false
		}
	}
	return true
}

// hasPayload reports whether bytes follow the line, if only a line end.
func (l *line) hasPayload() bool {
	return l.verb == pub || l.verb == hpub || l.verb == msg || l.verb == hmsg
}

// messageSize is the size of line and payload.
func (l *line) messageSize() uint64 {
	const lineEnd = 2
	if !l.hasPayload() {
		return uint64(l.size)
	}
	return uint64(l.size) + uint64(l.total) + lineEnd
}

// reply returns the reply subject, nil for none.
func (l *line) reply() []byte {
	switch {
	case l.verb == pub && l.n == 3, l.verb == hpub && l.n == 4:
		return l.fields[1]
	case l.verb == msg && l.n == 4, l.verb == hmsg && l.n == 5:
		return l.fields[2]
	}
	return nil
}

func isSubject(b []byte) bool {
	for _, c := range b {
		if c <= ' ' || c == 0x7f {
			return false
		}
	}
	return len(b) > 0
}

func number(b []byte) (n int, ok bool) {
	const digits = 9
	if len(b) == 0 || len(b) > digits {
		return 0, false
	}
	for _, c := range b {
		if c < '0' || c > '9' {
			return 0, false
		}
		n = n*10 + int(c-'0')
	}
	return n, true
}
