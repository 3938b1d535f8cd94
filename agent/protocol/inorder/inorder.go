// Package inorder pairs the messages of a protocol that answers requests in their order on one connection.
//
// In: that a request begins, that its response is over, that bytes are missing. Out: which request a response belongs to, and whether
// that is certain. It must not know what a message looks like.
package inorder

import (
	"github.com/sonde-dev/sonde/agent/protocol"
	"github.com/sonde-dev/sonde/signal"
)

// MaxWaiting bounds the requests without a response on one connection.
const MaxWaiting = 1024

// Entry is a request without a complete response.
type Entry[T any] struct {
	ID      uint64
	Partial bool // the response that it gets may belong to another request
	Data    T    // what the protocol wants to remember of it
}

// Queue holds the requests of one connection that wait, in order. Its zero value is ready to use.
//
// After a loss nobody knows how many requests or responses were in what is missing. Requests are then in doubt until the connection
// was quiet twice: a request began a call while none waited, got a response, and so did another. The first of them may still get the response of a
// hidden one; after it, both directions are level again.
type Queue[T any] struct {
	entries []Entry[T]
	head    int
	lastID  uint64
	doubt   uint8

	// IsPipelined is true once a request was sent while another waited, and nothing was missing.
	IsPipelined bool
}

// Join says that the connection was joined in the middle: the next request that begins quietly is certain.
func (q *Queue[T]) Join() { q.doubt = 1 }

// Len returns how many requests wait.
func (q *Queue[T]) Len() int { return len(q.entries) - q.head }

// Front returns the request that the next response belongs to. There must be one. The pointer is valid until the next call of a method.
func (q *Queue[T]) Front() *Entry[T] { return &q.entries[q.head] }

// At returns the i-th request that waits.
func (q *Queue[T]) At(i int) *Entry[T] { return &q.entries[q.head+i] }

// Find returns the request with an id, nil when it does not wait any more. It is quick for the last one.
func (q *Queue[T]) Find(id uint64) *Entry[T] {
	for i := len(q.entries) - 1; i >= q.head; i-- {
		if q.entries[i].ID == id {
			return &q.entries[i]
		}
	}
	return nil
}

// IsDoubtful reports whether a request that begins now could get the response of another.
func (q *Queue[T]) IsDoubtful() bool { return q.doubt > 0 }

// NewID returns an id for a message that does not wait: what a server sends of its own accord.
func (q *Queue[T]) NewID() uint64 {
	q.lastID++
	return q.lastID
}

// Begin enters a request that begins. atCall is true when it begins a socket call.
func (q *Queue[T]) Begin(atCall bool, sink protocol.Sink) *Entry[T] {
	switch n := q.Len(); {
	case n == 0 && atCall && q.doubt > 0:
		q.doubt--
	case n > 0 && q.doubt == 0 && !atCall: // two requests in one call
		q.IsPipelined = true
	}
	if q.Len() >= MaxWaiting {
		q.GiveUp(sink)
	}
	if q.head > 0 && len(q.entries) == cap(q.entries) {
		q.entries = q.entries[:copy(q.entries, q.entries[q.head:])]
		q.head = 0
	}
	id := q.NewID()
	q.entries = append(q.entries, Entry[T]{ID: id, Partial: q.doubt > 0})
	sink.RequestBegin(id)
	return &q.entries[len(q.entries)-1]
}

// Answer says that the response to the front begins. Where several wait and nothing was lost, the connection pipelines.
func (q *Queue[T]) Answer() {
	q.IsPipelined = q.IsPipelined || q.Len() > 1 && q.doubt == 0
}

// IsGuess reports whether the response that the front gets may well be another's: bytes were lost on a connection that pipelines. What it
// says had better not be reported.
func (q *Queue[T]) IsGuess() bool { return q.IsPipelined && q.Front().Partial }

// idleEntries is the capacity that an empty queue keeps.
const idleEntries = 32

// Pop takes off the front: its response is complete, or it gets none.
func (q *Queue[T]) Pop() {
	q.entries[q.head] = Entry[T]{}
	q.head++
	if q.head == len(q.entries) {
		q.head, q.entries = 0, q.entries[:0]
		if cap(q.entries) > idleEntries {
			q.entries = nil
		}
	}
}

// Remove takes off a request that gets no response.
func (q *Queue[T]) Remove(id uint64) {
	for i := len(q.entries) - 1; i >= q.head; i-- {
		if q.entries[i].ID == id {
			copy(q.entries[i:], q.entries[i+1:])
			q.entries = q.entries[:len(q.entries)-1]
			return
		}
	}
}

// LoseRequests says that bytes are missing in which a request may have begun. Those that wait are not concerned.
func (q *Queue[T]) LoseRequests() { q.doubt = 2 }

// LoseResponses says that bytes are missing in which a response may have begun. Without pipelining, of two requests that wait the first must
// have been answered there, and only the second can still be waiting.
func (q *Queue[T]) LoseResponses(sink protocol.Sink) {
	keep := 0
	if q.Len() == 2 && !q.IsPipelined {
		keep = 1
	}
	q.giveUp(keep, sink)
	if keep > 0 {
		q.Front().Partial = true
	}
}

// GiveUp ends all that wait as partial: their responses cannot be told apart any more.
func (q *Queue[T]) GiveUp(sink protocol.Sink) { q.giveUp(0, sink) }

func (q *Queue[T]) giveUp(keep int, sink protocol.Sink) {
	var n uint64
	for ; q.Len() > keep; q.Pop() {
		sink.ResponseEnd(q.Front().ID, protocol.End{Partial: true})
		n++
	}
	if n > 0 {
		sink.Lost(signal.ParserGaveUp, n)
	}
	q.doubt = 2
}
