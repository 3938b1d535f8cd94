// Package export is the way out of the agent: batches of metrics go to sinks, each at its own pace.
//
// In: signal.Batch, and the agent's figures about itself. Out: remote write, the scrape page, or whatever else implements
// Sink (the store of the same process). It must not know where metrics come from or how they are stored.
//
// Queues are in memory and short: they bridge a hiccup of the other end, not an outage. Values are cumulative, so what a
// dropped batch costs is resolution in time, never a count.
package export
