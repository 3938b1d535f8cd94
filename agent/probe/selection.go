package probe

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"

	"github.com/cilium/ebpf"
)

// selection tells the kernel what to observe, through maps that the programs read at run time.
//
// Every change is followed by a new generation, on which each connection asks again. Changes are published together,
// at most once a poll interval, so that a burst of them costs the hot path one look-up and not many. The first verdict on a connection
// is no change: connections that are known need not hear of it.
type selection struct {
	processes, ports, conns *ebpf.Map
	generation, byDefault   *ebpf.Variable
	portsIncluded           *ebpf.Variable

	isAsked atomic.Bool // a connection's changed verdict waits
	asked   uint64      // when one was published last, CLOCK_MONOTONIC

	mu      sync.Mutex
	current uint32
	isDirty bool
}

// connVerdict is struct conn_verdict of bpf/include/select.h.
type connVerdict struct {
	Ingress, Egress uint32 // bytes of a turn; both 0: nothing
}

func newSelection(c *ebpf.Collection) (*selection, error) {
	s := &selection{
		processes: c.Maps["process_verdicts"], ports: c.Maps["port_verdicts"], conns: c.Maps["conn_verdicts"],
		generation: c.Variables["selection_generation"], byDefault: c.Variables["observe_by_default"],
		portsIncluded: c.Variables["ports_included"], current: 1,
	}
	if s.processes == nil || s.ports == nil || s.conns == nil || s.generation == nil || s.byDefault == nil || s.portsIncluded == nil {
		return nil, fmt.Errorf("object lacks the maps of bpf/include/select.h")
	}
	return s, nil
}

// publish makes pending changes known.
func (s *selection) publish() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.isDirty {
		return
	}
	s.current++
	s.isDirty = s.generation.Set(s.current) != nil
}

// verdictEvery is the shortest time between two publications of verdicts on connections.
const verdictEvery = 1_000_000 // ns

// publishAt makes changed verdicts on connections known without waiting for the poll interval: until then, the kernel side copies
// what may not be wanted, or stops where it is. now is the time of the latest event. It is called by the reading goroutine.
func (s *selection) publishAt(now uint64) {
	if s.isAsked.Load() && now >= s.asked+verdictEvery {
		s.asked = now
		s.isAsked.Store(false)
		s.publish()
	}
}

func (s *selection) change(f func() error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.isDirty = true
	return f()
}

// SetDefault says whether processes without a verdict of their own are observed.
func (p *Probe) SetDefault(observe bool) error {
	return p.selection.change(func() error {
		if err := p.selection.byDefault.Set(b2u32(observe)); err != nil {
			return fmt.Errorf("set the default of the selection: %w", err)
		}
		return nil
	})
}

// SetProcess says whether a process is observed.
func (p *Probe) SetProcess(pid uint32, observe bool) error {
	return p.selection.change(func() error {
		if err := p.selection.processes.Put(pid, uint8(b2u32(observe))); err != nil {
			return fmt.Errorf("select process %d: %w", pid, err)
		}
		return nil
	})
}

// ForgetProcess drops the verdict on a process, when it has ended.
func (p *Probe) ForgetProcess(pid uint32) {
	_ = p.selection.processes.Delete(pid) // absent is fine
}

// SetPorts says which ports are observed: if included is not empty only those, and never those excluded.
func (p *Probe) SetPorts(included, excluded []uint16) error {
	return p.selection.change(func() error {
		s := p.selection
		var key uint16
		for it := s.ports.Iterate(); it.Next(&key, new(uint8)); it = s.ports.Iterate() {
			if err := s.ports.Delete(key); err != nil {
				return fmt.Errorf("clear the selection of port %d: %w", key, err)
			}
		}
		put := func(ports []uint16, verdict uint8) error {
			for _, port := range ports {
				if err := s.ports.Put(port, verdict); err != nil {
					return fmt.Errorf("select port %d: %w", port, err)
				}
			}
			return nil
		}
		// Excluded ports last: they stay so, even where included too.
		if err := errors.Join(put(included, 1), put(excluded, 0)); err != nil {
			return err
		}
		return s.portsIncluded.Set(uint32(len(included)))
	})
}

// Copy says how many bytes of each turn of a connection are copied, by direction; both 0: it is not reported any more. Beyond them, each
// call still shows its first bytes (PREFIX_BYTES of bpf/include/conn_state.h).
//
// isFirst says that nothing was said of the connection before, and that the kernel side does not follow its protocol. It then looks
// for the verdict by itself and has it in the next call. Otherwise it takes effect within a poll interval.
func (p *Probe) Copy(conn uint64, ingress, egress uint32, isFirst bool) {
	s, v := p.selection, connVerdict{ingress, egress}
	if isFirst {
		_ = s.conns.Put(conn, v)
		return
	}
	_ = s.change(func() error { return s.conns.Put(conn, v) })
	s.isAsked.Store(true)
}

func b2u32(b bool) uint32 {
	if b {
		return 1
	}
	return 0
}
