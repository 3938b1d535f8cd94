package redmetrics

import (
	"time"

	"github.com/sonde-dev/sonde/agent/exchange"
	"github.com/sonde-dev/sonde/agent/protocol"
	"github.com/sonde-dev/sonde/signal"
)

// Names for what is beyond a bound or cannot be named.
const (
	other         = "other"
	otherExternal = "other external"
)

// unknown stands for an end that nobody could name.
var unknown = &signal.Entity{Service: "unknown", Instance: "unknown", External: true}

// maxPairs bounds the table of pairs, which is a cache: what it leads to is bounded elsewhere.
const maxPairs = 65_536

// pairKey identifies the two ends of exchanges and how they talk.
type pairKey struct {
	self, peer *signal.Entity
	semantics  *protocol.Semantics // each protocol has its own, and a pointer is quicker to compare than its name
	side       exchange.Side
}

// pair leads from two entities to everything that an exchange between them counts for. It is idle before anything
// that it leads to.
type pair struct {
	group
	key       pairKey
	protocol  *protocolMetrics
	side      *serviceSide
	scope     *scope
	edge      *edge
	instance  *instance
	exchanges *exchanges
	limited   bool // some of it is "other" because of a bound
}

func (p *pair) idleAfter(c *Config) time.Duration { return c.InstanceIdleAfter }

func (p *pair) remove(r *Recorder) {
	if r.pairs[p.key] == p {
		r.forget(p)
	}
	p.scope.pairs--
	p.scope.release()
}

// pairOf returns the pair of an exchange, or of the view of one.
func (r *Recorder) pairOf(x *exchange.Exchange, self, peer *signal.Entity, isView bool) *pair {
	key := pairKey{self, peer, x.Protocol.Semantics(), x.Side}
	p := r.latest[x.Side]
	if p != nil && p.key == key {
		return p
	}
	if p = r.pairs[key]; p == nil {
		p = r.newPair(x, self, peer, isView)
	}
	r.latest[x.Side] = p
	return p
}

func (r *Recorder) newPair(x *exchange.Exchange, self, peer *signal.Entity, isView bool) *pair {
	if len(r.pairs) >= maxPairs {
		r.forgetPair()
	}
	p := &pair{key: pairKey{self, peer, x.Protocol.Semantics(), x.Side}, protocol: r.protocolOf(x.Protocol)}
	if self == nil {
		self = unknown
	}
	if peer == nil {
		peer = unknown
	}
	selfName, selfLimited := r.admit(self)
	peerName, peerLimited := r.admit(peer)
	p.side = r.sideOf(selfName, x.Side, p.protocol, isView)
	p.scope = p.side.scopeOf(peerName, x.Side)
	p.scope.pairs++
	r.pairs[p.key] = p
	r.add(p)
	if isView { // the exchange itself counts for the rest
		return p
	}

	var edgeLimited, instanceLimited bool
	client, server := end{selfName, self.External}, end{peerName, peer.External}
	if x.Side == exchange.Server {
		client, server = server, client
	}
	p.edge, edgeLimited = r.edgeOf(client, server, x.Side, p.protocol)
	p.instance, instanceLimited = r.instanceOf(selfName, self, x.Side, p.protocol)
	p.exchanges = r.exchangesOf(p.protocol, x.Side)
	p.limited = selfLimited || peerLimited || edgeLimited || instanceLimited
	return p
}

// forgetPair drops any pair from the table; it is made anew when needed. Its record goes when it is idle.
func (r *Recorder) forgetPair() {
	for _, p := range r.pairs {
		r.forget(p)
		return
	}
}

// forget takes a pair out of the table.
func (r *Recorder) forget(p *pair) {
	delete(r.pairs, p.key)
	if r.latest[p.key.side] == p {
		r.latest[p.key.side] = nil
	}
}
