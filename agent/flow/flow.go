// Package flow follows what connections move, whatever they speak.
//
// In: connections that open and close, and now and then how far the open ones are. Out: what each did since the last time.
// It must not know what the bytes mean, nor who is at the ends.
package flow

import (
	"time"

	"github.com/sonde-dev/sonde/agent/probe/event"
	"github.com/sonde-dev/sonde/signal"
)

// MaxConnections bounds the table; connections beyond are not followed, and counted as signal.ConnectionLimit.
const MaxConnections = 65536

// Tracker turns totals of connections into what was added. It is for one goroutine.
type Tracker struct {
	conns  map[uint64]*connection
	losses signal.Losses
}

type connection struct {
	last     event.Transfer
	isTold   bool // its opening was reported, or it was open before
	isServer bool
}

// New makes a Tracker.
func New() *Tracker { return &Tracker{conns: map[uint64]*connection{}, losses: signal.Losses{}} }

// Delta is what one TCP connection did since the last time. Bytes are as seen from this end.
type Delta struct {
	Opened, Closed, Reset bool
	IsServer              bool // this end was connected to, as far as known
	Sent, Received        uint64
	Retransmits           uint32
	RoundTripTime         time.Duration // smoothed, as it is now; 0 for not known
}

// IsZero reports whether nothing happened.
func (d Delta) IsZero() bool {
	d.IsServer, d.RoundTripTime = false, 0
	return d == Delta{}
}

// Open begins to follow a TCP connection; a repeated announcement changes nothing. What a connection that was joined in the
// middle moved before is not reported.
func (t *Tracker) Open(conn uint64, o *event.OpenInfo) {
	if o.Unix || o.Datagrams || t.conns[conn] != nil {
		return
	}
	if len(t.conns) >= MaxConnections {
		t.losses.Add(signal.ConnectionLimit, 1)
		return
	}
	c := &connection{isTold: !o.Seen, isServer: isServer(o)}
	if !o.Seen {
		c.last.Received, c.last.Acked = unknown, unknown
	}
	t.conns[conn] = c
}

// isServer tells the end that was connected to. Of a connection that was joined in the middle nothing says which it is, and the
// lower port is taken for the server's: ephemeral ports are high (ip_local_port_range).
func isServer(o *event.OpenInfo) bool {
	if o.Role != event.RoleUnknown {
		return o.Role == event.RoleServer
	}
	return o.Local.Port() < o.Remote.Port()
}

// unknown marks totals that are to be learned first.
const unknown = ^uint64(0)

// Sample takes the totals of an open connection and returns what is new.
func (t *Tracker) Sample(conn uint64, now event.Transfer) Delta {
	c := t.conns[conn]
	if c == nil {
		return Delta{}
	}
	d := c.add(now)
	d.Opened, d.IsServer = !c.isTold, c.isServer
	c.isTold = true
	return d
}

// Close ends a connection and returns what is new.
func (t *Tracker) Close(conn uint64, info *event.CloseInfo) Delta {
	c := t.conns[conn]
	if c == nil {
		return Delta{}
	}
	delete(t.conns, conn)
	d := c.add(info.Transfer)
	d.Opened, d.Closed, d.Reset, d.IsServer = !c.isTold, true, info.Reset, c.isServer
	return d
}

// add takes over new totals.
func (c *connection) add(now event.Transfer) (d Delta) {
	if c.last.Received != unknown {
		d.Received = more(c.last.Received, now.Received)
		d.Sent = more(c.last.Acked, now.Acked)
		if now.Retransmits > c.last.Retransmits {
			d.Retransmits = now.Retransmits - c.last.Retransmits
		}
	}
	d.RoundTripTime = now.RoundTripTime
	c.last = now
	return d
}

// more is the growth of a total; the totals of a socket that is being taken down may read as zero.
func more(before, now uint64) uint64 {
	if now < before {
		return 0
	}
	return now - before
}

// Connections returns how many are followed.
func (t *Tracker) Connections() int { return len(t.conns) }

// Losses returns what was lost so far, by cause. The map is not to be modified.
func (t *Tracker) Losses() signal.Losses { return t.losses }
