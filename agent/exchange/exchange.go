// Package exchange pairs requests with responses of one connection.
//
// In: events of the kernel side. Out: one Exchange for each request, with its response or the reason why there is none.
// It must not know who the process or its peer is.
package exchange

import (
	"net/netip"

	"github.com/sonde-dev/sonde/agent/protocol"
)

// Side says from which end of the connection an exchange was seen.
type Side uint8

// The two sides.
const (
	Client Side = iota
	Server
)

func (s Side) String() string {
	if s == Server {
		return "server"
	}
	return "client"
}

// Errors of exchanges that ended without a full response, as values of error.type.
const (
	ErrorTimeout = "timeout"          // no response within Config.Timeout
	ErrorReset   = "connection_reset" // the connection was reset first
	ErrorClosed  = "connection_closed"
)

// Conn is one end of a connection. It must not be modified.
type Conn struct {
	ID                 uint64
	PID                uint32
	StartTime          uint64 // of the process, nanoseconds of CLOCK_BOOTTIME
	Comm               string
	Local, Remote      netip.AddrPort // zero for Unix sockets
	Unix               bool
	UnixSelf, UnixPeer uint64
	Netns              uint32
}

// Exchange is one request and its response on one connection, seen from one side.
//
// It is reused once Engine's out has returned; who keeps it keeps a copy, which is complete: what it points to never changes.
//
// Times are nanoseconds of CLOCK_MONOTONIC. A time that does not apply is zero.
type Exchange struct {
	Conn     *Conn
	Side     Side
	Protocol protocol.Protocol
	PID, TID uint32 // that served or sent the request; PID may differ from Conn.PID when a socket was handed on

	Operation  string
	Target     string // raw; see protocol.Semantics.Template
	Status     string // "" without a response
	Error      string // error.type as this side sees it, "" for none
	Attributes []protocol.Attribute

	RequestStart, RequestEnd   uint64 // first and last byte of the request
	ResponseStart, ResponseEnd uint64 // first and last byte of the response

	RequestBytes, ResponseBytes uint64 // body as on the wire
	// Counts are further numbers of both messages, in the order of protocol.Semantics.Counts.
	Counts [protocol.MaxCounts]uint64
	// Levels are what the response says of gauges (protocol.Semantics.Gauges).
	Levels []protocol.Level
	// View is the same exchange in the words of a dialect of its protocol; nil for none, which is the rule.
	View *protocol.View
	// Waits is true when the server answers late on purpose: the duration is not service time.
	Waits bool
	// IsOneWay is true when the protocol sends no response: there is nothing to wait for, and no service time to see.
	IsOneWay bool
	// Partial is true when bytes were lost where they mattered: sizes may be short, the route or status may be missing.
	Partial bool
	// Content is what both messages said, of exchanges that a Keeper chose; nil otherwise. It holds secrets.
	Content *Content
}

// IsTimed says whether the duration is service time.
func (x *Exchange) IsTimed() bool { return !x.Waits && !x.IsOneWay }

// Duration returns the nanoseconds from the first byte of the request to the last byte of the response. An exchange
// without a response lasts until it was given up (ResponseEnd is then the time of the time-out, reset or close).
func (x *Exchange) Duration() uint64 {
	if x.ResponseEnd < x.RequestStart {
		return 0
	}
	return x.ResponseEnd - x.RequestStart
}
