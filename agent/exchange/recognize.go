package exchange

import (
	"github.com/sonde-dev/sonde/agent/probe/event"
	"github.com/sonde-dev/sonde/agent/protocol"
)

// take brings a call, in order of its direction, to the parser, once there is one.
func (c *connection) take(k *call) {
	switch {
	case c.isSilent:
	case c.parser != nil:
		c.gate(k)
	default:
		c.recognize(k)
	}
}

// recognize asks the protocols about the first calls. Calls too short to tell wait for the next of their direction.
func (c *connection) recognize(k *call) {
	if k.isGap {
		c.missed[k.dir] += k.n
		c.forgetStart()
		return
	}
	b := k.payload
	if c.held.n() > 0 {
		b = c.startOf(k)
	}
	p, v := c.claim(b)
	switch {
	case v == protocol.IsRequest || v == protocol.IsResponse:
		c.adopt(p, v, k)
		return
	case v == protocol.Maybe && !c.isDatagrams && len(k.payload) == int(k.n) && c.held.hasRoom(k, maxStartCalls):
		c.held.insert(c.engine, c.held.n(), k)
		return
	}
	c.forgetStart()
	c.countTurn(k.dir)
}

// countTurn gives up when nothing was recognised for many turns. The same call may end one and be looked at only later, so it
// is the calls that were judged that count.
func (c *connection) countTurn(dir event.Direction) {
	if c.tries > 0 && dir == c.lastTry && !c.isDatagrams {
		return
	}
	c.lastTry = dir
	c.tries++
	turns := c.engine.cfg.RecognizeTurns
	if !c.isSeen {
		turns *= joinedFactor
	}
	if c.tries > turns {
		c.silence()
	}
}

// joinedFactor: a connection joined in the middle may be anywhere in a long message.
const joinedFactor = 16

// claim returns the first protocol that claims the bytes; else Maybe if there is one that could with more of them.
func (c *connection) claim(b []byte) (protocol.Protocol, protocol.Verdict) {
	best := protocol.No
	for _, p := range c.engine.protocols {
		switch v := c.judge(p, b); v {
		case protocol.IsRequest, protocol.IsResponse:
			return p, v
		case protocol.Maybe:
			best = protocol.Maybe
		}
	}
	return nil, best
}

// judge asks one protocol about the bytes of a call.
func (c *connection) judge(p protocol.Protocol, b []byte) protocol.Verdict {
	if !c.isDatagrams {
		return p.Recognize(b)
	}
	if d, ok := p.(protocol.DatagramRecognizer); ok {
		return d.RecognizeDatagram(b)
	}
	return protocol.No
}

// startOf returns the bytes of k after those of its direction that wait.
func (c *connection) startOf(k *call) []byte {
	var b []byte
	for i := range c.held.calls {
		if h := &c.held.calls[i]; h.dir == k.dir {
			b = append(b, h.payload...)
		}
	}
	return append(b, k.payload...)
}

// forgetStart gives up the hope that the calls so far begin a message.
func (c *connection) forgetStart() {
	c.held.drop(c.engine)
	c.isJoined, c.isSettled = true, false
}

// adopt starts the parser and gives it what waited.
func (c *connection) adopt(p protocol.Protocol, v protocol.Verdict, k *call) {
	isServer := (k.dir == event.Ingress) == (v == protocol.IsRequest)
	c.role = event.RoleClient
	if isServer {
		c.role = event.RoleServer
	}
	c.proto, c.spoken = p, p.Name()
	// What was recognised begins a message. A response says nothing of what the other direction is in the middle of.
	c.isJoined = c.isJoined && v == protocol.IsResponse
	c.parser = p.NewParser(protocol.Start{Joined: c.isJoined, Datagrams: c.isDatagrams})
	c.copyFor(p)
	for d, n := range c.missed {
		if n > 0 { // the holes may have held messages
			c.take(&call{dir: event.Direction(d), isGap: true, time: k.time, pid: k.pid, tid: k.tid, n: n})
		}
	}
	waited := c.held
	c.held = hold{}
	for waited.n() > 0 {
		h := waited.shift()
		c.take(&h)
		c.engine.recycle(&h)
	}
	c.take(k)
}

// maxAdoptions bounds how often a connection may change its protocol: by an upgrade, or because the first claim was wrong.
const maxAdoptions = 4

// restart lets the protocols look at the connection once more: the one that spoke it so far has ended.
func (c *connection) restart() {
	c.adopted++
	if c.adopted >= maxAdoptions {
		c.silence()
		return
	}
	c.parser, c.proto, c.tries, c.isFollowed = nil, nil, 0, false
	c.missed = [2]uint32{}
	c.askFor(protocol.DefaultCopy.Request, protocol.DefaultCopy.Response)
}
