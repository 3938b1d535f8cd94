package exchange

import (
	"github.com/sonde-dev/sonde/agent/probe/event"
	"github.com/sonde-dev/sonde/signal"
)

// stream follows the positions of one direction.
type stream struct {
	isAnchored bool
	first      uint32 // position of the first byte ever seen
	next       uint32 // position expected next
	last       uint64 // time of the last call parsed

	window hold   // calls that came too early, by position
	since  uint64 // when the first of them came
}

// maxBackward separates a late call from a position that has wrapped: nobody is 64 MiB late.
const maxBackward = 64 << 20

func (s *stream) anchor(seq uint32) { s.isAnchored, s.first, s.next = true, seq, seq }

// order passes on an event when its turn has come.
func (c *connection) order(ev *event.Event) {
	s := &c.streams[ev.Direction]
	k := newCall(ev)
	if !s.isAnchored {
		s.anchor(k.seq)
	}
	if s.window.n() > 0 && isDue(s.since, c.engine.cfg.ReorderWindow, ev.Time) {
		s.flush(c)
	}
	switch ahead := int32(k.seq - s.next); {
	case ahead == 0:
		s.pass(c, &k)
	case ahead < 0 && ahead > -maxBackward:
		s.late(c, &k, uint32(-ahead))
	case ahead < 0 || !s.window.hasRoom(&k): // a hole of more than 2 GiB, or too much is waiting
		s.flush(c)
		s.jump(c, &k)
		s.pass(c, &k)
	default:
		s.early(c, &k)
	}
	s.drain(c)
}

// pass hands on the call whose turn it is.
func (s *stream) pass(c *connection, k *call) {
	s.next = k.seq + k.n
	c.take(k)
}

// late passes what is new of a call that lies behind.
func (s *stream) late(c *connection, k *call, behind uint32) {
	if behind < k.n {
		k.trim(behind)
		s.pass(c, k)
		return
	}
	if int32(k.seq-s.first) < 0 { // before the first byte that was seen: the others were counted when their gap was declared
		c.engine.losses.Add(signal.BytesLost, uint64(k.n))
	}
}

// early keeps a call until those before it have come.
func (s *stream) early(c *connection, k *call) {
	if s.window.n() == 0 {
		s.since = k.time
	}
	i := s.window.n()
	for i > 0 && int32(k.seq-s.window.calls[i-1].seq) < 0 {
		i--
	}
	s.window.insert(c.engine, i, k)
	c.wait()
}

// drain passes on the kept calls whose turn has come.
func (s *stream) drain(c *connection) {
	for s.window.n() > 0 && int32(s.window.calls[0].seq-s.next) <= 0 {
		k := s.window.shift()
		if behind := s.next - k.seq; behind == 0 {
			s.pass(c, &k)
		} else {
			s.late(c, &k, behind)
		}
		c.engine.recycle(&k)
	}
}

// flush passes on all kept calls; what is missing between them is lost.
func (s *stream) flush(c *connection) {
	for s.window.n() > 0 {
		s.jump(c, &s.window.calls[0])
		s.drain(c)
	}
}

// jump declares the bytes before k lost.
func (s *stream) jump(c *connection, k *call) {
	n := k.seq - s.next
	if n == 0 {
		return
	}
	c.engine.losses.Add(signal.BytesLost, uint64(n))
	gap := call{dir: k.dir, isGap: true, time: k.time, pid: k.pid, tid: k.tid, seq: s.next, n: n}
	s.next = k.seq
	c.take(&gap)
}
