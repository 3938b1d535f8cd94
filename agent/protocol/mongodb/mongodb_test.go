package mongodb

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"fmt"
	"strings"
	"testing"

	"github.com/klauspost/compress/snappy"
	"github.com/klauspost/compress/zstd"

	"github.com/sonde-dev/sonde/agent/protocol"
	. "github.com/sonde-dev/sonde/agent/protocol/parsertest"
)

// doc makes a BSON document of keys and values: string, int (int32), int64, float64, []byte (a document), array.
func doc(pairs ...any) []byte {
	var b []byte
	for i := 0; i < len(pairs); i += 2 {
		var kind byte
		var v []byte
		switch x := pairs[i+1].(type) {
		case string:
			kind, v = typeString, append(binary.LittleEndian.AppendUint32(nil, uint32(len(x)+1)), x+"\x00"...)
		case int:
			kind, v = typeInt32, binary.LittleEndian.AppendUint32(nil, uint32(x))
		case int64:
			kind, v = typeInt64, binary.LittleEndian.AppendUint64(nil, uint64(x))
		case float64:
			kind, v = typeDouble, binary.LittleEndian.AppendUint64(nil, map[float64]uint64{1: 0x3ff0000000000000}[x])
		case []byte:
			kind, v = typeDocument, x
		case array:
			kind, v = typeArray, x
		}
		b = append(append(append(b, kind), pairs[i].(string)...), 0)
		b = append(b, v...)
	}
	b = append(b, 0)
	return append(binary.LittleEndian.AppendUint32(nil, uint32(len(b)+4)), b...)
}

type array []byte

// list makes an array of documents.
func list(docs ...[]byte) array {
	var pairs []any
	for i, d := range docs {
		pairs = append(pairs, fmt.Sprint(i), d)
	}
	return doc(pairs...)
}

func wire(id, to, opcode uint32, parts ...[]byte) []byte {
	body := bytes.Join(parts, nil)
	var b []byte
	for _, x := range []uint32{uint32(headerSize + len(body)), id, to, opcode} {
		b = binary.LittleEndian.AppendUint32(b, x)
	}
	return append(b, body...)
}

func le(xs ...uint32) (b []byte) {
	for _, x := range xs {
		b = binary.LittleEndian.AppendUint32(b, x)
	}
	return b
}

func msg(id, to, flags uint32, d []byte) []byte {
	return wire(id, to, opMsg, le(flags), []byte{0}, d)
}

var (
	find  = doc("find", "users", "filter", doc("password", "secret"), "lsid", doc(), "$db", "app")
	okDoc = doc("n", 1, "ok", 1.0)
	isOK  = msg(900, 1, 0, okDoc)
)

func cursor(key string, n int) []byte {
	var docs [][]byte
	for i := range n {
		docs = append(docs, doc("_id", i, "name", "Somebody"))
	}
	return doc("cursor", doc(key, list(docs...), "id", int64(0), "ns", "app.users"), "ok", 1.0)
}

func TestRecognize(t *testing.T) {
	request := msg(1, 0, 0, find)
	for _, tt := range []struct {
		in   string
		want protocol.Verdict
	}{
		{"", protocol.Maybe},
		{string(request), protocol.IsRequest},
		{string(request[:4]), protocol.Maybe},
		{string(request[:16]), protocol.Maybe},
		{string(request[:40]), protocol.IsRequest},
		{string(isOK), protocol.IsResponse},
		{string(msg(1, 0, 4, find)), protocol.No},               // unknown flag
		{string(msg(1, 0, 0, doc("nonsense", 1))), protocol.No}, // no command
		{string(msg(1, 7, 0, append(okDoc, 0))), protocol.No},   // longer than its document
		{string(wire(1, 0, opQuery, le(4), []byte("admin.$cmd\x00"), le(0, 1), doc("isMaster", 1))), protocol.IsRequest},
		{string(wire(1, 0, opQuery, le(4), []byte("admin\x00"), le(0, 1), doc("isMaster", 1))), protocol.No},
		{string(wire(2, 1, opReply, le(8, 0, 0, 0, 1), okDoc)), protocol.IsResponse},
		{string(wire(2, 0, opReply, le(8, 0, 0, 0, 1), okDoc)), protocol.No},
		{string(wire(2, 0, 2010, le(8, 0, 0, 0, 1), okDoc)), protocol.No},
		{string(wire(2, 0, opCompressed, le(opMsg, 100), []byte{2, 1, 2, 3})), protocol.IsRequest},
		{string(wire(2, 0, opCompressed, le(opMsg, 100), []byte{9, 1, 2, 3})), protocol.No},
	} {
		if got := recognize([]byte(tt.in)); got != tt.want {
			t.Errorf("recognize(%q) = %v, want %v", tt.in, got, tt.want)
		}
	}
	NotForeign(t, Protocol{}, "mongo")
	Random(t, Protocol{})
}

