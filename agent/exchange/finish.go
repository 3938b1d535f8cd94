package exchange

import (
	"slices"

	"github.com/sonde-dev/sonde/agent/probe/event"
	"github.com/sonde-dev/sonde/agent/protocol"
)

func (c *connection) isServer() bool { return c.role == event.RoleServer }

// find returns the flight of an id, nil when it is over. It is mostly the first, whose response comes, or the last, whose request
// does.
func (c *connection) find(id uint64) *flight {
	n := len(c.flights)
	if n == 0 {
		return nil
	}
	if f := c.flights[0]; f.id == id {
		return f
	}
	if f := c.flights[n-1]; f.id == id {
		return f
	}
	lo, hi := 0, n
	for lo < hi {
		if mid := int(uint(lo+hi) >> 1); c.flights[mid].id < id {
			lo = mid + 1
		} else {
			hi = mid
		}
	}
	if lo == n || c.flights[lo].id != id {
		return nil
	}
	return c.flights[lo]
}

// enter adds a flight, whose id is larger than those of all others. Where others went from the front, there is room to move to.
func (c *connection) enter(f *flight) {
	n := len(c.flights)
	isFull := n == cap(c.flights)
	if isFull && cap(c.room) > 0 && n <= cap(c.room)/2 {
		c.flights = c.room[:copy(c.room[:n], c.flights)]
		clear(c.room[n:cap(c.room)])
		isFull = false
	}
	c.flights = append(c.flights, f)
	if isFull {
		c.room = c.flights[:0]
	}
}

// remove takes a flight out of all lists. It is mostly the first.
func (c *connection) remove(f *flight) {
	if n := len(c.flights); n > 0 && c.flights[0] == f {
		c.flights[0] = nil
		c.flights = c.flights[1:]
		if n == 1 {
			c.flights = c.room
		}
	} else if i := slices.Index(c.flights, f); i >= 0 {
		c.flights = slices.Delete(c.flights, i, i+1)
	}
	if !f.responseEnded {
		c.pending--
	}
	c.engine.flights.remove(&f.near)
	if c.unbounded == f {
		c.unbounded = nil
	}
}

// finish hands out a flight as it is. It must not be touched afterwards.
func (c *connection) finish(f *flight) {
	c.remove(f)
	if f.hasRequest {
		c.handOut(f)
	}
	c.freePage(f)
	c.engine.land(f)
}

func (c *connection) handOut(f *flight) {
	x := &f.x
	if !f.hasResponse {
		x.ResponseStart = 0
	}
	if x.ResponseStart != 0 && x.RequestStart > x.ResponseStart {
		// The request was reported after its response: it began before, by as much as nobody knows.
		x.RequestStart = x.ResponseStart
		x.RequestEnd = min(x.RequestEnd, x.ResponseStart)
	}
	// Calls of one direction may be reported out of order as well.
	x.RequestStart, x.RequestEnd = min(x.RequestStart, x.RequestEnd), max(x.RequestStart, x.RequestEnd)
	x.ResponseEnd = max(x.ResponseEnd, x.ResponseStart)
	c.keep(f)
	c.engine.out(x)
}

// abandon ends a flight that will get no more bytes.
func (c *connection) abandon(f *flight, now uint64, reason string) {
	x := &f.x
	if !f.requestEnded {
		x.RequestEnd = max(c.stream(protocol.ToServer).last, x.RequestStart)
	}
	switch {
	case f.responseEnded:
	case f.hasResponse: // it came, but where it ends was never seen
		x.Partial = true
		x.ResponseEnd = max(c.stream(protocol.FromServer).last, x.ResponseStart)
	default:
		x.ResponseEnd = max(now, x.RequestEnd)
		switch {
		case x.Waits && reason == ErrorTimeout: // it was to wait: the connection was only quiet for long
			x.Partial = true
		case x.Waits && reason == ErrorClosed: // whoever waited has enough: so does every consumer end that stops
		default:
			x.Error = reason
		}
	}
	c.finish(f)
}

// check looks at a flight whose time has come. A response that has begun may take as long as it likes, and so may a
// request that is still being sent, or that waits on purpose.
func (c *connection) check(f *flight, now uint64) {
	isSending := !f.requestEnded && !isDue(c.stream(protocol.ToServer).last, c.engine.cfg.Timeout, now)
	isWaiting := f.x.Waits && f.requestEnded && !f.responseEnded
	hasBegun := f.hasResponse || f.x.ResponseStart != 0 // the head of a database's response is at its end
	if hasBegun && !f.responseEnded || isSending || isWaiting {
		f.checked = now
		c.engine.flights.remove(&f.near)
		c.engine.flights.push(f, &f.near)
		return
	}
	if f.responseEnded {
		f.x.Partial = true // the response came early, the rest of the request never
	}
	c.abandon(f, now, ErrorTimeout)
}

// close ends everything in flight on a connection that is gone or forgotten.
func (c *connection) close(now uint64, reason string) {
	if c.parser != nil && reason != ErrorTimeout {
		c.now = &call{time: now}
		c.reason = reason
		c.parser.Close(c)
		c.now = nil
	}
	c.parser = nil
	c.isSilent = true
	c.held.drop(c.engine)
	for len(c.flights) > 0 {
		c.abandon(c.flights[0], now, reason)
	}
}
