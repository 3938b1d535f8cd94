package redis

import (
	"bytes"

	"github.com/sonde-dev/sonde/agent/protocol"
)

// Bounds of what is believed. Redis refuses more than 2^20 arguments of a client that is not authenticated, and by default bulk strings beyond
// 512 MiB (proto-max-bulk-len); elements of a reply are bounded by its memory.
const (
	maxArgs = 1 << 30
	maxBulk = 1 << 40
	maxLine = 24 // "*1073741824\r\n" and shorter
)

// recognize judges the first bytes of a call.
func recognize(b []byte) protocol.Verdict {
	if len(b) == 0 {
		return protocol.Maybe
	}
	switch b[0] {
	case '*':
		if v := recognizePush(b); v != protocol.No {
			return v
		}
		return recognizeCommand(b)
	case '>':
		return recognizePush(b)
	case '+':
		if isPrefix(b, "+PONG\r\n") { // NATS has +OK, nobody else has this
			if len(b) >= len("+PONG\r\n") {
				return protocol.IsResponse
			}
			return protocol.Maybe
		}
	case 'P': // so have NATS and others: the answer will tell
		for rest := b; ; rest = rest[len("PING\r\n"):] {
			if len(rest) <= len("PING\r\n") {
				if string(rest) == "PING\r\n"[:len(rest)] {
					return protocol.Maybe
				}
				return protocol.No
			}
			if !isPrefix(rest, "PING\r\n") {
				return protocol.No
			}
		}
	}
	return protocol.No
}

// isPrefix reports whether one of both begins with the other.
func isPrefix(b []byte, s string) bool {
	n := min(len(b), len(s))
	return string(b[:n]) == s[:n]
}

// recognizeCommand wants an array of bulk strings, the first of which is the name of a known command.
func recognizeCommand(b []byte) protocol.Verdict {
	n, size, ok := number(b)
	if !ok || size == 0 || n < 1 || n > maxArgs {
		return verdictOfPart(b, ok, size)
	}
	rest := b[size:]
	for i := range n {
		if len(rest) == 0 {
			return cutAfter(i)
		}
		if rest[0] != '$' {
			return protocol.No
		}
		l, size, ok := number(rest)
		if ok && size == 0 {
			return cutAfter(i)
		}
		if !ok || l < 0 || l > maxBulk || i == 0 && (l == 0 || l > maxName) {
			return protocol.No
		}
		rest = rest[size:]
		if i == 0 {
			name := rest[:min(len(rest), int(l))]
			if len(name) < int(l) {
				if isNamePrefix(name) {
					return protocol.Maybe
				}
				return protocol.No
			}
			if c, known := lookup(name, nil); !known || exact[c.name] > 0 && exact[c.name] != n {
				return protocol.No
			}
		}
		if int64(len(rest)) < l+2 {
			if i == 0 && !isPrefix(rest[l:], "\r\n") {
				return protocol.No
			}
			return cutAfter(i + 1)
		}
		if rest[l] != '\r' || rest[l+1] != '\n' {
			return protocol.No
		}
		rest = rest[l+2:]
		if i >= 8 { // enough
			break
		}
	}
	return protocol.IsRequest
}

// exact is the number of arguments of commands whose names are words that may well begin a reply: the field "type" of a hash.
var exact = map[string]int64{
	"TYPE": 2, "TIME": 1, "MOVE": 3, "ROLE": 1, "SAVE": 1, "KEYS": 2, "ECHO": 2, "GET": 2, "MULTI": 1, "EXEC": 1, "SELECT": 2, "DUMP": 2, "TTL": 2,
	"APPEND": 3, "RENAME": 3, "MONITOR": 1, "SYNC": 1, "DISCARD": 1, "RESET": 1, "QUIT": 1, "READONLY": 1, "SUBSTR": 4, "PUBLISH": 3,
}