// squeeze compresses a message.
func squeeze(id, to uint32, compressor byte, body []byte) []byte {
	var out []byte
	switch compressor {
	case compressorNone:
		out = body
	case compressorSnappy:
		out = snappy.Encode(nil, body)
	case compressorZlib:
		var b bytes.Buffer
		w := zlib.NewWriter(&b)
		w.Write(body)
		w.Close()
		out = b.Bytes()
	case compressorZstd:
		e, _ := zstd.NewWriter(nil)
		out = e.EncodeAll(body, nil)
	}
	return wire(id, to, opCompressed, le(opMsg, uint32(len(body))), []byte{compressor}, out)
}

func squeezed() (calls []Call, want []string) {
	for c := range byte(4) {
		request := squeeze(uint32(c)+1, 0, c, msg(0, 0, 0, find)[headerSize:])
		response := squeeze(50, uint32(c)+1, c, msg(0, 0, 0, cursor("firstBatch", 3))[headerSize:])
		calls = append(calls, Client(request), Server(response))
		want = append(want, fmt.Sprintf("find users ok req=%d res=%d count0=3 db.namespace=app", len(request), len(response)))
	}
	return calls, want
}

// A find is 21 bytes of header, flags and kind and a document of 79, ok 24: counted by hand from bsonspec.org.
var conversations = func() []Conversation {
	calls, want := squeezed()
	return []Conversation{
		{Name: "commands", Calls: []Call{
			Client(wire(1, 0, opQuery, le(4), []byte("admin.$cmd\x00"), le(0, 1), doc("isMaster", 1))), Server(wire(10, 1, opReply, le(8, 0, 0, 0, 1), okDoc)),
			Client(msg(2, 0, 0, find)), Server(msg(11, 2, 0, cursor("firstBatch", 2))),
			Client(msg(3, 0, 0, doc("getMore", int64(77), "collection", "users", "$db", "app"))), Server(msg(12, 3, 0, cursor("nextBatch", 5))),
			Client(wire(4, 0, opMsg, le(0), []byte{1}, le(4+7+uint32(len(okDoc))), []byte("update\x00"), okDoc, []byte{0}, doc("update", "users", "$db", "app"))),
			Server(msg(13, 4, 0, doc("n", 0, "writeErrors", list(doc("index", 0, "code", 11000, "errmsg", "x")), "ok", 1.0))),
			Client(msg(5, 0, 0, doc("insert", "nope", "$db", "app"))),
			Server(msg(14, 5, 0, doc("ok", 0.0, "errmsg", "not master", "code", 10107, "codeName", "NotWritablePrimary"))),
			Client(msg(6, 0, 0, doc("hello", 1, "topologyVersion", doc(), "maxAwaitTimeMS", int64(10000), "$db", "admin"))), Server(msg(15, 6, 0, okDoc)),
			Client(msg(7, 0, flagMoreToCome, doc("insert", "log", "$db", "app"))),
			Client(msg(8, 0, 0, doc("saslStart", 1, "mechanism", "PLAIN", "payload", "secret", "$db", "admin"))),
			Server(msg(16, 8, 0, doc("ok", 0.0, "errmsg", "bad auth", "code", 18))),
			Client(msg(9, 0, 0, doc("frobnicate", "x", "$db", "app"))), Server(msg(17, 9, 0, doc("ok", 0.0, "errmsg", "no such command", "code", 59))),
		}, Want: []string{
			"hello - ok req=58 res=60 db.namespace=admin", "find users ok req=100 res=170 count0=2 db.namespace=app",
			"getMore users ok req=78 res=277 count0=5 db.namespace=app",
			"update users 11000 req=93 res=106 error=11000 db.namespace=app",
			"insert nope 10107 req=56 res=104 servererror=10107 error=10107 db.namespace=app",
			"hello - ok req=98 res=45 waits db.namespace=admin", "insert log - req=55 res=0 noresponse db.namespace=app",
			"saslStart - 18 req=97 res=69 error=18 db.namespace=admin", "other x 59 req=57 res=76 error=59 db.namespace=app",
		}},
		{Name: "multiplexed", Calls: []Call{
			Client(msg(1, 0, 0, find), msg(2, 0, 0, doc("ping", 1, "$db", "admin")), msg(3, 0, 0, doc("count", "a", "$db", "app"))),
			Server(msg(20, 3, 0, okDoc)), Server(msg(21, 1, 0, cursor("firstBatch", 0)), msg(22, 2, 0, okDoc)),
			Client(msg(4, 0, flagExhaust, doc("hello", 1, "$db", "admin"))), Server(msg(23, 4, flagMoreToCome, okDoc)), Server(msg(24, 23, flagMoreToCome, okDoc)),
			Server(msg(25, 24, 0, okDoc)),
		}, Want: []string{
			"count a ok req=52 res=45 db.namespace=app", "find users ok req=100 res=98 db.namespace=app",
			"ping - ok req=51 res=45 db.namespace=admin", "hello - ok req=52 res=45 db.namespace=admin",
		}},
		{Name: "legacy", Calls: []Call{
			Client(wire(1, 0, opQuery, le(0), []byte("app.users\x00"), le(0, 0), doc("a", 1))),
			Server(wire(2, 1, opReply, le(8, 0, 0, 0, 2), doc("_id", 1), doc("_id", 2))),
			Client(wire(3, 0, opInsert, le(0), []byte("app.users\x00"), doc("a", 1))),
			Client(wire(4, 0, opGetMore, le(0), []byte("app.users\x00"), le(0, 1, 2))),
			Server(wire(5, 4, opReply, le(2, 0, 0, 0, 1), doc("$err", "boom", "code", 17))),
			Client(wire(6, 0, opKillCursors, le(0, 1, 1, 2))),
		}, Want: []string{
			"find users ok req=50 res=64 count0=2 db.namespace=app", "insert users - req=42 res=0 noresponse db.namespace=app",
			"getMore users 17 req=42 res=66 error=17 db.namespace=app", "killCursors - - req=32 res=0 noresponse",
		}},
		{Name: "compressed", Calls: calls, Want: want},
	}
}()

