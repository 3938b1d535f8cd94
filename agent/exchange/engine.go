package exchange

import (
	"maps"
	"time"

	"github.com/sonde-dev/sonde/agent/probe/event"
	"github.com/sonde-dev/sonde/agent/protocol"
	"github.com/sonde-dev/sonde/signal"
)

// Source is where the events come from. It is told what is worth copying; until it knows, it copies the first calls of a
// connection.
type Source interface {
	// Copy asks for so many bytes of each turn of a connection, by direction; both 0: it carries nothing of interest any more. It is
	// not called where the source follows the protocol itself (event.Protocol), except when several requests were under way at
	// once: heads of responses may then be anywhere in a call. isFirst: nothing was asked for so far, and the source did not know
	// what the connection speaks.
	Copy(conn uint64, ingress, egress uint32, isFirst bool)
}

// Engine turns events into exchanges. An event goes through four steps, one file each:
//
//	stream.go     put the calls of one direction in order, find gaps
//	recognize.go  find the protocol and the role
//	hold.go       let a response wait for its request
//	flight.go     what the parser tells becomes an Exchange
//
// Where content is kept, content.go does so beside the fourth.
//
// It is not safe for concurrent use.
type Engine struct {
	cfg       Config
	protocols []protocol.Protocol
	out       func(*Exchange)
	source    Source

	conns   map[uint64]*connection
	latest  *connection      // of conns: a server answers on the connection that it read
	idle    list[connection] // least recently used first
	sockets list[connection] // the same for UDP
	flights list[flight]     // by time of the next check
	waiting []*connection    // that hold calls
	spare   [][]byte         // buffers of held calls
	landed  []*flight        // to be used again
	call    call             // the one Handle is at; here so that it needs no allocation
	losses  signal.Losses

	keeper         Keeper  // nil: content is not kept
	pages          []*page // to be used again
	pagesUsed      int
	contentRefused uint64
}

// New makes an engine. out is called within Handle and Tick for each exchange that ends; the Exchange is valid until out returns. What it
// points to is never changed, so that a copy may be kept. source may be nil.
func New(cfg Config, protocols []protocol.Protocol, out func(*Exchange), source Source) *Engine {
	return &Engine{
		cfg: cfg, protocols: protocols, out: out, source: source,
		conns: make(map[uint64]*connection), losses: make(signal.Losses),
	}
}

// Losses returns a copy of what was lost so far, by cause.
func (e *Engine) Losses() signal.Losses { return maps.Clone(e.losses) }

// Connections returns the number of connections in the table.
func (e *Engine) Connections() int { return len(e.conns) }

// Describe tells what a connection speaks, by the name of the protocol ("" for unknown), and which end of it this process is.
func (e *Engine) Describe(conn uint64) (spoken string, role event.Role) {
	if c := e.conns[conn]; c != nil {
		return c.spoken, c.role
	}
	return "", event.RoleUnknown
}

// InFlight returns the number of requests that have begun and not ended.
func (e *Engine) InFlight() int { return e.flights.n }

// Handle takes one event; kinds other than Open, Data and Close are ignored. Nothing of the event is kept.
func (e *Engine) Handle(ev *event.Event) {
	switch ev.Kind {
	case event.Open:
		e.open(ev)
	case event.Data:
		c := e.latest
		if c == nil || c.id != ev.Conn {
			if c = e.conns[ev.Conn]; c == nil {
				e.losses.Add(signal.UnknownConnection, 1)
				return
			}
			e.latest = c
		}
		e.touch(c, ev.Time)
		if !c.isSilent && ev.Len > 0 {
			c.order(ev)
		}
	case event.Close:
		if c, ok := e.conns[ev.Conn]; ok {
			reason := ErrorClosed
			if ev.Close.Reset {
				reason = ErrorReset
			}
			c.flush()
			if ev.Close.HasPositions {
				c.streams[event.Ingress].finish(c, ev, event.Ingress, ev.Close.NextIngress)
				c.streams[event.Egress].finish(c, ev, event.Egress, ev.Close.NextEgress)
			}
			e.drop(c, ev.Time, reason)
		}
	}
}

// Tick does what is due at a time: now is CLOCK_MONOTONIC in nanoseconds. Call it at least every 50 ms for exact waiting times; later calls
// only delay.
func (e *Engine) Tick(now uint64) {
	kept := e.waiting[:0]
	for _, c := range e.waiting {
		c.expire(now)
		if c.isHolding() {
			kept = append(kept, c)
		} else {
			c.isWaiting = false
		}
	}
	clear(e.waiting[len(kept):])
	e.waiting = kept

	for f := e.flights.front(); f != nil && isDue(f.checked, e.cfg.Timeout, now); f = e.flights.front() {
		f.c.check(f, now)
	}
	e.forget(&e.idle, e.cfg.IdleTimeout, now)
	e.forget(&e.sockets, e.cfg.DatagramIdleTimeout, now)
}

// forget drops what has been idle for too long.
func (e *Engine) forget(idle *list[connection], timeout time.Duration, now uint64) {
	for c := idle.front(); c != nil && isDue(c.touched, timeout, now); c = idle.front() {
		e.drop(c, now, ErrorTimeout)
	}
}

// idleOf returns the list that a connection is in.
func (e *Engine) idleOf(c *connection) *list[connection] {
	if c.isDatagrams {
		return &e.sockets
	}
	return &e.idle
}

// idlest returns what is to go when the table is full.
func (e *Engine) idlest() *connection {
	c, s := e.idle.front(), e.sockets.front()
	if c == nil || s != nil && s.touched < c.touched {
		return s
	}
	return c
}

// open announces a connection, or a live one again, perhaps in the hands of another process.
func (e *Engine) open(ev *event.Event) {
	if c, ok := e.conns[ev.Conn]; ok {
		e.touch(c, ev.Time)
		c.update(ev)
		return
	}
	if len(e.conns) >= e.cfg.MaxConnections {
		e.losses.Add(signal.ConnectionLimit, 1)
		e.drop(e.idlest(), ev.Time, ErrorTimeout)
	}
	c := newConnection(e, ev)
	e.conns[ev.Conn] = c
	e.idleOf(c).push(c, &c.near)
}

// drop forgets a connection; what is in flight ends for that reason.
func (e *Engine) drop(c *connection, now uint64, reason string) {
	c.flush()
	c.close(now, reason)
	delete(e.conns, c.id)
	if e.latest == c {
		e.latest = nil
	}
	e.idleOf(c).remove(&c.near)
}

// touch keeps the order of the table by last use, to a second: moving a connection with each call would buy nothing.
func (e *Engine) touch(c *connection, now uint64) {
	const second = 1e9
	if now > c.touched+second {
		c.touched = now
		idle := e.idleOf(c)
		idle.remove(&c.near)
		idle.push(c, &c.near)
	}
}
