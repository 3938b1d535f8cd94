package entity

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"time"
)

// Config is what a Table and a Joiner may be told. Start from DefaultConfig.
type Config struct {
	// ProcRoot is the mount point of the host's proc file system.
	ProcRoot string `yaml:"proc_root"`
	// HostRoot is where the host's file system is seen; the files in which container runtimes keep names lie below it.
	HostRoot string `yaml:"host_root"`
	// Host is host.name. "" means os.Hostname.
	Host string `yaml:"host"`
	// Selection says which processes and ports to observe. The zero value means all.
	Selection Selection `yaml:"selection"`

	// MaxProcesses bounds the living processes remembered; beyond it some are forgotten and read again when needed.
	MaxProcesses int `yaml:"max_processes"`
	// MaxEnded and KeepEnded bound the ended processes kept for events that come late, by number and by age.
	MaxEnded  int           `yaml:"max_ended"`
	KeepEnded time.Duration `yaml:"keep_ended"`
	// MaxExecReads bounds how many programs started within one second are read from /proc at once (about 50 µs each).
	// Further ones are read at first need, and are known by the kernel's facts if they are gone by then.
	MaxExecReads int `yaml:"max_exec_reads"`

	// MaxConnections bounds the connection ends remembered by the Joiner; the least recently used is forgotten.
	MaxConnections int `yaml:"max_connections"`
	// KeepClosed is how long a closed connection stays known, for exchanges and announcements that come late.
	KeepClosed time.Duration `yaml:"keep_closed"`
	// PeerWait is how long an exchange waits for the process at its other end if that must be on this host, and
	// MaxWaiting how many wait at a time; more are handed on at once with what is known.
	PeerWait   time.Duration `yaml:"peer_wait"`
	MaxWaiting int           `yaml:"max_waiting"`

	// OnVerdict hears whether a process is to be observed. A process of which nothing was said is observed; when the pid of
	// an unobserved process becomes free, true is said of it. It is called in the order of events with the Table locked:
	// it must be quick and must not call back. nil for none.
	OnVerdict func(pid uint32, observe bool) `yaml:"-"`
	// LocalAddresses lists the addresses of the agent's own network namespace. nil means net.InterfaceAddrs.
	LocalAddresses func() ([]netip.Addr, error) `yaml:"-"`
}

// DefaultConfig observes everything. Memory grows with what there is: a connection end takes 0.5 KB, a living process 1 to
// 2 KB, an ended one 0.5 KB. All tables full would be some 130 MB; a host of 1 000 processes and connections needs 3 MB.
var DefaultConfig = Config{
	ProcRoot:       "/proc",
	HostRoot:       "/",
	MaxProcesses:   32_768, // the kernel's default pid_max on small machines
	MaxEnded:       16_384,
	KeepEnded:      2 * time.Minute,
	MaxExecReads:   500,
	MaxConnections: 131_072,
	KeepClosed:     5 * time.Second,
	PeerWait:       2 * time.Second,
	MaxWaiting:     16_384,
}

// Validate reports the first setting that cannot work.
func (c Config) Validate() error {
	switch {
	case c.ProcRoot == "":
		return errors.New("entity: proc_root is empty")
	case c.MaxProcesses < 1, c.MaxEnded < 1, c.MaxConnections < 2:
		return errors.New("entity: max_processes, max_ended and max_connections must be positive")
	case c.KeepEnded < 0, c.KeepClosed < 0, c.PeerWait < 0, c.MaxWaiting < 0, c.MaxExecReads < 0:
		return errors.New("entity: durations and bounds must not be negative")
	}
	if err := c.Selection.Validate(); err != nil {
		return fmt.Errorf("entity: selection: %w", err)
	}
	return nil
}

func (c Config) host() string {
	if c.Host != "" {
		return c.Host
	}
	name, err := os.Hostname()
	if err != nil {
		return "localhost"
	}
	return name
}

// interfaceAddresses asks the kernel for the addresses of the namespace the agent runs in.
func interfaceAddresses() ([]netip.Addr, error) {
	prefixes, err := net.InterfaceAddrs()
	if err != nil {
		return nil, fmt.Errorf("list local addresses: %w", err)
	}
	addrs := make([]netip.Addr, 0, len(prefixes))
	for _, p := range prefixes {
		if n, ok := p.(*net.IPNet); ok {
			if a, ok := netip.AddrFromSlice(n.IP); ok {
				addrs = append(addrs, a.Unmap())
			}
		}
	}
	return addrs, nil
}
