package main

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"sync/atomic"
	"time"

	"github.com/sonde-dev/sonde/agent/content"
	"github.com/sonde-dev/sonde/agent/entity"
	"github.com/sonde-dev/sonde/agent/exchange"
	"github.com/sonde-dev/sonde/agent/export"
	"github.com/sonde-dev/sonde/agent/flow"
	"github.com/sonde-dev/sonde/agent/ignore"
	"github.com/sonde-dev/sonde/agent/probe"
	"github.com/sonde-dev/sonde/agent/probe/event"
	"github.com/sonde-dev/sonde/agent/protocol"
	"github.com/sonde-dev/sonde/agent/protocol/all"
	"github.com/sonde-dev/sonde/agent/redmetrics"
	"github.com/sonde-dev/sonde/signal"
)

// agent is the pipeline from the kernel to the way out, one field per room in the order of the flow.
type agent struct {
	cfg     Config
	log     *slog.Logger
	host    string
	started time.Time

	probe   *probe.Probe
	engine  *exchange.Engine
	sealed  *exchange.Envelopes
	ignored *ignore.Filter
	table   *entity.Table
	joiner  *entity.Joiner
	flows   *flow.Tracker
	red     *redmetrics.Recorder
	keeper  *content.Keeper // nil where content is turned off
	self    *export.Self
	fanout  *export.Fanout
	own     *ownTraffic
	counted counters
	stored  func() signal.Losses // what the store refused
	// rooms is what the reading goroutine last told of its rooms, process what the flushing one measured.
	rooms   atomic.Pointer[roomFigures]
	process atomic.Pointer[processFigures]
}

// byKind counts events; indices are kinds.
type byKind [event.Fork + 1]uint64

// counters are kept by the reading goroutine alone.
type counters struct {
	events    byKind
	copied    uint64
	exchanges uint64
	next      uint64 // when figures are due, CLOCK_MONOTONIC
	sampled   uint64 // when the open connections were looked at, the same
}

// newAgent loads the kernel side and puts the rooms together. What is running already is known when it returns. stored
// tells what the store lost.
func newAgent(ctx context.Context, cfg Config, log *slog.Logger, stored func() signal.Losses, samples content.Sink, sinks ...export.Sink) (_ *agent, err error) {
	a := &agent{cfg: cfg, log: log, started: time.Now(), own: newOwnTraffic(cfg.Listen), stored: stored}
	if a.host, err = os.Hostname(); err != nil {
		return nil, fmt.Errorf("ask for the host's name: %w", err)
	}
	if a.probe, err = probe.Open(cfg.probe(), log); err != nil {
		return nil, err
	}
	who := entity.DefaultConfig
	who.Selection = cfg.Selection
	who.OnVerdict = a.onVerdict
	a.join(who, a.probe)
	if err := a.keepContent(samples); err != nil {
		a.probe.Close()
		return nil, err
	}
	a.self = export.NewSelf(a.started)
	a.fanout = export.NewFanout(export.DefaultConfig, log, sinks...)
	if err := a.selectPorts(cfg.Selection); err != nil {
		a.probe.Close()
		return nil, err
	}
	if err := a.table.Scan(ctx); err != nil {
		a.probe.Close()
		return nil, err
	}
	a.report()
	a.measure(a.started)
	return a, nil
}

// join puts together the rooms between the kernel's events and the way out.
func (a *agent) join(who entity.Config, source exchange.Source) {
	a.ignored = ignore.New(a.cfg.Ignore)
	a.table = entity.New(who, a.log)
	a.red = redmetrics.New(a.cfg.red())
	a.joiner = entity.NewJoiner(who, a.table, a.onObservation)
	a.sealed = exchange.NewEnvelopes(a.onRequest)
	a.flows = flow.New()
	a.engine = exchange.New(exchange.DefaultConfig, all.Protocols(), a.onExchange, source)
}

// run captures until ctx ends, then delivers what is left.
func (a *agent) run(ctx context.Context) error {
	out, stop := context.WithCancel(context.WithoutCancel(ctx))
	delivered := make(chan error, 1)
	go func() { delivered <- a.fanout.Run(out) }()
	flushed := make(chan struct{})
	go func() {
		defer close(flushed)
		a.flushEvery(ctx)
	}()
	kept := make(chan struct{})
	go func() {
		defer close(kept)
		a.runKeeper(out)
	}()
	err := a.probe.Run(ctx, a.onEvent, a.onTick)
	<-flushed
	a.flush(time.Now())
	stop()
	a.joiner.Close()
	a.probe.Close()
	<-kept
	if derr := <-delivered; err == nil {
		err = derr
	}
	return err
}

