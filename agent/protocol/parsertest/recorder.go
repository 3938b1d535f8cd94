// Package parsertest drives parsers in tests.
//
// In: a protocol and the calls of a connection, written by hand, as a conversation in a file, or read from a capture. Out: the exchanges that
// the parser told of, as lines of text, and failures where it broke the contract of protocol.Sink. It must not know what any protocol means.
package parsertest

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/sonde-dev/sonde/agent/protocol"
	"github.com/sonde-dev/sonde/signal"
)

// Recorder is a sink that writes down exchanges and holds the parser to the order of what it tells.
type Recorder struct {
	// Lines has one line for each exchange that ended, in that order, as Exchange.String has it.
	Lines []string
	// Told are those exchanges.
	Told []*Exchange
	// Exchanges are all that began, by id, and IDs those in order.
	Exchanges map[uint64]*Exchange
	IDs       []uint64
	Losses    signal.Losses
	IsOpaque  bool
	// Moved is how many bytes the parser was given, 0 where nobody says: no message may be larger.
	Moved uint64
	// Growth is how many bytes of messages one that moved may stand for, where they are compressed; 0 is 1.
	Growth uint64
	// MaxOpen is the largest number of exchanges under way at once.
	MaxOpen int

	t    testing.TB
	open int
}

// Exchange is what was told of one.
type Exchange struct {
	Request                                    protocol.Request
	Response                                   protocol.Response
	RequestEnd, ResponseEnd                    protocol.End
	HasRequest, HasResponse                    bool // the heads
	RequestEnded, ResponseBegun, ResponseEnded bool

	isTold bool
}

// NewRecorder makes one.
func NewRecorder(t testing.TB) *Recorder {
	return &Recorder{t: t, Losses: signal.Losses{}, Exchanges: map[uint64]*Exchange{}}
}

var _ protocol.Sink = (*Recorder)(nil)

func (r *Recorder) get(id uint64, what string) *Exchange {
	r.t.Helper()
	x := r.Exchanges[id]
	switch {
	case r.IsOpaque:
		r.t.Fatalf("%s(%d) after Opaque", what, id)
	case x == nil:
		r.t.Fatalf("%s(%d) without RequestBegin", what, id)
	case x.isTold:
		r.t.Fatalf("%s(%d) after the end of the exchange", what, id)
	}
	return x
}

// RequestBegin implements protocol.Sink.
func (r *Recorder) RequestBegin(id uint64) {
	if n := len(r.IDs); id == 0 || r.IsOpaque || n > 0 && id <= r.IDs[n-1] {
		r.t.Fatalf("RequestBegin(%d) after %d: ids must grow", id, r.IDs[max(0, n-1):])
	}
	r.Exchanges[id] = &Exchange{}
	r.IDs = append(r.IDs, id)
	r.open++
	r.MaxOpen = max(r.MaxOpen, r.open)
}

// RequestHead implements protocol.Sink.
func (r *Recorder) RequestHead(id uint64, q protocol.Request) {
	x := r.get(id, "RequestHead")
	if x.HasRequest || x.RequestEnded || q.Operation == "" {
		r.t.Fatalf("RequestHead(%d, %+v) with %+v", id, q, *x)
	}
	x.HasRequest, x.Request = true, q
}

// RequestEnd implements protocol.Sink. Without a head, the exchange is forgotten.
func (r *Recorder) RequestEnd(id uint64, e protocol.End) {
	x := r.get(id, "RequestEnd")
	if x.RequestEnded || !x.HasRequest && !e.Partial && !e.Cut || r.isTooLong(e) {
		r.t.Fatalf("RequestEnd(%d, %+v) with %+v", id, e, *x)
	}
	x.RequestEnded, x.RequestEnd = true, e
	r.settle(x)
}

// ResponseBegin implements protocol.Sink.
func (r *Recorder) ResponseBegin(id uint64) {
	x := r.get(id, "ResponseBegin")
	if x.ResponseBegun || x.ResponseEnded || x.Request.NoResponse {
		r.t.Fatalf("ResponseBegin(%d) with %+v", id, *x)
	}
	x.ResponseBegun = true
}

// ResponseHead implements protocol.Sink.
func (r *Recorder) ResponseHead(id uint64, p protocol.Response) {
	x := r.get(id, "ResponseHead")
	if x.ResponseEnded {
		r.t.Fatalf("ResponseHead(%d, %+v) with %+v", id, p, *x)
	}
	x.HasResponse, x.Response = true, p
}

