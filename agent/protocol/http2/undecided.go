package http2

import (
	"encoding/binary"

	"github.com/sonde-dev/sonde/agent/protocol"
)

// undecided is a request of a connection that was joined in the middle, whose content-type is an entry that was added before: whether
// it is gRPC shows by its body. It is told when its first message is there, when the server answers, or when it is over.
type undecided struct {
	fields fields
	prefix [messagePrefix]byte
	n      int
}

// messagePrefix is the length of what stands before each message: whether it is compressed, and its length
// (doc/PROTOCOL-HTTP2.md of gRPC, "Length-Prefixed-Message").
const messagePrefix = 5

// add takes the first bytes of the body and reports whether that is enough.
func (u *undecided) add(b []byte) bool {
	u.n += copy(u.prefix[u.n:], b)
	return u.n == messagePrefix
}

// isMessage reports whether the first DATA frame, of n bytes, begins with a message that fills it or reaches beyond it: every
// implementation writes the prefix and the message together. Text never begins with such a byte.
func (u *undecided) isMessage(n uint64) bool {
	const largest = 4 << 20 // what a receiver takes unless told otherwise
	length := uint64(binary.BigEndian.Uint32(u.prefix[1:])) + messagePrefix
	return u.prefix[0] <= 1 && (length == n || length > n && length <= largest)
}

// decide tells a request as far as it is known.
func (p *parser) decide(s *stream, sink protocol.Sink) {
	if u := s.undecided; u != nil {
		s.undecided = nil
		p.tellHead(s, &u.fields, sink)
	}
}
