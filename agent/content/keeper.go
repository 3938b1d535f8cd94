package content

import (
	"context"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/sonde-dev/sonde/agent/exchange"
	"github.com/sonde-dev/sonde/agent/redact"
	"github.com/sonde-dev/sonde/signal"
)

// Sink takes samples, in the order of their end.
type Sink interface {
	WriteSamples(ctx context.Context, samples []signal.Sample) error
}

// queueSize bounds the exchanges that wait to be made readable: two seconds of DefaultConfig.PerHost, 4 KiB each.
const queueSize = 100

// Keeper keeps slow and failed exchanges. Keep and Observe are for one goroutine, that of the engine; Run is another. SetSlowThreshold and Stats may
// be called from any.
type Keeper struct {
	cfg    Config
	redact *redact.Redactor
	sink   Sink
	log    *slog.Logger
	clock  func() (monotonic uint64, wall time.Time)

	slow      atomic.Uint64 // nanoseconds
	host      bucket
	processes buckets[processKey]
	services  buckets[serviceKey]
	queue     chan pending

	kept    atomic.Uint64
	dropped [len(signal.SampleStats{}.Dropped)]atomic.Uint64 // by signal.SampleCause
}

// processKey and serviceKey say who shares a bound: slow ones do not take the place of failed ones.
type processKey struct {
	pid      uint32
	side     exchange.Side
	isFailed bool
}

type serviceKey struct {
	service  string
	side     exchange.Side
	isFailed bool
}

// pending is an exchange that was chosen, with its ends.
type pending struct {
	x          exchange.Exchange
	self, peer *signal.Entity
}

// New makes a keeper. clock tells one moment in both clocks: those of exchanges are CLOCK_MONOTONIC. cfg must be valid.
func New(cfg Config, r *redact.Redactor, sink Sink, log *slog.Logger, clock func() (uint64, time.Time)) *Keeper {
	k := &Keeper{
		cfg: cfg, redact: r, sink: sink, log: log, clock: clock,
		processes: make(buckets[processKey]), services: make(buckets[serviceKey]), queue: make(chan pending, queueSize),
	}
	k.slow.Store(uint64(cfg.SlowThreshold))
	return k
}

// SetSlowThreshold changes what counts as slow from the next exchange on. d must be positive.
func (k *Keeper) SetSlowThreshold(d time.Duration) { k.slow.Store(uint64(d)) }

// isSlow is the rule of the metrics: what has no service time is never slow.
func (k *Keeper) isSlow(x *exchange.Exchange) bool {
	return x.Duration() > k.slow.Load() && x.IsTimed()
}

// failure is what went wrong as this side sees it, "" for nothing: the exchange's, or what its dialect sees (GraphQL's errors in a response with the status 200).
func failure(x *exchange.Exchange) string {
	if x.Error == "" && x.View != nil {
		return x.View.Failure
	}
	return x.Error
}

// Keep implements exchange.Keeper. The service is not known yet: a process stands for it, so that one that fails all the time does not take the room
// of others.
func (k *Keeper) Keep(x *exchange.Exchange) bool {
	isFailed := failure(x) != ""
	if !isFailed && !k.isSlow(x) {
		return false
	}
	if !k.processes.take(processKey{x.Conn.PID, x.Side, isFailed}, k.cfg.PerService, x.ResponseEnd) {
		k.drop(signal.SampleServiceRate, 1)
		return false
	}
	if !k.host.take(k.cfg.PerHost, x.ResponseEnd) {
		k.drop(signal.SampleHostRate, 1)
		return false
	}
	return true
}

// Observe takes an exchange with its two ends; nil stands for one that could not be named. Only those that Keep chose are looked at.
func (k *Keeper) Observe(x *exchange.Exchange, self, peer *signal.Entity) {
	if x.Content == nil || self == nil {
		return
	}
	if !k.services.take(serviceKey{self.Service, x.Side, failure(x) != ""}, k.cfg.PerService, x.ResponseEnd) {
		k.drop(signal.SampleServiceRate, 1)
		return
	}
	select {
	case k.queue <- pending{*x, self, peer}:
	default:
		k.drop(signal.SampleQueue, 1)
	}
}

// flushInterval is how long samples wait to be written together, flushSize how many do at most.
const (
	flushInterval = time.Second
	flushSize     = 64
)

// Run makes what was chosen readable and hands it to the sink, until ctx ends; then what is queued. It returns nil.
func (k *Keeper) Run(ctx context.Context) error {
	t := time.NewTicker(flushInterval)
	defer t.Stop()
	var batch []signal.Sample
	for {
		select {
		case p := <-k.queue:
			if batch = append(batch, k.sample(&p)); len(batch) >= flushSize {
				batch = k.write(ctx, batch)
			}
		case <-t.C:
			batch = k.write(ctx, batch)
		case <-ctx.Done():
			for len(k.queue) > 0 {
				p := <-k.queue
				batch = append(batch, k.sample(&p))
			}
			k.write(context.WithoutCancel(ctx), batch)
			return nil
		}
	}
}

// write hands over a batch and returns an empty one.
func (k *Keeper) write(ctx context.Context, batch []signal.Sample) []signal.Sample {
	if len(batch) == 0 {
		return nil
	}
	if err := k.sink.WriteSamples(ctx, batch); err != nil {
		if k.dropped[signal.SampleStore].Load() == 0 { // once: the counter tells the rest
			k.log.Warn("slow and failed requests are not kept", "err", err)
		}
		k.drop(signal.SampleStore, uint64(len(batch)))
		return nil
	}
	k.kept.Add(uint64(len(batch)))
	return nil
}

func (k *Keeper) drop(c signal.SampleCause, n uint64) { k.dropped[c].Add(n) }

// Stats counts what was kept and what was not.
func (k *Keeper) Stats() signal.SampleStats {
	s := signal.SampleStats{Kept: k.kept.Load()}
	for i := range s.Dropped {
		s.Dropped[i] = k.dropped[i].Load()
	}
	return s
}
