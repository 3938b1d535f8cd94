package http2

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/net/http2"

	"github.com/sonde-dev/sonde/agent/protocol"
	"github.com/sonde-dev/sonde/signal"
)

const (
	c = protocol.ToServer
	s = protocol.FromServer
)

// conversation is what two ends say, and what must come of it. An exchange without a response does not end here: the engine ends it.
type conversation struct {
	name   string
	say    func(w *wire)
	want   []string
	losses signal.Losses
}

var plainConversations = []conversation{
	{"get", func(w *wire) {
		w.preface()
		w.get(1, "/a?secret=1")
		w.ok(1, false)
		w.data(s, 1, true, "hello")
	}, []string{"GET /a 200 req=0 res=5"}, nil},
	{"upload, response without a body", func(w *wire) {
		w.preface()
		w.headers(c, 1, false, ":method: PUT", ":scheme: http", ":authority: x", ":path: /big")
		w.data(c, 1, false, strings.Repeat("x", 16384))
		w.data(c, 1, true, "rest")
		w.headers(s, 1, true, ":status: 503")
	}, []string{"PUT /big 503 req=16388 res=0 server=503 client=503"}, nil},
	{"interleaved streams", func(w *wire) {
		w.preface()
		w.get(1, "/1")
		w.get(3, "/3")
		w.get(5, "/5")
		w.ok(5, false)
		w.ok(1, false)
		w.data(s, 1, false, "abc")
		w.data(s, 5, true, "12345")
		w.headers(s, 3, true, ":status: 404")
		w.data(s, 1, true, "de")
	}, []string{"GET /5 200 req=0 res=5", "GET /3 404 req=0 res=0 client=404", "GET /1 200 req=0 res=5"}, nil},
	{"interim responses, trailers, unregistered method and status", func(w *wire) {
		w.preface()
		w.headers(c, 1, true, ":method: BREW", ":scheme: http", ":authority: x", ":path: /")
		w.headers(s, 1, false, ":status: 103", "link: x")
		w.headers(s, 1, false, ":status: 418")
		w.data(s, 1, false, "tea")
		w.headers(s, 1, true, "x-checksum: 1")
	}, []string{"_OTHER / 418 req=0 res=3 client=418"}, nil},
	{"padding and priority", func(w *wire) {
		w.preface()
		f := w.ends[c].framer
		_ = f.WriteHeaders(http2.HeadersFrameParam{
			StreamID: 1, BlockFragment: w.fields(c, ":method: POST", ":scheme: http", ":authority: x", ":path: /p"), EndHeaders: true,
			PadLength: 7, Priority: http2.PriorityParam{StreamDep: 0, Weight: 9},
		})
		_ = f.WriteDataPadded(1, true, []byte("body"), make([]byte, 200))
		_ = f.WritePriority(3, http2.PriorityParam{Weight: 1})
		_ = f.WriteWindowUpdate(0, 100)
		w.call(c)
		_ = w.ends[s].framer.WriteRawFrame(0xee, 0xff, 77, []byte("of a type yet to be invented"))
		w.ok(1, true)
	}, []string{"POST /p 200 req=4 res=0"}, nil},
	{"continuation", func(w *wire) {
		w.preface()
		b := w.fields(c, ":method: GET", ":scheme: http", ":authority: x", ":path: /c", "cookie: "+strings.Repeat("n", 900))
		f := w.ends[c].framer
		_ = f.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: b[:5], EndStream: true, PadLength: 3})
		_ = f.WriteContinuation(1, false, b[5:17])
		_ = f.WriteContinuation(1, true, b[17:])
		w.call(c)
		w.ok(1, true)
		w.get(3, "/d")
		w.ok(3, true)
	}, []string{"GET /c 200 req=0 res=0", "GET /d 200 req=0 res=0"}, nil},
	{"the response ends first", func(w *wire) {
		w.preface()
		w.headers(c, 1, false, ":method: POST", ":scheme: http", ":authority: x", ":path: /early")
		w.headers(s, 1, true, ":status: 413")
		w.reset(s, 1, http2.ErrCodeNo)
	}, []string{"POST /early 413 req=0 res=0 client=413"}, nil},
	{"reset by either side", func(w *wire) {
		w.preface()
		w.get(1, "/cancelled")
		w.reset(c, 1, http2.ErrCodeCancel)
		w.get(3, "/refused")
		w.reset(s, 3, http2.ErrCodeRefusedStream)
		w.get(5, "/broken")
		w.ok(5, false)
		w.data(s, 5, false, "part")
		w.reset(s, 5, http2.ErrCodeInternal)
		w.ok(1, true) // crossed the reset
	}, []string{
		"GET /cancelled - req=0 res=0 server=cancel client=cancel",
		"GET /refused - req=0 res=0 server=refused_stream client=refused_stream",
		"GET /broken 200 req=0 res=4 server=internal_error client=internal_error",
	}, nil},
	{"going away", func(w *wire) {
		w.preface()
		w.get(1, "/1")
		w.get(3, "/3")
		w.goAway(1<<31-1, http2.ErrCodeNo)
		w.goAway(1, http2.ErrCodeNo)
		w.get(5, "/5")
		w.ok(1, true)
	}, []string{
		"GET /3 - req=0 res=0 server=refused_stream client=refused_stream",
		"GET /5 - req=0 res=0 server=refused_stream client=refused_stream",
		"GET /1 200 req=0 res=0",
	}, nil},
	{"tunnel", func(w *wire) {
		w.preface()
		w.headers(c, 1, false, ":method: CONNECT", ":authority: db.example:5432")
		w.ok(1, false)
		w.data(c, 1, false, "anything")
		w.data(s, 1, true, "anything")
	}, []string{"CONNECT - 200 req=0 res=0"}, nil},
	{"pushed", func(w *wire) {
		w.preface()
		w.get(1, "/")
		_ = w.ends[s].framer.WritePushPromise(http2.PushPromiseParam{
			StreamID: 1, PromiseID: 2, EndHeaders: true, BlockFragment: w.fields(s, ":method: GET", ":path: /style.css", ":scheme: http", ":authority: x"),
		})
		w.ok(1, true)
		w.ok(2, false)
		w.data(s, 2, true, "css")
	}, []string{"GET / 200 req=0 res=0"}, nil},
	{"response reported before its request", func(w *wire) {
		w.preface()
		w.get(1, "/1")
		w.get(3, "/3")
		w.get(5, "/5")
		n := len(w.calls)
		w.ok(3, true)
		w.ok(5, false)
		w.calls = slices.Insert(w.calls, n-2, w.calls[n:]...)
		w.calls = w.calls[:n+2]
		w.data(s, 5, true, "abc")
		w.ok(1, true)
	}, []string{"GET /3 200 req=0 res=0", "GET /5 200 req=0 res=3", "GET /1 200 req=0 res=0"}, nil},
	{"upgraded from HTTP/1", func(w *wire) {
		w.preface()
		w.ok(1, false)
		w.data(s, 1, true, "the answer to the request that upgraded")
		w.get(3, "/3")
		w.ok(3, true)
	}, []string{"GET /3 200 req=0 res=0"}, nil},
}

func play(t *testing.T, calls []segment, want []string, losses signal.Losses) {
	t.Helper()
	p, r := newParser(false), newRecorder(t)
	(&wire{calls: calls}).play(p, r)
	p.Close(r)
	if diff := cmp.Diff(want, r.got); diff != "" {
		t.Errorf("exchanges (-want +got):\n%s", diff)
	}
	if len(losses)+len(r.losses) > 0 {
		if diff := cmp.Diff(losses, r.losses); diff != "" {
			t.Errorf("losses (-want +got):\n%s", diff)
		}
	}
	if n := len(p.streams); n != 0 {
		t.Errorf("%d streams left", n)
	}
}

func TestConversations(t *testing.T) {
	for _, tt := range slices.Concat(plainConversations, grpcConversations, lossConversations) {
		t.Run(tt.name, func(t *testing.T) {
			w := newWire()
			tt.say(w)
			play(t, w.calls, tt.want, tt.losses)
		})
	}
}
