package main

import (
	"os"
	"regexp"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sonde-dev/sonde/agent/exchange"
	"github.com/sonde-dev/sonde/agent/protocol"
	"github.com/sonde-dev/sonde/agent/redmetrics"
	"github.com/sonde-dev/sonde/signal"
)

func TestReferenceIsUpToDate(t *testing.T) {
	for name, want := range pages() {
		got, err := os.ReadFile("../" + name)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(string(want), string(got)); diff != "" {
			t.Errorf("docs/%s is stale, run go run ./docs/gen from the root (-want +got):\n%s", name, diff)
		}
	}
}

// The rules are Prometheus' own (prometheus.io/docs/practices/naming) and the data model's.
func TestNames(t *testing.T) {
	name := regexp.MustCompile(`^sonde_[a-z]+(_[a-z]+)*$`)
	label := regexp.MustCompile(`^[a-z]+(_[a-z]+)*$`)
	seen := map[string]bool{}
	for _, d := range signal.Catalog() {
		if !name.MatchString(d.Name) || seen[d.Name] {
			t.Errorf("%q is no name, or comes twice", d.Name)
		}
		seen[d.Name] = true
		if isTotal := regexp.MustCompile(`_total$`).MatchString(d.Name); isTotal != (d.Type == signal.Counter) {
			t.Errorf("%s: _total is for counters, and for them only", d.Name)
		}
		if d.Help == "" || d.Unit == "" {
			t.Errorf("%s lacks help or unit", d.Name)
		}
		for unit, suffix := range map[string]string{"s": `_seconds(_total)?$`, "By": `_bytes(_total)?$`} {
			if d.Unit == unit && !regexp.MustCompile(suffix).MatchString(d.Name) {
				t.Errorf("%s is in %s but is not called so", d.Name, unit)
			}
		}
		for _, l := range d.Labels {
			if !label.MatchString(l) {
				t.Errorf("%s has the label %q", d.Name, l)
			}
		}
	}
}

// What the protocols name fits Prometheus too; those that share a metric agree on what it is.
func TestNamesOfProtocols(t *testing.T) {
	name := regexp.MustCompile(`^[a-z][a-z0-9]*(_[a-z0-9]+)+$`)
	label := regexp.MustCompile(`^[a-z][a-z0-9]*(_[a-z0-9]+)*$`)
	known := map[string]*signal.Desc{}
	for _, p := range protocols() {
		if n := len(p.Semantics().Counts); n > protocol.MaxCounts {
			t.Errorf("%s counts %d numbers, at most %d fit", p.Name(), n, protocol.MaxCounts)
		}
		for _, side := range []exchange.Side{exchange.Server, exchange.Client} {
			m := redmetrics.Describe(p, side)
			for _, d := range m.All() {
				if !name.MatchString(d.Name) || d.Help == "" || d.Unit == "" {
					t.Errorf("%s: %q is no name, or lacks help or unit", p.Name(), d.Name)
				}
				if isTotal := regexp.MustCompile(`_total$`).MatchString(d.Name); isTotal != (d.Type == signal.Counter) {
					t.Errorf("%s: _total is for counters, and for them only", d.Name)
				}
				if k := known[d.Name]; k != nil && (k.Type != d.Type || k.Unit != d.Unit) {
					t.Errorf("%s: %s means something else by it (%s)", d.Name, p.Name(), d.Unit)
				}
				known[d.Name] = d
				seen := map[string]bool{"": true}
				for _, l := range d.Labels {
					if l != "" && (!label.MatchString(l) || seen[l]) {
						t.Errorf("%s of %s has the label %q, which is none or comes twice", d.Name, p.Name(), l)
					}
					seen[l] = true
				}
			}
		}
	}
}
