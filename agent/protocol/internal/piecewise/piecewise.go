// Package piecewise cuts one direction of a connection into messages that say their own length, and hands them on piece by piece.
//
// In: calls and gaps of one direction. Out: head, body and end of each message, told to the protocol's Messages. Bodies are handed on as they
// come, so that nothing but heads is kept; package prefix collects the start of each message instead. It must not know any protocol.
package piecewise

import "github.com/sonde-dev/sonde/agent/protocol"

// Messages is what a protocol knows of the messages of one direction. For each message the Reader calls Begin, Head until it has
// judged, then Body and Skip in order, then End. Nothing of what it is given may be kept.
type Messages interface {
	// Begin says that the first byte of a message is there.
	Begin(sink protocol.Sink)
	// Head judges the first bytes of a message: all that are there, perhaps with later ones behind. It returns the size of the
	// whole message and how many of its bytes it has used; or size 0 and how many bytes it wants to see in all; or 0 and 0 when this
	// is no message. isCut: no more will come, so it may not want more.
	Head(b []byte, isCut bool, sink protocol.Sink) (size uint64, n int)
	// Body hands over what follows the bytes used by Head; Skip says that so many of them are not known.
	Body(b []byte, sink protocol.Sink)
	Skip(n uint64, sink protocol.Sink)
	// End says that the message's last byte was read or skipped.
	End(size uint64, sink protocol.Sink)
	// Lose says that the place in the stream is lost, perhaps in the head of a message that has begun.
	Lose(hasBegun bool, sink protocol.Sink)
	// Resume judges the bytes of a call while the place is lost, as strictly as it can: No, Maybe when there are too few.
	Resume(b []byte) protocol.Verdict
}

// Unknown is the size of a message that says no length: its Messages are a Measurer too, whose methods take the place of Body and Skip.
const Unknown = 1 << 63

// Measurer finds the end of messages of Unknown size.
type Measurer interface {
	// Measure reads bytes of the message until it ends, and returns how many; -1 when they make no sense.
	Measure(b []byte) (n int, isEnd bool)
	// Pass says that so many bytes are not known, and reports whether the place is not lost by that.
	Pass(n uint64) bool
}

// maxHead bounds what is kept of a head that is cut over several calls.
const maxHead = 64 << 10

// keptHead is the size of the buffer that is kept for the next cut head.
const keptHead = 512

type state uint8

const (
	between state = iota // the next byte begins a message
	inHead               // begun, not judged
	inBody               // remain bytes are to come
	lost                 // until a call begins like a message; buf holds one that may
)

// Reader is the place in one direction. Its zero value is before the first message.
type Reader struct {
	state  state
	buf    []byte // the head while it is cut
	want   int    // bytes of head
	size   uint64
	remain uint64
}

// Lose makes the reader wait for a call that begins like a message.
func (r *Reader) Lose() { r.state, r.buf = lost, nil }

// IsLost reports whether the place is lost.
func (r *Reader) IsLost() bool { return r.state == lost }

// Open describes the message that is being read: whether there is one, whether its head was judged, and how many of its bytes
// have come.
func (r *Reader) Open() (hasBegun, hasHead bool, size uint64) {
	switch r.state {
	case inHead:
		return true, false, uint64(len(r.buf))
	case inBody:
		return true, true, r.size - r.remain
	}
	return false, false, 0
}

// Data reads the bytes of one call, or those directly after.
func (r *Reader) Data(b []byte, m Messages, sink protocol.Sink) {
	if r.state == lost && !r.resume(b, m, sink) {
		return
	}
	for len(b) > 0 {
		switch r.state {
		case between:
			r.state, r.want = inHead, 0
			m.Begin(sink)
		case inHead:
			n := r.head(b, m, sink)
			if r.state == lost {
				return
			}
			b = b[n:]
		case inBody:
			if r.size == Unknown {
				n := r.measure(b, m, sink)
				b = b[n:]
				continue
			}
			k := min(uint64(len(b)), r.remain)
			m.Body(b[:k], sink)
			b = b[k:]
			r.pass(k, m, sink)
		case lost:
			return
		}
	}
}

