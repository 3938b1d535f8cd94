package replay

import (
	"cmp"
	"net/netip"
	"slices"

	"github.com/sonde-dev/sonde/agent/probe/event"
)

// conn is a connection of the capture, announced once for each of its ends.
type conn struct {
	source  *Source
	id      uint64 // of the first end; the second one's is one more
	ends    [2]netip.AddrPort
	client  int  // the end that sent the SYN, else the one seen first
	isSeen  bool // the SYN or its answer was seen
	isUDP   bool
	isn     uint32 // of the SYN or the SYN-ACK, whichever came first
	touched uint64

	tcp       tcp
	sent      [2]uint32 // bytes of datagrams, as positions
	announced uint64    // when last; 0 for never
	isClosed  bool
	event     event.Event
}

func newConn(s *Source, id uint64, p *packet, from int) *conn {
	c := &conn{source: s, id: id, client: from, isSeen: p.syn, isUDP: p.isUDP, isn: p.seq}
	c.ends[from], c.ends[1-from] = p.src, p.dst
	if p.syn && p.hasAck { // the answer to a SYN
		c.client, c.isn = 1-from, p.ack-1
	}
	c.tcp.deliver = c.deliver
	return c
}

// isReplacedBy reports whether a packet begins another connection of the same ends.
func (c *conn) isReplacedBy(p *packet, from int) bool {
	return p.syn && !p.hasAck && !(c.isSeen && from == c.client && p.seq == c.isn)
}

func (c *conn) take(from int, p packet) {
	c.touched = max(c.touched, p.time)
	switch {
	case c.isClosed: // what comes now is a repetition
	case c.isUDP:
		p.seq = c.sent[from]
		c.sent[from] += p.n
		c.deliver(from, &p)
	default:
		c.tcp.add(from, p)
	}
}

// flush reports what still waits.
func (c *conn) flush() {
	if !c.isClosed {
		c.tcp.flush()
	}
}

// expire gives up on what has been missing for too long.
func (c *conn) expire(now uint64) {
	if !c.isClosed {
		c.tcp.drain(mark{now, c.tcp.count})
	}
}

// deliver reports the next bytes that an end sent: its own call, then the other's.
func (c *conn) deliver(from int, p *packet) {
	if c.isClosed {
		return
	}
	if p.n > 0 {
		c.announce(p, from)
		for _, end := range [2]int{from, 1 - from} {
			ev := &c.event
			*ev = event.Event{
				Kind: event.Data, Time: p.time, Conn: c.id + uint64(end), Direction: event.Egress,
				Seq: p.seq, Len: p.n, Payload: p.payload,
			}
			if end != from {
				ev.Direction = event.Ingress
			}
			c.source.onEvent(ev)
		}
	}
	if p.rst || c.tcp.halves[0].isEnded && c.tcp.halves[1].isEnded {
		c.close(p.time, p.rst)
	}
}

// announceAgain is less than the engine's patience with connections that are idle.
const announceAgain = 60e9

// announce reports the connection at both ends before its first bytes, which are those of p, and again while it is busy.
func (c *conn) announce(p *packet, from int) {
	if c.announced != 0 && p.time < c.announced+announceAgain {
		return
	}
	next := [2]uint32{c.sent[0], c.sent[1]}
	isKnown := c.isUDP || c.tcp.halves[0].isKnown && c.tcp.halves[1].isKnown
	for i := range next {
		switch h := &c.tcp.halves[i]; {
		case c.isUDP:
		case c.announced == 0:
			next[i] = h.first
		default:
			next[i] = h.next
		}
	}
	if c.isUDP || c.announced != 0 {
		next[from] = p.seq // p itself comes after this
	}
	c.announced = max(p.time, 1)
	for _, end := range [2]int{c.client, 1 - c.client} {
		o := event.OpenInfo{
			Local: c.ends[end], Remote: c.ends[1-end], Datagrams: c.isUDP, Seen: c.isSeen || c.isUDP,
			HasPositions: isKnown, NextEgress: next[end], NextIngress: next[1-end],
		}
		if c.isSeen {
			o.Role = event.RoleServer
			if end == c.client {
				o.Role = event.RoleClient
			}
		}
		c.source.onEvent(&event.Event{Kind: event.Open, Time: p.time, Conn: c.id + uint64(end), Open: o})
	}
}

func (c *conn) close(now uint64, reset bool) {
	c.isClosed = true
	if c.announced == 0 {
		return // nothing was said on it
	}
	for end := range 2 {
		own, other := &c.tcp.halves[end], &c.tcp.halves[1-end]
		c.source.onEvent(&event.Event{Kind: event.Close, Time: now, Conn: c.id + uint64(end), Close: event.CloseInfo{
			Reset: reset, HasPositions: own.isKnown && other.isKnown, NextEgress: own.next, NextIngress: other.next,
		}})
	}
}

// sorted returns the connections in order of their first packet.
func (s *Source) sorted() []*conn {
	list := make([]*conn, 0, len(s.conns))
	for _, c := range s.conns {
		list = append(list, c)
	}
	slices.SortFunc(list, func(a, b *conn) int { return cmp.Compare(a.id, b.id) })
	return list
}
