package probe

import (
	"errors"
	"fmt"
	"os"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/link"
	"golang.org/x/sys/unix"
)

// collector is one object file, loaded: its programs, maps and attachments.
type collector struct {
	name  string
	state State
	coll  *ebpf.Collection
	links []link.Link
	// borrowed are the maps of coll that belong to another collector.
	borrowed map[string]*ebpf.Map
	files    func() int // how many files are probed; nil where none can be
}

// State is where a collector is in its life.
type State string

// The states.
const (
	StateLoaded  State = "loaded"
	StateRunning State = "running"
	StateStopped State = "stopped"
)

// Info describes a collector to people.
type Info struct {
	Name     string
	State    State
	Programs int
	// Runs and Nanos are executions and their total time, where kernel.bpf_stats_enabled is set.
	Runs, Nanos uint64
	// Missed are executions that the kernel skipped because the program was running already on that CPU.
	Missed      uint64
	MemoryBytes uint64 // of programs and maps
	Files       int    // files with probes in them
}

// variable is a constant of an object, set before it is loaded.
type variable struct {
	name  string
	value uint32
}

// loadCollector loads the object of that name. Maps for events and losses, and those named besides, are those of base, where given.
func loadCollector(name string, cfg Config, base *collector, shared []string, vars ...variable) (*collector, error) {
	spec, err := openObject(name)
	if err != nil {
		return nil, err
	}
	spec.Maps["events"].MaxEntries = uint32(cfg.RingBytes)
	for _, v := range vars {
		if err := spec.Variables[v.name].Set(v.value); err != nil {
			return nil, fmt.Errorf("set %s of object %s: %w", v.name, name, err)
		}
	}
	opts := ebpf.CollectionOptions{MapReplacements: make(map[string]*ebpf.Map)}
	if base != nil {
		for _, m := range append([]string{"events", "losses"}, shared...) {
			opts.MapReplacements[m] = base.coll.Maps[m]
		}
	}
	coll, err := ebpf.NewCollectionWithOptions(spec, opts)
	if err != nil {
		return nil, explainLoad(name, err)
	}
	return &collector{name: name, state: StateLoaded, coll: coll, borrowed: opts.MapReplacements}, nil
}

// explainLoad turns a refusal of the kernel into what to do about it.
func explainLoad(name string, err error) error {
	var verifier *ebpf.VerifierError
	switch {
	case errors.Is(err, unix.EPERM):
		return fmt.Errorf("load BPF object %s: %w: run Sonde as root, or with CAP_BPF, CAP_PERFMON and CAP_NET_ADMIN", name, err)
	case errors.As(err, &verifier):
		return fmt.Errorf("load BPF object %s: refused by the kernel's verifier: %+v", name, verifier)
	}
	return fmt.Errorf("load BPF object %s: %w", name, err)
}

// attach hangs every program on the hook that its section names.
func (c *collector) attach() error {
	for name, prog := range c.coll.Programs {
		l, err := attachProgram(name, prog)
		if err != nil {
			return fmt.Errorf("attach %s of collector %s: %w", name, c.name, err)
		}
		if l != nil {
			c.links = append(c.links, l)
		}
	}
	c.state = StateRunning
	return nil
}

// attachProgram returns nil for a program that is only run on demand.
func attachProgram(name string, prog *ebpf.Program) (link.Link, error) {
	switch prog.Type() {
	case ebpf.Tracing:
		return link.AttachTracing(link.TracingOptions{Program: prog})
	case ebpf.TracePoint:
		if err := mountTracefs(); err != nil {
			return nil, err
		}
		return link.Tracepoint("syscalls", name, prog, nil)
	case ebpf.Syscall:
		return nil, nil
	}
	return nil, fmt.Errorf("no hook known for programs of type %s", prog.Type())
}

// mountTracefs makes the numbers of tracepoints readable, on hosts that do not mount tracefs by themselves.
func mountTracefs() error {
	for _, dir := range []string{"/sys/kernel/tracing", "/sys/kernel/debug/tracing"} {
		if _, err := os.Stat(dir + "/events"); err == nil {
			return nil
		}
	}
	if err := unix.Mount("tracefs", "/sys/kernel/tracing", "tracefs", 0, ""); err != nil {
		return fmt.Errorf("mount tracefs on /sys/kernel/tracing: %w", err)
	}
	return nil
}

func (c *collector) missed() (n uint64) {
	for _, prog := range c.coll.Programs {
		if s, err := prog.Stats(); err == nil {
			n += s.RecursionMisses
		}
	}
	return n
}

func (c *collector) info() Info {
	i := Info{Name: c.name, State: c.state, Programs: len(c.coll.Programs), Missed: c.missed()}
	if c.files != nil {
		i.Files = c.files()
	}
	for _, prog := range c.coll.Programs {
		if s, err := prog.Stats(); err == nil {
			i.Runs += s.RunCount
			i.Nanos += uint64(s.Runtime)
		}
		if pi, err := prog.Info(); err == nil {
			if n, ok := pi.Memlock(); ok {
				i.MemoryBytes += n
			}
		}
	}
	for name, m := range c.coll.Maps {
		if c.borrowed[name] != nil {
			continue // counted where it belongs
		}
		if mi, err := m.Info(); err == nil {
			if n, ok := mi.Memlock(); ok {
				i.MemoryBytes += n
			}
		}
	}
	return i
}

func (c *collector) close() {
	for _, l := range c.links {
		_ = l.Close()
	}
	c.links = nil
	c.coll.Close()
	c.state = StateStopped
}

// Collectors describes what is loaded.
func (p *Probe) Collectors() []Info {
	infos := make([]Info, 0, len(p.collectors))
	for _, c := range p.collectors {
		infos = append(infos, c.info())
	}
	return infos
}
