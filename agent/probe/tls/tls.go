// Package tls probes the TLS libraries of a host, so that the kernel side sees the plain text that they read and write.
//
// In: the life of processes, by id, and the loaded programs of bpf/tls.bpf.c. Out: probes, one set per library file for all
// processes that map it, taken away when none does any more. It must not know what the plain text means.
package tls

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"runtime/debug"
	"strconv"
	"sync"
	"time"

	"github.com/cilium/ebpf"

	"github.com/sonde-dev/sonde/agent/probe/stack"
	"github.com/sonde-dev/sonde/signal"
)

// Config says when to look and how long to wait.
type Config struct {
	// Delays are after how long a new program is looked at, again and again: it loads its libraries while it runs.
	Delays []time.Duration
	// KeepUnused is how long the probes of a file stay that no process maps any more: a program that runs for a moment, again and
	// again, is to be seen from its first byte.
	KeepUnused time.Duration
	// SweepInterval is how often processes are forgotten whose end was not heard of, and unused files detached.
	SweepInterval time.Duration
	// Standard are libraries that are probed before any process maps them, as patterns of paths.
	Standard []string
}

// DefaultConfig is what `sonde run` uses. Programs that live for less than a poll interval are seen if they use a library of the
// host itself, whose probes wait for them.
var DefaultConfig = Config{
	Delays:     []time.Duration{0, time.Second, 10 * time.Second},
	KeepUnused: time.Minute, SweepInterval: 5 * time.Second,
	Standard: []string{
		"/usr/lib/x86_64-linux-gnu/libssl.so.*", "/usr/lib64/libssl.so.*", "/usr/lib/libssl.so.*", "/usr/local/lib*/libssl.so.*",
		"/usr/lib/x86_64-linux-gnu/libgnutls.so.*", "/usr/lib64/libgnutls.so.*", "/usr/lib/libgnutls.so.*",
	},
}

// maxWaiting bounds the looks at processes that are still to be taken: as many as start within the last delay on a host that starts
// 400 a second. More are looked at when they are known to speak TLS.
const maxWaiting = 4096

// Prober keeps the probes. Its On methods are called by one goroutine, that of the events, and return at once; Run does the work.
type Prober struct {
	cfg   Config
	log   *slog.Logger
	table *table
	// underWay are the calls that began before their library was probed; isNew is true if one was probed since they were looked for.
	underWay *underWay
	isNew    bool
	// threads is the kernel side's state of threads that use a TLS library.
	threads *ebpf.Map
	news    chan news
	losses  sync.Mutex
	lost    uint64
	// isFull is true while the heap may hold tables of programs that were looked at. They are tens of megabytes and rare, so
	// that the collector would keep room for more of them.
	isFull bool
}

// news is something that happened to a process.
type news struct {
	what   what
	pid    uint32
	parent uint32
}

type what uint8

const (
	started what = iota
	forked
	ended
	spoke
)

// New makes a Prober for its loaded object. threads is the map of what they know of threads, probed the variable of the socket tier that
// turns its part on.
func New(cfg Config, own *ebpf.Collection, threads *ebpf.Map, probed *ebpf.Variable, log *slog.Logger) *Prober {
	return &Prober{
		cfg: cfg, log: log, table: newTable(own.Programs, probed), underWay: newUnderWay(own.Programs, own.Maps["tls_waiting"]), threads: threads,
		news: make(chan news, 1024), // what a poll interval brings on a host that starts 20 000 processes a second
	}
}

// OnExec says that a process runs another program now.
func (p *Prober) OnExec(pid uint32) { p.tell(news{what: started, pid: pid}) }

// OnFork says that a process was copied.
func (p *Prober) OnFork(parent, pid uint32) { p.tell(news{what: forked, pid: pid, parent: parent}) }

// OnExit says that a process has ended.
func (p *Prober) OnExit(pid uint32) { p.tell(news{what: ended, pid: pid}) }

// OnTLS says that a process speaks TLS on one of its sockets: all it maps is looked at, whatever the names.
func (p *Prober) OnTLS(pid uint32) { p.tell(news{what: spoke, pid: pid}) }

func (p *Prober) tell(n news) {
	if p == nil {
		return
	}
	select {
	case p.news <- n:
	default:
		if n.what != ended && n.what != forked { // the sweep finds those
			p.lose(fmt.Errorf("more processes start than can be looked at"), "pid", n.pid)
		}
	}
}

// lose counts a program whose plain text may be missing.
func (p *Prober) lose(err error, what string, which any) {
	p.losses.Lock()
	p.lost++
	first := p.lost == 1
	p.losses.Unlock()
	level := slog.LevelDebug
	if first {
		level = slog.LevelWarn
	}
	p.log.Log(context.Background(), level, "TLS is not read here", what, which, "err", err)
}

// Losses returns how many files or processes could not be probed, by cause.
func (p *Prober) Losses() signal.Losses {
	l := make(signal.Losses)
	if p != nil {
		p.losses.Lock()
		defer p.losses.Unlock()
		l.Add(signal.TLSNotProbed, p.lost)
	}
	return l
}

// Files returns how many files are probed now.
func (p *Prober) Files() int {
	if p == nil {
		return 0
	}
	return p.table.len()
}

