package exchange

import (
	"github.com/sonde-dev/sonde/agent/probe/event"
	"github.com/sonde-dev/sonde/agent/protocol"
)

// connection is what the engine knows of one end of a connection.
type connection struct {
	engine  *Engine
	id      uint64
	info    *Conn // shared with exchanges: replaced, never changed
	near    node[connection]
	touched uint64

	role     event.Role
	isJoined bool // its next bytes may belong to anything: not seen from its first byte, or bytes were missed before a protocol was found
	isSilent bool
	// isFollowed: the source took it for a protocol that it follows by itself, and copies what that needs; see follows.
	isFollowed  bool
	isDatagrams bool
	isWide      bool      // its calls were asked for whole
	isAsked     bool      // the source was asked to copy
	asked       [2]uint32 // how much, by event.Direction
	adopted     int       // protocols that claimed it, one after the other
	isSeen      bool      // from its first byte, whatever was missed since; it says how long to look for a protocol
	tries       int       // turns that no protocol claimed
	lastTry     event.Direction
	missed      [2]uint32 // bytes lost before a protocol did

	proto  protocol.Protocol
	spoken string // name of the protocol that claimed it last
	parser protocol.Parser

	streams   [2]stream // by event.Direction
	window    hold      // calls that came too early, and those behind them; see stream.go
	held      hold      // calls that wait for recognition or for a request; see recognize.go, hold.go
	isWaiting bool      // in engine.waiting

	flights   []*flight // in order of ids
	room      []*flight // what flights lies in, empty; see enter
	pending   int       // of them: no response yet
	pages     int       // of them: with content
	unbounded *flight   // its response ends with silence
	isSettled bool      // since the last request nothing was lost that makes an unasked response likely
	now       *call     // being parsed
	reason    string    // why the connection ends, while it does
}

func newConnection(e *Engine, ev *event.Event) *connection {
	c := &connection{
		engine: e, id: ev.Conn, info: newInfo(ev), role: ev.Open.Role, isJoined: !ev.Open.Seen, isSeen: ev.Open.Seen, isSettled: ev.Open.Seen,
		touched: ev.Time, isFollowed: ev.Open.Protocol != event.ProtocolUnknown, isDatagrams: ev.Open.Datagrams,
	}
	if ev.Open.HasPositions {
		c.streams[event.Ingress].anchor(ev.Open.NextIngress)
		c.streams[event.Egress].anchor(ev.Open.NextEgress)
		c.streams[event.Ingress].isEarly, c.streams[event.Egress].isEarly = true, true
	}
	return c
}

func newInfo(ev *event.Event) *Conn {
	o := &ev.Open
	return &Conn{
		ID: ev.Conn, PID: ev.PID, StartTime: o.StartTime, Comm: o.Comm, Local: o.Local, Remote: o.Remote,
		Unix: o.Unix, UnixSelf: o.UnixSelf, UnixPeer: o.UnixPeer, Netns: o.Netns,
	}
}

// update takes over what a repeated announcement says anew.
func (c *connection) update(ev *event.Event) {
	if info := newInfo(ev); *info != *c.info {
		c.info = info
	}
	if c.role == event.RoleUnknown {
		c.role = ev.Open.Role
	}
	if !c.isFollowed && ev.Open.Protocol != event.ProtocolUnknown {
		c.isFollowed = true
		if c.isAsked { // what was asked for crossed this on its way
			c.askFor(c.asked[event.Ingress], c.asked[event.Egress])
		}
	}
}

// direction translates: a server receives requests, a client sends them.
func (c *connection) direction(d event.Direction) protocol.Direction {
	if (c.role == event.RoleServer) == (d == event.Ingress) {
		return protocol.ToServer
	}
	return protocol.FromServer
}

// stream returns the stream of a direction.
func (c *connection) stream(d protocol.Direction) *stream {
	if c.direction(event.Ingress) == d {
		return &c.streams[event.Ingress]
	}
	return &c.streams[event.Egress]
}

// parse hands a call to the parser.
func (c *connection) parse(k *call) {
	if c.isSilent || c.parser == nil {
		return
	}
	c.now = k
	dir := c.direction(k.dir)
	if len(k.payload) > 0 {
		c.parser.Data(dir, k.payload, c)
	}
	if rest := k.n - uint32(len(k.payload)); rest > 0 && c.parser != nil {
		if c.pages > 0 {
			c.breakContent(dir)
		}
		c.parser.Gap(dir, rest, k.tail, c)
	}
	if !k.isGap {
		c.streams[k.dir].last = k.time
	}
	c.now = nil
}

// flush lets go of everything that waits: gaps are declared, held calls parsed.
func (c *connection) flush() {
	c.flushWindow()
	c.release(true)
}

// expire lets go of what has waited for too long.
func (c *connection) expire(now uint64) {
	if c.window.n() > 0 && isDue(c.window.calls[0].time, c.engine.cfg.ReorderWindow, now) {
		c.flushWindow()
	}
	c.settle(now)
	if c.held.n() > 0 && c.parser != nil && isDue(c.held.calls[0].time, c.engine.cfg.HoldResponse, now) {
		c.release(true)
	}
}

// settle ends a response of unknown length after silence.
func (c *connection) settle(now uint64) {
	f := c.unbounded
	switch {
	case f == nil:
	case f.responseEnded:
		c.unbounded = nil
	case isDue(c.stream(protocol.FromServer).last, c.engine.cfg.Settle, now):
		c.unbounded = nil
		c.abandon(f, now, "")
	}
}

// isHolding reports whether expire has something to do.
func (c *connection) isHolding() bool {
	return c.window.n() > 0 || c.unbounded != nil || c.held.n() > 0 && c.parser != nil
}

// wait enters the connection in the list of those that Tick looks at.
func (c *connection) wait() {
	if !c.isWaiting {
		c.isWaiting = true
		c.engine.waiting = append(c.engine.waiting, c)
	}
}
