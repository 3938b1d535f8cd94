package http2

import (
	"bytes"
	"strings"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"

	"github.com/sonde-dev/sonde/agent/protocol"
)

// wire writes a conversation with the frames and field blocks of golang.org/x/net, which are none of ours.
type wire struct {
	calls []segment
	ends  [2]*end
}

// segment is a call, or with skip a hole of that many bytes before it.
type segment struct {
	dir  protocol.Direction
	b    []byte
	skip int
}

type end struct {
	out    bytes.Buffer
	block  bytes.Buffer
	framer *http2.Framer
	enc    *hpack.Encoder
}

func newWire() *wire {
	w := &wire{}
	for i := range w.ends {
		e := &end{}
		e.framer = http2.NewFramer(&e.out, nil)
		e.framer.AllowIllegalWrites = true
		e.enc = hpack.NewEncoder(&e.block)
		w.ends[i] = e
	}
	return w
}

// call ends a call: what the end wrote since its last one.
func (w *wire) call(dir protocol.Direction) {
	e := w.ends[dir]
	if e.out.Len() > 0 {
		w.calls = append(w.calls, segment{dir: dir, b: bytes.Clone(e.out.Bytes())})
		e.out.Reset()
	}
}

// fields encodes "name: value" lines.
func (w *wire) fields(dir protocol.Direction, lines ...string) []byte {
	e := w.ends[dir]
	e.block.Reset()
	for _, l := range lines {
		i := strings.Index(l[1:], ": ") + 1
		_ = e.enc.WriteField(hpack.HeaderField{Name: l[:i], Value: l[i+2:]})
	}
	return bytes.Clone(e.block.Bytes())
}

func (w *wire) preface() {
	c, s := w.ends[protocol.ToServer], w.ends[protocol.FromServer]
	c.out.WriteString(preface)
	_ = c.framer.WriteSettings(http2.Setting{ID: http2.SettingInitialWindowSize, Val: 1 << 20})
	w.call(protocol.ToServer)
	_ = s.framer.WriteSettings()
	_ = s.framer.WriteSettingsAck()
	w.call(protocol.FromServer)
	_ = c.framer.WriteSettingsAck()
	w.call(protocol.ToServer)
}

// headers writes a HEADERS frame in a call of its own.
func (w *wire) headers(dir protocol.Direction, stream uint32, isEnd bool, lines ...string) {
	_ = w.ends[dir].framer.WriteHeaders(http2.HeadersFrameParam{
		StreamID: stream, BlockFragment: w.fields(dir, lines...), EndStream: isEnd, EndHeaders: true,
	})
	w.call(dir)
}

func (w *wire) data(dir protocol.Direction, stream uint32, isEnd bool, b string) {
	_ = w.ends[dir].framer.WriteData(stream, isEnd, []byte(b))
	w.call(dir)
}

func (w *wire) reset(dir protocol.Direction, stream uint32, code http2.ErrCode) {
	_ = w.ends[dir].framer.WriteRSTStream(stream, code)
	w.call(dir)
}

func (w *wire) goAway(last uint32, code http2.ErrCode) {
	_ = w.ends[protocol.FromServer].framer.WriteGoAway(last, code, nil)
	w.call(protocol.FromServer)
}

// get writes a request without a body.
func (w *wire) get(stream uint32, path string) {
	w.headers(protocol.ToServer, stream, true, ":method: GET", ":scheme: http", ":authority: shop.example:8080", ":path: "+path, "user-agent: test")
}

// rpc writes the head of a gRPC call.
func (w *wire) rpc(stream uint32, method string) {
	w.headers(protocol.ToServer, stream, false, ":method: POST", ":scheme: http", ":path: "+method, ":authority: shop.example",
		"content-type: application/grpc", "te: trailers")
}

func (w *wire) ok(stream uint32, isEnd bool) {
	w.headers(protocol.FromServer, stream, isEnd, ":status: 200", "content-type: text/plain", "server: test")
}

// lose replaces the latest call by a hole of its size.
func (w *wire) lose() {
	c := &w.calls[len(w.calls)-1]
	c.skip, c.b = len(c.b), nil
}

// join drops the calls so far: the connection is joined here.
func (w *wire) join() { w.calls = nil }

func (w *wire) play(p *parser, sink protocol.Sink) {
	for _, c := range w.calls {
		if c.skip > 0 {
			p.Gap(c.dir, uint32(c.skip), nil, sink)
		}
		if len(c.b) > 0 {
			p.Data(c.dir, c.b, sink)
		}
	}
}
