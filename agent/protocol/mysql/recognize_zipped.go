package mysql

import (
	"io"

	"github.com/sonde-dev/sonde/agent/protocol"
	"github.com/sonde-dev/sonde/agent/protocol/sqltext"
)

// isOuter judges the first bytes of a compressed packet of the server.
func isOuter(b []byte) bool {
	if len(b) < outerSize+2 {
		return false
	}
	plain := uint32(b[4]) | uint32(b[5])<<8 | uint32(b[6])<<16
	return plain == 0 || isZlib(b[outerSize:])
}

// isZlib judges the first two bytes of a stream: method 8, no dictionary, a check (RFC 1950 §2.2).
func isZlib(b []byte) bool {
	return len(b) >= 2 && b[0]&0x0f == 8 && b[0]>>4 <= 7 && b[1]&0x20 == 0 && (uint(b[0])<<8|uint(b[1]))%31 == 0
}

// minZipped is what is compressed at least (MIN_COMPRESS_LENGTH of servers and clients).
const minZipped = 50

// recognizeZipped wants a compressed packet with number 0 that holds a command. Servers read its header first.
func recognizeZipped(b []byte) protocol.Verdict {
	if len(b) < outerSize || b[3] != 0 {
		return protocol.No
	}
	n := int(b[0]) | int(b[1])<<8 | int(b[2])<<16
	plain := int(b[4]) | int(b[5])<<8 | int(b[6])<<16
	body := b[outerSize:]
	if len(body) == 0 && n > headerSize && (plain == 0 && n < headerSize+minZipped || plain >= minZipped && n < plain) {
		return protocol.Maybe
	}
	if len(body) > n || len(body) < headerSize+1 {
		return protocol.No
	}
	if plain == 0 {
		if v := recognizeCommand(body); v == protocol.IsRequest {
			return v
		}
		return protocol.No
	}
	if !isZlib(body) || plain < minZipped {
		return protocol.No
	}
	f := inflaters.Get().(*inflater)
	defer inflaters.Put(f)
	if !f.reset(body) {
		return protocol.No
	}
	k, _ := io.ReadAtLeast(f.z, f.out[:min(plain, 256)], min(plain, 32))
	if k < headerSize+2 {
		return protocol.No
	}
	if recognizeCommand(f.out[:k]) == protocol.IsRequest && sqltext.Begins(sqltext.MySQL, f.out[headerSize+1:k]) {
		return protocol.IsRequest
	}
	return protocol.No
}
