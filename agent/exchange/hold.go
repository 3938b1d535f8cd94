package exchange

import (
	"github.com/sonde-dev/sonde/agent/probe/event"
	"github.com/sonde-dev/sonde/agent/protocol"
)

// The kernel reports a call when it returns. A client's send may return after another thread of it has received the response, so
// that the response is seen first. It waits here for its request. A server cannot send before its receive returned.

// gate lets a call through to the parser, or holds it.
func (c *connection) gate(k *call) {
	isResponse := c.direction(k.dir) == protocol.FromServer
	if isResponse && k.isGap {
		c.isSettled = false
	}
	switch {
	case c.held.n() == 0:
		if isResponse && c.isEarly(k) {
			c.held.insert(c.engine, 0, k)
			c.wait()
			return
		}
		isUnasked := isResponse && c.pending == 0 // a greeting, of which more may come
		c.parse(k)
		c.isSettled = c.isSettled && !isUnasked
	case isResponse:
		if !c.held.hasRoom(k, maxHeldCalls) || isDue(c.held.calls[0].time, c.engine.cfg.HoldResponse, k.time) {
			c.release(true)
			c.gate(k)
			return
		}
		c.held.insert(c.engine, c.held.n(), k)
	default:
		// A hole before this request: the held responses belong to what is missing, not to the request behind it.
		if isDue(c.held.calls[0].time, c.engine.cfg.HoldResponse, k.time) {
			c.release(true)
		}
		c.parse(k)
		c.release(k.isGap)
	}
}

// isEarly reports whether something was sent before a response that was not reported yet: the positions of the socket tell,
// except for the first call of a connection and for Unix sockets. There, a call is early that begins a response while no request,
// or none with a complete head, waits for one, and none was lost or missed.
func (c *connection) isEarly(k *call) bool {
	if sent := &c.streams[1-k.dir]; k.hasOther && !k.isGap && c.role == event.RoleClient && sent.isAnchored {
		if missing := int32(k.other - sent.next); missing > 0 && missing < maxBackward {
			return true
		}
	}
	if c.pending > 1 || c.pending == 1 && c.flights[len(c.flights)-1].hasRequest || k.isGap || c.role == event.RoleServer || !c.isSettled {
		return false
	}
	if g, ok := c.proto.(protocol.ResponseGuesser); ok {
		return g.MayBeginResponse(k.payload)
	}
	v := c.judge(c.proto, k.payload)
	return v == protocol.IsResponse || v == protocol.Maybe && len(k.payload) > 0
}

// release parses held calls while there are requests for them, or all of them.
func (c *connection) release(all bool) {
	for c.held.n() > 0 && c.parser != nil && (all || !c.isEarly(&c.held.calls[0])) {
		k := c.held.shift()
		c.parse(&k)
		c.engine.recycle(&k)
	}
}
