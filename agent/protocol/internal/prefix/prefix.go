// Package prefix cuts one direction of a connection into messages that say their own length, and hands over the start of each at once.
//
// In: bytes and gaps. Out: the first bytes of each message, all at once, and its end, told to a Handler. Package piecewise hands on heads and
// bodies as they come. It must not know what a message means.
package prefix

import "github.com/sonde-dev/sonde/agent/protocol"

// MaxKeep bounds the bytes kept of a message that is cut over several calls.
const MaxKeep = 64 << 10

// minHeader is how many bytes of a message Measure may need before it knows the length, where the Reader does not say.
const minHeader = 64

// Handler understands messages. Slices are valid until the method returns.
type Handler interface {
	// Measure returns the size of the message that begins with b and how many of its first bytes Message wants; size 0 asks for
	// more bytes, !ok says that this is no message. keep covers at least the bytes that Measure needed.
	Measure(dir protocol.Direction, b []byte) (size uint64, keep int, ok bool)
	// Strict judges the start of a call after loss; only what begins a message for sure is IsRequest or IsResponse.
	Strict(dir protocol.Direction, b []byte) protocol.Verdict
	// Message is called once for each message: b are its first bytes, fewer than were asked for only if isCut. It returns
	// false when they are no message after all.
	Message(dir protocol.Direction, b []byte, size uint64, isCut bool) bool
	// End is called when the last byte of the message was moved.
	End(dir protocol.Direction)
	// Lost says that messages of this direction may be missing from here on, until the next Message. It is called again for whatever
	// is passed over until then; IsLost is false the first time.
	Lost(dir protocol.Direction)
}

// Reader is one direction. The zero value, with Dir set, stands between two messages.
type Reader struct {
	Dir protocol.Direction
	// MaxHeader is how many bytes of a message Measure may need before it knows the length; 0: 64.
	MaxHeader int

	buf    []byte
	rest   uint64 // bytes of the message not moved yet
	size   uint64 // of the message; 0 between messages
	keep   int    // how many first bytes Message wants; 0 once it was called
	isLost bool
	since  protocol.Since // when the bytes in buf began
}

// Stamp notes when the message began whose first bytes are kept, here or (isElsewhere) by who takes something off before. It is to be called
// after Data and Gap.
func (r *Reader) Stamp(sink protocol.Sink, isElsewhere bool) {
	r.since.Stamp(len(r.buf) > 0 || isElsewhere, sink)
}

// Date says of a request that begins with the message of which Message tells that it began with an earlier call, if it did.
func (r *Reader) Date(id uint64, sink protocol.Sink) {
	r.since.Date(id, sink)
}

func (r *Reader) maxHeader() int { return max(r.MaxHeader, minHeader) }

// StartLost makes the reader wait for a call that begins with a message.
func (r *Reader) StartLost() { r.isLost = true }

// IsLost reports whether the reader waits for a call that begins with a message.
func (r *Reader) IsLost() bool { return r.isLost }

// InMessage reports whether a message has begun and not ended.
func (r *Reader) InMessage() bool { return r.size > 0 || len(r.buf) > 0 }

// Rest returns how many bytes of the message being read were not moved yet.
func (r *Reader) Rest() uint64 { return r.rest }

// Data reads b; atCall is true when it begins where a socket call began.
func (r *Reader) Data(b []byte, atCall bool, h Handler) {
	for len(b) > 0 {
		var n int
		switch {
		case r.isLost:
			n = r.resync(b, atCall, h)
		case r.size == 0:
			n = r.begin(b, h)
		case r.keep > 0:
			n = r.collect(b, h)
		default:
			n = int(min(uint64(len(b)), r.rest))
			r.pass(uint64(n), h)
		}
		b, atCall = b[n:], false
	}
}

// Gap passes over n bytes that were not copied, of which tail are the last.
func (r *Reader) Gap(n uint32, tail []byte, h Handler) {
	if len(tail) > int(n) {
		tail = tail[len(tail)-int(n):]
	}
	if r.isLost && n > 0 {
		r.release()
		h.Lost(r.Dir)
		return
	}
	for left := uint64(n) - uint64(len(tail)); left > 0 && !r.isLost; {
		switch {
		case r.size == 0:
			r.Lose(h)
		case r.keep > 0:
			r.tell(r.buf, true, h)
		default:
			k := min(left, r.rest)
			left -= k
			r.pass(k, h)
		}
	}
	if r.isLost {
		return
	}
	r.Data(tail, false, h)
}

