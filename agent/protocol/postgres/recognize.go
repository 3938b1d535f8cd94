package postgres

import (
	"bytes"
	"encoding/binary"

	"github.com/sonde-dev/sonde/agent/protocol"
	"github.com/sonde-dev/sonde/agent/protocol/sqltext"
)

// recognize judges the first bytes of a call.
func recognize(b []byte) protocol.Verdict {
	switch {
	case len(b) == 0:
		return protocol.Maybe
	case b[0] == 0:
		return recognizeStartup(b)
	}
	return recognizeRun(b)
}

// enoughOfText is the length at which a message that is cut must have shown its verb.
const enoughOfText = 32

// recognizeRun wants a run of a client's messages that are sound to the last byte, and a statement or a Bind among them.
func recognizeRun(b []byte) protocol.Verdict {
	isText := b[0] == 'Q' || b[0] == 'P'
	if len(b) < headerSize {
		if (isText || b[0] == 'B') && (len(b) < 2 || b[1] == 0) { // none is as long as 16 MiB at its beginning
			return protocol.Maybe
		}
		return protocol.No
	}
	r := readRun(b)
	switch {
	case !r.isSound, r.isCut && len(b) > headerSize && b[1] != 0: // as above
		return protocol.No
	case r.isStrong:
		return protocol.IsRequest
	case isText && r.isCut && b[1] == 0 && b[2] == 0 && len(b) < enoughOfText && !hasControls(b[headerSize:]):
		return protocol.Maybe
	}
	return protocol.No
}

func hasControls(b []byte) bool {
	for i, c := range b {
		if c < ' ' && !(c >= '\t' && c <= '\r') && (c != 0 || i > 0) || c >= 0x7f {
			return true
		}
	}
	return false
}

// run is what readRun found.
type run struct {
	isSound  bool // nothing in it that a client would not send
	isStrong bool // nobody else sends it
	isCut    bool // the last message is not whole
}

// readRun reads b as messages of a client; the last one may be cut.
func readRun(b []byte) run {
	r := run{isSound: true}
	executes := false
	for len(b) >= headerSize {
		if !isHeader(protocol.ToServer, b) {
			return run{}
		}
		kind, size := b[0], uint64(binary.BigEndian.Uint32(b[1:]))+1
		isWhole := size <= uint64(len(b))
		body := b[headerSize:min(size, uint64(len(b)))]
		ok, strong := isBody(kind, body, isWhole)
		if !ok {
			return run{}
		}
		r.isStrong = r.isStrong || strong || kind == 'S' && executes
		executes = kind == 'E' && isWhole
		if !isWhole {
			r.isCut = true
			return r
		}
		b = b[size:]
	}
	r.isSound = len(b) == 0 || isKind(protocol.ToServer, b[0])
	return r
}

// isBody judges the body of a client's message; strong: it is a proof by itself.
func isBody(kind byte, b []byte, isWhole bool) (ok, strong bool) {
	switch kind {
	case 'Q':
		text, rest, ended := cstring(b)
		strong = sqltext.Begins(sqltext.PostgreSQL, text)
		return ended == isWhole && len(rest) == 0, strong
	case 'P':
		var name []byte
		if name, b, ok = cstring(b); !ok {
			return !isWhole, false
		}
		if hasControls(name) {
			return false, false
		}
		text, rest, ended := cstring(b)
		if !ended {
			return !isWhole, sqltext.Begins(sqltext.PostgreSQL, text)
		}
		if isWhole && (len(rest) < 2 || len(rest) != 2+4*int(binary.BigEndian.Uint16(rest))) {
			return false, false
		}
		return true, sqltext.Begins(sqltext.PostgreSQL, text)
	case 'B':
		if !isWhole {
			return true, false
		}
		ok = isBind(b)
		return ok, ok
	case 'C', 'D':
		if isWhole && (len(b) < 2 || b[0] != 'S' && b[0] != 'P' || bytes.IndexByte(b, 0) != len(b)-1) {
			return false, false
		}
		return true, false
	case 'E':
		_, rest, ended := cstring(b)
		return !isWhole || ended && len(rest) == 4 && rest[0] < 0x80, false
	}
	return true, false
}

// isBind reads a whole Bind message: two names, formats, values, formats.
func isBind(b []byte) bool {
	_, b, ok := cstring(b)
	if !ok {
		return false
	}
	if _, b, ok = cstring(b); !ok {
		return false
	}
	if b, ok = skipFormats(b); !ok || len(b) < 2 {
		return false
	}
	n := int(binary.BigEndian.Uint16(b))
	b = b[2:]
	for range n {
		if len(b) < 4 {
			return false
		}
		size := int32(binary.BigEndian.Uint32(b))
		b = b[4:]
		if size < -1 || int(size) > len(b) {
			return false
		}
		b = b[max(size, 0):]
	}
	b, ok = skipFormats(b)
	return ok && len(b) == 0
}

// skipFormats reads a list of formats: 0 text, 1 binary.
func skipFormats(b []byte) (rest []byte, ok bool) {
	if len(b) < 2 {
		return nil, false
	}
	n := int(binary.BigEndian.Uint16(b))
	b = b[2:]
	if len(b) < 2*n {
		return nil, false
	}
	for range n {
		if b[0] != 0 || b[1] > 1 {
			return nil, false
		}
		b = b[2:]
	}
	return b, true
}
