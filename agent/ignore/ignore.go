// Package ignore leaves out exchanges that nobody wants to see: probes of health, heartbeats, a protocol as a whole.
//
// In: exchanges, and rules. Out: whether an exchange is to be counted. It must not know who the ends are: selection of package entity
// is for those, and costs nothing where it says no, while an exchange that is ignored was read.
package ignore

import (
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"
	"sync/atomic"

	"github.com/sonde-dev/sonde/agent/exchange"
	"github.com/sonde-dev/sonde/agent/wildcard"
)

// Rule matches exchanges by all of its fields that are set. Operation and Target may hold the wildcards of path.Match, where * also
// matches "/".
type Rule struct {
	Protocol  string `yaml:"protocol,omitempty"`  // network.protocol.name, or the name of a dialect
	Operation string `yaml:"operation,omitempty"` // as the label has it: GET, SELECT, PING
	Target    string `yaml:"target,omitempty"`    // the path of HTTP, without its query; the statement's template, topic, name or method of others
}

// Rules are all of them: one that matches suffices.
type Rules []Rule

// Validate reports the first rule that cannot work. protocols are the names there are.
func (rs Rules) Validate(protocols []string) error {
	for _, r := range rs {
		if r == (Rule{}) {
			return errors.New("a rule of ignore says nothing: set protocol, operation or target")
		}
		if r.Protocol != "" && !slices.Contains(protocols, r.Protocol) {
			return fmt.Errorf("ignore %s: there is no such protocol: want one of %s", r, strings.Join(protocols, ", "))
		}
		for _, pattern := range []string{r.Operation, r.Target} {
			if _, err := path.Match(pattern, ""); err != nil {
				return fmt.Errorf("ignore %s: pattern %q: %w", r, pattern, err)
			}
		}
	}
	return nil
}

// String says the rules in words, "" for none.
func (rs Rules) String() string {
	words := make([]string, len(rs))
	for i, r := range rs {
		words[i] = r.String()
	}
	return strings.Join(words, " or ")
}

// String says the rule in words.
func (r Rule) String() string {
	var words []string
	for _, f := range []struct{ name, value string }{{"protocol", r.Protocol}, {"operation", r.Operation}, {"target", r.Target}} {
		if f.value != "" {
			words = append(words, f.name+" "+f.value)
		}
	}
	return strings.Join(words, " and ")
}

// Filter applies rules, which may be changed at any time, and counts what it left out. All methods may be called from any goroutine.
type Filter struct {
	state atomic.Pointer[state]
	count atomic.Uint64
}

type state struct {
	rules    Rules
	matchers []matcher // one for each
}

// matcher is a rule whose patterns are prepared.
type matcher struct {
	Rule
	operation, target wildcard.Pattern
}

// New makes a filter of rules that Validate found good.
func New(rs Rules) *Filter {
	f := &Filter{}
	f.Set(rs)
	return f
}

// Set replaces the rules.
func (f *Filter) Set(rs Rules) {
	s := &state{rules: rs}
	for _, r := range rs {
		s.matchers = append(s.matchers, matcher{r, wildcard.Compile(r.Operation), wildcard.Compile(r.Target)})
	}
	f.state.Store(s)
}

// Rules returns those in force.
func (f *Filter) Rules() Rules { return f.state.Load().rules }

// Count returns how many exchanges were left out.
func (f *Filter) Count() uint64 { return f.count.Load() }

// Ignores reports whether an exchange is to be left out, and counts it if so.
func (f *Filter) Ignores(x *exchange.Exchange) bool {
	matchers := f.state.Load().matchers
	for i := range matchers {
		if matchers[i].matches(x) {
			f.count.Add(1)
			return true
		}
	}
	return false
}

// matches looks at the exchange as what it is, and in the words of a dialect where it has them.
func (m *matcher) matches(x *exchange.Exchange) bool {
	if m.fits(x.Protocol.Name(), x.Operation, x.Target) {
		return true
	}
	return x.View != nil && m.fits(x.View.Protocol.Name(), x.View.Operation, x.View.Target)
}

func (m *matcher) fits(protocol, operation, target string) bool {
	return (m.Protocol == "" || m.Protocol == protocol) && (m.Operation == "" || m.Operation == operation || m.operation.Matches(operation)) && (m.Target == "" || m.Target == target || m.target.Matches(target))
}