// GaveUp is what to count as signal.ParserGaveUp when Lost has ended so many messages: one at least when it is called the first time.
func (r *Reader) GaveUp(ended int) uint64 {
	if !r.isLost {
		ended = max(ended, 1)
	}
	return uint64(ended)
}

// Lose gives up what is being read.
func (r *Reader) Lose(h Handler) {
	h.Lost(r.Dir)
	r.release()
	r.isLost = true
	r.size, r.rest, r.keep = 0, 0, 0
	r.since.Clear()
}

// begin reads the header of a message.
func (r *Reader) begin(b []byte, h Handler) int {
	had := len(r.buf)
	head := b
	if had > 0 {
		r.buf = append(r.buf, b[:min(len(b), r.maxHeader()-had)]...)
		head = r.buf
	}
	size, keep, ok := h.Measure(r.Dir, head)
	switch {
	case !ok || size == 0 && len(head) >= r.maxHeader():
		r.Lose(h)
		return len(b)
	case size == 0:
		if had == 0 {
			r.buf = append(r.buf, b...)
		}
		return len(r.buf) - had
	}
	keep = int(min(uint64(keep), size, MaxKeep))
	r.size, r.rest, r.keep = size, size, keep
	if had > 0 {
		r.buf = r.buf[:max(had, min(len(r.buf), keep))] // had is less than Measure needed
		n := len(r.buf) - had
		r.rest -= uint64(len(r.buf))
		r.tellIfWhole(h)
		return n
	}
	if len(b) >= keep {
		r.rest -= uint64(keep)
		r.tell(b[:keep], false, h)
		return keep
	}
	r.buf = append(r.buf, b...)
	r.rest -= uint64(len(b))
	return len(b)
}

// collect adds to the first bytes of a message.
func (r *Reader) collect(b []byte, h Handler) int {
	n := min(len(b), r.keep-len(r.buf))
	r.buf = append(r.buf, b[:n]...)
	r.rest -= uint64(n)
	r.tellIfWhole(h)
	return n
}

func (r *Reader) tellIfWhole(h Handler) {
	if len(r.buf) >= r.keep {
		r.tell(r.buf, false, h)
	}
}

func (r *Reader) tell(b []byte, isCut bool, h Handler) {
	r.keep = 0
	ok := h.Message(r.Dir, b, r.size, isCut)
	r.since.Clear()
	r.release()
	if !ok {
		r.Lose(h)
		return
	}
	r.pass(0, h)
}

// pass moves over n bytes of the message.
func (r *Reader) pass(n uint64, h Handler) {
	r.rest -= n
	if r.rest == 0 {
		r.size = 0
		h.End(r.Dir)
	}
}

// resync looks for a message at the start of a call. The first bytes of one that a program reads in pieces (the length, then the
// rest) wait for the next call.
func (r *Reader) resync(b []byte, atCall bool, h Handler) int {
	if !atCall {
		h.Lost(r.Dir)
		return len(b)
	}
	if had := len(r.buf); had > 0 {
		r.buf = append(r.buf, b[:min(len(b), minHeader)]...)
		v := h.Strict(r.Dir, r.buf)
		if v == protocol.Maybe && len(r.buf) < minHeader && len(b) < minHeader {
			return len(b)
		}
		waited := r.buf[:had]
		r.buf = nil
		if v == protocol.IsRequest || v == protocol.IsResponse {
			r.isLost = false
			r.Data(waited, false, h)
			return 0
		}
		r.since.Clear()
	}
	switch h.Strict(r.Dir, b) {
	case protocol.IsRequest, protocol.IsResponse:
		r.isLost = false
		return 0
	case protocol.Maybe:
		if len(b) < minHeader {
			r.buf = append(r.buf, b...)
			return len(b)
		}
	}
	h.Lost(r.Dir)
	return len(b)
}

// release frees a large buffer; small ones serve the next cut message.
func (r *Reader) release() {
	r.buf = r.buf[:0]
	if cap(r.buf) > 4096 {
		r.buf = nil
	}
}
