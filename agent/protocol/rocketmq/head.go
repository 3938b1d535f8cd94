package rocketmq

import (
	"bytes"
	"encoding/binary"
)

// A frame (org.apache.rocketmq.remoting.protocol.RemotingCommand): length 4, which does not count itself; kind of head 1; its
// length 3; the head; the body.
const (
	frameHead = 8
	// maxFrame: com.rocketmq.remoting.frameMaxLength, 16 MiB where not set. Four times that leaves room for settings.
	maxFrame = 64 << 20
	// maxHead bounds the head of which anything is read; the properties of a message have 32 KiB at most.
	maxHead = 60 << 10
)

// The kinds of heads (SerializeType).
const (
	headJSON   = 0
	headBinary = 1
)

// Flags of a head.
const (
	flagResponse = 1
	flagOneway   = 2
)

// sizes reads the start of a frame.
func sizes(b []byte) (size, head uint64, kind byte, ok bool) {
	if len(b) < frameHead {
		return 0, 0, 0, false
	}
	n := binary.BigEndian.Uint32(b)
	kind = b[4]
	head = uint64(binary.BigEndian.Uint32(b[4:]) & 0xffffff)
	return uint64(n) + 4, head, kind, n <= maxFrame && kind <= headBinary && head+4 <= uint64(n) && head >= minHead
}

// minHead: {"code":1,"flag":0,"opaque":1} or, binary, six numbers.
const minHead = 21

// head is what a head says. The slices point into the input.
type head struct {
	code, opaque, flag          int32
	hasCode, hasOpaque          bool
	hasFlag                     bool
	topic, group                []byte
	topicV2, groupV2            []byte // under the short names of SEND_MESSAGE_V2
	isBatch                     bool
	maxOffset, nextOffset       int64
	hasMaxOffset, hasNextOffset bool
}

// parse reads a head. ok: it is one, to its last byte.
func (h *head) parse(kind byte, b []byte) (ok bool) {
	if kind == headBinary {
		return h.parseBinary(b)
	}
	s := scanner{b: b}
	return s.object(h.field) && s.at == len(b) && h.hasCode && h.hasOpaque && h.hasFlag
}

// field takes a field of the JSON head.
func (h *head) field(s *scanner, name []byte) bool {
	switch string(name) {
	case "code":
		return s.integer(&h.code, &h.hasCode)
	case "flag":
		return s.integer(&h.flag, &h.hasFlag)
	case "opaque":
		return s.integer(&h.opaque, &h.hasOpaque)
	case "extFields":
		if s.peek() == '{' {
			return s.object(h.extField)
		}
	}
	return s.skip(0)
}

func (h *head) extField(s *scanner, name []byte) bool {
	if s.peek() != '"' {
		return s.skip(0)
	}
	value, ok := s.text()
	if ok {
		h.ext(name, value)
	}
	return ok
}

// ext takes a field that depends on the request. SendMessageRequestHeaderV2 has names of one letter.
func (h *head) ext(name, value []byte) {
	switch string(name) {
	case "topic":
		h.topic = value
	case "b":
		h.topicV2 = value
	case "consumerGroup", "producerGroup", "group":
		h.group = value
	case "a":
		h.groupV2 = value
	case "m", "batch":
		h.isBatch = string(value) == "true"
	case "maxOffset":
		h.maxOffset, h.hasMaxOffset = decimal(value)
	case "nextBeginOffset":
		h.nextOffset, h.hasNextOffset = decimal(value)
	}
}

func decimal(b []byte) (n int64, ok bool) {
	for _, c := range b {
		if c < '0' || c > '9' || n > 1<<58 {
			return 0, false
		}
		n = n*10 + int64(c-'0')
	}
	return n, len(b) > 0
}

// parseBinary reads the head of RocketMQSerializable: code 2, language 1, version 2, opaque 4, flag 4, remark 4 + n, fields 4 + n: each
// name 2 + n and value 4 + n.
func (h *head) parseBinary(b []byte) bool {
	const fixed, maxLanguage = 13, 15 // LanguageCode
	if len(b) < fixed+8 || b[2] > maxLanguage {
		return false
	}
	h.code = int32(int16(binary.BigEndian.Uint16(b)))
	h.opaque = int32(binary.BigEndian.Uint32(b[5:]))
	h.flag = int32(binary.BigEndian.Uint32(b[9:]))
	_, b, ok := cut(b[fixed:], 4)
	if !ok {
		return false
	}
	fields, b, ok := cut(b, 4)
	for len(fields) > 0 && ok {
		var name, value []byte
		if name, fields, ok = cut(fields, 2); ok {
			if value, fields, ok = cut(fields, 4); ok {
				h.ext(name, value)
			}
		}
	}
	return ok && len(b) == 0 && h.flag&^(flagResponse|flagOneway) == 0
}

// cut returns what follows a length of n bytes, and the rest.
func cut(b []byte, n int) (value, rest []byte, ok bool) {
	if len(b) < n {
		return nil, nil, false
	}
	var size uint64
	for _, c := range b[:n] {
		size = size<<8 | uint64(c)
	}
	if size > uint64(len(b)-n) {
		return nil, nil, false
	}
	return b[n:][:size], b[n:][size:], true
}

// names returns the topic and the group of a request.
func (h *head) names() (topic, group []byte) {
	switch h.code {
	case codeSendV2, codeSendBatch, codeSendReplyV2:
		return h.topicV2, h.groupV2
	}
	return h.topic, h.group
}

// isName accepts what RocketMQ allows in names of topics and groups (TopicValidator), and the %RETRY% and %DLQ% before them.
func isName(b []byte) bool {
	for _, c := range b {
		switch {
		case 'a' <= c|0x20 && c|0x20 <= 'z', '0' <= c && c <= '9', bytes.IndexByte([]byte("%|_-"), c) >= 0:
		default:
			return false
		}
	}
	return len(b) <= 255
}
