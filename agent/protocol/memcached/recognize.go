package memcached

import (
	"bytes"
	"encoding/binary"
	"unicode/utf8"

	"github.com/sonde-dev/sonde/agent/protocol"
)

const (
	maxKey     = 250       // doc/protocol.txt, "Keys"
	maxValue   = 1 << 30   // memcached allows items up to 1 GiB (-I)
	headerSize = 24        // of the binary protocol
	magicReq   = 0x80      //
	magicRes   = 0x81      //
	maxBody    = 1<<30 + 1 // extras, key and value
)

// recognize judges the first bytes of a call.
func recognize(b []byte) protocol.Verdict {
	if len(b) == 0 {
		return protocol.Maybe
	}
	switch b[0] {
	case magicReq:
		return recognizeBinary(b, true)
	case magicRes:
		return recognizeBinary(b, false)
	case 'V':
		return recognizeValue(b)
	case 'S':
		if string(b) == "STORED\r\n" {
			return protocol.IsResponse
		}
		return protocol.No
	}
	return recognizeCommand(b)
}

// recognizeBinary checks every field of a header that is not free.
func recognizeBinary(b []byte, isRequest bool) protocol.Verdict {
	if len(b) < headerSize {
		if len(b) > 1 && opcode(b[1]) == &other || len(b) > 5 && b[5] != 0 {
			return protocol.No
		}
		return protocol.Maybe
	}
	h := readHeader(b)
	c := opcode(h.opcode)
	if c == &other || b[5] != 0 || h.key > maxKey || uint32(h.extras)+uint32(h.key) > h.body || h.body > maxBody {
		return protocol.No
	}
	if isRequest {
		const maxBucket = 1024 // of Couchbase; memcached itself wants 0
		isFlush := c.name == "flush_all" && h.extras == 4
		switch {
		case h.status >= maxBucket, c.isKey != (h.key > 0) && h.opcode != opStat && h.opcode != 0x21 && h.opcode != 0x22:
			return protocol.No
		case int8(h.extras) != c.size && !isFlush:
			return protocol.No
		case c.done == hit && h.body != uint32(h.extras)+uint32(h.key):
			return protocol.No
		}
		return protocol.IsRequest
	}
	status, ok := binaryStatus(h.status, c)
	isValue := status == hit && h.extras == 4
	if !ok || h.extras != 0 && !isValue || status != hit && h.status != 0 && h.body > 64 || c.done == stored && h.status == 0 && h.body != 0 {
		return protocol.No
	}
	return protocol.IsResponse
}

// header is what matters of the 24 bytes before each message of the binary protocol.
type header struct {
	opcode, extras byte
	key            uint16
	status         uint16
	body           uint32
	opaque         uint32
}

func readHeader(b []byte) header {
	return header{
		opcode: b[1], key: binary.BigEndian.Uint16(b[2:]), extras: b[4], status: binary.BigEndian.Uint16(b[6:]),
		body: binary.BigEndian.Uint32(b[8:]), opaque: binary.BigEndian.Uint32(b[12:]),
	}
}

// recognizeValue wants "VALUE key flags size [cas]".
func recognizeValue(b []byte) protocol.Verdict {
	const word = "VALUE "
	if len(b) < len(word) {
		if string(b) == word[:len(b)] {
			return protocol.Maybe
		}
		return protocol.No
	}
	end := bytes.Index(b, crlf)
	if string(b[:len(word)]) != word || end < 0 || end > maxLine {
		return protocol.No
	}
	w := split(b[:end])
	if w.n < 4 || w.n > 5 || !isKey(w.w[1]) {
		return protocol.No
	}
	for _, number := range w.w[2:w.n] {
		if len(number) > 20 || len(bytes.Trim(number, "0123456789")) > 0 {
			return protocol.No
		}
	}
	return protocol.IsResponse
}

var crlf = []byte("\r\n")

func isKey(b []byte) bool {
	for _, c := range b {
		if c <= ' ' || c == 0x7f {
			return false
		}
	}
	return len(b) > 0 && len(b) <= maxKey
}

