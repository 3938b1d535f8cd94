package query

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"time"
)

// The limits of the judgement: what makes a golden signal abnormal. Few and plain, so that every colour can be explained
// in one sentence.
const (
	minJudged = 5 // requests below which a ratio says nothing

	errorsWarning, errorsCritical = 0.01, 0.05
	slowWarning, slowCritical     = 0.01, 0.10

	jumpFactor   = 2.0   // p95 against the window before
	jumpSeconds  = 0.020 // and at least this much, or a jump from 1 to 3 ms would alarm
	jumpRequests = 20    // in each of the two windows

	steadyRequests = 20 // in each of the first two thirds, for silence to be a drop
	steadyFactor   = 2.0

	outlierFactor = 3.0 // p95 against the median of the siblings
	outlierErrors = 0.05
)

func judgeErrors(r RED) (Reason, bool) {
	if r.Requests < minJudged || r.ErrorRatio < errorsWarning {
		return Reason{}, false
	}
	x := Reason{Signal: "errors", Severity: SeverityWarning, Value: r.ErrorRatio, Limit: errorsWarning}
	if r.ErrorRatio >= errorsCritical {
		x.Severity, x.Limit = SeverityCritical, errorsCritical
	}
	x.Text = percent(r.ErrorRatio) + " of requests fail"
	switch kind, others := mostFrequent(r.ErrorsByType); {
	case kind == "":
	case others:
		x.Text += " (mostly " + kind + ")"
	default:
		x.Text += " (" + kind + ")"
	}
	return x, true
}

func judgeSlow(r RED, threshold time.Duration) (Reason, bool) {
	timed := r.Requests - r.Untimed
	if timed < minJudged || r.Slow/timed < slowWarning {
		return Reason{}, false
	}
	ratio := r.Slow / timed
	x := Reason{Signal: "slow", Severity: SeverityWarning, Value: ratio, Limit: slowWarning}
	if ratio >= slowCritical {
		x.Severity, x.Limit = SeverityCritical, slowCritical
	}
	x.Text = fmt.Sprintf("%s of requests take longer than %s", percent(ratio), seconds(threshold.Seconds()))
	return x, true
}

// judgeJump compares the last window with the one of the same length before it.
func judgeJump(before, now third) (Reason, bool) {
	if before.timed < jumpRequests || now.timed < jumpRequests ||
		now.p95 < before.p95*jumpFactor || now.p95 < before.p95+jumpSeconds {
		return Reason{}, false
	}
	return Reason{
		Signal: "latency", Severity: SeverityWarning, Value: now.p95, Limit: before.p95 * jumpFactor,
		Text: fmt.Sprintf("p95 rose from %s to %s", seconds(before.p95), seconds(now.p95)),
	}, true
}

// judgeDrop finds steady traffic that stopped. seen says that the service was watched in the last third at all.
func judgeDrop(thirds [3]third, thirdSeconds float64, seen bool) (Reason, bool) {
	a, b, c := thirds[0].requests, thirds[1].requests, thirds[2].requests
	if !seen || c > 0 || min(a, b) < steadyRequests || max(a, b) > steadyFactor*min(a, b) {
		return Reason{}, false
	}
	return Reason{
		Signal: "traffic", Severity: SeverityWarning, Value: 0, Limit: b / thirdSeconds,
		Text: fmt.Sprintf("no requests for %s, before that %s per second", seconds(thirdSeconds), number(b/thirdSeconds)),
	}, true
}

// judgeOutlier compares one instance with its siblings.
func judgeOutlier(self RED, siblings []RED) []Reason {
	var p95, ratios []float64
	for _, s := range siblings {
		if s.Requests-s.Untimed >= minJudged {
			p95 = append(p95, s.P95)
		}
		if s.Requests >= minJudged {
			ratios = append(ratios, s.ErrorRatio)
		}
	}
	if self.Requests < minJudged || len(ratios) == 0 {
		return nil
	}
	var out []Reason
	if m := median(p95); len(p95) > 0 && self.P95 >= outlierFactor*m && self.P95 >= m+jumpSeconds {
		out = append(out, Reason{
			Signal: "latency", Severity: SeverityWarning, Value: self.P95, Limit: outlierFactor * m,
			Text: fmt.Sprintf("p95 %s, %s times its siblings' %s", seconds(self.P95), number(self.P95/m), seconds(m)),
		})
	}
	if m := median(ratios); self.ErrorRatio >= m+outlierErrors {
		out = append(out, Reason{
			Signal: "errors", Severity: SeverityWarning, Value: self.ErrorRatio, Limit: m + outlierErrors,
			Text: fmt.Sprintf("%s of requests fail, its siblings' %s", percent(self.ErrorRatio), percent(m)),
		})
	}
	return out
}

// judge applies what can be said about one stream of requests; total is t.red of the whole range.
func judge(t *tally, total RED, s span, slow time.Duration) []Reason {
	thirds := t.thirds()
	reasons := []Reason{}
	add := func(r Reason, ok bool) {
		if ok {
			reasons = append(reasons, r)
		}
	}
	add(judgeErrors(total))
	add(judgeSlow(total, slow))
	add(judgeJump(thirds[1], thirds[2]))
	add(judgeDrop(thirds, s.seconds()/3, t.seenLately()))
	slices.SortStableFunc(reasons, func(a, b Reason) int { return b.Severity.rank() - a.Severity.rank() })
	return reasons
}

// inform turns findings into information: what a mere client experiences is a symptom of what it calls.
func inform(rs []Reason) []Reason {
	for i := range rs {
		rs[i].Severity = SeverityOK
	}
	return rs
}

func worst(rs []Reason) Severity {
	w := SeverityOK
	for _, r := range rs {
		if r.Severity.rank() > w.rank() {
			w = r.Severity
		}
	}
	return w
}

func (s Severity) rank() int {
	switch s {
	case SeverityCritical:
		return 2
	case SeverityWarning:
		return 1
	}
	return 0
}

// mostFrequent returns the most frequent kind and whether there are others; ties go to the first by name.
func mostFrequent(m map[string]float64) (kind string, others bool) {
	var most float64
	for k, n := range m {
		if n > most || n == most && k < kind {
			kind, most = k, n
		}
	}
	return kind, len(m) > 1
}

// median of none is 0.
func median(xs []float64) float64 {
	if len(xs) == 0 {
		return 0
	}
	xs = slices.Sorted(slices.Values(xs))
	if n := len(xs); n%2 == 1 {
		return xs[n/2]
	} else {
		return (xs[n/2-1] + xs[n/2]) / 2
	}
}

// percent writes 0.125 as "12.5 %".
func percent(ratio float64) string { return number(ratio*100) + " %" }

// number writes three significant digits where they matter: 0.125, 1.25, 12.5, 125.
func number(x float64) string {
	digits := 0
	if x != 0 && math.Abs(x) < 100 {
		digits = min(3, 2-int(math.Floor(math.Log10(math.Abs(x)))))
	}
	scale := math.Pow10(digits)
	return strconv.FormatFloat(math.Round(x*scale)/scale, 'f', -1, 64)
}

// seconds writes a duration in the unit that people use for its size.
func seconds(s float64) string {
	switch {
	case s < 0.001:
		return number(s*1e6) + " µs"
	case s < 1:
		return number(s*1000) + " ms"
	case s < 120:
		return number(s) + " s"
	case s < 7200:
		return number(s/60) + " min"
	}
	return number(s/3600) + " h"
}
