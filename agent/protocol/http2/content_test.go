package http2

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sonde-dev/sonde/agent/protocol"
)

// reader keeps what is handed over to be read, by exchange.
type reader struct {
	*recorder
	text  map[uint64][2]string // by protocol.Direction
	isOff bool
}

func (r *reader) WantsContent() bool { return !r.isOff }

func (r *reader) Content(id uint64, dir protocol.Direction, form protocol.Form, b []byte) {
	x := r.get(id, "Content")
	if form != protocol.FormHTTP || dir == protocol.FromServer && (!x.begun || x.resEnded) || dir == protocol.ToServer && (!x.head || x.ended) {
		r.t.Fatalf("Content(%d, %d, %d) with %+v", id, dir, form, *x)
	}
	text := r.text[id]
	text[dir] += string(b)
	r.text[id] = text
}

func TestContent(t *testing.T) {
	w := newWire()
	w.preface()
	w.rpc(1, hello) // with an empty message, as a success has
	w.data(c, 1, true, message)
	w.answer(1)
	w.trailers(1, "0")
	w.rpc(3, hello) // alone
	w.data(c, 3, true, message)
	w.headers(s, 3, true, ":status: 200", "content-type: application/grpc", "grpc-status: 5", "grpc-message: no order 4711%0Afor %E2%82%AC5, 100%")
	w.rpc(5, hello) // behind an answer
	w.data(c, 5, true, message)
	w.answer(5)
	w.data(s, 5, false, message)
	w.headers(s, 5, true, "grpc-status: 13", "grpc-message: "+strings.Repeat("x", 2*longestMessage))
	get := []string{":method: GET", ":scheme: http", ":path: /a?to=b&c=%20d", ":authority: here"}
	w.headers(c, 7, true, get...)
	w.headers(s, 7, false, ":status: 500", "content-type: application/json")
	w.data(s, 7, false, `{"error":`)
	w.data(s, 7, true, `"blue"}`)
	w.headers(c, 9, true, get...)
	w.headers(s, 9, false, ":status: 200")
	w.data(s, 9, true, "fine")
	w.headers(c, 11, true, get...)
	w.headers(s, 11, true, ":status: 404")
	w.headers(c, 13, false, ":method: POST", ":scheme: http", ":path: /orders", "content-type: application/json") // no host
	w.data(c, 13, false, `{"order":`)
	w.headers(s, 13, true, ":status: 201")
	w.data(c, 13, true, `"4711"}`)

	const asked = "GET /a?to=b&c=%20d HTTP/2\r\nhost: here\r\n\r\n"
	want := map[uint64][2]string{
		2: {protocol.FromServer: "HTTP/2 200\r\ngrpc-status: NOT_FOUND\r\ngrpc-message: no order 4711\nfor €5, 100%\r\n\r\n"},
		3: {protocol.FromServer: "HTTP/2 200\r\ngrpc-status: INTERNAL\r\ngrpc-message: " + strings.Repeat("x", longestMessage) + "\r\n\r\n"},
		4: {asked, `HTTP/2 500` + "\r\n\r\n" + `{"error":"blue"}`},
		5: {asked, "HTTP/2 200\r\n\r\nfine"},
		6: {asked, "HTTP/2 404\r\n\r\n"},
		7: {"POST /orders HTTP/2\r\n\r\n" + `{"order":"4711"}`, "HTTP/2 201\r\n\r\n"},
	}
	for _, isOff := range []bool{false, true} {
		r := &reader{newRecorder(t), map[uint64][2]string{}, isOff}
		p := newParser(false)
		w.play(p, r)
		p.Close(r)
		if isOff {
			want = map[uint64][2]string{}
		}
		path := entry{kind: fieldPath}
		if !p.names.read(&path, []byte("/a?to=b"), false) || path.query == "" != isOff {
			t.Errorf("content is off: %t, and the query is kept: %q", isOff, path.query)
		}
		if d := cmp.Diff(want, r.text); d != "" {
			t.Error(d)
		}
	}
}
