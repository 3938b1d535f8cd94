package replay

import "slices"

// A library for this exists (gopacket's reassembly). It knows neither segments that were cut off nor what the other side has
// acknowledged, and delivers each direction by itself; here the order across directions decides what answers what.

// segment is a packet that waits for its turn.
type segment struct {
	packet
	from int // the end that sent it
	came int // packets of the connection before it
}

// half is what one end sends.
type half struct {
	isKnown bool   // next is the position of a byte that was sent or acknowledged
	next    uint32 // position of the next byte to deliver
	first   uint32 // position of the first byte ever expected
	time    uint64 // of what was delivered last
	isEnded bool   // its FIN was delivered

	acked   uint32 // what the other end has received
	isAcked bool
	// lostSince is when the other end was first seen to have received bytes that are not in the capture so far.
	isLost    bool
	lostSince mark
}

// mark is a moment of a connection.
type mark struct {
	time  uint64
	count int
}

// Bounds of patience. A hole that the receiver has acknowledged was sent and not captured, unless the capture itself is a little out
// of order. One that is not acknowledged is filled by a retransmission.
const (
	graceTime    = 100e6 // nanoseconds
	graceCount   = 64    // packets of the connection
	maxWaiting   = 1024  // segments
	maxWaitBytes = 4 << 20
)

// tcp puts the segments of one connection in order: each is delivered after those before it in its direction and after all that its
// sender had received when it sent it.
type tcp struct {
	halves  [2]half
	waiting []segment // in order of arrival; they own their bytes
	bytes   int
	count   int
	// deliver takes the next bytes of one end; skip those that were declared lost before them.
	deliver func(from int, p *packet)
}

// add takes a packet of the end from.
func (c *tcp) add(from int, p packet) {
	c.count++
	s := segment{packet: p, from: from, came: c.count}
	own, other := &c.halves[from], &c.halves[1-from]
	if s.syn {
		s.seq++ // it takes the first number
		own.anchor(s.seq)
	}
	own.anchor(s.seq)
	if s.hasAck {
		other.anchor(s.ack)
		if !other.isAcked || before(other.acked, s.ack) {
			other.acked, other.isAcked = s.ack, true
		}
		other.watch(mark{p.time, c.count})
	}
	if s.rst && (!own.isAcked || before(own.acked, s.seq)) { // nothing will be sent again
		own.acked, own.isAcked = s.seq, true
		own.watch(mark{p.time, c.count})
	}
	if s.n > 0 || s.fin || s.rst {
		if len(c.waiting) == 0 && c.isTurn(&s) {
			c.pass(&s)
		} else {
			s.payload = append([]byte(nil), s.payload...)
			c.waiting = append(c.waiting, s)
			c.bytes += len(s.payload)
		}
	}
	c.drain(mark{p.time, c.count})
}

// drain delivers what has its turn, and gives up on what will not come.
func (c *tcp) drain(now mark) {
	for len(c.waiting) > 0 {
		if i := slices.IndexFunc(c.waiting, func(s segment) bool { return c.isTurn(&s) }); i >= 0 {
			s := c.waiting[i]
			c.waiting = slices.Delete(c.waiting, i, i+1)
			c.bytes -= len(s.payload)
			c.pass(&s)
			continue
		}
		if !c.giveUp(now, len(c.waiting) > maxWaiting || c.bytes > maxWaitBytes) {
			return
		}
	}
}

// flush delivers all that waits; what is missing before it is lost.
func (c *tcp) flush() {
	for len(c.waiting) > 0 {
		c.drain(mark{})
		if len(c.waiting) > 0 {
			c.giveUp(mark{}, true)
		}
	}
}

// isTurn reports whether all is delivered that comes before s.
func (c *tcp) isTurn(s *segment) bool {
	own, other := &c.halves[s.from], &c.halves[1-s.from]
	return !before(own.next, s.seq) && !(s.hasAck && other.isKnown && !other.isEnded && before(other.next, s.ack))
}

func (c *tcp) pass(s *segment) {
	h := &c.halves[s.from]
	h.time = max(h.time, s.time)
	s.time = h.time
	if end := s.seq + s.n; before(h.next, end) {
		if s.n > 0 {
			late := h.next - s.seq // the first of its bytes are a repetition
			s.seq += late
			s.n -= late
			s.payload = s.payload[min(int(late), len(s.payload)):]
		}
		h.next = end
	} else if !before(s.seq, h.first) {
		s.n, s.payload = 0, nil
	} // else it lies before the first byte seen of a connection that was joined, as only some of the first packets do
	h.isEnded = h.isEnded || s.fin
	if s.n > 0 || s.fin || s.rst {
		c.deliver(s.from, &s.packet)
	}
	h.watch(mark{s.time, c.count})
}

// giveUp declares the bytes before one of the waiting segments lost, if they are. It reports whether something may have its turn now.
func (c *tcp) giveUp(now mark, must bool) bool {
	for from := range c.halves {
		h := &c.halves[from]
		isDue := h.isLost && (now.time > h.lostSince.time+graceTime || now.count > h.lostSince.count+graceCount)
		if isDue && c.jump(from, h.acked) {
			return true
		}
	}
	if !must {
		return false
	}
	s := &c.waiting[0] // the oldest
	if c.jump(s.from, s.seq) {
		return true
	}
	return c.jump(1-s.from, s.ack)
}

// jump skips the hole at the start of a half, at most up to a position.
func (c *tcp) jump(from int, to uint32) bool {
	h := &c.halves[from]
	if !before(h.next, to) {
		return false
	}
	for i := range c.waiting {
		if s := &c.waiting[i]; s.from == from && before(h.next, s.seq) && before(s.seq, to) {
			to = s.seq
		}
	}
	h.next = to
	h.watch(mark{h.lostSince.time, h.lostSince.count})
	return true
}

// anchor sets where a half begins, when nothing is known of it yet.
func (h *half) anchor(seq uint32) {
	if !h.isKnown {
		h.isKnown, h.next, h.first = true, seq, seq
	}
}

// watch notes since when bytes are known to be missing.
func (h *half) watch(now mark) {
	isLost := h.isAcked && h.isKnown && !h.isEnded && before(h.next, h.acked)
	if isLost && !h.isLost {
		h.lostSince = now
	}
	h.isLost = isLost
}

// before compares positions modulo 2^32 (RFC 9293 §3.4).
func before(a, b uint32) bool { return int32(a-b) < 0 }