// onEvent sends an event to the rooms that want it.
func (a *agent) onEvent(ev *event.Event) {
	a.counted.events[ev.Kind]++
	switch ev.Kind {
	case event.Data:
		a.counted.copied += uint64(len(ev.Payload))
		a.engine.Handle(ev)
	case event.Open:
		a.joiner.HandleConn(ev)
		a.sealed.HandleConn(ev)
		a.engine.Handle(ev)
		if !a.own.is(ev.Open.Remote, ev.Time) && ev.Conn&event.PlainText == 0 {
			a.flows.Open(ev.Conn, &ev.Open)
		}
	case event.Close:
		a.onFlow(ev.Conn, a.flows.Close(ev.Conn, &ev.Close))
		a.engine.Handle(ev)
		a.sealed.HandleConn(ev)
		a.joiner.HandleConn(ev)
	case event.Exec, event.Fork, event.Exit:
		a.table.HandleProcess(ev)
	}
}

func (a *agent) onExchange(x *exchange.Exchange) {
	if a.own.is(x.Conn.Remote, x.ResponseEnd) {
		return
	}
	if _, ok := x.Protocol.(protocol.Envelope); ok && a.probe != nil {
		a.probe.OnTLS(x.Conn.PID)
	}
	a.sealed.Handle(x)
}

func (a *agent) onRequest(x *exchange.Exchange) {
	a.counted.exchanges++
	learnNames(a.joiner, x)
	if !a.ignored.Ignores(x) {
		a.joiner.Handle(x)
	}
}

func (a *agent) onTick(now uint64) {
	a.engine.Tick(now)
	a.sealed.Tick(now)
	a.table.Tick(now)
	a.joiner.Tick(now)
	a.sampleFlows(now)
	if now >= a.counted.next {
		a.counted.next = now + uint64(time.Second/2)
		a.report()
	}
}

// onVerdict tells the kernel about a process that is not to be observed.
func (a *agent) onVerdict(pid uint32, observe bool) {
	if err := a.probe.SetProcess(pid, observe); err != nil {
		a.log.Warn("process is filtered here and not in the kernel", "pid", pid, "err", err)
	}
}

// reconfigure applies the settings that may change while Sonde runs.
func (a *agent) reconfigure(c Config) {
	a.red.SetSlowThreshold(c.SlowThreshold)
	if a.keeper != nil {
		a.keeper.SetSlowThreshold(c.SlowThreshold)
	}
	a.table.SetSelection(c.Selection)
	a.ignored.Set(c.Ignore)
	if err := a.selectPorts(c.Selection); err != nil {
		a.log.Warn("ports are filtered here and not in the kernel", "err", err)
	}
	a.log.Info("settings changed", "selection", c.Selection.String(), "ignore", c.Ignore.String(), "slow_threshold", c.SlowThreshold)
}

func (a *agent) selectPorts(s entity.Selection) error {
	ports := func(rules []entity.Rule) (ps []uint16) {
		for _, r := range rules {
			if r.Port != 0 {
				ps = append(ps, r.Port)
			}
		}
		return ps
	}
	return a.probe.SetPorts(ports(s.Include), ports(s.Exclude))
}

func (a *agent) flushEvery(ctx context.Context) {
	t := time.NewTicker(a.cfg.FlushInterval)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case now := <-t.C:
			a.flush(now)
		}
	}
}

// flush hands the state of all series to the way out.
func (a *agent) flush(now time.Time) {
	a.measure(now)
	b := a.red.Snapshot(now)
	a.self.Append(b, a.selfStats())
	b.Resource = []signal.Label{{Name: "host_name", Value: a.host}}
	a.fanout.Publish(b)
}

// losses adds up what all rooms lost. It is called by the reading goroutine.
func (a *agent) losses() signal.Losses {
	total, err := a.probe.Losses()
	if err != nil {
		a.log.Warn("losses of the kernel side are unknown", "err", err)
		total = signal.Losses{}
	}
	for _, l := range []signal.Losses{a.engine.Losses(), a.flows.Losses(), a.table.Losses(), a.joiner.Losses(), a.red.Losses(), a.fanout.Losses(), a.stored()} {
		for cause, n := range l {
			total.Add(cause, n)
		}
	}
	return total
}

// report publishes the figures of the rooms that only the reading goroutine may ask.
func (a *agent) report() {
	a.rooms.Store(&roomFigures{
		losses: a.losses(), events: a.counted.events, copied: a.counted.copied,
		exchanges: a.counted.exchanges, connections: a.engine.Connections(), refused: a.engine.ContentRefused(),
	})
}