// ResponseEnd implements protocol.Sink.
func (r *Recorder) ResponseEnd(id uint64, e protocol.End) {
	x := r.get(id, "ResponseEnd")
	if x.ResponseEnded || !x.HasResponse && !e.Partial && !e.Cut || r.isTooLong(e) {
		r.t.Fatalf("ResponseEnd(%d, %+v) with %+v", id, e, *x)
	}
	x.ResponseEnded, x.ResponseEnd = true, e
	r.settle(x)
}

func (r *Recorder) isTooLong(e protocol.End) bool {
	return r.Moved > 0 && e.BodyBytes > r.Moved*max(1, r.Growth)
}

// Opaque implements protocol.Sink.
func (r *Recorder) Opaque() { r.IsOpaque = true }

// Lost implements protocol.Sink.
func (r *Recorder) Lost(c signal.Cause, n uint64) { r.Losses.Add(c, n) }

func (r *Recorder) settle(x *Exchange) {
	if !x.RequestEnded || !x.ResponseEnded && x.HasRequest && !x.Request.NoResponse {
		return
	}
	r.tell(x)
}

func (r *Recorder) tell(x *Exchange) {
	x.isTold = true
	r.open--
	if x.HasRequest {
		r.Lines, r.Told = append(r.Lines, x.String()), append(r.Told, x)
	}
}

// Open returns how many exchanges have a request and no end.
func (r *Recorder) Open() (n int) {
	for _, x := range r.Exchanges {
		if x.HasRequest && !x.isTold {
			n++
		}
	}
	return n
}

// Finish gives out what is still under way, as "unanswered".
func (r *Recorder) Finish() {
	for _, id := range r.IDs {
		if x := r.Exchanges[id]; !x.isTold {
			r.tell(x)
		}
	}
}

// String renders all that was told: a line for each exchange in order of the requests, and the losses.
func (r *Recorder) String() string {
	var b strings.Builder
	for _, id := range r.IDs {
		if x := r.Exchanges[id]; x.HasRequest {
			b.WriteString(x.String() + "\n")
		}
	}
	for _, l := range r.losses() {
		b.WriteString(l + "\n")
	}
	return b.String()
}

// losses renders them as "loss CAUSE N".
func (r *Recorder) losses() (lines []string) {
	for _, c := range slices.Sorted(maps.Keys(r.Losses)) {
		lines = append(lines, fmt.Sprintf("loss %s %d", c, r.Losses[c]))
	}
	return lines
}

// Attributes are those of both messages.
func (x *Exchange) Attributes() []protocol.Attribute {
	return append(slices.Clone(x.Request.Attributes), x.Response.Attributes...)
}

// IsPartial reports whether something of it may be short.
func (x *Exchange) IsPartial() bool { return x.RequestEnd.Partial || x.ResponseEnd.Partial }

// String is OPERATION TARGET STATUS req=N res=N and what is special about it.
func (x *Exchange) String() string {
	q, p := &x.Request, &x.Response
	target := p.Target
	if target == "" {
		target = q.Target
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s %s req=%d res=%d", q.Operation, orDash(target), orDash(p.Status), x.RequestEnd.BodyBytes, x.ResponseEnd.BodyBytes)
	for _, f := range []struct {
		is   bool
		text string
	}{
		{q.NoResponse, " noresponse"}, {q.Waits, " waits"}, {x.IsPartial(), " partial"}, {x.RequestEnd.Cut || x.ResponseEnd.Cut, " cut"},
		{!x.ResponseEnded && !q.NoResponse, " unanswered"}, {p.Unbounded, " unbounded"},
		{p.ServerError != "", " servererror=" + p.ServerError}, {p.ClientError != "", " error=" + p.ClientError},
	} {
		if f.is {
			b.WriteString(f.text)
		}
	}
	for i := range protocol.MaxCounts {
		if n := q.Counts[i] + p.Counts[i]; n > 0 {
			fmt.Fprintf(&b, " count%d=%d", i, n)
		}
	}
	for _, a := range x.Attributes() {
		fmt.Fprintf(&b, " %s=%s", a.Key, a.Value)
	}
	return b.String()
}

func orDash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}
