package exchange

import (
	"github.com/sonde-dev/sonde/agent/protocol"
	"github.com/sonde-dev/sonde/signal"
)

// flight is an exchange under way.
type flight struct {
	x       Exchange
	id      uint64
	c       *connection
	near    node[flight]
	checked uint64 // time of the last look at its time-out
	page    *page  // its content so far; nil for none

	hasRequest, hasResponse     bool // the head was seen
	requestEnded, responseEnded bool
}

// maxLanded bounds the flights kept for use: as many as mostly are under way at a time.
const maxLanded = 1024

// flight returns an empty one.
func (e *Engine) flight() *flight {
	n := len(e.landed)
	if n == 0 {
		return &flight{}
	}
	f := e.landed[n-1]
	e.landed = e.landed[:n-1]
	return f
}

// land takes back a flight that nothing leads to any more.
func (e *Engine) land(f *flight) {
	if len(e.landed) < maxLanded {
		*f = flight{}
		e.landed = append(e.landed, f)
	}
}

var (
	_ protocol.Sink   = (*connection)(nil)
	_ protocol.Viewer = (*connection)(nil)
	_ protocol.Dater  = (*connection)(nil)
)

// RequestBegin implements protocol.Sink.
func (c *connection) RequestBegin(id uint64) {
	e := c.engine
	if e.flights.n >= e.cfg.MaxInFlight {
		oldest := e.flights.front()
		oldest.x.Partial = true
		e.losses.Add(signal.ParserGaveUp, 1)
		oldest.c.abandon(oldest, c.now.time, "")
	}
	side := Client
	if c.isServer() {
		side = Server
	}
	f := e.flight()
	f.id, f.c, f.checked = id, c, c.now.time
	f.x.Conn, f.x.Side, f.x.Protocol = c.info, side, c.proto
	f.x.PID, f.x.TID, f.x.RequestStart = c.now.pid, c.now.tid, c.now.time
	c.enter(f)
	e.flights.push(f, &f.near)
	if c.pending > 0 {
		c.widen()
	}
	c.pending++
	c.isSettled = true
}

// Now implements protocol.Dater: the time of the call.
func (c *connection) Now() uint64 { return c.now.time }

// RequestSince implements protocol.Dater.
func (c *connection) RequestSince(id, mark uint64) {
	if f := c.find(id); f != nil {
		f.x.RequestStart = min(f.x.RequestStart, mark)
	}
}

// RequestHead implements protocol.Sink.
func (c *connection) RequestHead(id uint64, r protocol.Request) {
	f := c.find(id)
	if f == nil {
		return
	}
	f.hasRequest = true
	if r.Protocol != nil {
		f.x.Protocol = r.Protocol
	}
	f.x.Operation, f.x.Target, f.x.Attributes = r.Operation, r.Target, r.Attributes
	f.x.Waits, f.x.IsOneWay = r.Waits, r.NoResponse
	f.count(&r.Counts)
	if r.NoResponse && !f.responseEnded {
		f.responseEnded = true
		c.pending--
	}
}

// RequestEnd implements protocol.Sink.
func (c *connection) RequestEnd(id uint64, end protocol.End) {
	f := c.find(id)
	if f == nil {
		return
	}
	if !f.hasRequest {
		c.finish(f)
		return
	}
	f.requestEnded = true
	f.x.RequestBytes = end.BodyBytes
	f.x.Partial = f.x.Partial || end.Partial
	f.x.RequestEnd = c.endTime(protocol.ToServer, end)
	if f.responseEnded {
		c.finish(f)
	}
}

// ResponseBegin implements protocol.Sink.
func (c *connection) ResponseBegin(id uint64) {
	if f := c.find(id); f != nil {
		f.x.ResponseStart = c.now.time
		if f.page != nil { // again, after an interim response
			f.page.parts[protocol.FromServer].reset()
		}
	}
}

// ResponseHead implements protocol.Sink.
func (c *connection) ResponseHead(id uint64, r protocol.Response) {
	f := c.find(id)
	if f == nil {
		return
	}
	f.hasResponse = true
	if c.isDatagrams && f.x.Side == Server {
		f.x.Conn = c.info // who asked is known when the answer is sent
	}
	if r.Unbounded {
		c.unbounded = f
		c.wait()
	}
	f.count(&r.Counts)
	if r.Target != "" {
		f.x.Target = r.Target
	}
	f.x.Levels = r.Levels
	f.x.Status, f.x.Error = r.Status, r.ClientError
	if f.x.Side == Server {
		f.x.Error = r.ServerError
	}
	if len(r.Attributes) > 0 { // the request's are shared with other requests
		f.x.Attributes = append(append([]protocol.Attribute(nil), f.x.Attributes...), r.Attributes...)
	}
}

// View implements protocol.Viewer.
func (c *connection) View(id uint64, v *protocol.View) {
	if f := c.find(id); f != nil {
		f.x.View = v
	}
}

// Whole implements protocol.Viewer.
func (c *connection) Whole() { c.widen() }

// count adds up what both messages count.
func (f *flight) count(n *[protocol.MaxCounts]uint64) {
	for i, v := range n {
		f.x.Counts[i] += v
	}
}

// ResponseEnd implements protocol.Sink.
func (c *connection) ResponseEnd(id uint64, end protocol.End) {
	c.isSettled = c.isSettled && !end.Partial
	f := c.find(id)
	if f == nil || f.responseEnded {
		return
	}
	f.responseEnded = true
	c.pending--
	f.x.ResponseBytes = end.BodyBytes
	f.x.Partial = f.x.Partial || end.Partial
	f.x.ResponseEnd = c.endTime(protocol.FromServer, end)
	if f.x.Error == "" && (end.Cut || c.reason == ErrorReset) && c.reason != "" {
		f.x.Error = c.reason
	}
	if f.requestEnded {
		c.finish(f)
	}
}

// Opaque implements protocol.Sink.
func (c *connection) Opaque() {
	for len(c.flights) > 0 {
		c.abandon(c.flights[0], c.now.time, ErrorClosed)
	}
	if _, ok := c.proto.(protocol.Envelope); ok {
		c.silence()
		return
	}
	c.restart()
}

// Lost implements protocol.Sink.
func (c *connection) Lost(cause signal.Cause, n uint64) { c.engine.losses.Add(cause, n) }

// endTime is the time of the call being parsed, or of the one before it in that direction.
func (c *connection) endTime(dir protocol.Direction, end protocol.End) uint64 {
	if end.Before {
		return c.stream(dir).last
	}
	return c.now.time
}
