// Package parsertest drives parsers in tests.
//
// In: a protocol and the calls of a connection, written by hand or read from a capture. Out: what the parser told, one
// line for each exchange, and failures where it broke the contract. It must not know what any protocol means.
package parsertest

import (
	"fmt"
	"strings"
	"testing"

	"github.com/sonde-dev/sonde/agent/protocol"
	"github.com/sonde-dev/sonde/signal"
)

// Recorder is a sink that writes down exchanges in the order in which they end, and holds the parser to the order of calls.
type Recorder struct {
	T testing.TB
	// Lines has one line for each exchange that ended: OPERATION TARGET STATUS req=N res=N and what is special about it.
	Lines  []string
	Losses signal.Losses
	// Moved is how many bytes the parser was given: no message may be larger.
	Moved  uint64
	opaque bool
	all    map[uint64]*life
}

type life struct {
	req                              protocol.Request
	res                              protocol.Response
	reqBytes, resBytes               uint64
	head, ended, resHead, resEnded   bool
	isPartial, isCut, began, wasTold bool
}

// NewRecorder makes one.
func NewRecorder(t testing.TB) *Recorder {
	return &Recorder{T: t, Losses: signal.Losses{}, all: map[uint64]*life{}}
}

func (r *Recorder) get(id uint64, what string) *life {
	l := r.all[id]
	switch {
	case r.opaque:
		r.T.Fatalf("%s(%d) after Opaque", what, id)
	case l == nil:
		r.T.Fatalf("%s(%d) without RequestBegin", what, id)
	case l.wasTold:
		r.T.Fatalf("%s(%d) after the end of the exchange", what, id)
	}
	return l
}

// RequestBegin implements protocol.Sink.
func (r *Recorder) RequestBegin(id uint64) {
	if id == 0 || r.all[id] != nil || r.opaque {
		r.T.Fatalf("RequestBegin(%d) is not new", id)
	}
	r.all[id] = &life{}
}

// RequestHead implements protocol.Sink.
func (r *Recorder) RequestHead(id uint64, q protocol.Request) {
	l := r.get(id, "RequestHead")
	if l.head || l.ended || q.Operation == "" {
		r.T.Fatalf("RequestHead(%d, %+v) with %+v", id, q, *l)
	}
	l.head, l.req = true, q
	l.resEnded = l.resEnded || q.NoResponse
}

// RequestEnd implements protocol.Sink.
func (r *Recorder) RequestEnd(id uint64, e protocol.End) {
	l := r.get(id, "RequestEnd")
	if l.ended || !l.head || e.BodyBytes > r.Moved {
		r.T.Fatalf("RequestEnd(%d, %+v) with %+v", id, e, *l)
	}
	l.ended, l.reqBytes = true, e.BodyBytes
	l.isPartial, l.isCut = l.isPartial || e.Partial, l.isCut || e.Cut
	r.finish(l)
}

// ResponseBegin implements protocol.Sink.
func (r *Recorder) ResponseBegin(id uint64) {
	l := r.get(id, "ResponseBegin")
	if l.began || l.resEnded {
		r.T.Fatalf("ResponseBegin(%d) with %+v", id, *l)
	}
	l.began = true
}

// ResponseHead implements protocol.Sink.
func (r *Recorder) ResponseHead(id uint64, p protocol.Response) {
	l := r.get(id, "ResponseHead")
	if l.resHead || l.resEnded && !l.req.NoResponse {
		r.T.Fatalf("ResponseHead(%d, %+v) with %+v", id, p, *l)
	}
	l.resHead, l.res = true, p
}

// ResponseEnd implements protocol.Sink.
func (r *Recorder) ResponseEnd(id uint64, e protocol.End) {
	l := r.get(id, "ResponseEnd")
	if l.resEnded || e.BodyBytes > r.Moved || !l.resHead && !e.Partial && !e.Cut {
		r.T.Fatalf("ResponseEnd(%d, %+v) with %+v", id, e, *l)
	}
	l.resEnded, l.resBytes = true, e.BodyBytes
	l.isPartial, l.isCut = l.isPartial || e.Partial, l.isCut || e.Cut
	r.finish(l)
}

// Opaque implements protocol.Sink.
func (r *Recorder) Opaque() { r.opaque = true }

// Lost implements protocol.Sink.
func (r *Recorder) Lost(c signal.Cause, n uint64) { r.Losses.Add(c, n) }

func (r *Recorder) finish(l *life) {
	if l.ended && l.resEnded {
		l.wasTold = true
		r.Lines = append(r.Lines, l.String())
	}
}

// Open returns how many exchanges have begun and not ended.
func (r *Recorder) Open() int {
	n := 0
	for _, l := range r.all {
		if l.head && !l.wasTold {
			n++
		}
	}
	return n
}

func (l *life) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s %s req=%d res=%d", l.req.Operation, orDash(l.req.Target), orDash(l.res.Status), l.reqBytes, l.resBytes)
	for _, f := range []struct {
		is   bool
		text string
	}{
		{l.req.NoResponse, " noresponse"}, {l.req.Waits, " waits"}, {l.isPartial, " partial"}, {l.isCut, " cut"},
		{l.res.ServerError != "", " servererror=" + l.res.ServerError}, {l.res.ClientError != "", " error=" + l.res.ClientError},
	} {
		if f.is {
			b.WriteString(f.text)
		}
	}
	for i := range protocol.MaxCounts {
		if n := l.req.Counts[i] + l.res.Counts[i]; n > 0 {
			fmt.Fprintf(&b, " count%d=%d", i, n)
		}
	}
	for _, as := range [][]protocol.Attribute{l.req.Attributes, l.res.Attributes} {
		for _, a := range as {
			fmt.Fprintf(&b, " %s=%s", a.Key, a.Value)
		}
	}
	return b.String()
}

func orDash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}
