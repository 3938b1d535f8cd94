package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/sonde-dev/sonde/test/sut"
)

// series are repeated measurements by name.
type series map[string][]float64

func (s series) add(v map[string]float64) {
	for name, x := range v {
		s[name] = append(s[name], x)
	}
}

// A report is what is printed and written.
type report struct {
	When, Kernel, Tier string
	CPUs, Pairs        int
	Seconds            float64
	Rows               []row
	Lost               map[string]float64 // in all runs with Sonde, by cause
}

// A row is one figure.
type row struct {
	What            string
	Without, With   float64 `json:",omitempty"`
	Unit            string
	Change          float64 `json:",omitempty"` // percent, median of the pairs
	Low, High       float64 `json:",omitempty"` // percent, of the pairs
	IsPair          bool
	Budget, Verdict string
	Note            string `json:",omitempty"`
}

func (r *report) describe(b *bench) {
	var u unix.Utsname
	unix.Uname(&u)
	r.When, r.Kernel = time.Now().UTC().Format(time.RFC3339), unix.ByteSliceToString(u.Release[:])
	r.CPUs, r.Pairs, r.Seconds, r.Lost = runtime.NumCPU(), b.pairs, b.seconds, map[string]float64{}
}

// losses adds up what a Sonde lost, and asserts that all of them ran the same tier.
func (r *report) losses(s *sut.Sonde) error {
	st, err := s.Status()
	if err != nil {
		return err
	}
	if r.Tier != "" && r.Tier != st.Tier {
		return fmt.Errorf("tier changed from %s to %s between runs", r.Tier, st.Tier)
	}
	r.Tier = st.Tier
	for c, n := range st.Lost {
		if n > 0 {
			r.Lost[c] += n
		}
	}
	return nil
}

// pair adds a figure measured in pairs. limit is the worst change in percent that is within the budget; moreIsBetter turns
// it round.
func (r *report) pair(what, unit string, without, with []float64, budget string, limit float64, moreIsBetter bool) {
	changes := make([]float64, len(with))
	for i := range with {
		changes[i] = (with[i]/without[i] - 1) * 100
	}
	x := row{What: what, Unit: unit, Without: median(without), With: median(with), Change: median(changes), IsPair: true,
		Low: slices.Min(changes), High: slices.Max(changes), Budget: budget}
	if budget != "" {
		x.Verdict = verdict(moreIsBetter && x.Change >= limit || !moreIsBetter && x.Change <= limit)
	}
	r.Rows = append(r.Rows, x)
}

// single adds a figure of Sonde itself.
func (r *report) single(what, unit string, v float64, budget string, limit float64, note string) {
	x := row{What: what, Unit: unit, With: v, Budget: budget, Note: note}
	if budget != "" {
		x.Verdict = verdict(v <= limit)
	}
	r.Rows = append(r.Rows, x)
}

func verdict(ok bool) string {
	if ok {
		return "within"
	}
	return "MISSED"
}

func (r *report) print(w io.Writer) {
	fmt.Fprintf(w, "\nSonde, %s tier, kernel %s, %d CPUs, %s; %d pairs of %.1f s\n\n", r.Tier, r.Kernel, r.CPUs, r.When, r.Pairs, r.Seconds)
	fmt.Fprintf(w, "%-48s %12s %12s  %-24s %-12s %s\n", "", "without", "with", "change (all pairs)", "budget", "")
	for _, x := range r.Rows {
		without, change := "", ""
		if x.IsPair {
			without = fmt.Sprintf("%.4g", x.Without)
			change = fmt.Sprintf("%+.1f %% (%+.1f … %+.1f)", x.Change, x.Low, x.High)
		}
		fmt.Fprintf(w, "%-48s %12s %12.4g  %-24s %-12s %s\n", x.What+", "+x.Unit, without, x.With, change, x.Budget, strings.TrimSpace(x.Verdict+" "+x.Note))
	}
	if len(r.Lost) == 0 {
		fmt.Fprintf(w, "%-48s %12s %12d\n\n", "lost in all runs, events", "", 0)
		return
	}
	fmt.Fprintf(w, "lost in all runs, by cause: %v\n\n", r.Lost)
}

func (r *report) write(file string) error {
	b, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return fmt.Errorf("encode the report: %w", err)
	}
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		return fmt.Errorf("write the report: %w", err)
	}
	if err := os.WriteFile(file, append(b, '\n'), 0o644); err != nil {
		return fmt.Errorf("write the report: %w", err)
	}
	return nil
}

func median(v []float64) float64 {
	s := slices.Sorted(slices.Values(v))
	n := len(s)
	if n == 0 {
		return 0
	}
	return (s[(n-1)/2] + s[n/2]) / 2
}
