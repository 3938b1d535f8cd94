// Package redmetrics counts every exchange: rate, errors and duration by interface, service, edge and instance.
//
// In: exchanges and the entities of their two ends. Out: a signal.Batch of all series whenever asked. Counts are exact,
// before any sampling; memory is bounded and what the bounds cost is counted by cause. It must not know spans, stores or
// how batches leave the agent.
//
// How an exchange finds its counters, with one look-up for each step:
//
//	(self, peer, protocol, side) → pair ─┬─▶ service side ─▶ operation ─▶ raw target → route
//	                                     ├─▶ edge                                       │
//	                                     ├─▶ instance                                   ▼
//	                                     └─▶ scope (client: by peer) ────────▶ route series ─▶ outcome (status, error)
package redmetrics
