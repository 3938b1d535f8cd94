package http2

import (
	"fmt"
	"strings"
	"testing"

	"github.com/sonde-dev/sonde/agent/protocol"
	"github.com/sonde-dev/sonde/signal"
)

// recorder verifies the grammar of what a parser tells, whatever the bytes are, and renders each exchange that ends:
//
//	[grpc] METHOD TARGET STATUS req=N res=N [partial] [cut] [server=E] [client=E]
type recorder struct {
	t         testing.TB
	exchanges map[uint64]*told
	got       []string
	losses    signal.Losses
	bytes     uint64
	keepsAll  bool // remember exchanges that are over, to find ids used twice
}

type told struct {
	head, ended, begun, resHead, resEnded bool
	req                                   protocol.Request
	res                                   protocol.Response
	reqEnd, resEnd                        protocol.End
}

func newRecorder(t testing.TB) *recorder {
	return &recorder{t: t, exchanges: map[uint64]*told{}, losses: signal.Losses{}, bytes: 1 << 62, keepsAll: true}
}

func (c *recorder) get(id uint64, what string) *told {
	x := c.exchanges[id]
	if x == nil {
		c.t.Fatalf("%s(%d) without RequestBegin", what, id)
	}
	return x
}

func (c *recorder) RequestBegin(id uint64) {
	if id == 0 || c.exchanges[id] != nil {
		c.t.Fatalf("RequestBegin(%d) is not new", id)
	}
	c.exchanges[id] = &told{}
}

func (c *recorder) RequestHead(id uint64, r protocol.Request) {
	x := c.get(id, "RequestHead")
	if x.head || x.ended || strings.ContainsAny(r.Target, "?#") || len(r.Target) > 1024 {
		c.t.Fatalf("RequestHead(%d, %+v) with %+v", id, r, *x)
	}
	x.head, x.req = true, r
}

func (c *recorder) RequestEnd(id uint64, e protocol.End) {
	x := c.get(id, "RequestEnd")
	if x.ended || e.BodyBytes > c.bytes {
		c.t.Fatalf("RequestEnd(%d, %+v) with %+v", id, e, *x)
	}
	x.ended, x.reqEnd = true, e
	c.finish(id, x)
}

func (c *recorder) ResponseBegin(id uint64) {
	x := c.get(id, "ResponseBegin")
	if x.resEnded || x.resHead {
		c.t.Fatalf("ResponseBegin(%d) after its head", id)
	}
	x.begun = true
}

func (c *recorder) ResponseHead(id uint64, r protocol.Response) {
	x := c.get(id, "ResponseHead")
	if !x.head || x.resEnded {
		c.t.Fatalf("ResponseHead(%d, %+v) with %+v", id, r, *x)
	}
	x.resHead, x.res = true, r
}

func (c *recorder) ResponseEnd(id uint64, e protocol.End) {
	x := c.get(id, "ResponseEnd")
	if x.resEnded || e.BodyBytes > c.bytes || !x.resHead && !e.Partial {
		c.t.Fatalf("ResponseEnd(%d, %+v) with %+v", id, e, *x)
	}
	x.resEnded, x.resEnd = true, e
	c.finish(id, x)
}

func (c *recorder) Opaque() { c.t.Fatal("Opaque") }

func (c *recorder) Lost(cause signal.Cause, n uint64) { c.losses.Add(cause, n) }

func (c *recorder) finish(id uint64, x *told) {
	if x.ended && x.resEnded {
		c.got = append(c.got, x.String())
	}
	if !c.keepsAll && x.ended && x.resEnded {
		delete(c.exchanges, id)
	}
}

func (x *told) String() string {
	var s strings.Builder
	if x.req.Protocol != nil {
		s.WriteString(x.req.Protocol.Name() + " ")
	}
	fmt.Fprintf(&s, "%s %s %s req=%d res=%d", orDash(x.req.Operation), orDash(x.req.Target), orDash(x.res.Status), x.reqEnd.BodyBytes, x.resEnd.BodyBytes)
	if x.reqEnd.Partial || x.resEnd.Partial {
		s.WriteString(" partial")
	}
	if x.resEnd.Cut {
		s.WriteString(" cut")
	}
	if x.res.ServerError != "" {
		s.WriteString(" server=" + x.res.ServerError)
	}
	if x.res.ClientError != "" {
		s.WriteString(" client=" + x.res.ClientError)
	}
	return s.String()
}

func orDash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}
