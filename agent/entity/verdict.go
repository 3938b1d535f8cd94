package entity

import (
	"maps"
	"path"
	"strings"

	"github.com/sonde-dev/sonde/agent/wildcard"
)

// SetSelection replaces the rules and judges every process anew. s must be valid. It may be called from any goroutine.
func (t *Table) SetSelection(s Selection) {
	wanted := wantedVariables(s)
	environments := t.readEnvironments(wanted)
	t.mu.Lock()
	defer t.mu.Unlock()
	t.selection, t.wanted = s, wanted
	t.generation.Add(1)
	for _, p := range t.byKey {
		if p.ended {
			continue
		}
		if env, ok := environments[p.key]; ok {
			p.env = env
		}
		t.judge(p)
	}
}

// Selection returns the rules in force; they must not be modified.
func (t *Table) Selection() Selection {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.selection
}

// readEnvironments reads the environment of every living process if the rules ask for variables that were not kept.
func (t *Table) readEnvironments(wanted map[string]bool) map[key]map[string]string {
	t.mu.Lock()
	if maps.Equal(wanted, t.wanted) {
		t.mu.Unlock()
		return nil
	}
	environments := make(map[key]map[string]string, len(t.byKey))
	for k, p := range t.byKey {
		if !p.ended {
			environments[k] = nil
		}
	}
	t.mu.Unlock()
	for k := range environments {
		environments[k] = t.fs.Environ(k.pid, wanted)
		if st, err := t.fs.Stat(k.pid); err != nil || st.StartTicks != k.ticks {
			delete(environments, k) // gone: what was read may be another's
		}
	}
	return environments
}

func (t *Table) wantedNow() map[string]bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.wanted
}

// judge applies the rules to a process and tells the verdict if it is a new one.
func (t *Table) judge(p *process) {
	if t.selection.usesContainer() && p.containerName == "" {
		p.containerName = sanitise(t.names.Name(p.member))
	}
	observe := t.selection.observes(p)
	if observe == p.observe {
		return
	}
	p.observe = observe
	t.tell(p.pid, observe)
}

func (t *Table) tell(pid uint32, observe bool) {
	if t.cfg.OnVerdict != nil {
		t.cfg.OnVerdict(pid, observe)
	}
}

func (s Selection) usesContainer() bool {
	for _, rules := range [][]Rule{s.Include, s.Exclude} {
		for _, r := range rules {
			if r.Container != "" {
				return true
			}
		}
	}
	return false
}

// wantedVariables returns the environment variables that names and rules need.
func wantedVariables(s Selection) map[string]bool {
	wanted := make(map[string]bool)
	for _, v := range nameVariables {
		wanted[v.name] = true
	}
	for _, rules := range [][]Rule{s.Include, s.Exclude} {
		for _, r := range rules {
			if name, _, _ := strings.Cut(r.Env, "="); name != "" {
				wanted[name] = true
			}
		}
	}
	return wanted
}

// matches reports whether all of the fields that are set fit the process.
func (r Rule) matches(p *process) bool {
	if r.Process != "" && !glob(r.Process, p.executable()) && !glob(r.Process, p.comm) && !glob(r.Process, p.script) {
		return false
	}
	if r.Command != "" && !matchCommand(r.Command, strings.Join(p.args, " ")) {
		return false
	}
	if r.Container != "" && !r.matchContainer(p) {
		return false
	}
	return r.Env == "" || matchEnv(r.Env, p.env)
}

func (r Rule) matchContainer(p *process) bool {
	if p.member.ID == "" {
		return false
	}
	return strings.HasPrefix(p.member.ID, r.Container) || glob(r.Container, p.containerName)
}

func matchEnv(rule string, env map[string]string) bool {
	name, want, hasValue := strings.Cut(rule, "=")
	value, isSet := env[name]
	return isSet && (!hasValue || glob(want, value))
}

func matchCommand(pattern, command string) bool {
	if strings.ContainsAny(pattern, "*?[") {
		return wildcard.Compile(pattern).Matches(command)
	}
	return strings.Contains(command, pattern)
}

func glob(pattern, s string) bool {
	ok, err := path.Match(pattern, s)
	return err == nil && ok
}
