package postgres

import (
	"github.com/sonde-dev/sonde/agent/protocol"
	"github.com/sonde-dev/sonde/signal"
)

// maxQueue bounds the entries waiting on one connection.
const maxQueue = 1024

// entryKind says what ends an entry.
type entryKind uint8

const (
	simple  entryKind = iota // a Query or FunctionCall: ReadyForQuery
	execute                  // CommandComplete and its like
	prepare                  // messages that execute nothing: its last reply, or ReadyForQuery when a Sync follows it
	syncing                  // a Sync: ReadyForQuery; no exchange
	phantom                  // one or more requests that were not seen: ReadyForQuery
)

// entry is something that the server has not answered in full.
type entry struct {
	id        uint64 // 0 for none
	kind      entryKind
	hasBegun  bool // its response
	hasHead   bool
	isDone    bool // complete but for ReadyForQuery, which may still bring an error
	isFailed  bool
	isSkipped bool // because something before it failed
	isPartial bool
	isCopyIn  bool
	isCopyOut bool
	isUnknown bool   // its statement was prepared before anybody looked
	expects   int    // replies to Parse, Bind, Describe and Close that are to come
	parsed    uint64 // key of the statement that is being parsed, 0 for none
	status    string
	verb      string // of the last command tag
	counts    [protocol.MaxCounts]uint64
	rows      uint64 // since the last command tag
	bytes     uint64
}

// queue holds the entries in order of their requests.
type queue struct {
	entries []entry
	head    int
}

func (q *queue) len() int        { return len(q.entries) - q.head }
func (q *queue) front() *entry   { return &q.entries[q.head] }
func (q *queue) at(i int) *entry { return &q.entries[q.head+i] }
func (q *queue) back() *entry    { return &q.entries[len(q.entries)-1] }

func (q *queue) push(e entry) {
	if q.head > 0 && len(q.entries) == cap(q.entries) {
		q.entries = q.entries[:copy(q.entries, q.entries[q.head:])]
		q.head = 0
	}
	q.entries = append(q.entries, e)
}

func (q *queue) pop() {
	q.head++
	if q.head == len(q.entries) {
		q.entries, q.head = q.entries[:0], 0
		if cap(q.entries) > 16 { // a burst; an idle connection keeps little
			q.entries = nil
		}
	}
}

// remove takes out the entry at i.
func (q *queue) remove(i int) {
	q.entries = append(q.entries[:q.head+i], q.entries[q.head+i+1:]...)
	if q.head == len(q.entries) {
		q.entries, q.head = q.entries[:0], 0
	}
}

// spans returns the number of ReadyForQuery messages that are to come.
func (q *queue) spans() int {
	n := 0
	for i := range q.len() {
		if k := q.at(i).kind; k == simple || k == syncing || k == phantom {
			n++
		}
	}
	return n
}

// finish reports the end of a response. The entry stays.
func (p *parser) finish(e *entry, end protocol.End, sink protocol.Sink) {
	if e.id == 0 {
		return
	}
	p.begin(e, sink)
	end.BodyBytes, end.Partial = e.bytes, end.Partial || e.isPartial || p.isHoled
	if !e.hasHead {
		p.head(e, end.Partial, sink)
	}
	sink.ResponseEnd(e.id, end)
	e.id = 0
}

func (p *parser) begin(e *entry, sink protocol.Sink) {
	if !e.hasBegun && e.id != 0 {
		e.hasBegun = true
		sink.ResponseBegin(e.id)
	}
}

// notExecuted is the error of what the server skipped because something before it failed.
const notExecuted = "not_executed"

// unknownError is OpenTelemetry's value of error.type where nothing better is known.
const unknownError = "_OTHER"

// head reports what is known of a response. Numbers that may be short are not reported at all.
func (p *parser) head(e *entry, isPartial bool, sink protocol.Sink) {
	e.hasHead = true
	r := protocol.Response{Status: e.status, ServerError: e.status, ClientError: e.status}
	if !isPartial {
		r.Counts = e.counts
	}
	switch {
	case e.isSkipped:
		r.ServerError, r.ClientError = notExecuted, notExecuted
	case e.isFailed && e.status == "":
		r.ServerError, r.ClientError = unknownError, unknownError
	}
	if e.isUnknown && e.verb != "" {
		r.Attributes = summaryOf(e.verb)
	}
	sink.ResponseHead(e.id, r)
}

// endAll ends all that waits as partial. A request that is still being sent goes on.
func (p *parser) endAll(end protocol.End, sink protocol.Sink) (n uint64) {
	end.Partial = true
	keep := 0
	if p.open {
		keep = 1
	}
	for ; p.queue.len() > keep; p.queue.pop() {
		if e := p.queue.front(); e.id != 0 {
			if e.parsed != 0 { // whether it was parsed is not known
				p.forget(e.parsed)
			}
			p.finish(e, end, sink)
			n++
		}
	}
	p.isSkipping, p.copyIn, p.isHoled = false, false, false
	return n
}

// giveUp is endAll where the responses cannot be told apart any more.
func (p *parser) giveUp(end protocol.End, sink protocol.Sink) {
	if n := p.endAll(end, sink); n > 0 {
		sink.Lost(signal.ParserGaveUp, n)
	}
}
