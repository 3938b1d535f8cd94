// Package ingest is the way into the server.
//
// In: batches of the agent in the same process (over the network: Prometheus remote write, see query/promapi). Out: the
// metric store. It must not know what the metrics mean.
package ingest

import (
	"context"
	"fmt"

	"github.com/sonde-dev/sonde/signal"
)

// Appender stores batches; metricstore.Store is one.
type Appender interface {
	Append(ctx context.Context, b *signal.Batch) error
}

// SampleAppender stores samples; samplestore.Store is one.
type SampleAppender interface {
	Append(ctx context.Context, samples []signal.Sample) error
}

// Samples hands slow and failed requests to a store of the same process.
type Samples struct {
	store SampleAppender
}

// NewSamples returns the way into store.
func NewSamples(store SampleAppender) *Samples { return &Samples{store: store} }

// WriteSamples stores samples and returns when a kill of the process can no longer lose them.
func (s *Samples) WriteSamples(ctx context.Context, samples []signal.Sample) error {
	if err := s.store.Append(ctx, samples); err != nil {
		return fmt.Errorf("store %d samples: %w", len(samples), err)
	}
	return nil
}

// InProcess hands batches to a store of the same process. It is a sink of the agent's way out.
type InProcess struct {
	store Appender
}

// NewInProcess returns the way into store.
func NewInProcess(store Appender) *InProcess { return &InProcess{store: store} }

// Write stores b and returns when a kill of the process can no longer lose it.
func (p *InProcess) Write(ctx context.Context, b *signal.Batch) error {
	if err := p.store.Append(ctx, b); err != nil {
		return fmt.Errorf("store batch of %s: %w", b.Time.Format("15:04:05"), err)
	}
	return nil
}

// Name names this sink in logs and metrics.
func (p *InProcess) Name() string { return "store" }
