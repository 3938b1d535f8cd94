package signal

import (
	"maps"
	"slices"
)

// Cause is a reason why something was not counted. Every place that drops data names one of these, nothing is lost silently.
// The numbers are shared with bpf/include/loss.h (a test holds the two together); retired numbers stay unused.
type Cause uint8

// Causes that the kernel side reports (0–31).
const (
	RingFull        Cause = 0 // the ring buffer had no room: an event of a socket call was dropped
	RingFullMessage Cause = 1 // of those: events that began a request, each of them one exchange not counted
	StorageFull     Cause = 2 // no memory for the state of a connection
	PayloadFault    Cause = 3 // the user's buffer could not be read; sizes are right, content is missing
	NoSocket        Cause = 4 // a descriptor could not be followed to its socket
	Recursion       Cause = 5 // the kernel skipped a program because it was already running on this CPU
	ProcessRingFull Cause = 6 // a process event was dropped
	TLSUnbound      Cause = 7 // plain text of a TLS session whose socket was not known (yet)
	kernelCauses          = 8
)

// Causes that user space reports (32–).
const (
	ConnectionLimit    Cause = 32 // the table of connections was full
	UnknownConnection  Cause = 33 // an event of a connection whose announcement was lost
	ParserGaveUp       Cause = 34 // the bytes of a recognised connection made no sense any more; it waits for the next message
	BytesLost          Cause = 35 // bytes that a gap in the sequence numbers shows to be missing
	OrphanResponse     Cause = 36 // a response whose request was sent before the agent saw the connection
	SeriesLimit        Cause = 37 // observations counted under "other" because the bound on series was reached
	RouteLimit         Cause = 38 // requests counted under the route "other"
	QueueFull          Cause = 39 // a batch for the way out was dropped
	StoreRejected      Cause = 40 // a sample that the store refused
	ProcessUnknown     Cause = 41 // a process that was gone before it could be named
	PendingPeerTimeout Cause = 42 // the process at the other end on this host was not found in time
	ResolutionReduced  Cause = 48 // a histogram made coarser because its bound on buckets was reached; its counts stay exact
	TLSNotProbed       Cause = 56 // a file or process with a TLS library that could not be probed: its plain text is not seen
	ExportRejected     Cause = 49 // a batch that the other end refused for good
)

// String returns the name used as the value of the label "cause".
func (c Cause) String() string {
	if n, ok := causeNames[c]; ok {
		return n
	}
	return "unknown"
}

// Causes returns every known cause in order, so that each can be reported from zero on.
func Causes() []Cause {
	return slices.Sorted(maps.Keys(causeNames))
}

// KernelCauses returns the causes whose counters live in the kernel, indexed by number.
func KernelCauses() []Cause {
	cs := make([]Cause, kernelCauses)
	for i := range cs {
		cs[i] = Cause(i)
	}
	return cs
}

var causeNames = map[Cause]string{
	RingFull: "ring_full", RingFullMessage: "ring_full_message", StorageFull: "storage_full", PayloadFault: "payload_fault",
	NoSocket: "no_socket", Recursion: "recursion", ProcessRingFull: "process_ring_full",
	TLSUnbound: "tls_unbound", TLSNotProbed: "tls_not_probed",
	ConnectionLimit: "connection_limit", UnknownConnection: "unknown_connection", ParserGaveUp: "parser_gave_up",
	BytesLost: "bytes_lost", OrphanResponse: "orphan_response", SeriesLimit: "series_limit", RouteLimit: "route_limit",
	QueueFull: "queue_full", StoreRejected: "store_rejected", ProcessUnknown: "process_unknown",
	PendingPeerTimeout: "pending_peer_timeout", ResolutionReduced: "resolution_reduced", ExportRejected: "export_rejected",
}

// Losses counts by cause; make it before use. It is not safe for concurrent use; each owner keeps its own and
// hands out copies.
type Losses map[Cause]uint64

// Add counts n losses of a cause.
func (l Losses) Add(c Cause, n uint64) {
	if n > 0 {
		l[c] += n
	}
}
