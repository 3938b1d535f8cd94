package entity

import (
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"
)

// Selection says which processes and ports to observe; the zero value means all. A process is observed if it matches an
// include rule, or if none of them is about processes, and if it matches no exclude rule. A connection is observed if one
// of its two ports is included, or if no include rule is about ports, and if neither is excluded.
type Selection struct {
	Include []Rule `yaml:"include"`
	Exclude []Rule `yaml:"exclude"`
}

// Rule matches processes by all of its fields that are set, or connections by Port, which stands alone. Process, Command,
// Container and the value in Env may hold the wildcards of path.Match, where * also matches "/" in a command line.
type Rule struct {
	Process   string `yaml:"process,omitempty"`   // name of the executable, the main thread or the script
	Command   string `yaml:"command,omitempty"`   // part of the command line; with wildcards, all of it
	Container string `yaml:"container,omitempty"` // name, or first digits of the id
	Env       string `yaml:"env,omitempty"`       // NAME (it is set) or NAME=value, in the environment it was started with
	Port      uint16 `yaml:"port,omitempty"`      // local or remote
}

// IsZero reports whether everything is observed.
func (s Selection) IsZero() bool { return len(s.Include) == 0 && len(s.Exclude) == 0 }

// Validate reports the first rule that cannot work.
func (s Selection) Validate() error {
	for _, r := range slices.Concat(s.Include, s.Exclude) {
		if err := r.validate(); err != nil {
			return err
		}
	}
	return nil
}

func (r Rule) validate() error {
	isProcess := r.isProcess()
	switch {
	case !isProcess && r.Port == 0:
		return errors.New("a rule says nothing: set process, command, container, env or port")
	case isProcess && r.Port != 0:
		return fmt.Errorf("rule %q: port stands alone, give it a rule of its own", r)
	case strings.HasPrefix(r.Env, "="):
		return fmt.Errorf("rule %q: env has no name", r)
	}
	for _, pattern := range []string{r.Process, r.Command, r.Container, r.Env} {
		if _, err := path.Match(pattern, ""); err != nil {
			return fmt.Errorf("rule %q: pattern %q: %w", r, pattern, err)
		}
	}
	return nil
}

func (r Rule) isProcess() bool { return r.Process+r.Command+r.Container+r.Env != "" }

// observes reports whether a process is to be observed.
func (s Selection) observes(p *process) bool {
	matches := func(r Rule) bool { return r.isProcess() && r.matches(p) }
	if slices.ContainsFunc(s.Exclude, matches) {
		return false
	}
	return !slices.ContainsFunc(s.Include, Rule.isProcess) || slices.ContainsFunc(s.Include, matches)
}

// WantsPort reports whether a connection that has this port at one end may be observed, as far as that end tells: it is
// not excluded, and included where there are includes.
func (s Selection) WantsPort(port uint16) bool { return s.wants(port, port) }

// WantsPorts reports whether a connection is to be observed. The order of its two ports does not matter.
func (s Selection) WantsPorts(local, remote uint16) bool { return s.wants(local, remote) }

func (s Selection) wants(a, b uint16) bool {
	if len(s.Include) == 0 && len(s.Exclude) == 0 {
		return true
	}
	either := func(r Rule) bool { return r.Port != 0 && (r.Port == a || r.Port == b) }
	if slices.ContainsFunc(s.Exclude, either) {
		return false
	}
	isPort := func(r Rule) bool { return r.Port != 0 }
	return !slices.ContainsFunc(s.Include, isPort) || slices.ContainsFunc(s.Include, either)
}

// String says the selection in words.
func (s Selection) String() string {
	if s.IsZero() {
		return "all processes"
	}
	words := "all processes"
	if len(s.Include) > 0 {
		words = "only " + join(s.Include)
	}
	if len(s.Exclude) > 0 {
		words += ", without " + join(s.Exclude)
	}
	return words
}

func join(rules []Rule) string {
	words := make([]string, len(rules))
	for i, r := range rules {
		words[i] = r.String()
	}
	return strings.Join(words, " or ")
}

// String says the rule in words.
func (r Rule) String() string {
	var words []string
	for _, f := range []struct{ name, value string }{
		{"process", r.Process}, {"command", r.Command}, {"container", r.Container}, {"env", r.Env},
	} {
		if f.value != "" {
			words = append(words, f.name+" "+f.value)
		}
	}
	if r.Port != 0 {
		words = append(words, fmt.Sprintf("port %d", r.Port))
	}
	return strings.Join(words, " and ")
}
