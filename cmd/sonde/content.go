package main

import (
	"context"
	"time"

	"github.com/sonde-dev/sonde/agent/content"
	"github.com/sonde-dev/sonde/agent/entity"
	"github.com/sonde-dev/sonde/agent/probe"
	"github.com/sonde-dev/sonde/server/query"
	"github.com/sonde-dev/sonde/signal"
)

// keepContent puts the keeper between the engine, which asks it, and the way out; nil for content that is turned off.
func (a *agent) keepContent(samples content.Sink) error {
	if samples == nil {
		return nil
	}
	r, err := a.cfg.redactor()
	if err != nil {
		return err
	}
	a.keeper = content.New(a.cfg.content(), r, samples, a.log, clocks)
	a.engine.KeepContent(a.keeper)
	return nil
}

// clocks tells one moment as the kernel's events do, and as people do.
func clocks() (monotonic uint64, wall time.Time) {
	return probe.Now(), time.Now()
}

// onObservation takes an exchange whose ends are known.
func (a *agent) onObservation(o entity.Observation) {
	a.red.Observe(o.X, o.Self, o.Peer)
	if a.keeper != nil {
		a.keeper.Observe(o.X, o.Self, o.Peer)
	}
}

func (a *agent) runKeeper(ctx context.Context) {
	if a.keeper != nil {
		_ = a.keeper.Run(ctx) // it has no error
	}
}

// sampleStats adds up what the rooms kept and dropped.
func (a *agent) sampleStats(r *roomFigures) (s signal.SampleStats) {
	if a.keeper != nil {
		s = a.keeper.Stats()
	}
	s.Dropped[signal.SampleMemory] = r.refused
	return s
}

// contentStatus is the agent's part of it.
func (a *agent) contentStatus(r *roomFigures) query.StatusContent {
	s := a.sampleStats(r)
	c := query.StatusContent{Enabled: a.keeper != nil, Kept: float64(s.Kept), Dropped: map[string]float64{}}
	for _, cause := range signal.SampleCauses() {
		c.Dropped[cause.String()] = float64(s.Dropped[cause])
	}
	return c
}
