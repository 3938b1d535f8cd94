package exchange

import (
	"github.com/sonde-dev/sonde/agent/probe/event"
	"github.com/sonde-dev/sonde/signal"
)

// Two threads that use one socket may report their calls in the wrong order. A call that comes too early waits in the connection's
// window for those before it, and whatever comes after it waits behind it, in both directions: what matters for
// pairing is the order across directions. The first call of the window is always the one whose predecessor is missing.

// stream follows the positions of one direction.
type stream struct {
	isAnchored bool
	// isEarly is true while the anchor is the position of an announcement and nothing was parsed: a send that was under way
	// then has moved the position already and is yet to be reported.
	isEarly bool
	first   uint32 // position of the first byte ever seen
	next    uint32 // position expected next
	last    uint64 // time of the last call parsed
}

func (s *stream) anchor(seq uint32) { s.isAnchored, s.first, s.next = true, seq, seq }

// ahead is how far a call lies ahead of its turn; negative: behind.
func (s *stream) ahead(k *call) int32 { return int32(k.seq - s.next) }

// maxBackward separates a late call from a position that has wrapped: nobody is 64 MiB late.
const maxBackward = 64 << 20

// order passes on an event when its turn has come.
func (c *connection) order(ev *event.Event) {
	s := &c.streams[ev.Direction]
	k := &c.engine.call
	k.set(ev)
	if c.isDatagrams { // each stands for itself
		c.take(k)
		return
	}
	if !s.isAnchored {
		s.anchor(k.seq)
	}
	if c.window.n() > 0 && isDue(c.window.calls[0].time, c.engine.cfg.ReorderWindow, k.time) {
		c.flushWindow()
	}
	for c.window.n() > 0 && !c.window.hasRoom(k, maxHeldCalls) {
		c.passFirst()
	}
	switch isBlocked := c.window.n() > 0; {
	case !isBlocked && s.ahead(k) <= 0, isBlocked && k.dir == c.window.calls[0].dir && s.ahead(k) <= 0:
		c.pass(k)
		c.drain()
	case c.window.hasRoom(k, maxHeldCalls):
		c.window.insert(c.engine, c.window.n(), k)
		c.wait()
	default: // larger than the whole window
		c.pass(k)
	}
}

// pass hands on a call; what is missing before it is lost.
func (c *connection) pass(k *call) {
	s := &c.streams[k.dir]
	if ahead := s.ahead(k); s.isEarly && ahead < 0 && ahead > -maxBackward {
		s.anchor(k.seq)
	}
	s.isEarly = false
	switch ahead := s.ahead(k); {
	case ahead == 0:
	case ahead < 0 && ahead > -maxBackward:
		if behind := uint32(-ahead); behind < k.n {
			k.trim(behind)
			break
		}
		// A repetition, or bytes already counted as lost when their gap was declared; but not those before the first.
		if int32(k.seq-s.first) < 0 {
			c.countLost(k.n)
		}
		return
	default:
		s.jump(c, k)
	}
	s.next = k.seq + k.n
	c.take(k)
}

// drain passes on the calls of the window whose turn has come.
func (c *connection) drain() {
	for c.window.n() > 0 {
		i := 0
		if s := &c.streams[c.window.calls[0].dir]; s.ahead(&c.window.calls[0]) > 0 {
			if i = c.nextInWindow(s); i < 0 {
				return
			}
		}
		k := c.window.remove(i)
		c.pass(&k)
		c.engine.recycle(&k)
	}
}

// nextInWindow finds the call that continues the direction of the first one, -1 when it has not come.
func (c *connection) nextInWindow(s *stream) int {
	dir := c.window.calls[0].dir
	for i := range c.window.calls {
		if k := &c.window.calls[i]; k.dir == dir && s.ahead(k) <= 0 {
			return i
		}
	}
	return -1
}

// passFirst gives up waiting for what is missing before the first call of the window.
func (c *connection) passFirst() {
	first := &c.window.calls[0]
	s := &c.streams[first.dir]
	nearest := first // it need not be the one that lies next
	for i := range c.window.calls {
		if k := &c.window.calls[i]; k.dir == first.dir && s.ahead(k) < s.ahead(nearest) {
			nearest = k
		}
	}
	s.jump(c, nearest)
	c.drain()
}

func (c *connection) flushWindow() {
	for c.window.n() > 0 {
		c.passFirst()
	}
}

// countLost counts bytes of a connection that speaks a known protocol; of others, not all is copied on purpose.
func (c *connection) countLost(n uint32) {
	if c.parser != nil {
		c.engine.losses.Add(signal.BytesLost, uint64(n))
	}
}

// finish declares lost what was moved after the last call that was seen, up to the position at the close.
func (s *stream) finish(c *connection, ev *event.Event, dir event.Direction, position uint32) {
	const fin = 1 // takes a sequence number (RFC 9293 §3.4)
	if s.isAnchored && !c.isSilent && int32(position-s.next) > fin {
		s.jump(c, &call{dir: dir, time: ev.Time, pid: ev.PID, tid: ev.TID, seq: position})
	}
}

// jump declares the bytes before k lost.
func (s *stream) jump(c *connection, k *call) {
	n := k.seq - s.next
	if n == 0 {
		return
	}
	c.countLost(n)
	gap := call{dir: k.dir, isGap: true, time: k.time, pid: k.pid, tid: k.tid, seq: s.next, n: n}
	s.next = k.seq
	c.take(&gap)
}
