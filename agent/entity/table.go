package entity

import (
	"cmp"
	"context"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/sonde-dev/sonde/agent/entity/container"
	"github.com/sonde-dev/sonde/agent/entity/proc"
	"github.com/sonde-dev/sonde/signal"
)

// sweepInterval is how often living processes are compared with /proc, in case an exit was not reported.
const sweepInterval = 30e9

// Table knows the processes of the host. HandleProcess, Entity and Tick are for one goroutine, the reader of events; the
// other methods may be called from any.
type Table struct {
	cfg  Config
	log  *slog.Logger
	fs   *proc.FS
	host string

	mu     sync.Mutex
	byKey  map[key]*process
	byPID  map[uint32]*process // the newest incarnation of each pid
	ended  []*process          // oldest first
	names  *container.Namer
	losses signal.Losses
	now    uint64 // newest time seen, CLOCK_MONOTONIC

	selection  Selection
	generation atomic.Uint64   // of the selection
	wanted     map[string]bool // environment variables to keep

	sweptAt     uint64
	execSecond  uint64 // the second in which execs are being counted
	execsInside int
}

// New makes an empty table. cfg must be valid.
func New(cfg Config, log *slog.Logger) *Table {
	t := &Table{
		cfg: cfg, log: log, fs: proc.Open(cfg.ProcRoot), host: cfg.host(),
		byKey: make(map[key]*process), byPID: make(map[uint32]*process),
		names: container.NewNamer(cfg.HostRoot), losses: make(signal.Losses),
	}
	t.selection, t.wanted = cfg.Selection, wantedVariables(cfg.Selection)
	return t
}

// Scan reads all processes there are. Call it once events are flowing, so that no process falls between; it may run beside
// HandleProcess. It returns ctx's error if that ends first.
func (t *Table) Scan(ctx context.Context) error {
	pids, err := t.fs.PIDs()
	if err != nil {
		return err
	}
	all := make([]proc.Facts, 0, len(pids))
	for _, pid := range pids {
		if err := ctx.Err(); err != nil {
			return err
		}
		if f, err := t.fs.Read(pid, t.wantedNow()); err == nil {
			all = append(all, f)
		}
	}
	slices.SortFunc(all, func(a, b proc.Facts) int { // parents first
		return cmp.Or(cmp.Compare(a.StartTicks, b.StartTicks), cmp.Compare(a.PID, b.PID))
	})
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, f := range all {
		k := key{f.PID, f.StartTicks}
		if p := t.byKey[k]; p != nil && p.executed {
			continue // an exec has told more recently
		}
		p := t.insert(k)
		if p.ended {
			continue // ended while the others were read
		}
		p.adopt(f)
		t.judge(p)
	}
	t.log.Debug("processes read", "count", len(all))
	return nil
}

// Entity says who a process is. start is its start in nanoseconds of CLOCK_BOOTTIME, 0 if unknown; comm its name as the
// kernel side gave it, which must do if it is gone before it could be read (counted as ProcessUnknown). The result is
// never nil, shared, and must not be modified; a later call may return another one, after an exec for example.
func (t *Table) Entity(pid uint32, start uint64, comm string) *signal.Entity {
	return t.resolve(pid, start, comm).entity
}

// Processes returns the number of living processes known.
func (t *Table) Processes() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return len(t.byKey) - len(t.ended)
}

// Losses returns a copy of what was lost so far.
func (t *Table) Losses() signal.Losses {
	t.mu.Lock()
	defer t.mu.Unlock()
	return maps.Clone(t.losses)
}

// Tick forgets what has ended long ago. now is CLOCK_MONOTONIC in nanoseconds; call it about once a second.
func (t *Table) Tick(now uint64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.now = max(t.now, now)
	if t.now-t.sweptAt >= sweepInterval {
		t.sweep()
	}
	t.expire()
}

// sweep ends processes that /proc does not show any more.
func (t *Table) sweep() {
	t.sweptAt = t.now
	pids, err := t.fs.PIDs()
	if err != nil {
		t.log.Warn("sweep processes", "err", err)
		return
	}
	alive := make(map[uint32]bool, len(pids))
	for _, pid := range pids {
		alive[pid] = true
	}
	for _, p := range t.byKey {
		if !p.ended && (!alive[p.pid] || t.byPID[p.pid] != p) {
			t.end(p)
		}
	}
}

// insert returns the process of a key, a new one if need be. A new one ends what had the pid before.
func (t *Table) insert(k key) *process {
	if p := t.byKey[k]; p != nil {
		return p
	}
	before := t.byPID[k.pid]
	if before != nil && !before.ended && before.ticks < k.ticks {
		t.end(before)
	}
	if len(t.byKey)-len(t.ended) >= t.cfg.MaxProcesses {
		t.makeRoom()
	}
	p := &process{key: k, root: k.pid, observe: true}
	t.byKey[k] = p
	if before == nil || before.ticks < k.ticks {
		t.byPID[k.pid] = p
	}
	return p
}

// makeRoom gives up one living process, any: it is read again if it is needed.
func (t *Table) makeRoom() {
	for _, p := range t.byKey {
		if !p.ended {
			t.end(p)
			return
		}
	}
}

// end marks a process as ended and keeps only its name.
func (t *Table) end(p *process) {
	if p.entity == nil {
		t.settle(p, false)
	}
	p.ended, p.endedAt, p.unread = true, t.now, false
	p.args, p.env = nil, nil
	t.ended = append(t.ended, p)
	if !p.observe {
		t.tell(p.pid, true)
	}
	if p.isRoot {
		t.uproot(p)
	}
	t.expire()
}

// expire forgets ended processes beyond the bounds of age and number.
func (t *Table) expire() {
	n := 0
	for n < len(t.ended) {
		p := t.ended[n]
		if len(t.ended)-n <= t.cfg.MaxEnded && p.endedAt+uint64(t.cfg.KeepEnded) > t.now {
			break
		}
		delete(t.byKey, p.key)
		if t.byPID[p.pid] == p {
			delete(t.byPID, p.pid)
		}
		t.ended[n] = nil
		n++
	}
	t.ended = t.ended[n:]
}
