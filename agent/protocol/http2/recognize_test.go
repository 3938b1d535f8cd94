package http2

import (
	"math/rand/v2"
	"testing"

	"golang.org/x/net/http2"

	"github.com/sonde-dev/sonde/agent/protocol"
	"github.com/sonde-dev/sonde/agent/protocol/parsertest"
)

// latest returns the bytes of the latest call of a conversation.
func latest(say func(w *wire)) string {
	w := newWire()
	say(w)
	return string(w.calls[len(w.calls)-1].b)
}

func TestRecognize(t *testing.T) {
	request := latest(func(w *wire) { w.get(1, "/") })
	indexed := latest(func(w *wire) { w.rpc(1, hello); w.rpc(3, hello) })
	response := latest(func(w *wire) { w.ok(1, false); w.ok(3, false) })
	trailers := latest(func(w *wire) { w.trailers(1, "0"); w.trailers(3, "0") })
	ping := latest(func(w *wire) { _ = w.ends[c].framer.WritePing(false, [8]byte{1}); w.call(c) })
	for _, tt := range []struct {
		name, in string
		want     protocol.Verdict
	}{
		{"nothing", "", protocol.Maybe},
		{"start of the preface", "PRI * HTTP/2.0\r\n", protocol.Maybe},
		{"preface", preface, protocol.IsRequest},
		{"preface with settings", preface + "\x00\x00\x00\x04\x00\x00\x00\x00\x00", protocol.IsRequest},
		{"not quite", "PRI * HTTP/2.0\r\n\r\nXX\r\n\r\n", protocol.No},
		{"empty settings", "\x00\x00\x00\x04\x00\x00\x00\x00\x00", protocol.Maybe},
		{"settings", "\x00\x00\x06\x04\x00\x00\x00\x00\x00\x00\x03\x00\x00\x00\x64", protocol.Maybe},
		{"setting 0", "\x00\x00\x06\x04\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x64", protocol.No},
		{"request", request, protocol.IsRequest},
		{"request of old entries", indexed, protocol.IsRequest},
		{"its frame header alone", indexed[:headerSize], protocol.Maybe},
		{"request behind a PING", ping + request, protocol.IsRequest},
		{"response", response, protocol.IsResponse},
		{"trailers of old entries", trailers, protocol.Maybe},
		{"request on an even stream", request[:8] + "\x02" + request[9:], protocol.No},
		{"reserved bit", request[:5] + "\x80" + request[6:], protocol.No},
		{"undefined flag", request[:4] + "\x45" + request[5:], protocol.No},
		{"junk behind the fields", request[:2] + "\x90" + request[3:] + string(make([]byte, 200)), protocol.No},
		{"HTTP/1", "GET / HTTP/1.1\r\nHost: x\r\n\r\n", protocol.No},
		{"HTTP/1 response", "HTTP/1.1 200 OK\r\n\r\n", protocol.No},
		{"Redis", "*1\r\n$4\r\nPING\r\n", protocol.No},
		{"PRINT of some text protocol", "PRINT x\r\n", protocol.No},
		{"TLS client hello", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", protocol.No},
		{"Kafka ApiVersions v3", "\x00\x00\x00\x23\x00\x12\x00\x03\x00\x00\x00\x01\x00\x06client\x00\x0cfranz-go", protocol.No},
		{"Kafka Metadata v0", "\x00\x00\x00\x16\x00\x03\x00\x00\x00\x00\x00\x05\x00\x04test\x00\x00\x00\x00", protocol.No},
		{"PostgreSQL SSLRequest", "\x00\x00\x00\x08\x04\xd2\x16\x2f", protocol.No},
		{"PostgreSQL start", "\x00\x00\x00\x29\x00\x03\x00\x00user\x00postgres\x00database\x00postgres\x00\x00", protocol.No},
		{"MySQL COM_QUERY", "\x09\x00\x00\x00\x03SELECT 1", protocol.No},
		{"DNS over TCP", "\x00\x1d\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\x07example\x03com\x00\x00\x01\x00\x01", protocol.No},
		{"AMQP heartbeat", "\x08\x00\x00\x00\x00\x00\x00\xce", protocol.No},
		{"Cassandra OPTIONS", "\x04\x00\x00\x00\x05\x00\x00\x00\x00", protocol.No},
		{"Mongo OP_MSG", "\x36\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00\x00\xdd\x07\x00\x00\x00\x00\x00\x00", protocol.No},
		{"Thrift framed", "\x00\x00\x00\x11\x80\x01\x00\x01\x00\x00\x00\x04ping\x00\x00\x00\x00\x00", protocol.No},
		{"zeros", string(make([]byte, 64)), protocol.No},
	} {
		if got := recognize([]byte(tt.in)); got != tt.want {
			t.Errorf("%s: recognize(%q) = %v, want %v", tt.name, tt.in, got, tt.want)
		}
	}
	if !(Protocol{}).MayBeginResponse([]byte(response[:headerSize])) || (Protocol{}).MayBeginResponse([]byte(ping)) {
		t.Error("MayBeginResponse accepts more or less than a HEADERS frame")
	}
}

// Random bytes are claimed by nobody, nor do they ask for more.
func TestRecognizeRandom(t *testing.T) {
	parsertest.DenyRandom(t, Protocol{})
	r := rand.New(rand.NewPCG(5, 6))
	b := make([]byte, 64)
	// Behind a perfect frame header, which random bytes are once in 2^60, hardly ever.
	claims := 0
	for range 300_000 {
		for i := range b {
			b[i] = byte(r.Uint32())
		}
		copy(b, "\x00\x00\x20\x01\x04\x00\x00\x00\x01")
		if v := recognize(b); v == protocol.IsRequest || v == protocol.IsResponse {
			claims++
		}
	}
	if claims > 100 {
		t.Errorf("%d of 300000 random field blocks are claimed", claims)
	}
}

func TestErrorNames(t *testing.T) {
	for code, want := range map[http2.ErrCode]string{
		http2.ErrCodeNo: "no_error", http2.ErrCodeCancel: "cancel", http2.ErrCodeRefusedStream: "refused_stream",
		http2.ErrCodeEnhanceYourCalm: "enhance_your_calm", http2.ErrCodeHTTP11Required: "http_1_1_required", 0x99: "internal_error",
	} {
		if got := resetName(uint32(code)); got != want {
			t.Errorf("resetName(%v) = %q, want %q", code, got, want)
		}
	}
}
