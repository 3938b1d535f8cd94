package probe

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/sonde-dev/sonde/agent/probe/event"
)

// patience bounds every wait of these tests; it is only used up when something is broken.
const patience = 15 * time.Second

// recorder runs a Probe and keeps copies of its events.
type recorder struct {
	*Probe
	stop context.CancelFunc
	done chan error

	mu      sync.Mutex
	byPID   map[int][]event.Event
	users   map[uint64][]int // of each connection: processes that get its Close too, which may come from anywhere
	changed chan struct{}
	ticked  chan struct{}
}

func testConfig(tier Tier) Config {
	cfg := DefaultConfig()
	cfg.Tier, cfg.PollInterval = tier, 5*time.Millisecond
	return cfg
}

func openProbe(tb testing.TB, cfg Config) *Probe {
	tb.Helper()
	requireBPF(tb, cfg.Tier)
	p, err := Open(cfg, discard())
	if err != nil {
		tb.Fatalf("open a probe: %v", err)
	}
	tb.Cleanup(p.Close)
	return p
}

// record opens a Probe of its own for one test.
func record(tb testing.TB, cfg Config) *recorder {
	tb.Helper()
	r := newRecorder(openProbe(tb, cfg))
	tb.Cleanup(func() {
		if err := r.end(); err != nil {
			tb.Error(err)
		}
	})
	return r
}

func newRecorder(p *Probe) *recorder {
	ctx, stop := context.WithCancel(context.Background())
	r := &recorder{Probe: p, stop: stop, byPID: map[int][]event.Event{}, users: map[uint64][]int{}, done: make(chan error, 1), changed: make(chan struct{}, 1), ticked: make(chan struct{}, 1)}
	tick := func(uint64) {
		select {
		case r.ticked <- struct{}{}:
		default:
		}
	}
	go func() { r.done <- p.Run(ctx, r.keep, tick) }()
	return r
}

func (r *recorder) end() error {
	r.stop()
	err := <-r.done
	r.Close()
	return err
}

func (r *recorder) keep(ev *event.Event) {
	e := *ev
	e.Payload, e.Tail = bytes.Clone(ev.Payload), bytes.Clone(ev.Tail)
	e.Process.Args, e.Process.Environ = slices.Clone(ev.Process.Args), bytes.Clone(ev.Process.Environ)
	r.mu.Lock()
	pids := []int{int(e.PID)}
	switch users := r.users[e.Conn]; {
	case e.Kind == event.Close:
		pids = users
	case e.Kind == event.Open && !slices.Contains(users, pids[0]):
		r.users[e.Conn] = append(users, pids[0])
	}
	for _, pid := range pids {
		r.byPID[pid] = append(r.byPID[pid], e)
	}
	r.mu.Unlock()
	select {
	case r.changed <- struct{}{}:
	default:
	}
}

// of returns the events of one process so far.
func (r *recorder) of(pid int) []event.Event {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.byPID[pid])
}

// wait returns the events of a process once they satisfy a condition.
func (r *recorder) wait(t testing.TB, pid int, what string, ok func([]event.Event) bool) []event.Event {
	t.Helper()
	deadline := time.After(patience)
	for {
		events := r.of(pid)
		if ok(events) {
			return events
		}
		select {
		case <-r.changed:
		case <-time.After(50 * time.Millisecond): // another test of this recorder may have taken the signal
		case <-deadline:
			t.Fatalf("no %s of process %d within %s; its events:\n%s", what, pid, patience, show(events))
		}
	}
}

// waitExit returns the events of a process that has ended: all of them, because the ring keeps their order.
func (r *recorder) waitExit(t testing.TB, pid int) []event.Event {
	t.Helper()
	return r.wait(t, pid, "exit", func(events []event.Event) bool {
		return slices.ContainsFunc(events, func(e event.Event) bool { return e.Kind == event.Exit })
	})
}

// shared holds one running Probe for each tier, because loading one takes most of a second.
var shared = struct {
	sync.Mutex
	byTier map[Tier]*recorder
}{byTier: map[Tier]*recorder{}}

func sharedRecorder(t *testing.T, tier Tier) *recorder {
	t.Helper()
	requireBPF(t, tier)
	shared.Lock()
	defer shared.Unlock()
	if r := shared.byTier[tier]; r != nil {
		return r
	}
	p, err := Open(testConfig(tier), discard())
	if err != nil {
		t.Fatalf("open a probe: %v", err)
	}
	shared.byTier[tier] = newRecorder(p)
	return shared.byTier[tier]
}

func closeShared() (err error) {
	for _, r := range shared.byTier {
		err = errors.Join(err, r.end())
	}
	return err
}

// inBothTiers runs a test with the shared Probe of each tier.
func inBothTiers(t *testing.T, test func(t *testing.T, r *recorder)) {
	for _, tier := range []Tier{TierSocket, TierSyscall} {
		t.Run(string(tier), func(t *testing.T) { test(t, sharedRecorder(t, tier)) })
	}
}

// settle waits until the changes of the selection so far are known to the kernel side and the ring was empty once.
func (r *recorder) settle(t testing.TB) {
	t.Helper()
	for range 2 { // the tick under way may be past either
		select {
		case <-r.ticked: // an old one
		default:
		}
		select {
		case <-r.ticked:
		case <-time.After(patience):
			t.Fatal("the probe does not tick")
		}
	}
}
