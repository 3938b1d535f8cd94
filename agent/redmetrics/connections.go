package redmetrics

import (
	"time"

	"github.com/sonde-dev/sonde/agent/exchange"
	"github.com/sonde-dev/sonde/signal"
)

// Connections is what TCP connections between two services did, as one end saw it, whatever they spoke.
type Connections struct {
	Opened, Closed, Resets, Sent, Received, Retransmits uint64
	// RoundTripTime is a sample of one connection; 0 for none.
	RoundTripTime time.Duration
}

type connectionsKey struct {
	client, server end
	protocol       string
	side           exchange.Side
}

// connections are the series of one pair of services.
type connections struct {
	group
	key   connectionsKey
	total Connections

	// Of the samples since the last snapshot; mean is that of the last snapshot with any, a series from the first on.
	roundTrips, samples, mean uint64
	isTimed                   bool
	labels                    []string
}

// ObserveConnections adds to the figures of the connections between two services. protocol is what they speak, as far as
// known. The entities are as for Observe.
func (r *Recorder) ObserveConnections(side exchange.Side, protocol string, self, peer *signal.Entity, d Connections) {
	if self == nil {
		self = unknown
	}
	if peer == nil {
		peer = unknown
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	selfName, _ := r.admit(self)
	peerName, _ := r.admit(peer)
	key := connectionsKey{end{selfName, self.External}, end{peerName, peer.External}, protocol, side}
	if side == exchange.Server {
		key.client, key.server = key.server, key.client
	}
	c := r.connectionsOf(key)
	c.touched = true
	c.total.Opened += d.Opened
	c.total.Closed += d.Closed
	c.total.Resets += d.Resets
	c.total.Sent += d.Sent
	c.total.Received += d.Received
	c.total.Retransmits += d.Retransmits
	if d.RoundTripTime > 0 {
		c.roundTrips += uint64(d.RoundTripTime)
		c.samples++
		if !c.isTimed {
			c.isTimed = true
			r.newSeconds(&c.group, signal.ConnectionRoundTrip, &c.mean, c.labels...)
		}
	}
}

func (r *Recorder) connectionsOf(key connectionsKey) *connections {
	if c := r.connections[key]; c != nil {
		return c
	}
	if len(r.connections) >= r.cfg.Edges {
		r.lost.Add(signal.SeriesLimit, 1)
		key.client, key.server = end{service: other}, end{service: other}
		if c := r.connections[key]; c != nil {
			return c
		}
	}
	c := &connections{key: key}
	c.labels = []string{
		key.client.service, key.server.service, key.side.String(), key.protocol, key.client.externalLabel(), key.server.externalLabel(),
	}
	for _, s := range []struct {
		desc  *signal.Desc
		value *uint64
	}{
		{signal.ConnectionsOpened, &c.total.Opened}, {signal.ConnectionsClosed, &c.total.Closed},
		{signal.ConnectionResets, &c.total.Resets}, {signal.ConnectionSentBytes, &c.total.Sent},
		{signal.ConnectionReceivedBytes, &c.total.Received}, {signal.ConnectionRetransmits, &c.total.Retransmits},
	} {
		r.newCounter(&c.group, s.desc, s.value, c.labels...)
	}
	r.use(key.client.service, key.client.isExternal)
	r.use(key.server.service, key.server.isExternal)
	r.connections[key] = c
	r.add(c)
	return c
}

// settle takes the mean of the samples, and begins anew.
func (c *connections) settle() {
	if c.samples > 0 {
		c.mean = c.roundTrips / c.samples
		c.roundTrips, c.samples = 0, 0
	}
}

func (c *connections) remove(r *Recorder) {
	delete(r.connections, c.key)
	r.unuse(c.key.client.service)
	r.unuse(c.key.server.service)
}
