package fastcgi

import (
	"encoding/binary"

	"github.com/sonde-dev/sonde/agent/protocol"
)

// Types of records, §8 of the specification.
const (
	typeBegin     = 1
	typeAbort     = 2
	typeEnd       = 3
	typeParams    = 4
	typeStdin     = 5
	typeStdout    = 6
	typeStderr    = 7
	typeData      = 8
	typeGetValues = 9
	typeUnknown   = 11
)

// headerSize is FCGI_HEADER_LEN; bodySize the length of FCGI_BeginRequestBody and FCGI_EndRequestBody.
const (
	headerSize = 8
	bodySize   = 8
)

// header is what precedes the content of a record (§3.3).
type header struct {
	version, kind, padding, reserved byte
	id, length                       uint16
}

func readHeader(b []byte) header {
	return header{
		version: b[0], kind: b[1], id: binary.BigEndian.Uint16(b[2:]), length: binary.BigEndian.Uint16(b[4:]), padding: b[6], reserved: b[7],
	}
}

// isFromServer reports whether the web server sends such a record.
func isFromServer(h header) bool {
	switch h.kind {
	case typeBegin:
		return h.version == 1 && h.id != 0 && h.length == bodySize
	case typeAbort:
		return h.version == 1 && h.id != 0 && h.length == 0
	case typeParams, typeStdin, typeData:
		return h.version == 1 && h.id != 0
	case typeGetValues:
		return h.version == 1 && h.id == 0
	}
	return false
}

// isFromApplication reports whether the application does.
func isFromApplication(h header) bool {
	switch h.kind {
	case typeEnd:
		return h.version == 1 && h.id != 0 && h.length == bodySize
	case typeStdout, typeStderr:
		return h.version == 1 && h.id != 0
	case typeGetValues + 1, typeUnknown:
		return h.version == 1 && h.id == 0
	}
	return false
}

// recognize judges the first bytes of a call: FCGI_BEGIN_REQUEST with all that it fixes, or FCGI_STDOUT with the head of a response.
func recognize(b []byte) protocol.Verdict {
	shape := [...]int{1, -1, -1, -1, 0, bodySize, -1, 0, 0, -1, -1, 0, 0, 0, 0, 0} // -1: free or checked below
	if len(b) == 0 || b[0] != 1 {
		if len(b) == 0 {
			return protocol.Maybe
		}
		return protocol.No
	}
	if len(b) > 1 && b[1] == typeStdout {
		return recognizeOutput(b)
	}
	for i, c := range b[:min(len(b), len(shape))] {
		switch {
		case shape[i] >= 0 && int(c) != shape[i], i == 1 && c != typeBegin:
			return protocol.No
		case i == 3 && c == 0 && b[2] == 0: // 0 is for management
			return protocol.No
		case i == 9 && (c == 0 || c > 3), i == 10 && c > 1: // role, FCGI_KEEP_CONN
			return protocol.No
		}
	}
	if len(b) < len(shape) {
		return protocol.Maybe
	}
	return protocol.IsRequest
}

// recognizeOutput wants a record that begins with a field name and a colon.
func recognizeOutput(b []byte) protocol.Verdict {
	const longest = 40 // of the names of fields that come first: Access-Control-Allow-Credentials
	if len(b) < headerSize {
		return protocol.Maybe
	}
	h := readHeader(b)
	if !isFromApplication(h) || h.reserved != 0 {
		return protocol.No
	}
	text := b[headerSize:]
	text = text[:min(len(text), int(h.length), longest)]
	for i, c := range text {
		switch {
		case c == ':' && i >= 4:
			return protocol.IsResponse
		case c|0x20 < 'a' || c|0x20 > 'z':
			if c != '-' || i == 0 {
				return protocol.No
			}
		}
	}
	return protocol.No
}
