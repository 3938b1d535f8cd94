package http2

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/net/http2"

	"github.com/sonde-dev/sonde/agent/protocol"
)

const (
	message = "\x00\x00\x00\x00\x03abc"
	hello   = "/demo.Greeter/SayHello"
)

// answer writes the head of a gRPC response.
func (w *wire) answer(stream uint32) {
	w.headers(s, stream, false, ":status: 200", "content-type: application/grpc")
}

func (w *wire) trailers(stream uint32, code string) {
	w.headers(s, stream, true, "grpc-status: "+code, "grpc-message: ")
}

var grpcConversations = []conversation{
	{"unary", func(w *wire) {
		w.preface()
		w.rpc(1, hello)
		w.data(c, 1, true, message)
		w.answer(1)
		w.data(s, 1, false, message)
		w.trailers(1, "0")
	}, nil, nil},
	{"errors, alone and after an answer", func(w *wire) {
		w.preface()
		w.rpc(1, hello)
		w.data(c, 1, true, message)
		w.headers(s, 1, true, ":status: 200", "content-type: application/grpc", "grpc-status: 5", "grpc-message: no such thing")
		w.rpc(3, hello)
		w.data(c, 3, true, message)
		w.answer(3)
		w.trailers(3, "13")
		w.rpc(5, hello)
		w.data(c, 5, true, message)
		w.headers(s, 5, true, ":status: 200", "grpc-status: 99")
	}, nil, nil},
	{"answers that are not gRPC", func(w *wire) {
		w.preface()
		w.rpc(1, hello)
		w.data(c, 1, true, message)
		w.headers(s, 1, false, ":status: 502", "content-type: text/html")
		w.data(s, 1, true, "<html>")
		w.rpc(3, hello)
		w.data(c, 3, true, message)
		w.headers(s, 3, true, ":status: 200")
	}, nil, nil},
	{"streams both ways", func(w *wire) {
		w.preface()
		w.rpc(1, "/demo.Greeter/Chat")
		w.answer(1)
		for range 3 {
			w.data(c, 1, false, message)
			w.data(s, 1, false, message+message)
		}
		w.data(c, 1, true, "")
		w.trailers(1, "0")
	}, nil, nil},
	{"cancelled, refused, beside plain HTTP", func(w *wire) {
		w.preface()
		w.rpc(1, hello)
		w.data(c, 1, true, message)
		w.reset(c, 1, http2.ErrCodeCancel)
		w.rpc(3, hello)
		w.reset(s, 3, http2.ErrCodeRefusedStream)
		w.rpc(5, hello)
		w.answer(5)
		w.data(s, 5, false, message)
		w.reset(s, 5, http2.ErrCodeEnhanceYourCalm)
		w.get(7, "/healthz")
		w.ok(7, true)
		w.rpc(9, hello)
		w.answer(9)
	}, nil, nil},
}

// wantGRPC is apart because gofmt would make columns of it.
var wantGRPC = [][]string{
	{"grpc - demo.Greeter/SayHello OK req=8 res=8"},
	{
		"grpc - demo.Greeter/SayHello NOT_FOUND req=8 res=0 client=NOT_FOUND",
		"grpc - demo.Greeter/SayHello INTERNAL req=8 res=0 server=INTERNAL client=INTERNAL",
		"grpc - demo.Greeter/SayHello UNKNOWN req=8 res=0 server=UNKNOWN client=UNKNOWN",
	},
	{
		"grpc - demo.Greeter/SayHello UNAVAILABLE req=8 res=6 server=UNAVAILABLE client=UNAVAILABLE",
		"grpc - demo.Greeter/SayHello UNKNOWN req=8 res=0 server=UNKNOWN client=UNKNOWN",
	},
	{"grpc - demo.Greeter/Chat OK req=24 res=48"},
	{
		"grpc - demo.Greeter/SayHello CANCELLED req=8 res=0 client=CANCELLED",
		"grpc - demo.Greeter/SayHello UNAVAILABLE req=0 res=0 server=UNAVAILABLE client=UNAVAILABLE",
		"grpc - demo.Greeter/SayHello RESOURCE_EXHAUSTED req=0 res=8 client=RESOURCE_EXHAUSTED",
		"GET /healthz 200 req=0 res=0",
		"grpc - demo.Greeter/SayHello - req=0 res=0 cut",
	},
}

func init() {
	for i := range grpcConversations {
		grpcConversations[i].want = wantGRPC[i]
	}
}

func TestStatusOfGRPC(t *testing.T) {
	for value, want := range map[string]string{
		"0": "OK", "1": "CANCELLED", "4": "DEADLINE_EXCEEDED", "16": "UNAUTHENTICATED", "17": "UNKNOWN", "": "UNKNOWN",
		"-1": "UNKNOWN", "99999999999999999999": "UNKNOWN", "00": "OK",
	} {
		if got := grpcStatus([]byte(value)); got != want {
			t.Errorf("grpcStatus(%q) = %q, want %q", value, got, want)
		}
	}
}

// Calls of other systems are plain HTTP with further attributes.
func TestAttributesOfCalls(t *testing.T) {
	for _, tt := range []struct {
		path    string
		lines   []string
		want    []protocol.Attribute
		comment string
	}{
		{"/shop.Cart/Add", []string{"content-type: application/grpc-web+proto"}, call("grpc", "shop.Cart/Add"), ""},
		{"/shop.Cart/Add", []string{"content-type: application/grpc-web-text"}, call("grpc", "shop.Cart/Add"), ""},
		{"/shop.Cart/Add", []string{"content-type: application/connect+json"}, call("connectrpc", "shop.Cart/Add"), "a stream of Connect"},
		{"/shop.Cart/Add", []string{"content-type: application/json; charset=utf-8", "connect-protocol-version: 1"}, call("connectrpc", "shop.Cart/Add"), ""},
		{"/shop.Cart/Add", []string{"content-type: application/json"}, nil, "any API"},
		{"/twirp/shop.Cart/Add", []string{"content-type: application/protobuf"}, call("twirp", "shop.Cart/Add"), ""},
		{"/add", []string{"content-type: application/grpc-web"}, nil, "no method"},
	} {
		w := newWire()
		w.preface()
		w.headers(c, 1, true, append([]string{":method: POST", ":scheme: http", ":authority: shop.example", ":path: " + tt.path}, tt.lines...)...)
		p, r := newParser(false), newRecorder(t)
		w.play(p, r)
		want := append(tt.want, protocol.Attribute{Key: "server.address", Value: "shop.example"}, protocol.Attribute{Key: "network.protocol.version", Value: "2"})
		if diff := cmp.Diff(want, r.exchanges[1].req.Attributes); diff != "" || r.exchanges[1].req.Protocol != nil {
			t.Errorf("%s %v (%s): attributes (-want +got):\n%s", tt.path, tt.lines, tt.comment, diff)
		}
	}
}

func call(system, method string) []protocol.Attribute {
	return []protocol.Attribute{{Key: "rpc.system.name", Value: system}, {Key: "rpc.method", Value: method}}
}