// Start probes the libraries of the host and those of every process that runs.
func (p *Prober) Start() error {
	self, err := mappings(uint32(os.Getpid()))
	if err != nil {
		return fmt.Errorf("look at Sonde's own program: %w", err)
	}
	exe, err := os.Readlink("/proc/self/exe")
	if err != nil {
		return fmt.Errorf("look at Sonde's own program: %w", err)
	}
	for _, m := range self {
		if m.Path == exe {
			p.table.refuse(m.ID)
		}
	}
	p.probeStandard("")
	dirs, err := os.ReadDir("/proc")
	if err != nil {
		return fmt.Errorf("list processes: %w", err)
	}
	for _, d := range dirs {
		if pid, err := strconv.ParseUint(d.Name(), 10, 32); err == nil {
			p.look(uint32(pid), false)
			p.expect(uint32(pid))
		}
	}
	p.follow()
	p.release()
	return nil
}

// Run follows the news until ctx ends, then takes all probes away.
func (p *Prober) Run(ctx context.Context) {
	var waiting queue
	sweep := time.NewTicker(p.cfg.SweepInterval)
	defer sweep.Stop()
	next := time.NewTimer(time.Hour)
	defer next.Stop()
	for {
		next.Reset(waiting.until(time.Now()))
		select {
		case <-ctx.Done():
			return
		case n := <-p.news:
			p.take(n, &waiting)
			p.follow()
		case now := <-next.C:
			for _, pid := range waiting.due(now) {
				p.look(pid, false)
			}
			p.follow()
		case now := <-sweep.C:
			p.table.sweep(now, p.cfg.KeepUnused)
			p.underWay.sweep()
			p.release()
		}
	}
}

func (p *Prober) take(n news, waiting *queue) {
	switch n.what {
	case started:
		p.table.forget(n.pid, time.Now())
		for _, d := range p.cfg.Delays {
			if d == 0 {
				p.look(n.pid, false)
			} else if !waiting.add(time.Now().Add(d), n.pid) {
				p.lose(fmt.Errorf("more processes start than can be looked at"), "pid", n.pid)
			}
		}
	case forked:
		p.table.copy(n.parent, n.pid)
	case ended:
		p.table.forget(n.pid, time.Now())
	case spoke:
		if !p.table.uses(n.pid) {
			p.look(n.pid, true)
		}
	}
}

// look probes what a process maps. Unless thorough, only files that are likely by their name, and the program itself.
func (p *Prober) look(pid uint32, thorough bool) {
	list, err := mappings(pid)
	if err != nil {
		return // it has ended, or is a thread of the kernel
	}
	exe, _ := os.Readlink(fmt.Sprintf("/proc/%d/exe", pid))
	for _, m := range list {
		if thorough || m.isLikely() || m.Path == exe {
			p.probe(pid, m)
		}
	}
}

// probe notes that a process maps a file, and probes it if it is a TLS library that is not probed yet.
func (p *Prober) probe(pid uint32, m mapping) {
	if p.table.use(pid, m.ID) {
		return
	}
	file, err := m.OpenFile(pid)
	if err != nil {
		return // it has ended
	}
	m.Open = file.Name()
	defer file.Close()
	p.isFull = true
	at, err := inspect(file)
	if err == nil && at != nil {
		err = p.attach(m, at)
	}
	switch {
	case err != nil && !exists(pid):
		return // with its mapping the way to the file is gone
	case err != nil:
		p.table.refuse(m.ID)
		p.lose(err, "file", m.Path)
	case at == nil:
		p.table.refuse(m.ID)
	default:
		p.table.use(pid, m.ID)
		p.expect(pid)
		p.log.Debug("TLS is read", "file", m.Path, "library", at.library)
	}
}

// attach probes a file, whose calls under way are to be looked for then.
func (p *Prober) attach(m mapping, at *places) error {
	if err := p.table.attach(m, at); err != nil {
		return err
	}
	p.isNew = p.isNew || len(at.reads) > 0
	return nil
}

// expect prepares for a process that ran before its library was probed.
func (p *Prober) expect(pid uint32) {
	if len(p.table.libraries(pid)) == 0 {
		return
	}
	if err := expectInMemory(p.threads, pid); err != nil {
		p.log.Debug("The first receive of a TLS library in memory may be missed", "pid", pid, "err", err)
	}
}

// follow takes over the calls that are under way of libraries that were probed just now.
func (p *Prober) follow() {
	if !p.isNew {
		return
	}
	p.isNew, p.isFull = false, true
	err := p.underWay.follow(p.table.libraries, func(err error, pid uint32) { p.lose(err, "pid", pid) })
	if err != nil {
		p.lose(err, "calls", "under way")
	}
}

// release gives the memory back that looking at programs took.
func (p *Prober) release() {
	if p.isFull {
		p.isFull = false
		debug.FreeOSMemory()
	}
}

func exists(pid uint32) bool {
	_, err := os.Stat(fmt.Sprintf("/proc/%d", pid))
	return err == nil
}

// probeStandard probes the libraries that new programs are most likely to use.
func (p *Prober) probeStandard(root string) {
	for _, pattern := range p.cfg.Standard {
		paths, err := filepath.Glob(root + pattern)
		if err != nil {
			p.lose(err, "pattern", pattern)
		}
		for _, path := range paths {
			p.probeAhead(path)
		}
	}
}

// probeAhead probes a file that nobody may map yet. It stays probed.
func (p *Prober) probeAhead(path string) {
	id, err := idOf(path)
	if err != nil || p.table.use(ahead, id) {
		return
	}
	file, err := os.Open(path)
	if err != nil {
		return
	}
	defer file.Close()
	at, err := inspect(file)
	if err == nil && at != nil {
		err = p.attach(mapping{stack.Region{ID: id, Path: path, Open: path}}, at)
	}
	if err != nil {
		p.lose(err, "file", path)
	}
	if err == nil && at != nil {
		p.table.use(ahead, id)
	}
}

// Close takes all probes away.
func (p *Prober) Close() {
	if p != nil {
		p.underWay.close()
		p.table.close()
	}
}
