package postgres

import (
	"bytes"
	"encoding/binary"

	"github.com/sonde-dev/sonde/agent/protocol"
)

// Codes of start-up packets, in the place of the version ("Message Formats": StartupMessage, CancelRequest, SSLRequest,
// GSSENCRequest). 3.2 came with PostgreSQL 18.
const (
	codeVersion30 = 3 << 16
	codeVersion32 = 3<<16 | 2
	codeCancel    = 1234<<16 | 5678
	codeSSL       = 1234<<16 | 5679
	codeGSS       = 1234<<16 | 5680
)

// maxStartup is the server's own bound (MAX_STARTUP_PACKET_LENGTH).
const maxStartup = 10000

// headerSize is a type and a length that counts itself.
const headerSize = 5

const (
	maxText    = 64 << 10 // of a statement that is kept
	maxNames   = 256      // enough for the names of a portal and a statement: 63 bytes each, by the rules of names
	maxMessage = 1 << 30  // MaxAllocSize, the server's bound
)

// shape is what is known of a type of message: the bounds of its length, and how much of its body the parser reads.
type shape struct {
	min, max uint32 // of the length field
	want     int
}

// shapes by direction and type.
var shapes = [2][128]shape{
	protocol.ToServer: {
		'B': {12, maxMessage, maxNames}, 'C': {6, maxNames, maxNames}, 'D': {6, maxNames, maxNames}, 'E': {9, maxNames, maxNames},
		'F': {12, maxMessage, 0}, 'H': {4, 4, 0}, 'P': {8, maxMessage, maxText}, 'Q': {5, maxMessage, maxText}, 'S': {4, 4, 0}, 'X': {4, 4, 0},
		'c': {4, 4, 0}, 'd': {4, maxMessage, 0}, 'f': {5, maxMessage, 0}, 'p': {4, 1 << 16, 0}, // a password: not to be kept
	},
	protocol.FromServer: {
		'1': {4, 4, 0}, '2': {4, 4, 0}, '3': {4, 4, 0}, 'A': {10, 1 << 16, 0}, 'C': {5, 128, 128}, 'D': {6, maxMessage, 0},
		'E': {5, 1 << 20, 512}, 'G': {7, 1 << 16, 0}, 'H': {7, 1 << 16, 0}, 'I': {4, 4, 0}, 'K': {8, 512, 0}, 'N': {5, 1 << 20, 0},
		'R': {8, 1 << 16, 0}, 'S': {6, 1 << 16, 0}, 'T': {6, 1 << 20, 0}, 'V': {8, maxMessage, 0}, 'W': {7, 1 << 16, 0}, 'Z': {5, 5, 1},
		'c': {4, 4, 0}, 'd': {4, maxMessage, 0}, 'n': {4, 4, 0}, 's': {4, 4, 0}, 't': {6, 1 << 20, 0}, 'v': {12, 1 << 16, 0},
	},
}

// shapeOf returns the shape of a type; its max is 0 when there is no such type in this direction.
func shapeOf(dir protocol.Direction, kind byte) shape { return shapes[dir][kind&0x7f] }

// isKind reports whether a direction has a type.
func isKind(dir protocol.Direction, kind byte) bool {
	return kind < 0x80 && shapes[dir][kind].max > 0
}

// isHeader judges the first 5 bytes of a message.
func isHeader(dir protocol.Direction, b []byte) bool {
	if !isKind(dir, b[0]) {
		return false
	}
	n, s := binary.BigEndian.Uint32(b[1:]), shapeOf(dir, b[0])
	return n >= s.min && n <= s.max
}

// isAsync reports whether the server sends a type of message unasked, or only before the first request.
func isAsync(kind byte) bool {
	switch kind {
	case 'A', 'K', 'N', 'R', 'S', 'v':
		return true
	}
	return false
}

func mayBeginResponse(b []byte) bool {
	if len(b) == 0 || isAsync(b[0]) {
		return false
	}
	if len(b) < headerSize {
		return isKind(protocol.FromServer, b[0])
	}
	return isHeader(protocol.FromServer, b)
}

// isServerRun reports whether b is a run of messages of the server, the last of them perhaps cut, and more than one header is seen.
func isServerRun(b []byte) bool {
	for n := 0; ; n++ {
		if len(b) < headerSize {
			return n > 1 || n == 1 && len(b) == 0
		}
		if !isHeader(protocol.FromServer, b) {
			return false
		}
		size := uint64(binary.BigEndian.Uint32(b[1:])) + 1
		if size > uint64(len(b)) {
			return n > 0
		}
		b = b[size:]
	}
}

// endsReady reports whether b ends with ReadyForQuery, which ends every response.
func endsReady(b []byte) bool {
	const size = 6
	if len(b) < size {
		return false
	}
	b = b[len(b)-size:]
	return bytes.Equal(b[:5], []byte{'Z', 0, 0, 0, 5}) && isTransaction(b[5])
}

// isTransaction accepts the states of ReadyForQuery: idle, in a transaction, in a failed one.
func isTransaction(c byte) bool { return c == 'I' || c == 'T' || c == 'E' }

// cstring cuts a string that ends with NUL off b.
func cstring(b []byte) (s, rest []byte, ok bool) {
	n := bytes.IndexByte(b, 0)
	if n < 0 {
		return b, nil, false
	}
	return b[:n], b[n+1:], true
}
