package postgres

import (
	"encoding/binary"

	"github.com/sonde-dev/sonde/agent/protocol"
)

// recognizeStartup wants a length, a code that only PostgreSQL has, and names of parameters.
func recognizeStartup(b []byte) protocol.Verdict {
	var code [8]byte
	have := copy(code[:], b)
	n, c := binary.BigEndian.Uint32(code[:]), binary.BigEndian.Uint32(code[4:])
	if have < 8 {
		if code[1] == 0 && (have < 4 || n >= 8 && n <= maxStartup) && (have < 5 || code[4] == 0 || code[4] == 4) {
			return protocol.Maybe
		}
		return protocol.No
	}
	switch c {
	case codeSSL, codeGSS:
		if n == 8 && len(b) == 8 {
			return protocol.IsRequest
		}
	case codeCancel:
		if n >= 16 && n <= 268 && int(n) == len(b) { // the key has 4 bytes, or up to 256 in protocol 3.2
			return protocol.IsRequest
		}
	case codeVersion30, codeVersion32:
		return recognizeParameters(b[8:], int64(n)-8)
	}
	return protocol.No
}

// recognizeParameters wants pairs of strings with a name that is a word first, and an empty name as the end.
func recognizeParameters(b []byte, size int64) protocol.Verdict {
	if size < 1 || size > maxStartup || int64(len(b)) > size {
		return protocol.No
	}
	pairs := 0
	for len(b) > 0 {
		name, rest, ok := cstring(b)
		if ok && len(name) == 0 {
			if len(rest) == 0 && pairs > 0 {
				return protocol.IsRequest
			}
			return protocol.No
		}
		for _, c := range name {
			if (c|0x20 < 'a' || c|0x20 > 'z') && c != '_' && c != '.' && (c < '0' || c > '9') {
				return protocol.No
			}
		}
		if !ok {
			break
		}
		if _, b, ok = cstring(rest); !ok {
			break
		}
		pairs++
	}
	return protocol.Maybe
}
