package http2

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sonde-dev/sonde/agent/protocol"
)

// viewer is a recorder that keeps what exchanges are in the words of a dialect.
type viewer struct {
	*recorder
	views map[uint64]string
}

func (v *viewer) Whole() {}

func (v *viewer) View(id uint64, view *protocol.View) {
	if v.views[id] = ""; view != nil {
		v.views[id] = fmt.Sprintf("%s %s %s %v", view.Protocol.Name(), view.Operation, view.Target, view.Counts)
	}
}

// post writes a request with JSON. Its fields are the same each time, so that later requests index them.
func (w *wire) post(stream uint32, path, body string) {
	w.headers(protocol.ToServer, stream, false, ":method: POST", ":scheme: http", ":path: "+path, ":authority: 10.0.0.1:9000", "content-type: application/json",
		"authorization: AWS3 none", "anthropic-version: 2023-06-01")
	w.data(protocol.ToServer, stream, true, body)
}

func (w *wire) reply(stream uint32, body string, fields ...string) {
	w.headers(protocol.FromServer, stream, false, append([]string{":status: 200"}, fields...)...)
	half := len(body) / 2
	w.data(protocol.FromServer, stream, false, body[:half])
	w.data(protocol.FromServer, stream, true, body[half:])
}

func TestViews(t *testing.T) {
	const ask = `{"model":"m","messages":[{"content":"x"}]}`
	const usage = `{"type":"message","usage":{"input_tokens":5,"output_tokens":6}}`
	const signed = "authorization: AWS4-HMAC-SHA256 Credential=geheim/1/x/s3/aws4_request, Signature=geheim"
	w := newWire()
	w.preface()
	for i := range uint32(3) {
		w.post(1+20*i, "/v1/messages", ask)
		w.post(3+20*i, "/a/_search", `{}`) // under way with the one before
		w.reply(3+20*i, `{"took":1,"timed_out":false}`, "content-type: application/json", "x-elastic-product: Elasticsearch")
		w.reply(1+20*i, usage, "content-type: application/json")
		w.headers(protocol.ToServer, 5+20*i, true, ":method: GET", ":scheme: http", ":path: /photos?list-type=2&prefix=geheim", ":authority: 10.0.0.1", signed)
		w.reply(5+20*i, "<x/>", "content-type: application/xml")
		w.get(7+20*i, "/photos")
		w.reply(7+20*i, "<x/>", "content-type: application/xml")
	}
	w.post(101, "/v1/messages", ask)
	w.headers(protocol.FromServer, 101, false, ":status: 200", "content-type: application/json")
	w.reset(protocol.FromServer, 101, 2)
	w.post(103, "/graphql", `{"query":"query A { a }"}`)
	v := &viewer{newRecorder(t), map[uint64]string{}}
	p := newParser(false)
	w.play(p, v)
	want := map[uint64]string{13: "anthropic chat m [0 0 1 0]", 14: "graphql query A [0 0 0 0]"}
	for i := range uint64(3) {
		want[1+4*i], want[2+4*i] = "anthropic chat m [5 6 0 0]", "elasticsearch search a [0 0 0 0]"
		want[3+4*i] = "s3 ListObjectsV2 photos [0 0 0 0]"
	}
	if d := cmp.Diff(want, v.views); d != "" {
		t.Errorf("views (-want +got):\n%s", d)
	}
	if s := fmt.Sprintf("%+v %+v", *p, p.halves); strings.Contains(s, "geheim") {
		t.Error("the parser keeps a secret")
	}
}

// A hole in a body leaves a request its name, and its response no number.
func TestViewsWithHoles(t *testing.T) {
	w := newWire()
	w.preface()
	w.post(1, "/v1/messages", `{"model":"m","messages":[]}`)
	w.headers(protocol.FromServer, 1, false, ":status: 200", "content-type: application/json")
	_ = w.ends[protocol.FromServer].framer.WriteData(1, true, []byte(`{"type":"message","usage":{"input_tokens":5,"output_tokens":6}}`))
	w.call(protocol.FromServer)
	last := w.calls[len(w.calls)-1].b
	for at := headerSize; at < len(last); at += 3 {
		v := &viewer{newRecorder(t), map[uint64]string{}}
		p := newParser(false)
		cut := *w
		cut.calls = w.calls[:len(w.calls)-1]
		cut.play(p, v)
		p.Data(protocol.FromServer, last[:at], v)
		p.Gap(protocol.FromServer, 1, nil, v)
		if at+1 < len(last) {
			p.Data(protocol.FromServer, last[at+1:], v)
		}
		if got := v.views[1]; got != "anthropic chat m [0 0 1 0]" {
			t.Fatalf("without byte %d: %q", at, got)
		}
	}
}
