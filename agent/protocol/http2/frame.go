package http2

import "encoding/binary"

// headerSize is the length of a frame's header (RFC 9113 §4.1).
const headerSize = 9

// Frame types (RFC 9113 §6).
const (
	frameData = iota
	frameHeaders
	framePriority
	frameReset
	frameSettings
	framePushPromise
	framePing
	frameGoAway
	frameWindowUpdate
	frameContinuation
	frameTypes
)

// Flags. ACK and END_STREAM share a bit.
const (
	flagEndStream  = 0x1
	flagAck        = 0x1
	flagEndHeaders = 0x4
	flagPadded     = 0x8
	flagPriority   = 0x20
)

// definedFlags are those that a type has a meaning for.
var definedFlags = [frameTypes]byte{
	frameData:         flagEndStream | flagPadded,
	frameHeaders:      flagEndStream | flagEndHeaders | flagPadded | flagPriority,
	frameSettings:     flagAck,
	framePushPromise:  flagEndHeaders | flagPadded,
	framePing:         flagAck,
	frameContinuation: flagEndHeaders,
}

// frame is the header of one.
type frame struct {
	length      uint32
	kind, flags byte
	isReserved  bool // the bit before the stream is set
	stream      uint32
}

// parseFrame reads the first headerSize bytes of b.
func parseFrame(b []byte) frame {
	id := binary.BigEndian.Uint32(b[5:])
	return frame{
		length: uint32(b[0])<<16 | uint32(b[1])<<8 | uint32(b[2]), kind: b[3], flags: b[4],
		isReserved: id>>31 != 0, stream: id &^ (1 << 31),
	}
}

func (f *frame) has(flag byte) bool { return f.flags&flag != 0 }

// prefix is what padding and priority take of the payload (RFC 9113 §6.1, §6.2).
func (f *frame) prefix() (n uint32) {
	if f.has(flagPadded) {
		n++
	}
	if f.kind == frameHeaders && f.has(flagPriority) {
		n += 5
	}
	if f.kind == framePushPromise {
		n += 4
	}
	return n
}

// isValid reports whether a frame may stand where the one before it ended: the rules whose breach is an error of the connection.
// Types that are not known pass (RFC 9113 §5.5).
func (f *frame) isValid() bool {
	switch f.kind {
	case frameData, frameHeaders:
		return f.stream != 0 && f.length >= f.prefix()
	case framePriority:
		return f.stream != 0
	case frameReset:
		return f.stream != 0 && f.length == 4
	case frameSettings:
		return f.stream == 0 && f.length%6 == 0 && (f.length == 0 || !f.has(flagAck))
	case framePushPromise:
		return f.stream != 0 && f.length >= f.prefix()
	case framePing:
		return f.stream == 0 && f.length == 8
	case frameGoAway:
		return f.stream == 0 && f.length >= 8
	case frameWindowUpdate:
		return f.length == 4
	case frameContinuation:
		return f.stream != 0
	}
	return true
}

// Bounds of what is believed without having followed the connection so far. Most send 16 KiB, the smallest maximum
// (RFC 9113 §4.2); Go takes up to 1 MiB.
const (
	maxStrictData = 1 << 20
	maxStrictSet  = 32 * 6 // six settings are defined, extensions add a few
	maxStrictText = 1 << 10
)

// isStrict reports whether bytes of which nothing is known look like the header of a frame that may begin a call: a known type, no
// bit that a sender would leave unset, a length that makes sense. A CONTINUATION alone is of no use.
func (f *frame) isStrict() bool {
	if f.kind >= frameContinuation || f.isReserved || f.flags&^definedFlags[f.kind] != 0 || !f.isValid() {
		return false
	}
	switch f.kind {
	case frameData:
		return f.stream&1 == 1 && f.length <= maxStrictData && (f.length > f.prefix() || f.has(flagEndStream))
	case frameHeaders:
		return f.stream&1 == 1 && f.length <= maxBlock && f.length > f.prefix()
	case framePriority:
		return f.length == 5
	case frameSettings:
		return f.length <= maxStrictSet
	case framePushPromise:
		return f.stream&1 == 1 && f.length <= maxBlock
	case frameGoAway:
		return f.length <= maxStrictText
	}
	return true
}

// unpad returns the field block fragment of a HEADERS or PUSH_PROMISE payload; false when the padding is longer than the frame.
func (f *frame) unpad(b []byte) ([]byte, bool) {
	n, pad := int(f.prefix()), 0
	if f.has(flagPadded) && len(b) > 0 {
		pad = int(b[0])
	}
	if n+pad > len(b) {
		return nil, false
	}
	return b[n : len(b)-pad], true
}

// resetNames are the error codes of RFC 9113 §7 as values of error.type.
var resetNames = [...]string{
	"no_error", "protocol_error", "internal_error", "flow_control_error", "settings_timeout", "stream_closed", "frame_size_error",
	"refused_stream", "cancel", "compression_error", "connect_error", "enhance_your_calm", "inadequate_security", "http_1_1_required",
}

const codeRefused = 7

// resetName returns the name of an error code; one that is not registered is an internal error (RFC 9113 §7).
func resetName(code uint32) string {
	if code < uint32(len(resetNames)) {
		return resetNames[code]
	}
	return resetNames[2]
}
