package http1

import (
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/sonde-dev/sonde/agent/protocol"
	"github.com/sonde-dev/sonde/signal"
)

func TestRecognize(t *testing.T) {
	long := "/" + strings.Repeat("x", 40)
	for _, tt := range []struct {
		in   string
		want protocol.Verdict
	}{
		{"", protocol.Maybe},
		{"\r\n", protocol.Maybe},
		{"G", protocol.Maybe},
		{"GET", protocol.Maybe},
		{"GET ", protocol.Maybe},
		{"GET /", protocol.Maybe},
		{"GET / HTTP/1.1", protocol.Maybe},
		{"GET / HTTP/1.1\r\n", protocol.IsRequest},
		{"\r\nGET / HTTP/1.0\n", protocol.IsRequest},
		{"GET " + long, protocol.IsRequest},
		{"VERSION-CONTROL /x HTTP/1.1\r\n", protocol.IsRequest},
		{"OPTIONS * HTTP/1.1\r\n", protocol.IsRequest},
		{"CONNECT a:1 HTTP/1.1\r\n", protocol.IsRequest},
		{"GET https://h/ HTTP/1.1\r\n", protocol.IsRequest},
		{"GET / HTTP/2.0\r\n", protocol.No},
		{"GET /\r\n", protocol.No},            // HTTP/0.9
		{"GET key\r\n", protocol.No},          // Redis, inline
		{"get / HTTP/1.1\r\n", protocol.No},   // methods are case-sensitive
		{"PURGE / HTTP/1.1\r\n", protocol.No}, // not on the list
		{"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", protocol.No},
		{"OPTIONS rtsp://h/ RTSP/1.0\r\n", protocol.No},
		{"OPTIONS sip:a@b SIP/2.0\r\n", protocol.No},
		{"GET /\x00\x01\x02", protocol.No},
		{"H", protocol.Maybe},
		{"HTTP/1.", protocol.Maybe},
		{"HTTP/1.1 20", protocol.Maybe},
		{"HTTP/1.1 200", protocol.IsResponse},
		{"HTTP/1.0 404 Not Found\r\n", protocol.IsResponse},
		{"HTTP/1.1 099", protocol.No},
		{"HTTP/1.1 2000", protocol.No},
		{"HTTP/2 200\r\n", protocol.No},
		{"*1\r\n$4\r\nPING\r\n", protocol.No},
		{"\x16\x03\x01\x02\x00\x01", protocol.No},
		{"SSH-2.0-OpenSSH_9.2\r\n", protocol.No},
		{"EHLO host\r\n", protocol.No},
		{"PING\r\n", protocol.No},
	} {
		if got := recognize([]byte(tt.in)); got != tt.want {
			t.Errorf("recognize(%q) = %v, want %v", tt.in, got, tt.want)
		}
	}
}

// Random bytes are claimed by nobody. Bytes that begin with a letter or two of a method may ask for more.
func TestRecognizeRandom(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	b := make([]byte, 64)
	for range 300_000 {
		for i := range b {
			b[i] = byte(r.Uint32())
		}
		if v := recognize(b[:8+r.IntN(56)]); v != protocol.No {
			t.Fatalf("recognize(%q) = %v, want No", b, v)
		}
	}
}

// checker verifies the grammar of what a parser tells, whatever the bytes are.
type checker struct {
	t        testing.TB
	requests map[uint64]*life
	opaque   bool
	bytes    uint64
}

type life struct{ head, ended, resHead, resEnded bool }

func newChecker(t testing.TB) *checker { return &checker{t: t, requests: map[uint64]*life{}} }

func (c *checker) get(id uint64, what string) *life {
	if c.opaque {
		c.t.Fatalf("%s(%d) after Opaque", what, id)
	}
	l := c.requests[id]
	if l == nil {
		c.t.Fatalf("%s(%d) without RequestBegin", what, id)
	}
	return l
}

func (c *checker) RequestBegin(id uint64) {
	if id == 0 || c.requests[id] != nil {
		c.t.Fatalf("RequestBegin(%d) is not new", id)
	}
	c.requests[id] = &life{}
}

func (c *checker) RequestHead(id uint64, r protocol.Request) {
	l := c.get(id, "RequestHead")
	if l.head || l.ended || r.Operation == "" || strings.ContainsAny(r.Target, "?# \r\n") {
		c.t.Fatalf("RequestHead(%d, %+v) with %+v", id, r, *l)
	}
	l.head = true
}

