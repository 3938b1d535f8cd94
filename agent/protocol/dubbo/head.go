package dubbo

import (
	"encoding/binary"

	"github.com/sonde-dev/sonde/agent/protocol"
)

// The head of a frame (org.apache.dubbo.remoting.exchange.codec.ExchangeCodec): magic 2, flags 1, status 1, request id 8, length of the
// body 4.
const (
	magic      = 0xdabb
	headSize   = 16
	flagReq    = 0x80
	flagTwoWay = 0x40
	flagEvent  = 0x20
	serialMask = 0x1f
	// maxBody: the option payload, 8 MiB where not set. Servers refuse more.
	maxBody = 256 << 20
)

// Serializations whose texts are read (org.apache.dubbo.common.serialize.Constants).
const (
	serialHessian2 = 2
	serialFastjson = 6
	serialKryo     = 8
	serialKryo2    = 25
)

// serials are those that exist: 2 hessian2, 3 java, 4 compactedjava, 6 fastjson, 7 nativejava, 8 kryo, 9 fst, 10 native-hessian,
// 11 avro, 12 protostuff, 16 gson, 21 protobuf-json, 22 protobuf, 23 fastjson2, 25 kryo2, 26 msgpack, 27 fury.
const serials = 1<<2 | 1<<3 | 1<<4 | 1<<6 | 1<<7 | 1<<8 | 1<<9 | 1<<10 | 1<<11 | 1<<12 | 1<<16 | 1<<21 | 1<<22 | 1<<23 | 1<<25 | 1<<26 | 1<<27

// statusOK is the status of a response that has a result, be it an exception.
const statusOK = 20

// status is what a status byte means (org.apache.dubbo.remoting.exchange.Response).
type status struct {
	name     string
	isServer bool // the server's error
}

var statuses = map[byte]status{
	statusOK: {"OK", false}, 25: {"SERIALIZATION_ERROR", true}, 30: {"CLIENT_TIMEOUT", false}, 31: {"SERVER_TIMEOUT", true},
	35: {"CHANNEL_INACTIVE", false}, 40: {"BAD_REQUEST", false}, 50: {"BAD_RESPONSE", true}, 60: {"SERVICE_NOT_FOUND", false},
	70: {"SERVICE_ERROR", true}, 80: {"SERVER_ERROR", true}, 90: {"CLIENT_ERROR", false},
	100: {"SERVER_THREADPOOL_EXHAUSTED_ERROR", true},
}

// head is the start of a frame.
type head struct {
	flags, status byte
	id            uint64
	body          uint32
}

func (h *head) isRequest() bool { return h.flags&flagReq != 0 }
func (h *head) isTwoWay() bool  { return h.flags&flagTwoWay != 0 }
func (h *head) isEvent() bool   { return h.flags&flagEvent != 0 }
func (h *head) serial() byte    { return h.flags & serialMask }
func (h *head) size() uint64    { return headSize + uint64(h.body) }

// parseHead reads 16 bytes. ok: every field has a value that it may have.
func parseHead(b []byte) (h head, ok bool) {
	if binary.BigEndian.Uint16(b) != magic {
		return h, false
	}
	h = head{flags: b[2], status: b[3], id: binary.BigEndian.Uint64(b[4:]), body: binary.BigEndian.Uint32(b[12:])}
	if serials>>h.serial()&1 == 0 || h.body > maxBody {
		return h, false
	}
	if h.isRequest() {
		return h, h.status == 0
	}
	_, isKnown := statuses[h.status]
	return h, isKnown && !h.isTwoWay()
}

// resume judges the first bytes of a call on a connection that is known to speak Dubbo.
func resume(b []byte) protocol.Verdict {
	if len(b) < headSize {
		if len(b) > 0 && b[0] != magic>>8 || len(b) > 1 && b[1] != magic&0xff {
			return protocol.No
		}
		return protocol.Maybe
	}
	h, ok := parseHead(b)
	switch {
	case !ok:
		return protocol.No
	case h.isRequest():
		return protocol.IsRequest
	}
	return protocol.IsResponse
}

// recognize claims what besides ends with the call, or where another frame begins. Random bytes are a head once in 2^27, so that of a longer
// frame more must be there: a request begins with the version of Dubbo, whatever writes it.
func recognize(b []byte) protocol.Verdict {
	const few = 32
	v := resume(b)
	if v == protocol.No || v == protocol.Maybe {
		return v
	}
	h, _ := parseHead(b)
	if rest := uint64(len(b)); rest >= h.size() {
		if b = b[h.size():]; len(b) > 0 && resume(b) == protocol.No {
			return protocol.No
		}
		return v
	}
	body := b[headSize:]
	switch {
	case len(body) < few:
		return protocol.Maybe
	case v == protocol.IsRequest && !h.isEvent() && hasVersion(body[:few]):
		return v
	}
	return protocol.No
}

// hasVersion looks for two numbers with a dot between them: "2.0.2".
func hasVersion(b []byte) bool {
	for i := range len(b) - 2 {
		if b[i+1] == '.' && b[i]-'0' <= 9 && b[i+2]-'0' <= 9 {
			return true
		}
	}
	return false
}
