package http2

import (
	"maps"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sonde-dev/sonde/agent/protocol"
)

// reader keeps what is handed over to be read, by exchange.
type reader struct {
	*recorder
	text map[uint64]string
}

func (r *reader) Content(id uint64, dir protocol.Direction, form protocol.Form, b []byte) {
	if x := r.get(id, "Content"); dir != protocol.FromServer || form != protocol.FormHTTP || !x.begun || x.resEnded {
		r.t.Fatalf("Content(%d, %d, %d) with %+v", id, dir, form, *x)
	}
	r.text[id] += string(b)
}

func TestErrorsCanBeRead(t *testing.T) {
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
	get := []string{":method: GET", ":scheme: http", ":path: /a", ":authority: here"}
	w.headers(c, 7, true, get...)
	w.headers(s, 7, false, ":status: 500", "content-type: application/json")
	w.data(s, 7, false, `{"error":`)
	w.data(s, 7, true, `"blue"}`)
	w.headers(c, 9, true, get...)
	w.headers(s, 9, false, ":status: 200")
	w.data(s, 9, true, "fine")
	w.headers(c, 11, true, get...)
	w.headers(s, 11, true, ":status: 404")

	r := &reader{newRecorder(t), map[uint64]string{}}
	p := newParser(false)
	w.play(p, r)
	p.Close(r)
	want := map[uint64]string{
		2: "HTTP/2 200\r\ngrpc-status: NOT_FOUND\r\ngrpc-message: no order 4711\nfor €5, 100%\r\n\r\n",
		3: "HTTP/2 200\r\ngrpc-status: INTERNAL\r\ngrpc-message: " + strings.Repeat("x", longestMessage) + "\r\n\r\n",
		4: "HTTP/2 500\r\n\r\n" + `{"error":"blue"}`,
		6: "HTTP/2 404\r\n\r\n",
	}
	if d := cmp.Diff(want, maps.Clone(r.text)); d != "" {
		t.Error(d)
	}
}