// Gap passes over n bytes that are not known.
func (r *Reader) Gap(n uint32, m Messages, sink protocol.Sink) {
	left := uint64(n)
	for left > 0 {
		switch r.state {
		case between:
			r.lose(false, m, sink)
		case inHead:
			size, used := m.Head(r.buf, true, sink)
			if size == 0 || used != len(r.buf) || uint64(used) > size {
				r.lose(true, m, sink)
				return
			}
			r.enter(size, used, m, sink)
		case inBody:
			if r.size == Unknown {
				r.remain -= left
				if !m.(Measurer).Pass(left) {
					r.lose(true, m, sink)
				}
				return
			}
			k := min(left, r.remain)
			m.Skip(k, sink)
			left -= k
			r.pass(k, m, sink)
		case lost:
			r.buf = nil
			return
		}
	}
}

// resume reports whether b goes on where a message begins.
func (r *Reader) resume(b []byte, m Messages, sink protocol.Sink) bool {
	if len(r.buf) > 0 {
		start := append(r.buf[:len(r.buf):len(r.buf)], b...)
		switch m.Resume(start) {
		case protocol.IsRequest, protocol.IsResponse:
			held := r.buf
			r.state, r.buf = between, nil
			r.Data(held, m, sink)
			return r.state != lost
		case protocol.Maybe:
			r.keep(start)
			return false
		}
		r.buf = nil
	}
	switch m.Resume(b) {
	case protocol.IsRequest, protocol.IsResponse:
		r.state = between
		return true
	case protocol.Maybe:
		r.keep(b)
	}
	return false
}

// keep holds the start of a call that may begin a message.
func (r *Reader) keep(b []byte) {
	if len(b) > keptHead {
		b = nil
	}
	r.buf = append([]byte(nil), b...)
}

// head reads of b what belongs to a head and returns how many bytes those are.
func (r *Reader) head(b []byte, m Messages, sink protocol.Sink) int {
	had := len(r.buf)
	all, n := b, len(b)
	if had > 0 {
		n = min(len(b), max(1, r.want-had))
		r.buf = append(r.buf, b[:n]...)
		all = r.buf
		if len(r.buf) < r.want {
			return n
		}
	}
	size, used := m.Head(all, false, sink)
	switch {
	case size == 0 && used > len(all) && used <= maxHead:
		r.want = used
		if had == 0 {
			r.buf = append(r.buf, b...)
		}
		return n
	case size == 0 || used < had || used > len(all) || uint64(used) > size:
		r.lose(true, m, sink)
		return 0
	}
	r.enter(size, used, m, sink)
	return used - had
}

func (r *Reader) enter(size uint64, used int, m Messages, sink protocol.Sink) {
	r.buf = r.buf[:0]
	if cap(r.buf) > keptHead {
		r.buf = nil
	}
	r.state, r.size, r.remain = inBody, size, size
	r.pass(uint64(used), m, sink)
}

// measure reads of b what belongs to a message of unknown size.
func (r *Reader) measure(b []byte, m Messages, sink protocol.Sink) int {
	n, isEnd := m.(Measurer).Measure(b)
	switch {
	case n < 0 || n == 0 && !isEnd:
		r.lose(true, m, sink)
		return len(b)
	case isEnd:
		r.state = between
		m.End(r.size-r.remain+uint64(n), sink)
	}
	r.remain -= uint64(n)
	return n
}

// pass counts n bytes of the message as done.
func (r *Reader) pass(n uint64, m Messages, sink protocol.Sink) {
	r.remain -= n
	if r.remain == 0 {
		r.state = between
		m.End(r.size, sink)
	}
}

func (r *Reader) lose(hasBegun bool, m Messages, sink protocol.Sink) {
	r.Lose()
	m.Lose(hasBegun, sink)
}
