package amqp

import (
	"encoding/binary"

	"github.com/sonde-dev/sonde/agent/protocol"
)

// Frames (AMQP 0-9-1 §4.2.3): type, channel, size, payload, end octet.
const (
	frameMethod    = 1
	frameHeader    = 2
	frameBody      = 3
	frameHeartbeat = 8

	frameHead = 7
	frameTail = 1
	frameEnd  = 0xCE
	methodIDs = 4 // class and method, the least of a method's payload
	maxMethod = 128 << 10
	maxFrame  = 64 << 20 // RabbitMQ offers 128 KiB; nobody accepts more than this
)

// frameSize returns the size of the frame that begins with b, 0 when more is needed; !ok: it is none.
func frameSize(b []byte) (size uint64, ok bool) {
	switch b[0] {
	case frameMethod, frameHeader, frameBody, frameHeartbeat:
	default:
		return 0, false
	}
	if len(b) < frameHead {
		return 0, true
	}
	channel, payload := binary.BigEndian.Uint16(b[1:]), binary.BigEndian.Uint32(b[3:])
	switch b[0] {
	case frameMethod:
		ok = payload >= methodIDs && payload <= maxMethod
	case frameHeader:
		const least = 14 // class, weight, body size, flags
		ok = payload >= least && payload <= maxFrame && channel > 0
	case frameBody:
		ok = payload > 0 && payload <= maxFrame && channel > 0
	case frameHeartbeat:
		ok = payload == 0 && channel == 0
	}
	return frameHead + uint64(payload) + frameTail, ok
}

// methodOf looks up the method of the frame that b begins with.
func methodOf(b []byte) (method, bool) {
	if len(b) < frameHead+methodIDs || b[0] != frameMethod {
		return method{}, false
	}
	m, ok := methods[binary.BigEndian.Uint32(b[frameHead:])]
	// All of class connection are on channel 0, all others are not (§2.3.7).
	isConnection := binary.BigEndian.Uint16(b[frameHead:]) == classConnection
	return m, ok && isConnection == (binary.BigEndian.Uint16(b[1:]) == 0)
}

// recognize wants the protocol header, or whole method frames, one of which says who sends it.
func recognize(b []byte) protocol.Verdict {
	if n := min(len(b), len(protocolHeader)); string(b[:n]) == protocolHeader[:n] {
		if n == len(protocolHeader) {
			return protocol.IsRequest
		}
		return protocol.Maybe
	}
	seen := 0
	for len(b) > 0 {
		size, ok := frameSize(b)
		if !ok {
			return protocol.No
		}
		isMethod := b[0] == frameMethod
		if !isMethod && seen == 0 {
			return protocol.No // the rest of what began before; direction unknown
		}
		if size == 0 || uint64(len(b)) < size {
			return short(b, seen)
		}
		if b[size-1] != frameEnd {
			return protocol.No
		}
		if isMethod {
			m, ok := methodOf(b)
			switch {
			case !ok:
				return protocol.No
			case m.role == fromClient:
				return protocol.IsRequest
			case m.role == fromServer:
				return protocol.IsResponse
			}
		}
		seen++
		b = b[size:]
	}
	return protocol.No // acknowledgements and closings: either side may send them
}

// short judges a cut frame. Long ones are methods with tables: connection.start, which nobody waits for in pieces.
func short(b []byte, seen int) protocol.Verdict {
	const few = 64
	if seen > 0 || len(b) > few {
		return protocol.No
	}
	if len(b) >= frameHead+methodIDs {
		if _, ok := methodOf(b); !ok {
			return protocol.No
		}
	}
	return protocol.Maybe
}

// strict judges the start of a call on a connection that is known to speak AMQP.
func strict(dir protocol.Direction, b []byte) protocol.Verdict {
	if n := min(len(b), len(protocolHeader)); dir == protocol.ToServer && string(b[:n]) == protocolHeader[:n] {
		if n == len(protocolHeader) {
			return protocol.IsRequest
		}
		return protocol.Maybe
	}
	size, ok := frameSize(b)
	switch {
	case !ok, b[0] != frameMethod && b[0] != frameHeartbeat:
		return protocol.No
	case size > 0 && uint64(len(b)) >= size && b[size-1] != frameEnd:
		return protocol.No
	case b[0] == frameHeartbeat && size > 0 && uint64(len(b)) >= size:
		return protocol.IsRequest
	case b[0] == frameHeartbeat, len(b) < frameHead+methodIDs:
		return protocol.Maybe
	}
	m, ok := methodOf(b)
	if !ok || m.role != either && (m.role == fromServer) != (dir == protocol.FromServer) {
		return protocol.No
	}
	return protocol.IsRequest
}
