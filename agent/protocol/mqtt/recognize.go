package mqtt

import (
	"bytes"
	"unicode/utf8"

	"github.com/sonde-dev/sonde/agent/protocol"
)

// recognize walks over the packets of a call. CONNECT tells by itself, and so does a list of topic filters with which the call ends; of the
// others there must be two that are all of the call, or four, one of which only one end may send: two bytes are a packet. PUBLISH and
// its answers say that it is MQTT but not who is who.
func recognize(b []byte) protocol.Verdict {
	if len(b) == 0 {
		return protocol.Maybe
	}
	const few, enough = 2, 4
	verdict := protocol.Maybe
	for n := 1; len(b) > 0; n++ {
		kind := b[0] >> 4
		if !isHeader(b[0], protocol.ToServer) && !isHeader(b[0], protocol.FromServer) {
			return protocol.No
		}
		size, head, ok := packetSize(b)
		if !ok {
			return protocol.No
		}
		if size == 0 || uint64(len(b)) < size {
			return recognizeCut(kind, b, head)
		}
		if !isPacket(b[0], b[head:size]) {
			return protocol.No
		}
		switch b = b[size:]; kind {
		case connect:
			return protocol.IsRequest
		case subscribe, unsubscribe:
			verdict, n = protocol.IsRequest, n+few
		case pingreq:
			verdict = protocol.IsRequest
		case connack, suback, unsuback, pingresp:
			verdict = protocol.IsResponse
		}
		if verdict != protocol.Maybe && (n >= enough || n >= few && len(b) == 0) {
			return verdict
		}
	}
	return protocol.Maybe
}

// recognizeCut judges a packet of which the end is missing.
func recognizeCut(kind byte, b []byte, head int) protocol.Verdict {
	const few = 256
	switch {
	case head == 0: // not even its length
		return protocol.Maybe
	case kind == connect:
		return recognizeConnect(b[head:])
	case kind == publish && len(b) > head+2:
		n := int(b[head])<<8 | int(b[head+1])
		topic := b[head+2 : min(len(b), head+2+n)]
		if n == 0 || n > few || !isTopic(topic) {
			return protocol.No
		}
	}
	if len(b) > few {
		return protocol.No
	}
	return protocol.Maybe
}

// recognizeConnect wants name and version of the protocol and possible flags (§3.1.2).
func recognizeConnect(b []byte) protocol.Verdict {
	for _, name := range []string{"\x00\x04MQTT\x04", "\x00\x04MQTT\x05", "\x00\x06MQIsdp\x03"} {
		n := min(len(b), len(name))
		if string(b[:n]) != name[:n] {
			continue
		}
		if len(b) <= len(name) {
			return protocol.Maybe
		}
		flags := b[len(name)]
		const reserved, will, willRest = 1, 4, 0x38
		if flags&reserved != 0 || flags&0x18 == 0x18 || flags&will == 0 && flags&willRest != 0 {
			return protocol.No
		}
		return protocol.IsRequest
	}
	return protocol.No
}

// isPacket checks what follows the fixed header of a whole packet.
func isPacket(first byte, b []byte) bool {
	kind, r := first>>4, reader{b: b}
	switch kind {
	case connect:
		return recognizeConnect(b) == protocol.IsRequest
	case connack:
		flags, code := r.byte(), r.byte()
		if len(b) == 2 { // version 3.1.1
			return flags <= 1 && code <= 5
		}
		rest := r.properties()
		return (flags == 0 || flags == 1 && code == 0) && (code == 0 || code >= failure && isReason(code)) && !r.isBroken && len(rest) == 0
	case publish:
		topic := r.text()
		hasID := first>>1&3 > 0
		return !r.isBroken && isTopic(topic) && utf8.Valid(topic) && (!hasID || r.uint16() != 0) && (len(topic) > 0 || len(r.b) > 3)
	case puback, pubrec, pubrel, pubcomp:
		id := r.uint16()
		return id != 0 && (len(b) == 2 || isReason(r.byte()) && r.endsWithProperties())
	case subscribe, unsubscribe:
		_, topic := firstFilter(kind, b, 0)
		return topic != nil
	case suback, unsuback:
		if r.uint16() == 0 {
			return false
		}
		isOld := kind == unsuback && len(b) == 2 || kind == suback && areReasons(r.b)
		return isOld || areReasons(r.properties()) && !r.isBroken
	case disconnect, auth:
		return len(b) == 0 || isReason(r.byte()) && r.endsWithProperties()
	}
	return true
}

// firstFilter finds the list of topic filters behind the packet id; of version 5 there are properties before it. version 0: try both.
func firstFilter(kind byte, b []byte, version byte) (found byte, topic []byte) {
	r := reader{b: b}
	if r.uint16() == 0 {
		return 0, nil
	}
	if version < 5 {
		if topic = filters(kind, r.b); topic != nil || version > 0 {
			return 4, topic
		}
	}
	return 5, filters(kind, r.properties())
}

// isTopic accepts the name of a topic: no wildcards (§4.7).
func isTopic(b []byte) bool {
	return isText(b) && bytes.IndexByte(b, '+') < 0 && bytes.IndexByte(b, '#') < 0
}

// strict judges the start of a call on a connection that is known to speak MQTT.
func strict(dir protocol.Direction, b []byte) protocol.Verdict {
	if !isHeader(b[0], dir) {
		return protocol.No
	}
	size, head, ok := packetSize(b)
	kind := b[0] >> 4
	switch {
	case !ok:
		return protocol.No
	case size == 0:
		return protocol.Maybe
	case uint64(len(b)) >= size:
		if !isPacket(b[0], b[head:size]) || uint64(len(b)) > size && !isHeader(b[size], dir) {
			return protocol.No
		}
		return protocol.IsRequest
	case kind == publish && len(b) >= head+2:
		const enough = 16 // characters of a topic
		n := int(b[head])<<8 | int(b[head+1])
		topic := b[head+2 : min(len(b), head+2+n)]
		if uint64(n+head+2) > size || !isTopic(topic) {
			return protocol.No
		}
		if len(topic) == n && n > 0 || len(topic) >= enough {
			return protocol.IsRequest
		}
	case kind == connect:
		return recognizeConnect(b[head:])
	case kind == subscribe || kind == unsubscribe || kind == connack || kind == disconnect || kind == auth:
		const enough = 48 // of a list of filters, or of properties
		if len(b) >= enough {
			return protocol.IsRequest
		}
	}
	return protocol.Maybe
}

func areReasons(b []byte) bool {
	if len(b) == 0 {
		return false
	}
	for _, c := range b {
		if !isReason(c) {
			return false
		}
	}
	return true
}
