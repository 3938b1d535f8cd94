// Package probe is the agent's hold on the kernel: it loads and attaches the BPF programs, reads their ring buffer and
// counts what they lost.
//
// In: the compiled objects, a Config. Out: event.Events, in the order in which the kernel wrote them. It must not know
// what the observed bytes mean.
package probe

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"os"
	"runtime"
	"time"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/ringbuf"
	"golang.org/x/sys/unix"

	"github.com/sonde-dev/sonde/agent/probe/event"
	"github.com/sonde-dev/sonde/agent/probe/tls"
	"github.com/sonde-dev/sonde/signal"
)

// Tier names a way of capturing socket calls.
type Tier string

// The tiers. Auto takes the first one that the kernel has.
const (
	TierAuto    Tier = "auto"
	TierSocket  Tier = "socket"  // socket tracepoints, Linux 6.3
	TierSyscall Tier = "syscall" // system-call tracepoints, Linux 5.15
)

// Config says how to capture.
type Config struct {
	Tier Tier
	// RingBytes is the size of the ring buffer, a power of two and a multiple of the page size.
	RingBytes int
	// PollInterval is how long a record may wait in the ring when there is little traffic.
	PollInterval time.Duration
	// RequestBytes and ResponseBytes bound what is copied of one message in the usual case, ErrorBytes what more of the body of an error
	// that follows its head in another call or buffer; at most 65535.
	RequestBytes, ResponseBytes, ErrorBytes uint32
	// WithoutTLS leaves TLS libraries alone: no process pays for their probes, and plain text inside TLS is not seen.
	WithoutTLS bool
	// OnlySelected observes no process that SetProcess does not name; see also SetDefault.
	OnlySelected bool
}

// DefaultConfig is what `sonde run` uses. 16 MiB of ring hold a quarter of a second of 40 000 exchanges a second.
func DefaultConfig() Config {
	return Config{
		Tier: TierAuto, RingBytes: 16 << 20, PollInterval: 50 * time.Millisecond,
		RequestBytes: 8192, ResponseBytes: 1024, ErrorBytes: 1024,
	}
}

// Validate says what is wrong with a Config.
func (c Config) Validate() error {
	switch c.Tier {
	case TierAuto, TierSocket, TierSyscall:
	default:
		return fmt.Errorf("capture tier %q: want auto, socket or syscall", c.Tier)
	}
	if c.RingBytes < os.Getpagesize() || c.RingBytes&(c.RingBytes-1) != 0 {
		return fmt.Errorf("ring buffer of %d bytes: want a power of two of at least a page", c.RingBytes)
	}
	if c.ErrorBytes > math.MaxUint16 {
		return fmt.Errorf("%d bytes of an error's body: want at most %d", c.ErrorBytes, math.MaxUint16)
	}
	if c.PollInterval <= 0 || c.PollInterval > time.Second {
		return fmt.Errorf("poll interval %s: want more than 0 and at most 1s", c.PollInterval)
	}
	return nil
}

// Probe is the loaded and attached kernel side. Everything in the kernel goes away with the process, however it ends.
type Probe struct {
	cfg        Config
	log        *slog.Logger
	tier       Tier
	tierReason string
	collectors []*collector
	capture    *collector
	reader     *ringbuf.Reader
	waiter     *waiter
	record     ringbuf.Record // the one Run is at, and
	decoder    Decoder        // what makes an event of it
	losses     *ebpf.Map
	selection  *selection
	tls        *tls.Prober // nil where TLS is not read
	flows      *flows
}

// Open loads and attaches everything. The caller must Close the Probe, and should Run it soon: events wait in the ring.
func Open(cfg Config, log *slog.Logger) (_ *Probe, err error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	p := &Probe{cfg: cfg, log: log}
	defer func() {
		if err != nil {
			p.Close()
		}
	}()
	if p.tier, p.tierReason, err = chooseTier(cfg.Tier); err != nil {
		return nil, err
	}
	process, err := loadCollector("process", cfg, nil, nil)
	if err != nil {
		return nil, err
	}
	p.collectors = append(p.collectors, process)
	self, err := whoami(process)
	if err != nil {
		return nil, err
	}
	if p.capture, err = loadCollector(string(p.tier), cfg, process, nil, variable{"self_tgid", self},
		variable{"request_bytes", cfg.RequestBytes}, variable{"response_bytes", cfg.ResponseBytes}, variable{"error_bytes", cfg.ErrorBytes},
		variable{"observe_by_default", b2u32(!cfg.OnlySelected)}); err != nil {
		return nil, err
	}
	p.collectors = append(p.collectors, p.capture)
	p.losses = process.coll.Maps["losses"]
	if p.selection, err = newSelection(p.capture.coll); err != nil {
		return nil, err
	}
	if p.reader, err = ringbuf.NewReader(process.coll.Maps["events"]); err != nil {
		return nil, fmt.Errorf("open ring buffer: %w", err)
	}
	if p.waiter, err = newWaiter(process.coll.Maps["events"]); err != nil {
		return nil, err
	}
	for _, c := range p.collectors {
		if err := c.attach(); err != nil {
			return nil, err
		}
	}
	if p.tier == TierSocket {
		if err := p.startFlows(process); err != nil {
			return nil, err
		}
	}
	if err := p.openTLS(self); err != nil {
		return nil, err
	}
	return p, nil
}

