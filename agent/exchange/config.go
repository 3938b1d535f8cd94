package exchange

import (
	"errors"
	"time"
)

// Config bounds the engine.
type Config struct {
	// Timeout ends a request that got no response.
	Timeout time.Duration
	// IdleTimeout forgets a connection without traffic; the close of a Unix socket may never be reported.
	IdleTimeout time.Duration
	// DatagramIdleTimeout is the same for UDP, where no close is ever reported.
	DatagramIdleTimeout time.Duration
	// MaxConnections bounds the table; beyond it the one idle for longest is forgotten and counted.
	MaxConnections int
	// MaxInFlight bounds the requests without a response over all connections; beyond it the oldest ends as partial.
	MaxInFlight int
	// ReorderWindow is how long a call that comes too early waits for the one before it: two threads that share a socket
	// may report out of order.
	ReorderWindow time.Duration
	// HoldResponse is how long a response waits for its request: on the client's side, the call that sent the request may be reported
	// after the one that received the response.
	HoldResponse time.Duration
	// Settle is the silence that ends a response whose length is not known, because its head was cut.
	Settle time.Duration
	// RecognizeTurns is the number of turns (runs of calls in one direction) after which a connection that was seen from its start and
	// that no protocol claims is silenced. One joined in the middle gets sixteen times as many.
	RecognizeTurns int
}

// DefaultConfig suits one host. An idle connection takes about 1 KiB.
var DefaultConfig = Config{
	Timeout:             60 * time.Second,
	IdleTimeout:         5 * time.Minute,  // a busy connection is announced again every minute
	DatagramIdleTimeout: 30 * time.Second, // a busy socket is announced again every ten seconds
	MaxConnections:      65536,
	MaxInFlight:         262144,
	ReorderWindow:       500 * time.Millisecond, // a thread that is to report may wait for a processor
	HoldResponse:        500 * time.Millisecond,
	Settle:              time.Second, // well above the pauses inside a response, well below a flush interval
	RecognizeTurns:      16,          // a log-in or STARTTLS dialogue may come first
}

// Validate reports what is out of range.
func (c Config) Validate() error {
	switch {
	case c.Timeout <= 0 || c.IdleTimeout <= 0 || c.DatagramIdleTimeout <= 0:
		return errors.New("exchange: time-outs must be positive")
	case c.ReorderWindow < 0 || c.HoldResponse < 0 || c.Settle < 0:
		return errors.New("exchange: waiting times must not be negative")
	case c.MaxConnections < 1 || c.MaxInFlight < 1:
		return errors.New("exchange: bounds must be at least 1")
	case c.RecognizeTurns < 1:
		return errors.New("exchange: RecognizeTurns must be at least 1")
	}
	return nil
}

// Bounds of what one connection may keep waiting, in the reorder window of each direction and in the hold.
const (
	// A call comes in pieces, one for each buffer or 16 KiB of it, and a thread that is preempted before its call is reported keeps
	// back what the others move on the same connection meanwhile.
	maxHeldCalls = 256
	maxHeldBytes = 1 << 20
	// maxStartCalls bounds the calls in which a connection must show what it speaks: a byte each, they hold the longest
	// start of a message that any protocol asks for.
	maxStartCalls = 64
)
