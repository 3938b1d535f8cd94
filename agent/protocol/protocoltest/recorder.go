// Package protocoltest helps protocols to test their parsers.
//
// In: what a parser tells, packet captures, scripts of a fuzzer. Out: text to compare, calls, violations of the contract.
// It must not know any protocol.
package protocoltest

import (
	"fmt"
	"sort"
	"strings"
	"testing"

	"github.com/sonde-dev/sonde/agent/protocol"
	"github.com/sonde-dev/sonde/signal"
)

// Recorder is a sink that writes down exchanges and checks the order of what it is told.
type Recorder struct {
	Exchanges map[uint64]*Exchange
	IDs       []uint64 // in order of their requests
	Losses    signal.Losses
	Bytes     uint64 // given to the parser so far: no message is larger

	t testing.TB
}

// Exchange is what was told of one.
type Exchange struct {
	Request                      protocol.Request
	Response                     protocol.Response
	RequestEnd, ResponseEnd      protocol.End
	HasRequest, HasResponse      bool // the heads
	RequestEnded                 bool
	ResponseBegun, ResponseEnded bool
}

// NewRecorder makes one that fails t when the order or the sizes of what it is told make no sense.
func NewRecorder(t testing.TB) *Recorder {
	return &Recorder{t: t, Exchanges: map[uint64]*Exchange{}, Losses: signal.Losses{}, Bytes: 1 << 62}
}

var _ protocol.Sink = (*Recorder)(nil)

func (r *Recorder) get(id uint64, what string) *Exchange {
	x := r.Exchanges[id]
	if x == nil {
		r.t.Fatalf("%s(%d) without RequestBegin", what, id)
	}
	return x
}

// RequestBegin implements protocol.Sink.
func (r *Recorder) RequestBegin(id uint64) {
	if id == 0 || r.Exchanges[id] != nil {
		r.t.Fatalf("RequestBegin(%d) is not new", id)
	}
	r.Exchanges[id] = &Exchange{}
	r.IDs = append(r.IDs, id)
}

// RequestHead implements protocol.Sink.
func (r *Recorder) RequestHead(id uint64, q protocol.Request) {
	x := r.get(id, "RequestHead")
	if x.HasRequest || x.RequestEnded || q.Operation == "" {
		r.t.Fatalf("RequestHead(%d, %+v) after %+v", id, q, *x)
	}
	x.HasRequest, x.Request = true, q
}

// RequestEnd implements protocol.Sink.
func (r *Recorder) RequestEnd(id uint64, e protocol.End) {
	x := r.get(id, "RequestEnd")
	if x.RequestEnded || e.BodyBytes > r.Bytes {
		r.t.Fatalf("RequestEnd(%d, %+v) after %+v", id, e, *x)
	}
	x.RequestEnded, x.RequestEnd = true, e
}

// ResponseBegin implements protocol.Sink.
func (r *Recorder) ResponseBegin(id uint64) {
	x := r.get(id, "ResponseBegin")
	if x.ResponseBegun || x.ResponseEnded {
		r.t.Fatalf("ResponseBegin(%d) after %+v", id, *x)
	}
	x.ResponseBegun = true
}

// ResponseHead implements protocol.Sink.
func (r *Recorder) ResponseHead(id uint64, q protocol.Response) {
	x := r.get(id, "ResponseHead")
	if x.HasResponse || x.ResponseEnded || !x.ResponseBegun {
		r.t.Fatalf("ResponseHead(%d, %+v) after %+v", id, q, *x)
	}
	x.HasResponse, x.Response = true, q
}

// ResponseEnd implements protocol.Sink.
func (r *Recorder) ResponseEnd(id uint64, e protocol.End) {
	x := r.get(id, "ResponseEnd")
	if x.ResponseEnded || e.BodyBytes > r.Bytes || !x.HasResponse && !e.Partial && !e.Cut {
		r.t.Fatalf("ResponseEnd(%d, %+v) after %+v", id, e, *x)
	}
	x.ResponseEnded, x.ResponseEnd = true, e
}

// Opaque implements protocol.Sink.
func (r *Recorder) Opaque() { r.t.Fatal("Opaque") }

// Lost implements protocol.Sink.
func (r *Recorder) Lost(c signal.Cause, n uint64) { r.Losses.Add(c, n) }

// String renders what was told, a line for each request in order: operation target status req= res= and what is unusual.
func (r *Recorder) String() string {
	var b strings.Builder
	for _, id := range r.IDs {
		x := r.Exchanges[id]
		if !x.HasRequest {
			continue
		}
		target := x.Response.Target
		if target == "" {
			target = x.Request.Target
		}
		fmt.Fprintf(&b, "%s %s %s req=%d res=%d", x.Request.Operation, orDash(target), orDash(x.Response.Status), x.RequestEnd.BodyBytes, x.ResponseEnd.BodyBytes)
		for i := range protocol.MaxCounts {
			if n := x.Request.Counts[i] + x.Response.Counts[i]; n > 0 {
				fmt.Fprintf(&b, " count%d=%d", i, n)
			}
		}
		for _, a := range append(append([]protocol.Attribute(nil), x.Request.Attributes...), x.Response.Attributes...) {
			fmt.Fprintf(&b, " %s=%s", a.Key[strings.LastIndexByte(a.Key, '.')+1:], a.Value)
		}
		if x.Request.NoResponse {
			b.WriteString(" silent")
		} else if !x.ResponseEnded {
			b.WriteString(" unanswered")
		}
		if x.RequestEnd.Partial || x.ResponseEnd.Partial {
			b.WriteString(" partial")
		}
		if x.RequestEnd.Cut || x.ResponseEnd.Cut {
			b.WriteString(" cut")
		}
		if e := x.Response.ClientError; e != "" {
			b.WriteString(" client=" + e)
		}
		if e := x.Response.ServerError; e != "" {
			b.WriteString(" server=" + e)
		}
		b.WriteByte('\n')
	}
	var causes []string
	for c, n := range r.Losses {
		causes = append(causes, fmt.Sprintf("loss %s %d\n", c, n))
	}
	sort.Strings(causes)
	return b.String() + strings.Join(causes, "")
}

func orDash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}