// verdictOfPart is the verdict on a header line that is cut (size 0) or wrong.
func verdictOfPart(b []byte, ok bool, size int) protocol.Verdict {
	if ok && size == 0 {
		return protocol.Maybe
	}
	return protocol.No
}

// cutAfter is the verdict on a command of which i arguments are there.
func cutAfter(i int64) protocol.Verdict {
	if i == 0 {
		return protocol.Maybe
	}
	return protocol.IsRequest
}

func isNamePrefix(b []byte) bool {
	for _, c := range b {
		if l := c | 0x20; (l < 'a' || l > 'z') && c != '.' && c != '_' && c != '-' {
			return false
		}
	}
	return true
}

// pushes are what begins a message to a subscriber and is no command. A confirmation is told from a command by its last element, a number.
var pushes = []string{
	"3\r\n$7\r\nmessage\r\n$", "4\r\n$8\r\npmessage\r\n$", "3\r\n$8\r\nsmessage\r\n$", "2\r\n$10\r\ninvalidate\r\n",
}

// recognizePush wants a message to a subscriber, as RESP2 or RESP3 sends it.
func recognizePush(b []byte) protocol.Verdict {
	for _, p := range pushes {
		if isPrefix(b[1:], p) {
			switch {
			case len(b) > len(p):
				return protocol.IsResponse
			case b[0] == '>' || len(b) > len("3\r\n$7\r\n"):
				return protocol.Maybe
			}
		}
	}
	return protocol.No
}

// number reads a header line: a type, an integer, CR LF. size is the length of the line, 0 if it is cut; ok is false if it
// can be no such line.
func number(b []byte) (n int64, size int, ok bool) {
	i, isNegative := 1, false
	if i < len(b) && b[i] == '-' {
		isNegative = true
		i++
	}
	first := i
	for ; i < len(b) && b[i]-'0' <= 9; i++ {
		if i-first > 18 {
			return 0, 0, false
		}
		n = n*10 + int64(b[i]-'0')
	}
	switch {
	case i == len(b):
		return 0, 0, true
	case i == first || b[i] != '\r' || isNegative && n != 1: // only -1 exists: nothing
		return 0, 0, false
	case i+1 == len(b):
		return 0, 0, true
	case b[i+1] != '\n':
		return 0, 0, false
	}
	if isNegative {
		n = -n
	}
	return n, i + 2, true
}

// startsReply reports whether a call may begin with a reply: a whole header line that makes sense.
func startsReply(b []byte) bool {
	if len(b) < 3 {
		return false
	}
	switch b[0] {
	case '*', '$', '~', '%', '>', '|', '=', '!':
		if b[1] == '?' {
			return b[0] != '=' && b[0] != '!' && len(b) >= 4 && b[2] == '\r' && b[3] == '\n'
		}
		n, size, ok := number(b)
		return ok && size > 0 && (b[0] == '*' || b[0] == '$' || n >= 0)
	case ':':
		_, ok := integer(b)
		return ok
	case '+', '-', '_', '#', ',', '(':
		end := bytes.IndexByte(b[:min(len(b), 512)], '\n')
		if end < 2 || b[end-1] != '\r' {
			return false
		}
		for _, c := range b[1 : end-1] {
			if c < ' ' {
				return false
			}
		}
		switch b[0] {
		case '_':
			return end == 2
		case '#':
			return end == 3 && (b[1] == 't' || b[1] == 'f')
		}
		return true
	}
	return false
}

// integer reads ":-12\r\n".
func integer(b []byte) (n int64, ok bool) {
	i, sign := 1, int64(1)
	if i < len(b) && (b[i] == '-' || b[i] == '+') {
		if b[i] == '-' {
			sign = -1
		}
		i++
	}
	first := i
	for ; i < len(b) && b[i]-'0' <= 9 && i-first < 19; i++ {
		n = n*10 + int64(b[i]-'0')
	}
	return sign * n, i > first && i+1 < len(b) && b[i] == '\r' && b[i+1] == '\n'
}