func (c *checker) RequestEnd(id uint64, e protocol.End) {
	l := c.get(id, "RequestEnd")
	if l.ended || e.BodyBytes > c.bytes {
		c.t.Fatalf("RequestEnd(%d, %+v) with %+v", id, e, *l)
	}
	l.ended = true
}

func (c *checker) ResponseBegin(id uint64) {
	if l := c.get(id, "ResponseBegin"); l.resEnded {
		c.t.Fatalf("ResponseBegin(%d) after its end", id)
	}
}

func (c *checker) ResponseHead(id uint64, r protocol.Response) {
	l := c.get(id, "ResponseHead")
	if l.resHead || l.resEnded || len(r.Status) != 3 {
		c.t.Fatalf("ResponseHead(%d, %+v) with %+v", id, r, *l)
	}
	l.resHead = true
}

func (c *checker) ResponseEnd(id uint64, e protocol.End) {
	l := c.get(id, "ResponseEnd")
	if l.resEnded || e.BodyBytes > c.bytes || !l.resHead && !e.Partial && !e.Cut {
		c.t.Fatalf("ResponseEnd(%d, %+v) with %+v", id, e, *l)
	}
	l.resEnded = true
}

func (c *checker) Opaque() { c.opaque = true }

func (c *checker) Lost(signal.Cause, uint64) {}

// FuzzParse drives a parser with a script: each step takes a byte of orders and some of the text.
func FuzzParse(f *testing.F) {
	f.Add([]byte("\x00\x20\x01\x20\x02\x10"), []byte("GET / HTTP/1.1\r\nHost: x\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc"), false)
	f.Add([]byte("\x00\xff\x01\xff"), []byte("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\nHTTP/1.1 100 C\r\n\r\n"), true)
	f.Add([]byte("\x00\x1b\x01\x13\x03\x20\x01\x40"), []byte("HEAD / HTTP/1.1\nHost:x\n\nHTTP/1.1 200 OK\n\nHTTP/1.1 200 OK\r\n\r\n"), false)
	f.Add([]byte("\x00\x30\x01\x30"), []byte("CONNECT a:1 HTTP/1.1\r\n\r\nHTTP/1.1 200 OK\r\n\r\n"), false)
	f.Fuzz(func(t *testing.T, orders, text []byte, joined bool) {
		p := newParser(joined)
		c := newChecker(t)
		for len(orders) >= 2 {
			dir := protocol.Direction(orders[0] & 1)
			n := min(int(orders[1]), len(text))
			if orders[0]&2 != 0 {
				size := uint32(orders[1])<<(orders[0]>>4) + uint32(orders[0]>>2&3)
				tail := text[:min(n, 8, int(size))]
				c.bytes += uint64(size)
				p.Gap(dir, size, tail, c)
			} else {
				c.bytes += uint64(n)
				p.Data(dir, text[:n], c)
				text = text[n:]
			}
			orders = orders[2:]
			if p.queue.len() > maxQueue+1 || len(p.req.buf) > maxHead || len(p.res.buf) > maxHead {
				t.Fatalf("not bounded: %d waiting, heads of %d and %d bytes", p.queue.len(), len(p.req.buf), len(p.res.buf))
			}
		}
		if !c.opaque {
			p.Close(c)
		}
	})
}

func TestParserIsBounded(t *testing.T) {
	p, c := newParser(false), newChecker(t)
	c.bytes = 1 << 40
	junk := []byte(strings.Repeat("X-Junk: "+strings.Repeat("j", 1000)+"\r\n", 200))
	p.Data(protocol.ToServer, []byte("GET / HTTP/1.1\r\n"), c)
	p.Data(protocol.ToServer, junk, c)
	p.Data(protocol.FromServer, []byte("HTTP/1.1 431 Too Large\r\nContent-Length: 0\r\n\r\n"), c)
	if l := c.requests[1]; !l.head || !l.ended || !l.resEnded {
		t.Errorf("overlong head: %+v, want it over", *l)
	}
	for range 5 * maxQueue {
		p.Data(protocol.ToServer, []byte("GET / HTTP/1.1\r\n\r\n"), c)
	}
	if n := p.queue.len(); n > maxQueue {
		t.Errorf("%d requests wait, want at most %d", n, maxQueue)
	}
	if n := cap(p.req.buf); n > 4096 {
		t.Errorf("%d bytes kept for heads, want at most 4096", n)
	}
}
