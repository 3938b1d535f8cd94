package main

import (
	"cmp"

	"github.com/sonde-dev/sonde/agent/exchange"
	"github.com/sonde-dev/sonde/agent/flow"
	"github.com/sonde-dev/sonde/agent/probe/event"
	"github.com/sonde-dev/sonde/agent/redmetrics"
)

// sampleFlows looks at what the open connections have moved, once a flush interval. It is called by the reading goroutine.
func (a *agent) sampleFlows(now uint64) {
	if now < a.counted.sampled+uint64(a.cfg.FlushInterval) {
		return
	}
	a.counted.sampled = now
	if err := a.probe.Flows(func(conn uint64, t event.Transfer) { a.onFlow(conn, a.flows.Sample(conn, t)) }); err != nil {
		a.log.Warn("bytes of open connections are not counted before they close", "err", err)
	}
}

// onFlow counts what a connection did, under its two ends and what it speaks.
func (a *agent) onFlow(conn uint64, d flow.Delta) {
	if d.IsZero() {
		return
	}
	spoken, role := a.engine.Describe(conn)
	side := exchange.Client
	if d.IsServer {
		side = exchange.Server
	}
	if spoken != "" { // then the role is that of the conversation
		side = exchange.Client
		if role == event.RoleServer {
			side = exchange.Server
		}
	}
	self, peer := a.joiner.Ends(conn, side)
	if self == nil {
		return
	}
	a.red.ObserveConnections(side, cmp.Or(spoken, "tcp"), self, peer, redmetrics.Connections{
		Opened: count(d.Opened), Closed: count(d.Closed), Resets: count(d.Reset),
		Sent: d.Sent, Received: d.Received, Retransmits: uint64(d.Retransmits), RoundTripTime: d.RoundTripTime,
	})
}

func count(happened bool) uint64 {
	if happened {
		return 1
	}
	return 0
}
