package http1

import (
	"github.com/sonde-dev/sonde/agent/protocol"
	"github.com/sonde-dev/sonde/agent/protocol/dialect"
	"github.com/sonde-dev/sonde/signal"
)

// Responses come in the order of their requests (RFC 9112 §9.3.2), so a queue of requests without a response pairs them. What is
// delicate is loss. Bytes missing between two requests hide at least one; its response must not go to the next request:
//
//	client>  R1   [R2 lost]   R3            queue:  R1  phantom  R3
//	server<  r1   r2          r3                    r1  r2 (dropped)  r3 → R3, partial
//
// The phantom is needed only when r2 has not been seen yet. If r2 came before R3 (no pipelining) it was an orphan, and all is
// known again. A connection that pipelines never gets out of doubt after such a loss, for nobody can say how many requests were hidden: its exchanges
// are partial from then on. One that does not, does with the next request that finds nothing waiting.

// maxQueue bounds the requests waiting on one connection; servers stop reading long before.
const maxQueue = 1024

// burst is a number of requests waiting that no single lost response explains.
const burst = 3

// entry is a request without a complete response.
type entry struct {
	id         uint64 // 0: a phantom, one or more requests that were not seen
	isHead     bool
	isConnect  bool
	isDoubtful bool // the response may belong to another request
	dialect    dialect.Reader
}

// queue holds the entries in order of their requests.
type queue struct {
	entries []entry
	head    int
}

func (q *queue) len() int      { return len(q.entries) - q.head }
func (q *queue) front() *entry { return &q.entries[q.head] }
func (q *queue) back() *entry  { return &q.entries[len(q.entries)-1] }
func (q *queue) dropBack()     { q.entries = q.entries[:len(q.entries)-1] }

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
		q.clear()
	}
}

func (q *queue) clear() { q.entries, q.head = q.entries[:0], 0 }

// enqueue gives a request that begins its place in the queue.
func (p *parser) enqueue(sink protocol.Sink) uint64 {
	switch {
	case p.queue.len() == 0 && !(p.isPipelined && p.isDoubtful):
		p.isDoubtful, p.hasEaten = false, false
	case p.queue.len() >= maxQueue:
		p.giveUp(sink)
	case p.queue.len() > 0 && p.hasEaten && !p.isPipelined:
		// A response went to a phantom, and yet the request behind it waits: there was no hidden request. Begin anew.
		p.giveUp(sink)
		p.isDoubtful = true // unless it pipelines, which is not known yet
	}
	if p.orphanSeen && !p.hidden {
		// That response may have been this request's: on the client's side a request is sometimes seen after its response.
		p.isDoubtful, p.hasEaten = true, true
	}
	if p.hidden && (p.queue.len() > 0 || !p.orphanSeen && !p.gapSeen) {
		p.queue.push(entry{})
	}
	p.isDoubtful = p.isDoubtful || p.hidden // more may have been hidden than were answered
	if p.queue.len() >= burst-1 {
		p.isPipelined = true
	}
	p.hidden, p.orphanSeen, p.gapSeen = false, false, false
	p.nextID++
	p.queue.push(entry{id: p.nextID, isDoubtful: p.isDoubtful})
	return p.nextID
}

// giveUp ends all waiting requests as partial: their responses cannot be told apart any more.
func (p *parser) giveUp(sink protocol.Sink) { p.giveUpBut(0, sink) }

// giveUpBut spares the last keep of them.
func (p *parser) giveUpBut(keep int, sink protocol.Sink) {
	var n uint64
	for ; p.queue.len() > keep; p.queue.pop() {
		if id := p.queue.front().id; id != 0 {
			sink.ResponseEnd(id, protocol.End{Partial: true})
			n++
		}
	}
	sink.Lost(signal.ParserGaveUp, n)
	p.isDoubtful = p.isPipelined
}

// responsesHidden is called when bytes are missing where a response begins or may have begun.
func (p *parser) responsesHidden(sink protocol.Sink) {
	n := p.queue.len()
	// Without pipelining only the last request can be waiting: the one before it, seen or not, had its response in what is missing.
	isLastSafe := n == 2 && p.queue.front().id != 0 || n > 1 && p.queue.entries[len(p.queue.entries)-2].id == 0
	switch {
	case n == 0:
		p.gapSeen = true
	case isLastSafe && !p.isPipelined:
		p.giveUpBut(1, sink)
		p.queue.front().isDoubtful = true
		p.isDoubtful, p.hasEaten = true, true
	default:
		p.giveUp(sink)
	}
}