// recognizeCommand wants a whole line that is a known command with the arguments it must have. Commands of one word, and those that
// beanstalkd has too (delete 5, stats), are not enough.
func recognizeCommand(b []byte) protocol.Verdict {
	end := bytes.IndexByte(b, '\n')
	if end < 0 {
		if len(b) <= maxLine && mayBeCommand(b) {
			return protocol.Maybe
		}
		return protocol.No
	}
	if end == 0 || b[end-1] != '\r' || end > maxLineSize {
		return protocol.No
	}
	w := split(b[:min(end-1, maxLine)])
	if w.n < 1 {
		return protocol.No
	}
	c, ok := commands[string(w.w[0])]
	if !ok || c.isKey && (w.n < 2 || !isKey(w.w[1])) || w.n > 1 && !utf8.Valid(w.w[1]) { // a key may be no text; most are
		return protocol.No
	}
	isOK := false
	switch c.kind {
	case get:
		isOK = (c.isKey || w.n >= 3) && !isHTTP(w.w[w.n-1])
		for _, key := range w.w[1:w.n] {
			isOK = isOK && isKey(key)
		}
	case store, metaSet:
		isOK = recognizeStore(b, end, &w, c)
	case meta, metaMiss:
		isOK = c.isKey && isFlags(&w, 2) || w.n == 1 && end == len(b)-1
	case oneLine:
		_, isNumber := decimal(w.w[1])
		switch c.name {
		case "delete":
			isOK = !isNumber && w.n <= 3
		case "incr", "decr", "touch":
			isOK = w.n >= 3 && w.n <= 4 && len(bytes.Trim(w.w[2], "-0123456789")) == 0
		case "version":
			isOK = w.n == 1
		case "flush_all":
			isOK = w.n <= 3
		}
	}
	if !isOK || c.kind != store && c.kind != metaSet && !beginsCommand(b[end+1:]) {
		return protocol.No
	}
	return protocol.IsRequest
}

// isHTTP says whether a line ends as a request line of HTTP does: in small letters it is two keys otherwise.
func isHTTP(lastWord []byte) bool {
	const version = "http/"
	return len(lastWord) > len(version) && bytes.EqualFold(lastWord[:len(version)], []byte(version))
}

// beginsCommand says whether what follows a command without a value may be another one, or nothing. "get / http/1.1" alone is two
// keys by the letter of the protocol; an empty line after it is none of its commands.
func beginsCommand(b []byte) bool { return len(b) == 0 || b[0] >= 'a' && b[0] <= 'z' }

// recognizeStore checks the numbers of a storage command, and that CR LF follows the value if it is there.
func recognizeStore(b []byte, end int, w *words, c *command) bool {
	if w.n <= int(c.size) || c.kind == metaSet && !isFlags(w, 3) || c.kind == store && w.n > 7 {
		return false
	}
	size, ok := decimal(w.w[c.size])
	if !ok || size > maxValue {
		return false
	}
	for _, number := range w.w[2:c.size] {
		if len(number) > 11 || len(bytes.Trim(number, "-0123456789")) > 0 {
			return false
		}
	}
	rest := b[end+1:]
	return uint64(len(rest)) < size+2 || rest[size] == '\r' && rest[size+1] == '\n'
}

// isFlags accepts flags of the meta protocol: a letter and its argument.
func isFlags(w *words, from int) bool {
	for i := from; i < w.n; i++ {
		if c := w.w[i][0] | 0x20; c < 'a' || c > 'z' {
			return false
		}
	}
	return true
}

// mayBeCommand judges a line whose end is missing.
func mayBeCommand(b []byte) bool {
	w := b
	if i := bytes.IndexByte(b, ' '); i >= 0 {
		w = b[:i]
		_, ok := commands[string(w)]
		if !ok {
			return false
		}
		for _, c := range b[i:] {
			if c < ' ' && c != '\r' {
				return false
			}
		}
		return true
	}
	for name := range commands {
		if len(w) <= len(name) && name[:len(w)] == string(w) {
			return true
		}
	}
	return false
}

// startsResponse reports whether a call may begin with a response.
func startsResponse(b []byte) bool {
	if len(b) == 0 {
		return false
	}
	if b[0] == magicRes {
		return len(b) >= headerSize && recognizeBinary(b, false) == protocol.IsResponse
	}
	end := bytes.Index(b[:min(len(b), maxLine)], crlf)
	if end < 0 {
		return false
	}
	w := split(b[:end])
	if w.n == 0 {
		return false
	}
	if _, ok := known[string(w.w[0])]; ok {
		return string(w.w[0]) != "VALUE" || recognizeValue(b) == protocol.IsResponse
	}
	_, isNumber := decimal(w.w[0])
	return isNumber && w.n == 1 // incr
}
