package exchange

import (
	"github.com/sonde-dev/sonde/agent/probe/event"
	"github.com/sonde-dev/sonde/agent/protocol"
)

// follows reports whether the source follows what the connection speaks. It judges by a few bytes: NATS's CONNECT begins like that of
// HTTP/1.
func (c *connection) follows() bool {
	_, is := c.proto.(protocol.Followed)
	return c.isFollowed && is
}

// widen asks for the calls of a connection that the source follows by itself, whole and once.
func (c *connection) widen() {
	if !c.isWide && c.follows() {
		c.askFor(wholeTurn, wholeTurn)
	}
	c.isWide = true
}

// wholeTurn is more than a burst of pipelined requests or their responses takes.
const wholeTurn = 1 << 20

// askFor tells the source how much to copy of each turn.
func (c *connection) askFor(ingress, egress uint32) {
	isFirst := !c.isAsked && !c.isFollowed
	c.isAsked = true
	c.asked[event.Ingress], c.asked[event.Egress] = ingress, egress
	if s := c.engine.source; s != nil {
		s.Copy(c.id, ingress, egress, isFirst)
	}
}

// copyFor asks for what the parser needs.
func (c *connection) copyFor(p protocol.Protocol) {
	if c.follows() {
		return
	}
	want := protocol.DefaultCopy
	if p, ok := p.(protocol.Copier); ok {
		want = p.Copy()
	}
	if c.role == event.RoleClient {
		c.askFor(want.Response, want.Request)
	} else {
		c.askFor(want.Request, want.Response)
	}
}

// silence forgets all but that the connection exists.
func (c *connection) silence() {
	c.isSilent = true
	c.parser = nil
	c.held.drop(c.engine)
	c.window.drop(c.engine)
	c.askFor(0, 0)
}
