package mysql

import (
	"bytes"
	"encoding/binary"

	"github.com/sonde-dev/sonde/agent/protocol"
	"github.com/sonde-dev/sonde/agent/protocol/sqltext"
)

// protocolVersion is the first byte of the greeting since MySQL 3.21.
const protocolVersion = 10

// recognize judges the first bytes of a call.
func recognize(b []byte) protocol.Verdict {
	if len(b) == 0 {
		return protocol.Maybe
	}
	if v := isGreeting(b); v != protocol.No {
		return v
	}
	if v := recognizeCommand(b); v != protocol.No {
		return v
	}
	if v := recognizeLogin(b); v != protocol.No {
		return v
	}
	return recognizeZipped(b)
}

// isGreeting wants Protocol::HandshakeV10: a packet with number 0 that ends with the call, version 10, a version of the server that
// begins with a digit and a dot, a NUL, the thread, 8 bytes of salt without NUL, a NUL, flags with CLIENT_PROTOCOL_41.
func isGreeting(b []byte) protocol.Verdict {
	const least, most = 46, 300
	want := []byte{0, 0, 0, 0, protocolVersion}
	if len(b) < headerSize+3 {
		if b[0] < least || len(b) > 1 && !bytes.HasPrefix(want[1:], b[1:min(len(b), 5)]) || len(b) > 5 && !isDigit(b[5]) {
			return protocol.No
		}
		return protocol.Maybe
	}
	n := int(b[0]) | int(b[1])<<8 | int(b[2])<<16
	if n < least || n > most || b[3] != 0 || b[4] != protocolVersion || len(b) > n+headerSize {
		return protocol.No
	}
	version, rest, ok := bytes.Cut(b[5:], []byte{0})
	for i, c := range version {
		if c < ' ' || c > '~' || i == 0 && !isDigit(c) || i == 1 && !isDigit(c) && c != '.' {
			return protocol.No
		}
	}
	const toFlags = 4 + 8 + 1
	switch {
	case len(version) < 3 && ok || len(version) > 128 || !bytes.Contains(version, []byte{'.'}) && ok:
		return protocol.No
	case !ok || len(rest) < toFlags+2:
		return protocol.Maybe
	}
	if rest[toFlags-1] != 0 || bytes.IndexByte(rest[4:toFlags-1], 0) >= 0 || binary.LittleEndian.Uint16(rest[toFlags:])&capProtocol41 == 0 {
		return protocol.No
	}
	return protocol.IsResponse
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

// recognizeCommand wants a packet with number 0 that holds a statement, or COM_STMT_EXECUTE with its fixed fields.
func recognizeCommand(b []byte) protocol.Verdict {
	if len(b) < headerSize+1 {
		if len(b) == headerSize && b[3] == 0 && (b[0]|b[1]|b[2]) != 0 && b[2] == 0 && b[0] > 8 { // some send the header first
			return protocol.Maybe
		}
		return protocol.No
	}
	n := int(b[0]) | int(b[1])<<8 | int(b[2])<<16
	body := b[headerSize:]
	if b[3] != 0 || n < 2 || len(body) > n {
		return protocol.No
	}
	isWhole := len(body) == n
	switch body[0] {
	case comQuery, comPrepare:
		text := body[1:]
		if body[0] == comQuery {
			text, _ = queryText(text)
		}
		switch {
		case bytes.IndexByte(text[:min(len(text), 256)], 0) >= 0:
			return protocol.No
		case sqltext.Begins(sqltext.MySQL, text):
			return protocol.IsRequest
		case !isWhole && len(text) < 16 && isPrintable(text):
			return protocol.Maybe
		}
	case comExecute:
		// statement, flags, iteration count
		const once = 1
		if isWhole && n >= 10 && body[5] <= 0x0f && binary.LittleEndian.Uint32(body[6:]) == once && body[3]|body[4] == 0 && body[1]|body[2] != 0 {
			return protocol.IsRequest
		}
	}
	return protocol.No
}

func isPrintable(b []byte) bool {
	for _, c := range b {
		if c < ' ' && c != '\t' && c != '\n' && c != '\r' || c > '~' {
			return false
		}
	}
	return true
}

// isCommand judges the first bytes of a call on a connection that is known: any command of the right size.
func isCommand(b []byte) bool {
	if len(b) <= headerSize || b[3] != 0 {
		return false
	}
	n := uint32(b[0]) | uint32(b[1])<<8 | uint32(b[2])<<16
	code := b[headerSize]
	c := commandOf(code)
	if c.answer == unheard || n < c.min || n > c.max {
		return false
	}
	whole := uint64(len(b)) >= headerSize+uint64(n)
	switch {
	case code == comQuery || code == comPrepare:
		text := b[headerSize+1 : min(uint64(len(b)), headerSize+uint64(n))]
		if code == comQuery {
			text, _ = queryText(text)
		}
		return sqltext.Begins(sqltext.MySQL, text)
	case !whole:
		return n > 4096 && (code == comExecute || code == comLongData)
	}
	return uint64(len(b)) == headerSize+uint64(n) || isCommand(b[headerSize+uint64(n):])
}
