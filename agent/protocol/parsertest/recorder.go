// Package parsertest drives parsers in tests.
//
// In: a parser and what it is given. Out: the exchanges that it tells of, as lines of text, and a failed test when it breaks the
// grammar of protocol.Sink. It must not know any protocol.
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

// Recorder is a protocol.Sink that pairs what it is told as the engine does, and checks it.
type Recorder struct {
	t        testing.TB
	flights  map[uint64]*flight
	lastID   uint64
	IsOpaque bool
	Losses   map[string]uint64
	// Done has a line for each exchange that ended, in that order: OPERATION TARGET STATUS req=N res=N, and what applies of: waits,
	// noresponse, partial, cut, error=CLIENT, servererror=SERVER (only where it differs), counts=[…], unbounded.
	Done []string
	// Attributes of the exchanges in Done.
	Attributes [][]protocol.Attribute
	// MaxFlights is the largest number of exchanges under way at once.
	MaxFlights int
}

type flight struct {
	req                protocol.Request
	res                protocol.Response
	reqEnd, resEnd     protocol.End
	hasReq, hasRes     bool
	reqEnded, resEnded bool
	resBegun           bool
}

// NewRecorder makes a sink for one connection.
func NewRecorder(t testing.TB) *Recorder {
	return &Recorder{t: t, flights: map[uint64]*flight{}, Losses: map[string]uint64{}}
}

func (r *Recorder) get(id uint64, what string) *flight {
	r.t.Helper()
	if r.IsOpaque {
		r.t.Fatalf("%s(%d) after Opaque", what, id)
	}
	if id == 0 || id > r.lastID {
		r.t.Fatalf("%s(%d) without RequestBegin", what, id)
	}
	f := r.flights[id]
	if f == nil {
		r.t.Fatalf("%s(%d) after its end", what, id)
	}
	return f
}

// RequestBegin implements protocol.Sink.
func (r *Recorder) RequestBegin(id uint64) {
	if r.IsOpaque || id <= r.lastID {
		r.t.Fatalf("RequestBegin(%d): ids must grow, the last was %d", id, r.lastID)
	}
	r.lastID = id
	r.flights[id] = &flight{}
	r.MaxFlights = max(r.MaxFlights, len(r.flights))
}

// RequestHead implements protocol.Sink.
func (r *Recorder) RequestHead(id uint64, q protocol.Request) {
	f := r.get(id, "RequestHead")
	if f.hasReq || f.reqEnded || q.Operation == "" {
		r.t.Fatalf("RequestHead(%d, %+v) with %+v", id, q, *f)
	}
	f.hasReq, f.req = true, q
	f.resEnded = f.resEnded || q.NoResponse
}

// RequestEnd implements protocol.Sink.
func (r *Recorder) RequestEnd(id uint64, e protocol.End) {
	f := r.get(id, "RequestEnd")
	if f.reqEnded {
		r.t.Fatalf("RequestEnd(%d, %+v) with %+v", id, e, *f)
	}
	f.reqEnded, f.reqEnd = true, e
	if !f.hasReq { // the engine forgets it
		f.resEnded = true
	}
	r.settle(id, f)
}

// ResponseBegin implements protocol.Sink.
func (r *Recorder) ResponseBegin(id uint64) {
	f := r.get(id, "ResponseBegin")
	if f.resEnded || f.resBegun {
		r.t.Fatalf("ResponseBegin(%d) with %+v", id, *f)
	}
	f.resBegun = true
}

// ResponseHead implements protocol.Sink.
func (r *Recorder) ResponseHead(id uint64, q protocol.Response) {
	f := r.get(id, "ResponseHead")
	if f.resEnded {
		r.t.Fatalf("ResponseHead(%d, %+v) with %+v", id, q, *f)
	}
	f.hasRes, f.res = true, q
}

// ResponseEnd implements protocol.Sink.
func (r *Recorder) ResponseEnd(id uint64, e protocol.End) {
	f := r.get(id, "ResponseEnd")
	if f.resEnded || !f.hasRes && !e.Partial && !e.Cut {
		r.t.Fatalf("ResponseEnd(%d, %+v) with %+v", id, e, *f)
	}
	f.resEnded, f.resEnd = true, e
	r.settle(id, f)
}

// Opaque implements protocol.Sink.
func (r *Recorder) Opaque() { r.IsOpaque = true }

// Lost implements protocol.Sink.
func (r *Recorder) Lost(c signal.Cause, n uint64) { r.Losses[c.String()] += n }

func (r *Recorder) settle(id uint64, f *flight) {
	if f.reqEnded && f.resEnded {
		delete(r.flights, id)
		r.give(f)
	}
}

func (r *Recorder) give(f *flight) {
	if !f.hasReq {
		return
	}
	r.Attributes = append(r.Attributes, append(slices.Clone(f.req.Attributes), f.res.Attributes...))
	s := fmt.Sprintf("%s %s %s req=%d res=%d", dash(f.req.Operation), dash(f.req.Target), dash(f.res.Status), f.reqEnd.BodyBytes, f.resEnd.BodyBytes)
	for _, w := range []struct {
		is   bool
		word string
	}{
		{f.req.Waits, "waits"}, {f.req.NoResponse, "noresponse"}, {f.reqEnd.Partial || f.resEnd.Partial, "partial"},
		{f.reqEnd.Cut || f.resEnd.Cut, "cut"}, {!f.resEnded, "unanswered"}, {f.res.Unbounded, "unbounded"},
		{f.res.ClientError != "", "error=" + f.res.ClientError},
		{f.res.ServerError != f.res.ClientError, "servererror=" + dash(f.res.ServerError)},
	} {
		if w.is {
			s += " " + w.word
		}
	}
	counts := f.req.Counts
	for i, n := range f.res.Counts {
		counts[i] += n
	}
	if counts != [protocol.MaxCounts]uint64{} {
		s += fmt.Sprint(" counts=", counts)
	}
	r.Done = append(r.Done, s)
}

// Finish gives out what is still under way, as "unanswered" where no response came.
func (r *Recorder) Finish() {
	for _, id := range slices.Sorted(maps.Keys(r.flights)) {
		r.give(r.flights[id])
		delete(r.flights, id)
	}
}

func dash(s string) string {
	if s == "" {
		return "-"
	}
	return strings.ReplaceAll(s, " ", "_")
}

// Nothing is a sink for benchmarks.
type Nothing struct{}

// The methods of protocol.Sink.
func (Nothing) RequestBegin(uint64)                    {}
func (Nothing) RequestHead(uint64, protocol.Request)   {}
func (Nothing) RequestEnd(uint64, protocol.End)        {}
func (Nothing) ResponseBegin(uint64)                   {}
func (Nothing) ResponseHead(uint64, protocol.Response) {}
func (Nothing) ResponseEnd(uint64, protocol.End)       {}
func (Nothing) Opaque()                                {}
func (Nothing) Lost(signal.Cause, uint64)              {}
