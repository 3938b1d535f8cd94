package thrift

import (
	"encoding/binary"

	"github.com/sonde-dev/sonde/agent/protocol"
)

// Starts of messages (thrift-binary-protocol.md, thrift-compact-protocol.md): binary is 0x8001, a byte without meaning that is 0 everywhere, the
// kind; compact is 0x82, the kind above version 1.
const (
	compactID      = 0x82
	compactVersion = 1
	// maxFrame: 16 MiB where not set (TConfiguration.DEFAULT_MAX_FRAME_SIZE). Sixteen times that leaves room for settings.
	maxFrame = 256 << 20
	maxName  = 255
)

var binaryStart = [...]byte{0x80, 0x01, 0x00}

// Kinds of messages.
const (
	kindCall      = 1
	kindReply     = 2
	kindException = 3
	kindOneway    = 4
)

// message is the start of one.
type message struct {
	kind      byte
	isCompact bool
	name      []byte
	seq       int32
}

func (m *message) isRequest() bool { return m.kind == kindCall || m.kind == kindOneway }

// parseMessage reads the start of a message, up to its structure, and returns the bytes of it. want: how many it takes at least, where
// there are fewer; both are 0 when it is none.
func parseMessage(b []byte) (m message, n, want int) {
	switch {
	case len(b) == 0:
		return m, 0, 2
	case b[0] == compactID:
		return parseCompact(b)
	case b[0] == binaryStart[0]:
		return parseBinary(b)
	}
	return m, 0, 0
}

func parseBinary(b []byte) (m message, n, want int) {
	const fixed = 8
	if len(b) < fixed {
		for i, c := range b[:min(len(b), 3)] {
			if c != binaryStart[i] {
				return m, 0, 0
			}
		}
		return m, 0, fixed
	}
	m.kind = b[3]
	size := binary.BigEndian.Uint32(b[4:])
	if [3]byte(b) != binaryStart || m.kind < kindCall || m.kind > kindOneway || size == 0 || size > maxName {
		return m, 0, 0
	}
	n = fixed + int(size) + 4
	if len(b) < n {
		return m, 0, wantName(b[fixed:min(len(b), n-4)], n)
	}
	m.name = b[fixed : fixed+size]
	m.seq = int32(binary.BigEndian.Uint32(b[n-4:]))
	if !isName(m.name) {
		return m, 0, 0
	}
	return m, n, 0
}

func parseCompact(b []byte) (m message, n, want int) {
	if len(b) < 2 {
		return m, 0, 4
	}
	m.isCompact = true
	m.kind = b[1] >> 5
	if b[1]&0x1f != compactVersion || m.kind < kindCall || m.kind > kindOneway {
		return m, 0, 0
	}
	seq, k := varint(b[2:])
	if k <= 0 {
		return m, 0, wantVarint(k, len(b))
	}
	n = 2 + k
	size, k := varint(b[n:])
	if k <= 0 {
		return m, 0, wantVarint(k, len(b))
	}
	if n += k; size == 0 || size > maxName {
		return m, 0, 0
	}
	start := n
	if n += int(size); len(b) < n {
		return m, 0, wantName(b[start:], n)
	}
	m.name = b[n-int(size) : n]
	m.seq = int32(seq)
	if seq > 1<<32-1 || !isName(m.name) {
		return m, 0, 0
	}
	return m, n, 0
}

// varint reads an unsigned varint (LEB128): n is 0 when it is cut, -1 when it is too long.
func varint(b []byte) (v uint64, n int) {
	v, n = binary.Uvarint(b)
	if n < 0 {
		return 0, -1
	}
	return v, n
}

func wantVarint(k, have int) int {
	if k < 0 {
		return 0
	}
	return have + 1
}

// wantName returns how many bytes are wanted for a name of which there is a start.
func wantName(start []byte, want int) int {
	if len(start) > 0 && !isName(start) {
		return 0
	}
	return want
}

// isName accepts names of the interface language, with the service before the colon where they are multiplexed.
func isName(b []byte) bool {
	for _, c := range b {
		switch {
		case 'a' <= c|0x20 && c|0x20 <= 'z', '0' <= c && c <= '9', c == '_', c == '.', c == ':':
		default:
			return false
		}
	}
	return b[0] > '9'
}

// recognize judges the first bytes of a call on a connection of which nothing is known.
func recognize(b []byte) protocol.Verdict { return judge(b, false) }

// resume does on one that is known to speak Thrift.
func resume(b []byte) protocol.Verdict { return judge(b, true) }

// judge claims a message with a frame around it or without, whose structure, as far as it is there, has only types that exist.
func judge(b []byte, isKnown bool) protocol.Verdict {
	if len(b) == 0 {
		return protocol.Maybe
	}
	if b[0] == compactID || b[0] == binaryStart[0] {
		return judgeMessage(b, 0, isKnown)
	}
	if b[0] > maxFrame>>24 {
		return protocol.No
	}
	if len(b) < 4 {
		return protocol.Maybe
	}
	size := binary.BigEndian.Uint32(b)
	if size > maxFrame || size < 6 {
		return protocol.No
	}
	return judgeMessage(b[4:min(uint64(len(b)), 4+uint64(size))], uint64(size), isKnown)
}

// judgeMessage judges a message in a frame of a size; 0 without one.
func judgeMessage(b []byte, size uint64, isKnown bool) protocol.Verdict {
	m, n, want := parseMessage(b)
	switch {
	case n == 0 && want == 0, size > 0 && uint64(max(n, want)) >= size:
		return protocol.No
	case n == 0 || len(b) == n: // the structure has a byte at least
		return protocol.Maybe
	}
	var w walker
	w.start(m.isCompact, m.kind == kindException)
	used := w.data(b[n:])
	if w.broken || size > 0 && (w.done && uint64(n+used) != size || !w.done && uint64(len(b)) == size) {
		return protocol.No
	}
	if m.isCompact && !isKnown {
		if v := believe(&m, &w, b[n+used:], size); v != protocol.IsRequest {
			return v
		}
	}
	if m.isRequest() {
		return protocol.IsRequest
	}
	return protocol.IsResponse
}

// believe asks more of a compact message: random bytes begin one once in 2^24, with a long text in it, so that nothing speaks against it. Without
// a frame it has to end with the call, or where another begins; a cut frame is to be of usual size, and of a method with a name.
func believe(m *message, w *walker, rest []byte, size uint64) protocol.Verdict {
	const usual, word, longWord = 16 << 20, 3, 6
	switch {
	case size > 0 && w.done, size > 0 && size < usual && len(m.name) >= longWord:
		return protocol.IsRequest
	case !w.done:
		return protocol.Maybe
	case len(rest) == 0 && len(m.name) >= word:
		return protocol.IsRequest
	case len(rest) > 1 && rest[0] == compactID:
		if _, n, want := parseMessage(rest); n+want > 0 {
			return protocol.IsRequest
		}
	}
	return protocol.No
}
