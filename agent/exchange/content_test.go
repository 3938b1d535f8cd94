package exchange

import (
	"strings"
	"testing"

	"github.com/sonde-dev/sonde/agent/probe/event"
	"github.com/sonde-dev/sonde/agent/protocol"
	"github.com/sonde-dev/sonde/agent/protocol/http1"
	"github.com/sonde-dev/sonde/agent/protocol/mysql"
	"github.com/sonde-dev/sonde/agent/protocol/redis"
)

type keepAll struct{}

func (keepAll) Keep(*Exchange) bool { return true }

type keepFailed struct{}

func (keepFailed) Keep(x *Exchange) bool { return x.Error != "" }

// contentRun is one connection of a client, driven call by call.
type contentRun struct {
	e    *Engine
	out  []Exchange
	now  uint64
	next [2]uint32
}

func newContentRun(t *testing.T, k Keeper) *contentRun {
	t.Helper()
	r := &contentRun{now: 1e9}
	protocols := []protocol.Protocol{http1.Protocol{}, redis.Protocol{}, mysql.Protocol{}}
	r.e = New(DefaultConfig, protocols, func(x *Exchange) { r.out = append(r.out, *x) }, nil)
	if k != nil {
		r.e.KeepContent(k)
	}
	r.e.Handle(&event.Event{Kind: event.Open, Conn: 1, Time: r.now, Open: event.OpenInfo{Role: event.RoleClient, Seen: true, HasPositions: true}})
	return r
}

// call moves n bytes of which only b was copied.
func (r *contentRun) call(dir event.Direction, b string, n int) {
	r.now += 1e6
	r.e.Handle(&event.Event{Kind: event.Data, Conn: 1, Time: r.now, Direction: dir, Payload: []byte(b), Len: uint32(n), Seq: r.next[dir]})
	r.next[dir] += uint32(n)
}

func (r *contentRun) send(b string)    { r.call(event.Egress, b, len(b)) }
func (r *contentRun) receive(b string) { r.call(event.Ingress, b, len(b)) }

func TestContentOfPipelinedRequestsIsToldApart(t *testing.T) {
	r := newContentRun(t, keepAll{})
	a, b := "POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc", "GET /b HTTP/1.1\r\nHost: x\r\n\r\n"
	ra, rb := "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", "HTTP/1.1 404 Not Found\r\nContent-Length: 2\r\n\r\nno"
	r.send(a + b[:9])
	r.send(b[9:])
	r.receive(ra + rb)
	if len(r.out) != 2 {
		t.Fatalf("%d exchanges, want 2", len(r.out))
	}
	for i, want := range [][2]string{{a, ra}, {b, rb}} {
		c := r.out[i].Content
		if string(c.Request.Bytes) != want[0] || string(c.Response.Bytes) != want[1] || c.Request.IsCut || c.Response.IsCut {
			t.Errorf("content %d = %q and %q, want %q", i, c.Request.Bytes, c.Response.Bytes, want)
		}
	}
}

func TestContentEndsAtAHole(t *testing.T) {
	r := newContentRun(t, keepAll{})
	head := "POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 30\r\n\r\n"
	r.call(event.Egress, head+"password=ab", len(head)+20) // nine bytes were not copied
	r.send("tail+of+it")
	r.receive("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
	if len(r.out) != 1 {
		t.Fatalf("%d exchanges, want 1", len(r.out))
	}
	c := r.out[0].Content
	if got := string(c.Request.Bytes); got != head+"password=ab" || !c.Request.IsCut {
		t.Errorf("request = %q, cut %v", got, c.Request.IsCut)
	}
}

func TestContentIsBounded(t *testing.T) {
	r := newContentRun(t, keepAll{})
	r.send("POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n")
	for range 10 {
		r.send(strings.Repeat("x", 10000))
	}
	r.receive("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
	if c := r.out[0].Content; len(c.Request.Bytes) != maxSnippet || !c.Request.IsCut {
		t.Errorf("%d bytes kept, cut %v", len(c.Request.Bytes), c.Request.IsCut)
	}
	for range maxPagesOfConn + 10 {
		r.send("GET /b HTTP/1.1\r\nHost: x\r\n\r\n")
	}
	if r.e.pagesUsed != maxPagesOfConn || r.e.ContentRefused() != 10 {
		t.Errorf("%d pages in use, %d refused", r.e.pagesUsed, r.e.ContentRefused())
	}
	r.e.Handle(&event.Event{Kind: event.Close, Conn: 1, Time: r.now + 1})
	if r.e.pagesUsed != 0 {
		t.Errorf("%d pages in use after the close", r.e.pagesUsed)
	}
}

func TestContentOnlyOfWhatIsChosen(t *testing.T) {
	for _, k := range []Keeper{nil, keepFailed{}} {
		r := newContentRun(t, k)
		r.send("GET /a HTTP/1.1\r\nHost: x\r\n\r\n")
		r.receive("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
		r.send("GET /b HTTP/1.1\r\nHost: x\r\n\r\n")
		r.receive("HTTP/1.1 500 Oops\r\nContent-Length: 0\r\n\r\n")
		if len(r.out) != 2 || r.out[0].Content != nil || (r.out[1].Content != nil) != (k != nil) {
			t.Errorf("keeper %v: %+v", k, r.out)
		}
	}
}

// A redis error is a line for people; of commands nothing but what the exchange says is handed over.
func TestContentOfRedis(t *testing.T) {
	r := newContentRun(t, keepAll{})
	r.send("*3\r\n$3\r\nSET\r\n$5\r\nuser1\r\n$6\r\nhunter\r\n")
	r.receive("-WRONGTYPE Operation against a key\r\n")
	if len(r.out) != 1 {
		t.Fatalf("%d exchanges, want 1", len(r.out))
	}
	c := r.out[0].Content
	if string(c.Response.Bytes) != "-WRONGTYPE Operation against a key\r\n" || c.Response.Form != protocol.FormText || len(c.Request.Bytes) != 0 {
		t.Errorf("content = %+v", c)
	}
}
