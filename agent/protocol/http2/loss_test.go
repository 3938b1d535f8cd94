package http2

import (
	"strings"

	"golang.org/x/net/http2"

	"github.com/sonde-dev/sonde/signal"
)

var lossConversations = []conversation{
	{"joined: fields of old entries are unknown, others are not", func(w *wire) {
		w.preface()
		w.get(1, "/old")
		w.ok(1, true)
		w.join()
		w.get(3, "/old") // every field from the dynamic table
		w.ok(3, true)
		w.get(5, "/new") // adds an entry
		w.ok(5, true)
		w.get(7, "/new") // refers to it
		w.headers(s, 7, true, ":status: 404", "server: test")
		w.headers(c, 9, true, ":method: GET", ":scheme: http", ":authority: new.example", ":path: /new")
		w.ok(9, true)
		w.get(11, "/new") // and now behind another one
		w.ok(11, true)
	}, []string{
		"GET - 200 req=0 res=0 partial", "GET /new 200 req=0 res=0", "GET /new 404 req=0 res=0 client=404", "GET /new 200 req=0 res=0",
		"GET /new 200 req=0 res=0",
	}, nil},
	{"joined between request and response", func(w *wire) {
		w.preface()
		w.get(1, "/1")
		w.get(3, "/3")
		w.join()
		w.ok(3, false)
		w.data(s, 3, true, "abc")
		w.get(5, "/5")
		w.ok(1, true)
		w.ok(5, true)
	}, []string{"GET /5 200 req=0 res=0"}, signal.Losses{signal.OrphanResponse: 2}},
	{"joined in the middle of bodies", func(w *wire) {
		w.preface()
		w.headers(c, 1, false, ":method: POST", ":scheme: http", ":authority: x", ":path: /1")
		w.ok(1, false)
		w.data(s, 1, false, strings.Repeat("x", 100))
		w.join()
		w.data(s, 1, false, strings.Repeat("x", 100))
		w.calls[0].b = w.calls[0].b[50:]
		w.data(c, 1, true, "abc")
		w.data(s, 1, true, strings.Repeat("x", 100))
		w.get(3, "/3")
		w.ok(3, true)
	}, []string{"GET /3 200 req=0 res=0"}, nil},
	{"joined: a gRPC status from an old entry", func(w *wire) {
		w.preface()
		w.rpc(1, hello)
		w.answer(1)
		w.trailers(1, "5")
		w.join()
		w.rpc(3, "/demo.Greeter/Other")
		w.data(c, 3, true, message)
		w.answer(3)
		w.trailers(3, "5")
		w.rpc(5, "/demo.Greeter/Other")
		w.data(c, 5, true, message)
		w.answer(5)
		w.trailers(5, "7")
	}, []string{
		"grpc - demo.Greeter/Other - req=8 res=0 partial",
		"grpc - demo.Greeter/Other - req=8 res=0 partial", // even the name of the field is an old entry's
	}, nil},
	{"a hole inside a DATA frame", func(w *wire) {
		w.preface()
		w.get(1, "/1")
		w.ok(1, false)
		w.data(s, 1, false, strings.Repeat("x", 5000))
		w.cut(1000, 5000+headerSize)
		w.data(s, 1, true, strings.Repeat("x", 3000))
		w.cut(headerSize, 2000)
	}, []string{"GET /1 200 req=0 res=8000"}, nil},
	{"a hole in the padding of a DATA frame", func(w *wire) {
		w.preface()
		w.get(1, "/1")
		w.ok(1, false)
		_ = w.ends[s].framer.WriteDataPadded(1, true, []byte("body"), make([]byte, 100))
		w.call(s)
		w.cut(headerSize+1, 100)
		w.get(3, "/3")
		w.ok(3, false)
		_ = w.ends[s].framer.WriteDataPadded(3, true, []byte("body"), make([]byte, 100))
		w.call(s)
		w.cut(headerSize, 100)
	}, []string{"GET /1 200 req=0 res=4", "GET /3 200 req=0 res=104 partial"}, nil},
	{"a hole in a request's fields", func(w *wire) {
		w.preface()
		w.get(1, "/1")
		w.cut(headerSize+1, len(w.calls[len(w.calls)-1].b)-2)
		w.ok(1, true)
		w.get(3, "/1") // the table is behind
		w.ok(3, true)
		w.get(5, "/5")
		w.ok(5, true)
	}, []string{"- - 200 req=0 res=0 partial", "GET - 200 req=0 res=0 partial", "GET /5 200 req=0 res=0"}, signal.Losses{signal.ParserGaveUp: 1}},
	{"requests lost", func(w *wire) {
		w.preface()
		w.get(1, "/1")
		w.get(3, "/3")
		w.lose()
		w.get(5, "/5")
		w.lose()
		w.get(7, "/7")
		w.ok(3, true)
		w.ok(5, true)
		w.ok(1, true)
		w.ok(7, true)
	}, []string{"GET /1 200 req=0 res=0", "GET /7 200 req=0 res=0"}, signal.Losses{signal.OrphanResponse: 2}},
	{"requests lost more than once", func(w *wire) {
		w.preface()
		for i := range uint32(10) {
			w.get(2*i+1, "/"+word(i))
			if i%3 == 1 {
				w.lose()
			}
		}
		for i := range uint32(10) {
			w.headers(s, 2*i+1, true, ":status: 204")
		}
	}, []string{
		"GET /aa 204 req=0 res=0", "GET /ac 204 req=0 res=0", "GET /ad 204 req=0 res=0", "GET /af 204 req=0 res=0",
		"GET /ag 204 req=0 res=0", "GET /ai 204 req=0 res=0", "GET /aj 204 req=0 res=0",
	}, signal.Losses{signal.OrphanResponse: 3}},
	{"responses lost", func(w *wire) {
		w.preface()
		w.get(1, "/1")
		w.get(3, "/3")
		w.ok(1, false)
		w.data(s, 1, true, "abc")
		w.lose()
		w.ok(3, true)
		w.get(5, "/5")
		w.ok(5, true)
	}, []string{"GET /1 200 req=0 res=0 partial", "GET /3 - req=0 res=0 partial", "GET /5 200 req=0 res=0"}, signal.Losses{signal.ParserGaveUp: 2}},
	{"a request's body lost", func(w *wire) {
		w.preface()
		w.headers(c, 1, false, ":method: PUT", ":scheme: http", ":authority: x", ":path: /up")
		w.data(c, 1, false, "abc")
		w.data(c, 1, true, "def")
		w.lose()
		w.ok(1, true)
		w.get(3, "/3")
		w.headers(s, 3, true, ":status: 204")
	}, []string{"PUT /up 200 req=3 res=0 partial", "GET /3 204 req=0 res=0"}, nil},
	{"frames that break the rules", func(w *wire) {
		w.preface()
		w.get(1, "/1")
		_ = w.ends[s].framer.WriteRawFrame(http2.FramePing, 0, 0, []byte("short"))
		w.call(s)
		w.get(3, "/3")
		w.headers(s, 3, true, ":status: 204")
	}, []string{"GET /1 - req=0 res=0 partial", "GET /3 204 req=0 res=0"}, signal.Losses{signal.ParserGaveUp: 2}},
	{"the connection ends in the middle", func(w *wire) {
		w.preface()
		w.get(1, "/1")
		w.get(3, "/3")
		w.ok(1, false)
		w.data(s, 1, false, "part")
	}, []string{"GET /1 200 req=0 res=4 cut"}, nil},
}

// cut makes a hole of n bytes from offset on in the latest call.
func (w *wire) cut(offset, n int) {
	last := w.calls[len(w.calls)-1]
	n = min(n, len(last.b)-offset)
	w.calls[len(w.calls)-1].b = last.b[:offset]
	w.calls = append(w.calls, segment{dir: last.dir, skip: n, b: last.b[offset+n:]})
}
