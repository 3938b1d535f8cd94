package dialect_test

import (
	"bytes"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sonde-dev/sonde/agent/protocol"
	"github.com/sonde-dev/sonde/agent/protocol/http1"
)

// FuzzReaders gives any two messages to a parser, whole and cut at any place: the views are the same. With a hole they may be less, and nothing panics.
func FuzzReaders(f *testing.F) {
	for _, x := range []exchange{
		{request: "POST /v1/chat/completions", fields: json, body: ask, response: events, reply: chatStream},
		{request: "POST /v1/messages", fields: claude, body: `{"model":"claude-x","messages":[]}`, response: events, reply: messageStream + messageStop},
		{request: "POST /api/chat", fields: json, body: `{"model":"llama3.2","messages":[]}`, response: lines, reply: ollamaLines},
		{request: "POST /graphql", fields: json, body: `{"operationName":"A","query":"query A($x: Int = \"y\") @z { a(x: \"}\") { ...F } }"}`, response: json, reply: `{"errors":[{}]}`},
		{request: "GET /graphql?query=%7Ba%7D&operationName=A", response: json, reply: `{}`},
		{request: "POST /logs-2026.11.21/_search", fields: json, body: `{}`, response: es, reply: `{"took":1}`},
		{request: "PUT /photos/a?partNumber=1&uploadId=2", fields: "Authorization: AWS4-HMAC-SHA256 Credential=A/1/x/s3/aws4_request\r\n", body: "x", response: "Server: x\r\n", reply: ""},
	} {
		for _, isChunked := range []bool{false, true} {
			request, response := x.calls(isChunked)
			f.Add([]byte(request), []byte(response), uint16(3))
		}
	}
	f.Fuzz(func(t *testing.T, request, response []byte, n uint16) {
		play := func(cut int, hole bool) map[uint64]string {
			v := &viewer{views: map[uint64]*protocol.View{}}
			p := http1.Protocol{}.NewParser(protocol.Start{})
			for i, text := range [][]byte{request, response} {
				dir := []protocol.Direction{protocol.ToServer, protocol.FromServer}[i]
				for b := range chunks(text, cut) {
					if hole && len(b) > 2 {
						p.Data(dir, b[:len(b)/2], v)
						p.Gap(dir, uint32(len(b)-len(b)/2), nil, v)
						continue
					}
					p.Data(dir, b, v)
				}
			}
			p.Close(v)
			out := map[uint64]string{}
			for id, view := range v.views {
				if view != nil && (len(view.Operation) > 64+len("…") || len(view.Target) > 256) {
					t.Fatalf("the names of %+v are not bounded", view)
				}
				out[id] = describe(view)
			}
			return out
		}
		if bytes.Count(request, []byte("HTTP/1.")) == 1 { // pipelining shows by how calls are cut
			if d := cmp.Diff(play(1<<20, false), play(1+int(n)%64, false)); d != "" && isWellFormed(request, response) {
				t.Errorf("cut into %d bytes (-whole +cut):\n%s", 1+n%64, d)
			}
		}
		play(1+int(n), true)
	})
}

// isWellFormed reports whether both are heads that no empty line comes before: the rest depends on how calls are cut, by design.
func isWellFormed(request, response []byte) bool {
	v := http1.Protocol{}.Recognize(request)
	return v == protocol.IsRequest && bytes.HasPrefix(response, []byte("HTTP/1.1 200 X\r\n")) && bytes.Count(response, []byte("HTTP/1.")) == 1
}

func chunks(b []byte, n int) func(func([]byte) bool) {
	return func(yield func([]byte) bool) {
		for len(b) > 0 {
			k := min(n, len(b))
			if !yield(b[:k]) {
				return
			}
			b = b[k:]
		}
	}
}
