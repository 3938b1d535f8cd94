package entity

import (
	"strings"

	"github.com/sonde-dev/sonde/agent/entity/proc"
	"github.com/sonde-dev/sonde/signal"
)

// recheckInterval bounds how often a process that keeps changing its name is read again.
const recheckInterval = 1e9

// maxAncestors bounds the walk to the root of an instance.
const maxAncestors = 32

// identity is the answer to a look-up.
type identity struct {
	entity  *signal.Entity
	observe bool
	weak    bool // by comm alone: asking again later may tell more
}

// resolve is Entity with what the Joiner needs besides.
func (t *Table) resolve(pid uint32, start uint64, comm string) identity {
	t.mu.Lock()
	defer t.mu.Unlock()
	p := t.find(pid, start, comm)
	if comm != "" && comm != p.comm && !p.ended {
		t.renamed(p, comm)
	}
	if p.entity == nil || p.unread {
		t.settle(p, true)
	}
	return identity{p.entity, p.observe, p.weak}
}

// find returns the process, after reading it if it is not known, as a name only if it is gone.
func (t *Table) find(pid uint32, start uint64, comm string) *process {
	if p := t.known(pid, start); p != nil {
		return p
	}
	f, err := t.fs.Read(pid, t.wanted)
	if err == nil && (start == 0 || f.StartTicks == proc.Ticks(start)) {
		p := t.insert(key{pid, f.StartTicks})
		p.adopt(f)
		t.judge(p)
		return p
	}
	t.losses.Add(signal.ProcessUnknown, 1)
	k := key{pid, proc.Ticks(start)}
	p := &process{key: k, root: pid, comm: comm, weak: true, observe: true}
	p.observe = t.selection.observes(p)
	t.byKey[k] = p
	if t.byPID[pid] == nil {
		t.byPID[pid] = p
	}
	p.entity = t.build(p, serviceName(p))
	p.ended, p.endedAt = true, t.now
	t.ended = append(t.ended, p)
	t.expire()
	return p
}

// known returns the process with this pid and start, nil if there is none.
func (t *Table) known(pid uint32, start uint64) *process {
	p := t.byPID[pid]
	if start == 0 || (p != nil && p.ticks == proc.Ticks(start)) {
		return p
	}
	return t.byKey[key{pid, proc.Ticks(start)}]
}

// renamed handles a name that is not the one on record: an exec was not reported (yet), or the program has named itself.
func (t *Table) renamed(p *process, comm string) {
	if p.recheck != 0 && t.now-p.recheck < recheckInterval {
		return
	}
	p.recheck = max(t.now, 1)
	f, err := t.fs.Read(p.pid, t.wanted)
	switch {
	case err == nil && f.StartTicks == p.ticks:
		// The same executable with a command line of one word has written a title over its arguments; what it was started
		// with says more.
		if f.Exe != p.exe || (!p.executed && len(f.Args) > 1) {
			p.adopt(f)
			t.judge(p)
		}
		p.comm = comm
	case !p.executed: // inherited by fork, so what it inherited may not be what it runs
		p.comm, p.program = comm, program{env: p.env}
		p.unread, p.weak, p.entity = false, true, nil
		t.losses.Add(signal.ProcessUnknown, 1)
		t.judge(p)
	default:
		p.comm = comm
	}
}

// settle makes the entity of a process, reading /proc first if that was put off and is still wanted.
func (t *Table) settle(p *process, mayRead bool) { t.settleBelow(p, mayRead, 0) }

func (t *Table) settleBelow(p *process, mayRead bool, depth int) {
	if p.unread && mayRead {
		p.unread = false
		if f, err := t.fs.Read(p.pid, t.wanted); err == nil && f.StartTicks == p.ticks {
			p.adopt(f)
			t.judge(p)
		} else if p.exe == "" {
			p.weak = true
			t.losses.Add(signal.ProcessUnknown, 1)
		}
	}
	if p.entity != nil {
		return
	}
	if p.containerName == "" {
		p.containerName = sanitise(t.names.Name(p.member))
	}
	parent := t.parent(p, mayRead, depth)
	if parent != nil && p.script == "" && sameProgram(p, parent) && isWorker(p.args) {
		p.script = parent.script
	}
	service := serviceName(p)
	p.root = p.pid
	if parent != nil && parent.entity.Service == service && sameProgram(p, parent) {
		p.root = parent.root
		if r := t.byPID[p.root]; r != nil {
			r.isRoot = true
		}
	}
	p.entity = t.build(p, service)
}

// parent returns the settled living parent of a process, nil if there is none.
func (t *Table) parent(p *process, mayRead bool, depth int) *process {
	parent := t.byPID[p.ppid]
	if parent == nil && mayRead && p.ppid > 1 && depth < maxAncestors {
		if f, err := t.fs.Read(p.ppid, t.wanted); err == nil {
			parent = t.insert(key{p.ppid, f.StartTicks})
			parent.adopt(f)
			t.judge(parent)
		}
	}
	// A parent that is younger than its child has the pid of the real one.
	if parent == nil || parent == p || parent.ended || parent.ticks > p.ticks {
		return nil
	}
	if parent.entity == nil || parent.unread {
		if depth >= maxAncestors {
			return nil
		}
		t.settleBelow(parent, mayRead, depth+1)
	}
	return parent
}

// uproot gives the processes of an instance whose topmost process has ended a new one, as a scan from scratch would.
func (t *Table) uproot(gone *process) {
	var orphans []*process
	for _, p := range t.byKey {
		if !p.ended && p.root == gone.pid && p != gone && p.entity != nil {
			orphans = append(orphans, p)
		}
	}
	for _, p := range orphans {
		p.entity = nil
	}
	for _, p := range orphans {
		if p.entity == nil {
			t.settle(p, false)
		}
	}
}

func sameProgram(p, parent *process) bool {
	return p.executable() == parent.executable() && p.member.ID == parent.member.ID
}

// isWorker recognises processes that Python starts anew to run a part of their parent (multiprocessing/spawn.py).
func isWorker(args []string) bool {
	for _, a := range args {
		if a == "--multiprocessing-fork" || strings.Contains(a, "multiprocessing.") {
			return true
		}
	}
	return false
}