func TestConversations(t *testing.T) {
	Each(t, Protocol{}, conversations, func(t *testing.T, c Conversation) {
		AnyLoss(t, Protocol{}, c.Calls, func(got, want string) bool {
			// A hole in the document of a command hides what it is, one in a reply how it went.
			g, w := strings.Fields(got), strings.Fields(want)
			return (g[0] == w[0] || g[0] == other) && (g[1] == w[1] || g[1] == "-") && (g[2] == w[2] || g[2] == "-") && g[3] == w[3]
		})
		for _, line := range c.Want {
			if strings.Contains(line, "secret") {
				t.Errorf("%q shows a value", line)
			}
		}
	})
}

func TestJoined(t *testing.T) {
	Expect(t, Protocol{}, true, []Call{
		Client([]byte("the end of a document")), Server(msg(8, 7, 0, okDoc)),
		Client(msg(9, 0, 0, find)[:4]), Client(msg(9, 0, 0, find)[4:]), Server(msg(10, 9, 0, okDoc)),
	}, "find users ok req=100 res=45 db.namespace=app", "loss orphan_response 1")
}

// A reply of which only the start is copied: its length is exact, its documents are not counted, so it is partial.
func TestGapInReply(t *testing.T) {
	big := msg(2, 1, 0, cursor("firstBatch", 5000))
	Expect(t, Protocol{}, false, []Call{
		Client(msg(1, 0, 0, find)), {Dir: protocol.FromServer, Data: big[:500], Skip: uint32(len(big)) - 500},
		Client(msg(3, 0, 0, find)), Server(msg(4, 3, 0, cursor("firstBatch", 1))),
	}, fmt.Sprintf("find users ok req=100 res=%d partial db.namespace=app", len(big)), "find users ok req=100 res=134 count0=1 db.namespace=app")
}

func TestBounded(t *testing.T) {
	var calls []Call
	for i := range uint32(3000) {
		calls = append(calls, Client(msg(i+1, 0, 0, find)))
	}
	for i := range uint32(3000) {
		calls = append(calls, Server(msg(9999, i+1, 0, okDoc)))
	}
	r := Play(t, Protocol{}, false, calls)
	if n := r.Open(); n != 0 || len(r.Lines) != 3000 || len(r.Losses) > 0 {
		t.Errorf("%d wait, %d ended, losses %v, want none, 3000 and none", n, len(r.Lines), r.Losses)
	}
}

// The oracle is tshark: tshark -r mongo-msg.pcap -d tcp.port==3717,mongo -T fields -e mongo.request_id -e mongo.response_to -e mongo.element.name.
func TestCapture(t *testing.T) {
	Expect(t, Protocol{}, true, Capture(t, "testdata/mongo-msg.pcap", 3717)[0], "find query ok req=230 res=285 count0=1 db.namespace=sky-test")
}

func FuzzParse(f *testing.F) { Fuzz(f, Protocol{}, conversations) }

func BenchmarkParse(b *testing.B) {
	for _, bench := range []struct {
		name              string
		request, response []byte
	}{
		{"find", msg(1, 0, 0, find), msg(2, 1, 0, cursor("firstBatch", 10))},
		{"snappy", squeeze(1, 0, compressorSnappy, msg(0, 0, 0, find)[headerSize:]), squeeze(2, 1, compressorSnappy, msg(0, 0, 0, okDoc)[headerSize:])},
		{"zlib", squeeze(1, 0, compressorZlib, msg(0, 0, 0, find)[headerSize:]), squeeze(2, 1, compressorZlib, msg(0, 0, 0, okDoc)[headerSize:])},
		{"zstd", squeeze(1, 0, compressorZstd, msg(0, 0, 0, find)[headerSize:]), squeeze(2, 1, compressorZstd, msg(0, 0, 0, okDoc)[headerSize:])},
	} {
		b.Run(bench.name, func(b *testing.B) {
			p, sink := newParser(), Discard{}
			b.ReportAllocs()
			for b.Loop() {
				p.Data(protocol.ToServer, bench.request, sink)
				p.Data(protocol.FromServer, bench.response, sink)
			}
		})
	}
}
