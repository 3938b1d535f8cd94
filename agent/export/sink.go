package export

import (
	"context"
	"time"

	"github.com/sonde-dev/sonde/signal"
)

// Sink takes batches in the order of their time, one at a time.
type Sink interface {
	// Name says where batches go, for logs and counters.
	Name() string
	// Write delivers a batch. The batch is shared: it must not be modified, and may be kept. An error means that the same batch
	// may be tried again, later (see RetryError), unless it is or wraps a *RefusedError.
	Write(ctx context.Context, b *signal.Batch) error
}

// RefusedError says that the other end will never take the batch, or a part of it: trying again is of no use.
type RefusedError struct{ Err error }

func (e *RefusedError) Error() string { return e.Err.Error() }
func (e *RefusedError) Unwrap() error { return e.Err }

// RetryError says when to try again at the earliest.
type RetryError struct {
	Err   error
	After time.Duration
}

func (e *RetryError) Error() string { return e.Err.Error() }
func (e *RetryError) Unwrap() error { return e.Err }

// The sinks of this package.
var (
	_ Sink = (*RemoteWrite)(nil)
	_ Sink = (*PromHandler)(nil)
)