func (p *Probe) startFlows(process *collector) error {
	c, err := loadCollector("flows", p.cfg, process, nil)
	if err != nil {
		return err
	}
	p.collectors = append(p.collectors, c)
	if p.flows, err = openFlows(p.capture, c); err != nil {
		return err
	}
	c.state = StateRunning
	return nil
}

// Tier returns the tier in use and why it was chosen.
func (p *Probe) Tier() (Tier, string) { return p.tier, p.tierReason }

// whoami asks the kernel for this process's id in the root PID namespace.
func whoami(process *collector) (uint32, error) {
	self, err := process.coll.Programs["whoami"].Run(&ebpf.RunOptions{})
	if err != nil {
		return 0, fmt.Errorf("ask the kernel for Sonde's own process id: %w", err)
	}
	return self, nil
}

// recordsPerYield is how many records are read between two looks at the clock, about 2 ms of work. The goroutine yields
// then: one that never does for 10 ms is preempted by the runtime's monitor, which from then on wakes up every 20 µs
// (runtime/proc.go, sysmon) and takes a sixth of the agent's time under load.
const recordsPerYield = 1024

// wakeBytes is WAKE_BYTES of bpf/include/events.h: with so much waiting the kernel side wakes the reader.
const wakeBytes = 256 << 10

// Run reads events until ctx ends. handle gets each event, valid during the call; tick is called at least every
// PollInterval with the time in nanoseconds of CLOCK_MONOTONIC, also when nothing happens. Both are called from the
// calling goroutine.
func (p *Probe) Run(ctx context.Context, handle func(*event.Event), tick func(now uint64)) error {
	defer context.AfterFunc(ctx, p.waiter.interrupt)()
	defer p.runTLS(ctx)()
	p.reader.SetDeadline(time.Unix(1, 0)) // it shall never wait
	// A few records wait for others: it is the number of rests that costs.
	mustStay := func() bool { return ctx.Err() != nil || p.reader.AvailableBytes() >= wakeBytes }
	next := time.Now().Add(p.cfg.PollInterval)
	for ctx.Err() == nil {
		if err := p.readSome(handle); err != nil {
			return err
		}
		runtime.Gosched()
		if now := time.Now(); now.Before(next) {
			if err := p.waiter.wait(next, mustStay); err != nil {
				return err
			}
			continue
		}
		tick(Now())
		p.selection.publish()
		next = time.Now().Add(p.cfg.PollInterval)
	}
	return nil
}

// readSome hands on the records that are there, at most recordsPerYield.
func (p *Probe) readSome(handle func(*event.Event)) error {
	for range recordsPerYield {
		// A reader that is asked while there is nothing looks for more by a system call.
		if p.record.Remaining == 0 && p.reader.AvailableBytes() == 0 {
			return nil
		}
		err := p.reader.ReadInto(&p.record)
		if errors.Is(err, os.ErrDeadlineExceeded) { // nothing but records that were thrown away
			p.record.Remaining = 0
			return nil
		}
		if err != nil {
			return fmt.Errorf("read ring buffer: %w", err)
		}
		if ev := p.decoder.Decode(p.record.RawSample); ev != nil {
			p.tellTLS(ev)
			handle(ev)
			p.selection.publishAt(ev.Time)
		}
	}
	return nil
}

// Now returns CLOCK_MONOTONIC in nanoseconds, the clock of all events.
func Now() uint64 {
	var ts unix.Timespec
	_ = unix.ClockGettime(unix.CLOCK_MONOTONIC, &ts)
	return uint64(ts.Nano())
}

// Losses returns what the kernel side lost since Open, by cause.
func (p *Probe) Losses() (signal.Losses, error) {
	l := make(signal.Losses)
	for _, cause := range signal.KernelCauses() {
		var perCPU []uint64
		if err := p.losses.Lookup(uint32(cause), &perCPU); err != nil {
			return nil, fmt.Errorf("read losses by %s: %w", cause, err)
		}
		for _, n := range perCPU {
			l.Add(cause, n)
		}
	}
	for _, c := range p.collectors {
		l.Add(signal.Recursion, c.missed())
	}
	for cause, n := range p.tls.Losses() {
		l.Add(cause, n)
	}
	return l, nil
}

// Close detaches and unloads everything.
func (p *Probe) Close() {
	if p.reader != nil {
		_ = p.reader.Close()
	}
	if p.waiter != nil {
		p.waiter.close()
	}
	p.tls.Close()
	if p.flows != nil {
		_ = p.flows.iter.Close()
	}
	for i := len(p.collectors) - 1; i >= 0; i-- {
		p.collectors[i].close()
	}
}
