package mongodb

import "encoding/binary"

// Opcodes (MongoDB wire protocol; those below 2012 are legacy).
const (
	opReply       = 1
	opUpdate      = 2001
	opInsert      = 2002
	opQuery       = 2004
	opGetMore     = 2005
	opDelete      = 2006
	opKillCursors = 2007
	opCompressed  = 2012
	opMsg         = 2013
)

const (
	headerSize = 16
	maxMessage = 48_000_000 // maxMessageSizeBytes of every server

	// Flags of OP_MSG. "Parsers MUST error if unknown bits in 0–15 are set."
	flagChecksum   = 1 << 0
	flagMoreToCome = 1 << 1
	flagExhaust    = 1 << 16
	knownFlags     = flagChecksum | flagMoreToCome | flagExhaust
)

type header struct {
	size, requestID, responseTo, opcode uint32
}

// parseHeader reads the header of a message; !ok: it is none.
func parseHeader(b []byte) (h header, ok bool) {
	if len(b) < headerSize {
		return h, false
	}
	h = header{
		size: binary.LittleEndian.Uint32(b), requestID: binary.LittleEndian.Uint32(b[4:]),
		responseTo: binary.LittleEndian.Uint32(b[8:]), opcode: binary.LittleEndian.Uint32(b[12:]),
	}
	if h.size > maxMessage {
		return h, false
	}
	return h, h.size >= leastSize(h.opcode)
}

// leastSize is the size of the shortest message with an opcode; one that no message has for those unknown.
func leastSize(opcode uint32) uint32 {
	const document, name = 5, 2
	switch opcode {
	case opMsg:
		return headerSize + 4 + 1 + document
	case opCompressed:
		return headerSize + 9
	case opReply:
		return headerSize + 20
	case opQuery:
		return headerSize + 12 + name + document
	case opInsert:
		return headerSize + 4 + name
	case opUpdate, opDelete:
		return headerSize + 4 + name + 4
	case opGetMore:
		return headerSize + 4 + name + 12
	case opKillCursors:
		return headerSize + 8
	}
	return 1<<32 - 1
}
