package cassandra

import (
	"encoding/binary"

	"github.com/sonde-dev/sonde/agent/protocol"
)

// Opcodes (native_protocol_v5.spec §2.4).
const (
	opError         = 0x00
	opStartup       = 0x01
	opReady         = 0x02
	opAuthenticate  = 0x03
	opOptions       = 0x05
	opSupported     = 0x06
	opQuery         = 0x07
	opResult        = 0x08
	opPrepare       = 0x09
	opExecute       = 0x0A
	opRegister      = 0x0B
	opEvent         = 0x0C
	opBatch         = 0x0D
	opAuthChallenge = 0x0E
	opAuthResponse  = 0x0F
	opAuthSuccess   = 0x10
)

// Flags of a frame (§2.2).
const (
	flagCompressed = 0x01
	flagTracing    = 0x02
	flagPayload    = 0x04
	flagWarning    = 0x08
	knownFlags     = 0x1f
)

const (
	frameHead  = 9
	isResponse = 0x80      // in the version
	maxFrame   = 256 << 20 // native_transport_max_frame_size at most
)

// frame is the header of one.
type frame struct {
	version, flags, opcode byte
	isResponse             bool
	stream                 int16
	length                 uint32
}

// parseFrame reads the header of a frame; !ok: it is none.
func parseFrame(b []byte) (f frame, ok bool) {
	if len(b) < frameHead {
		return f, false
	}
	f = frame{
		version: b[0] &^ isResponse, flags: b[1], opcode: b[4], isResponse: b[0]&isResponse != 0,
		stream: int16(binary.BigEndian.Uint16(b[2:])), length: binary.BigEndian.Uint32(b[5:]),
	}
	if f.version < 3 || f.version > 5 || f.flags > knownFlags || f.length > maxFrame {
		return f, false
	}
	switch f.opcode {
	case opStartup, opQuery, opPrepare, opExecute, opRegister, opBatch, opAuthResponse:
		return f, !f.isResponse && f.stream >= 0 && f.length > 0
	case opOptions:
		return f, !f.isResponse && f.stream >= 0 && f.length == 0
	case opEvent:
		return f, f.isResponse && f.stream == -1 && f.length > 0
	case opReady:
		return f, f.isResponse && f.stream >= 0 && f.length <= maxEmpty
	case opError, opAuthenticate, opSupported, opResult, opAuthChallenge, opAuthSuccess:
		return f, f.isResponse && f.length > 0
	}
	return f, false
}

// maxEmpty is the size of an empty body with what tracing and compression may add.
const maxEmpty = 32

// isFrom reports whether a frame travels in a direction.
func (f *frame) isFrom(dir protocol.Direction) bool {
	return f.isResponse == (dir == protocol.FromServer)
}

// reader reads the fields of a body (§3); what is missing reads as zero and makes it broken.
type reader struct {
	b        []byte
	isBroken bool
}

func (r *reader) take(n int) []byte {
	if n < 0 || len(r.b) < n {
		r.b, r.isBroken = nil, true
		return nil
	}
	b := r.b[:n]
	r.b = r.b[n:]
	return b
}

func (r *reader) byte() byte {
	if b := r.take(1); b != nil {
		return b[0]
	}
	return 0
}

func (r *reader) short() int {
	if b := r.take(2); b != nil {
		return int(binary.BigEndian.Uint16(b))
	}
	return 0
}

func (r *reader) int() int {
	if b := r.take(4); b != nil {
		return int(int32(binary.BigEndian.Uint32(b)))
	}
	return 0
}

func (r *reader) string() []byte { return r.take(r.short()) }

// bytes skips a value; a negative length is none.
func (r *reader) bytes() {
	if n := r.int(); n > 0 {
		r.take(n)
	}
}

// longString returns the characters that are there of a text that may be cut.
func (r *reader) longString() []byte {
	n := r.int()
	if n < 0 || r.isBroken {
		return nil
	}
	if n > len(r.b) {
		b := r.b
		r.b, r.isBroken = nil, true
		return b
	}
	return r.take(n)
}

// prefix skips what flags put before the body of a message.
func (r *reader) prefix(f *frame) {
	const tracingID = 16
	if f.isResponse && f.flags&flagTracing != 0 {
		r.take(tracingID)
	}
	if f.isResponse && f.flags&flagWarning != 0 {
		for n := r.short(); n > 0 && !r.isBroken; n-- {
			r.string()
		}
	}
	if f.flags&flagPayload != 0 {
		for n := r.short(); n > 0 && !r.isBroken; n-- {
			r.string()
			r.bytes()
		}
	}
}
