package kafka

import (
	"encoding/binary"

	"github.com/sonde-dev/sonde/agent/protocol"
)

// The head of a request (request header v1): length 4, key 2, version 2, correlation id 4, client id 2 + n. Version 0, without client
// id, has only ControlledShutdown 0.
const (
	requestKey         = 4
	requestVersion     = 6
	requestCorrelation = 8
	requestClient      = 12
	requestHead        = 14
	// minResponse: a response has a correlation id and two bytes of body. An empty frame ends a raw SASL exchange.
	minResponse  = 10
	responseHead = 8
)

// maxMessage: brokers refuse requests above socket.request.max.bytes, 100 MiB where not set; responses stay below fetch.max.bytes and one
// batch. Four times that leaves room for settings.
const maxMessage = 400 << 20

// maxClientID: client ids are names of programs.
const maxClientID = 255

// messageSize returns the size of a message with its length field.
func messageSize(b []byte) (size uint64, ok bool) {
	if len(b) < 4 {
		return 0, false
	}
	n := binary.BigEndian.Uint32(b)
	return uint64(n) + 4, n <= maxMessage
}

// head is the start of a request.
type head struct {
	size         uint64
	key, version int16
	correlation  int32
	client       []byte
	used         int // bytes
}

// parseHead reads the start of a request. want: how many bytes it takes, where there are fewer.
func parseHead(b []byte) (h head, want int, ok bool) {
	if len(b) < requestClient {
		if len(b) >= 4 {
			if size, ok := messageSize(b); !ok || size < requestClient {
				return h, 0, false
			}
		}
		return h, requestClient, false
	}
	h.size, ok = messageSize(b)
	h.key = int16(binary.BigEndian.Uint16(b[requestKey:]))
	h.version = int16(binary.BigEndian.Uint16(b[requestVersion:]))
	h.correlation = int32(binary.BigEndian.Uint32(b[requestCorrelation:]))
	h.used = requestClient
	// Numbers far beyond those of today are no Kafka: about 4 keys and 10 versions are added in a year.
	if !ok || h.key < 0 || h.key > 2*int16(len(apis)) || h.version < 0 || h.version > 40 {
		return h, 0, false
	}
	if h.key == keyControlledShutdown && h.version == 0 {
		return h, 0, h.size >= requestClient
	}
	if h.size < requestHead {
		return h, 0, false
	}
	if len(b) < requestHead {
		return h, requestHead, false
	}
	h.used = requestHead
	if n := int(int16(binary.BigEndian.Uint16(b[requestClient:]))); n > 0 {
		h.used += n
		if uint64(h.used) > h.size {
			return h, 0, false
		}
		if len(b) < h.used {
			return h, h.used, false
		}
		h.client = b[requestHead:h.used]
	} else if n < -1 {
		return h, 0, false
	}
	return h, 0, true
}

// recognize claims a request whose head is right in every field, and whose body, as far as it is there, is laid out as the head says.
func recognize(b []byte) protocol.Verdict {
	if len(b) < requestHead {
		return recognizeStart(b)
	}
	h, want, ok := parseHead(b)
	a, isKnown := apiOf(h.key, h.version)
	switch {
	case !ok && want == 0, !isKnown, h.correlation < 0, h.key == keyControlledShutdown && h.version == 0:
		return protocol.No
	case !ok:
		if want > requestHead+maxClientID || !isPrintable(b[requestHead:]) {
			return protocol.No
		}
		return protocol.Maybe
	case len(h.client) > maxClientID || !isPrintable(h.client) || uint64(len(b)) > h.size && h.size < 2*requestHead && len(h.client) == 0:
		return protocol.No
	}
	body := b[h.used:min(uint64(len(b)), h.size)]
	var f found
	f.reset(&names{shared: &topics{}})
	var w walker
	fields := a.request
	if fields == nil {
		fields = unknownBody
	}
	w.start(fields, h.version, a.isFlexible(h.version), a.isFlexible(h.version), h.size-uint64(h.used), &f)
	w.data(body)
	isWhole := uint64(len(b)) >= h.size
	switch {
	case w.broken, isWhole && !w.done, !isTopicName(f.topic), f.hasAcks && (f.acks < -1 || f.acks > 1):
		return protocol.No
	case isWhole && (len(h.client) > 0 || len(body) > 0 && a.request != nil):
		return protocol.IsRequest
	// A few small numbers and a text are not enough: frames of HTTP/2 may look like that.
	case !isWhole && (f.topic != "" || f.group != "" || f.records > 0):
		return protocol.IsRequest
	case isWhole || len(b) > requestHead+maxClientID+maxText:
		return protocol.No
	}
	return protocol.Maybe
}

// unknownBody is a body of which only the tagged fields of the header are judged.
var unknownBody = layout("stop")

// recognizeStart judges less than a head: many programs read the length by itself.
func recognizeStart(b []byte) protocol.Verdict {
	if len(b) < 4 {
		for _, c := range b[:min(len(b), 1)] {
			if c != 0 { // most have less than 16 MiB, and all claims of so few bytes must be rare
				return protocol.No
			}
		}
		return protocol.Maybe
	}
	size, ok := messageSize(b)
	if !ok || size < requestHead || b[0] != 0 {
		return protocol.No
	}
	if len(b) < requestVersion+2 {
		return protocol.Maybe
	}
	_, isKnown := apiOf(int16(binary.BigEndian.Uint16(b[requestKey:])), int16(binary.BigEndian.Uint16(b[requestVersion:])))
	if !isKnown {
		return protocol.No
	}
	return protocol.Maybe
}

func isPrintable(b []byte) bool {
	for _, c := range b {
		if c < ' ' || c > '~' {
			return false
		}
	}
	return true
}

// isTopicName accepts what Kafka allows (Topic.validate): letters, digits, dot, hyphen, underscore. The empty name passes.
func isTopicName(s string) bool {
	for i := range len(s) {
		c := s[i]
		switch {
		case c == '.', c == '_', c == '-', '0' <= c && c <= '9', 'a' <= c|0x20 && c|0x20 <= 'z':
		default:
			return false
		}
	}
	return len(s) <= 249
}
