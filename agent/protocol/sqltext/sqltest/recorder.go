// Package sqltest helps to test the parsers of databases.
//
// In: what a parser tells. Out: one line for each exchange, and a failure where a parser breaks the contract of protocol.Sink.
// It must not know any protocol.
package sqltest

import (
	"fmt"
	"testing"

	"github.com/sonde-dev/sonde/agent/protocol"
	"github.com/sonde-dev/sonde/agent/protocol/sqltext"
	"github.com/sonde-dev/sonde/signal"
)

// Recorder is a sink that checks and remembers.
type Recorder struct {
	// Lines are the exchanges that ended, in that order; those whose response never came are added by Unanswered.
	Lines []string
	// Losses counts by cause.
	Losses map[signal.Cause]uint64
	// IsOpaque is true once the parser has said so.
	IsOpaque bool
	// Attributes are those of the last exchange.
	Attributes []protocol.Attribute
	// Bytes is the number of bytes handed over so far: no message may be larger.
	Bytes uint64

	t     testing.TB
	lives map[uint64]*life
	order []uint64
	last  uint64
}

type life struct {
	request                              protocol.Request
	response                             protocol.Response
	requestEnd, responseEnd              protocol.End
	hasHead, isSent, hasBegun, hasStatus bool
	isOver                               bool
}

// New makes one.
func New(t testing.TB) *Recorder {
	return &Recorder{t: t, lives: map[uint64]*life{}, Losses: map[signal.Cause]uint64{}}
}

func (r *Recorder) get(id uint64, what string) *life {
	if r.IsOpaque {
		r.t.Fatalf("%s(%d) after Opaque", what, id)
	}
	l := r.lives[id]
	if l == nil {
		r.t.Fatalf("%s(%d) without RequestBegin", what, id)
	}
	return l
}

// RequestBegin implements protocol.Sink.
func (r *Recorder) RequestBegin(id uint64) {
	if id <= r.last || r.IsOpaque {
		r.t.Fatalf("RequestBegin(%d) after %d", id, r.last)
	}
	r.last = id
	r.lives[id] = &life{}
	r.order = append(r.order, id)
}

// RequestHead implements protocol.Sink.
func (r *Recorder) RequestHead(id uint64, q protocol.Request) {
	l := r.get(id, "RequestHead")
	if l.hasHead || l.isSent || q.Operation == "" || len(q.Target) > sqltext.MaxTemplate {
		r.t.Fatalf("RequestHead(%d, %+v) with %+v", id, q, *l)
	}
	l.hasHead, l.request = true, q
	r.Attributes = q.Attributes
}

// RequestEnd implements protocol.Sink.
func (r *Recorder) RequestEnd(id uint64, e protocol.End) {
	l := r.get(id, "RequestEnd")
	if l.isSent || e.BodyBytes > r.Bytes || !l.hasHead && !e.Partial {
		r.t.Fatalf("RequestEnd(%d, %+v) with %+v", id, e, *l)
	}
	l.isSent, l.requestEnd = true, e
	if l.isOver || l.request.NoResponse {
		r.line(id, l)
	}
}

// ResponseBegin implements protocol.Sink.
func (r *Recorder) ResponseBegin(id uint64) {
	l := r.get(id, "ResponseBegin")
	if l.isOver || l.hasBegun || l.request.NoResponse {
		r.t.Fatalf("ResponseBegin(%d) with %+v", id, *l)
	}
	l.hasBegun = true
}

// ResponseHead implements protocol.Sink.
func (r *Recorder) ResponseHead(id uint64, p protocol.Response) {
	l := r.get(id, "ResponseHead")
	if l.hasStatus || l.isOver || !l.hasBegun || len(p.Status) > 8 {
		r.t.Fatalf("ResponseHead(%d, %+v) with %+v", id, p, *l)
	}
	l.hasStatus, l.response = true, p
}

// ResponseEnd implements protocol.Sink.
func (r *Recorder) ResponseEnd(id uint64, e protocol.End) {
	l := r.get(id, "ResponseEnd")
	if l.isOver || e.BodyBytes > r.Bytes || !l.hasStatus {
		r.t.Fatalf("ResponseEnd(%d, %+v) with %+v", id, e, *l)
	}
	l.isOver, l.responseEnd = true, e
	if l.isSent {
		r.line(id, l)
	}
}

// Opaque implements protocol.Sink.
func (r *Recorder) Opaque() { r.IsOpaque = true }

// Lost implements protocol.Sink.
func (r *Recorder) Lost(c signal.Cause, n uint64) { r.Losses[c] += n }

// line renders "OPERATION|target|status|returned|affected|req=N|res=N" with what is unusual after it.
func (r *Recorder) line(id uint64, l *life) {
	delete(r.lives, id)
	if !l.hasHead {
		return
	}
	q, p := l.request, l.response
	s := fmt.Sprintf("%s|%s|%s|%d|%d|req=%d|res=%d", q.Operation, q.Target, p.Status, p.Counts[0], p.Counts[1], l.requestEnd.BodyBytes, l.responseEnd.BodyBytes)
	if p.ClientError != p.Status {
		s += "|error=" + p.ClientError
	}
	for _, a := range p.Attributes {
		s += "|" + a.Key + "=" + a.Value
	}
	if l.requestEnd.Partial || l.responseEnd.Partial {
		s += "|partial"
	}
	if !l.isOver && !q.NoResponse {
		s += "|unanswered"
	}
	r.Lines = append(r.Lines, s)
}

// Unanswered adds the exchanges that have no response.
func (r *Recorder) Unanswered() {
	for _, id := range r.order {
		if l := r.lives[id]; l != nil {
			r.line(id, l)
		}
	}
}
