package mysql

import (
	"encoding/binary"
	"strconv"

	"github.com/sonde-dev/sonde/agent/protocol"
	"github.com/sonde-dev/sonde/agent/protocol/sqltext"
	"github.com/sonde-dev/sonde/signal"
)

// maxQueue bounds the commands waiting on one connection.
const maxQueue = 1024

// entry is a command that is not answered in full.
type entry struct {
	id          uint64
	code        byte
	answer      answer
	seq         byte // of the next packet of the server
	part        part
	hasBegun    bool
	hasHead     bool
	isPartial   bool
	isUse       bool
	definitions uint32 // to come
	next        uint32 // after them
	statement   sqltext.Statement
	database    string
	failure     failure
	counts      [protocol.MaxCounts]uint64
	bytes       uint64
}

// queue holds the entries in order of their commands.
type queue struct {
	entries []entry
	head    int
}

func (q *queue) len() int      { return len(q.entries) - q.head }
func (q *queue) front() *entry { return &q.entries[q.head] }
func (q *queue) back() *entry  { return &q.entries[len(q.entries)-1] }

func (q *queue) push(e entry) {
	if q.head > 0 && len(q.entries) == cap(q.entries) {
		q.entries = q.entries[:copy(q.entries, q.entries[q.head:])]
		q.head = 0
	}
	q.entries = append(q.entries, e)
}

func (q *queue) pop() {
	q.entries[q.head] = entry{}
	q.head++
	q.rewind()
}

func (q *queue) dropBack() {
	q.entries = q.entries[:len(q.entries)-1]
	q.rewind()
}

func (q *queue) rewind() {
	if q.head == len(q.entries) {
		q.entries, q.head = q.entries[:0], 0
		if cap(q.entries) > 16 { // a burst; an idle connection keeps little
			q.entries = nil
		}
	}
}

// failure is what an ERR packet says: its number and SQLSTATE.
type failure struct {
	number uint16
	state  [5]byte
}

// failureText is a failure as it is told. It must not be modified.
type failureText struct {
	number string
	attrs  []protocol.Attribute
}

// maxFailures bounds the failures that are remembered.
const maxFailures = 16

func (p *parser) failureText(f failure) failureText {
	if t, ok := p.failures[f]; ok {
		return t
	}
	if p.failures == nil || len(p.failures) >= maxFailures {
		p.failures = make(map[failure]failureText)
	}
	t := failureText{number: strconv.Itoa(int(f.number))}
	if f.state[0] != 0 {
		t.attrs = []protocol.Attribute{{Key: "db.mysql.sqlstate", Value: string(f.state[:])}}
	}
	p.failures[f] = t
	return t
}

// fail reads ERR_Packet: number, "#", SQLSTATE, text. It ends the response.
func (p *parser) fail(e *entry, b []byte, sink protocol.Sink) {
	if len(b) < 3 {
		p.lose(protocol.FromServer, sink)
		return
	}
	e.failure.number = binary.LittleEndian.Uint16(b[1:])
	if e.failure.number == progress {
		return
	}
	if len(b) >= 9 && b[3] == '#' && isState(b[4:9]) {
		e.failure.state = [5]byte(b[4:9])
		b = b[6:]
	}
	protocol.Tell(sink, e.id, protocol.FromServer, protocol.FormSQL, b[3:])
	p.finish(e, protocol.End{}, sink)
	p.queue.pop()
}

func isState(b []byte) bool {
	for _, c := range b {
		if (c < '0' || c > '9') && (c < 'A' || c > 'Z') {
			return false
		}
	}
	return true
}

// finish reports the end of a response. The entry stays.
func (p *parser) finish(e *entry, end protocol.End, sink protocol.Sink) {
	if !e.hasBegun {
		e.hasBegun = true
		sink.ResponseBegin(e.id)
	}
	end.BodyBytes, end.Partial = e.bytes, end.Partial || e.isPartial
	if !e.hasHead {
		r := protocol.Response{}
		if !end.Partial { // numbers that may be short are not reported at all
			r.Counts = e.counts
		}
		if e.failure.number != 0 && e.failure.number != progress {
			t := p.failureText(e.failure)
			r.Status, r.ServerError, r.ClientError, r.Attributes = t.number, t.number, t.number, t.attrs
		}
		sink.ResponseHead(e.id, r)
	}
	sink.ResponseEnd(e.id, end)
}

// endAll ends all that waits as partial. A command that is still being sent goes on.
func (p *parser) endAll(end protocol.End, sink protocol.Sink) (n uint64) {
	end.Partial = true
	keep := 0
	if p.isSending {
		keep = 1
	}
	for ; p.queue.len() > keep; p.queue.pop() {
		p.finish(p.queue.front(), end, sink)
		n++
	}
	p.isHoled = false
	return n
}

// giveUp is endAll where the responses cannot be told apart any more.
func (p *parser) giveUp(end protocol.End, sink protocol.Sink) {
	if n := p.endAll(end, sink); n > 0 {
		sink.Lost(signal.ParserGaveUp, n)
	}
}
