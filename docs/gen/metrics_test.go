package main

import (
	"os"
	"regexp"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sonde-dev/sonde/signal"
)

func TestReferenceIsUpToDate(t *testing.T) {
	got, err := os.ReadFile("../metrics.md")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(metrics(protocols())), string(got)); diff != "" {
		t.Errorf("docs/metrics.md is stale, run go run ./docs/gen from the root (-want +got):\n%s", diff)
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
