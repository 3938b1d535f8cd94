package mongodb

import (
	"bytes"
	"encoding/binary"

	"github.com/sonde-dev/sonde/agent/protocol"
)

// recognize wants a header and behind it what the opcode promises.
func recognize(b []byte) protocol.Verdict {
	if len(b) < headerSize {
		return short(b)
	}
	h, ok := parseHeader(b)
	if !ok {
		return protocol.No
	}
	verdict := protocol.IsResponse
	if h.responseTo == 0 {
		verdict = protocol.IsRequest
	}
	body := b[headerSize:]
	switch h.opcode {
	case opMsg:
		return recognizeMsg(&h, body, verdict)
	case opCompressed:
		return recognizeCompressed(body, verdict)
	case opReply:
		if verdict != protocol.IsResponse {
			return protocol.No
		}
		return recognizeReply(&h, body)
	case opQuery:
		return recognizeQuery(&h, body)
	}
	return protocol.No // nobody begins with the others, which have no answer
}

// short judges a cut header: a driver may read the length by itself.
func short(b []byte) protocol.Verdict {
	if len(b) >= 4 {
		if n := binary.LittleEndian.Uint32(b); n < headerSize+10 || n > maxMessage {
			return protocol.No
		}
	}
	if len(b) == 0 {
		return protocol.Maybe
	}
	for i := 12; i < len(b); i++ {
		isNone := true
		for _, op := range []uint32{opMsg, opCompressed, opReply, opQuery} {
			isNone = isNone && byte(op>>(8*(i-12))) != b[i]
		}
		if isNone {
			return protocol.No
		}
	}
	return protocol.Maybe
}

// recognizeMsg wants known flags and a command, or a reply, as the first document.
func recognizeMsg(h *header, b []byte, verdict protocol.Verdict) protocol.Verdict {
	const begin = 4 + 1 + 4 // flags, kind, length
	if len(b) < begin {
		return protocol.Maybe
	}
	flags := binary.LittleEndian.Uint32(b)
	n := uint64(binary.LittleEndian.Uint32(b[5:]))
	left := uint64(h.size - headerSize - 5)
	if flags&flagChecksum != 0 {
		left -= min(left, 4)
	}
	// All drivers put the command first (kind 0); a reply has nothing else.
	if flags&^uint32(knownFlags) != 0 || b[4] != 0 || n < 5 || n > left || verdict == protocol.IsResponse && n != left {
		return protocol.No
	}
	return recognizeDocument(b[5:], verdict)
}

// recognizeDocument looks at the first key: of a request it is a command.
func recognizeDocument(b []byte, verdict protocol.Verdict) protocol.Verdict {
	d := open(b)
	if len(d) == 0 || bytes.IndexByte(d, 0) < 0 && len(d) < 64 {
		return protocol.Maybe
	}
	e, ok := d.next()
	if !ok || !isName(e.key) {
		return protocol.No
	}
	if _, known := commands[string(e.key)]; verdict == protocol.IsRequest && !known && string(e.key) != "$query" && string(e.key) != "query" {
		return protocol.No
	}
	return verdict
}

func recognizeCompressed(b []byte, verdict protocol.Verdict) protocol.Verdict {
	const begin = 4 + 4 + 1 // opcode, size, compressor
	if len(b) < begin {
		return protocol.Maybe
	}
	op, n := binary.LittleEndian.Uint32(b), binary.LittleEndian.Uint32(b[4:])
	if n+headerSize < leastSize(op) || n > maxMessage || op == opCompressed || b[8] > compressorZstd {
		return protocol.No
	}
	return verdict
}

// recognizeReply wants known flags and as many documents as fit.
func recognizeReply(h *header, b []byte) protocol.Verdict {
	const begin = 4 + 8 + 4 + 4 // flags, cursor, from, number
	const knownFlags = 15
	if len(b) < begin+4 {
		return protocol.Maybe
	}
	left := h.size - headerSize - begin
	n := binary.LittleEndian.Uint32(b[16:])
	if binary.LittleEndian.Uint32(b) > knownFlags || n > left/5 || n == 0 {
		return protocol.No
	}
	if size := binary.LittleEndian.Uint32(b[begin:]); size > left || n == 1 && size != left {
		return protocol.No
	}
	return recognizeDocument(b[begin:], protocol.IsResponse)
}

// recognizeQuery wants the name of a database and a collection before the document.
func recognizeQuery(h *header, b []byte) protocol.Verdict {
	const knownFlags = 255
	if h.responseTo != 0 {
		return protocol.No
	}
	if len(b) < 5 {
		return protocol.Maybe
	}
	end := bytes.IndexByte(b[4:], 0)
	switch {
	case binary.LittleEndian.Uint32(b) > knownFlags:
		return protocol.No
	case end < 0 && len(b) < 64:
		return protocol.Maybe
	case end < 0 || !isName(b[4:4+end]) || bytes.IndexByte(b[4:4+end], '.') < 1:
		return protocol.No
	}
	b = b[4+end+1:]
	if len(b) < 8+4 {
		return protocol.Maybe
	}
	if d := open(b[8:]); d == nil || uint64(binary.LittleEndian.Uint32(b[8:])) > uint64(h.size) {
		return protocol.No
	}
	return protocol.IsRequest
}

// strict judges the start of a call on a connection that is known to speak MongoDB.
func strict(dir protocol.Direction, b []byte) protocol.Verdict {
	v := recognize(b)
	if v == protocol.IsRequest && dir == protocol.FromServer || v == protocol.IsResponse && dir == protocol.ToServer {
		return protocol.No
	}
	return v
}
