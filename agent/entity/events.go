package entity

import (
	"github.com/sonde-dev/sonde/agent/entity/container"
	"github.com/sonde-dev/sonde/agent/entity/proc"
	"github.com/sonde-dev/sonde/agent/probe/event"
)

// HandleProcess takes an event of kind Exec, Fork or Exit; others are ignored. It keeps nothing of the event.
func (t *Table) HandleProcess(ev *event.Event) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.now = max(t.now, ev.Time)
	k := key{ev.PID, proc.Ticks(ev.Process.StartTime)}
	switch ev.Kind {
	case event.Fork:
		t.fork(k, &ev.Process)
	case event.Exec:
		t.exec(k, &ev.Process)
	case event.Exit:
		if p := t.known(ev.PID, ev.Process.StartTime); p != nil && !p.ended {
			t.end(p)
		}
	}
}

// fork makes a process that is what its parent is, until it calls exec.
func (t *Table) fork(k key, i *event.ProcessInfo) {
	if t.byKey[k] != nil {
		return // a scan was quicker
	}
	p := t.insert(k)
	p.ppid, p.comm = i.ParentPID, i.Comm
	parent := t.byPID[i.ParentPID]
	if parent == nil || parent.ticks > k.ticks {
		p.unread = true
	} else {
		p.inherit(parent)
		p.unread = parent.unread
		if parent.ended { // its command line and environment are forgotten
			p.unread = true
		}
	}
	if c := component(i.Cgroup); c != p.cgroupName && c != "" {
		p.unread = true // born into another cgroup (CLONE_INTO_CGROUP)
		if m := container.FromName(c); m.ID != "" {
			p.member, p.containerName = m, ""
		}
	}
	t.judge(p)
}

// exec gives a process its new program.
func (t *Table) exec(k key, i *event.ProcessInfo) {
	p := t.byKey[k]
	switch {
	case p == nil:
		p = t.insert(k)
		if parent := t.byPID[i.ParentPID]; parent != nil && parent.ticks <= k.ticks {
			p.inherit(parent)
		}
	case p.ended: // an exit that came first, or a look-up that found it gone: better its program than nothing
		p.ppid = i.ParentPID
		p.adoptKernel(i)
		t.adoptEnviron(p, i)
		t.settle(p, false)
		return
	}
	p.ppid = i.ParentPID
	if !t.mayReadExec() {
		p.adoptKernel(i)
		t.adoptEnviron(p, i)
		p.unread = true
		t.judge(p)
		return
	}
	f, err := t.fs.Read(k.pid, t.wanted)
	switch {
	case err != nil || f.StartTicks != k.ticks:
		p.adoptKernel(i)
		p.unread = false
	case !contradicts(f.Args, i.Args):
		p.adopt(f)
	case f.Comm != i.Comm: // it has called exec again: that event will follow
		p.adoptKernel(i)
		p.env, p.unread = f.Env, false
	default: // it wrote a title over its arguments
		f.Args = append([]string(nil), i.Args...)
		p.adopt(f)
	}
	t.adoptEnviron(p, i)
	t.judge(p)
}

// adoptEnviron takes over the environment as the kernel side saw it at the exec: /proc shows what the program has made of
// that memory since. Of one that was cut, what /proc said of the rest stays.
func (t *Table) adoptEnviron(p *process, i *event.ProcessInfo) {
	if len(i.Environ) == 0 {
		return
	}
	env := proc.Variables(i.Environ, t.wanted)
	if i.EnvironCut {
		for name, value := range p.env {
			if _, ok := env[name]; !ok {
				if env == nil {
					env = map[string]string{}
				}
				env[name] = value
			}
		}
	}
	p.env, p.entity = env, nil
}

// mayReadExec counts the execs of this second and says whether one more may be read at once.
func (t *Table) mayReadExec() bool {
	if second := t.now / 1e9; second != t.execSecond {
		t.execSecond, t.execsInside = second, 0
	}
	t.execsInside++
	return t.execsInside <= t.cfg.MaxExecReads
}
