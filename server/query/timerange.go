package query

import (
	"errors"
	"fmt"
	"math"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/prometheus/common/model"
)

const (
	defaultSpan = 15 * time.Minute
	maxSpan     = 366 * 24 * time.Hour
	// points is how many steps a series has when the caller does not choose: about one for every eight pixels of a chart.
	points = 120
	// maxPoints bounds the steps that a caller may choose (Prometheus refuses more than 11,000).
	maxPoints = 2000
)

// span is a time range in Unix milliseconds.
type span struct{ start, end, step int64 }

func (s span) seconds() float64 { return float64(s.end-s.start) / 1000 }

func (s span) reply() Range {
	return Range{Start: float64(s.start) / 1000, End: float64(s.end) / 1000, Step: float64(s.step) / 1000}
}

// even returns n+1 cuts that divide the range into n equal parts.
func (s span) even(n int) []int64 {
	cuts := make([]int64, n+1)
	for i := range cuts {
		cuts[i] = s.start + (s.end-s.start)*int64(i)/int64(n)
	}
	return cuts
}

// stepped returns cuts at the multiples of step, so that a chart does not change its past when its end moves on, with
// the start and the end of the range around them. Steps are the intervals first to last (exclusive).
func (s span) stepped() (cuts []int64, first, last int) {
	cuts = append(cuts, s.start)
	for t := (s.start + s.step - 1) / s.step * s.step; t <= s.end; t += s.step {
		if t > s.start {
			cuts = append(cuts, t)
		}
	}
	first, last = 0, len(cuts)-1
	if s.start%s.step != 0 {
		first = min(1, last)
	}
	if cuts[len(cuts)-1] < s.end {
		cuts = append(cuts, s.end)
	}
	return cuts, first, last
}

// parseSpan reads start, end and step. The error is a sentence for the caller.
func parseSpan(q url.Values, now time.Time, minStep time.Duration) (span, error) {
	end, err := parseTime(q.Get("end"), now, now)
	if err != nil {
		return span{}, fmt.Errorf("end: %w", err)
	}
	start, err := parseTime(q.Get("start"), now, end.Add(-defaultSpan))
	if err != nil {
		return span{}, fmt.Errorf("start: %w", err)
	}
	s := span{start: start.UnixMilli(), end: end.UnixMilli()}
	switch length := end.Sub(start); {
	case length <= 0:
		return span{}, errors.New("start must be before end")
	case length < time.Second:
		return span{}, errors.New("the range must be at least a second long")
	case length > maxSpan:
		return span{}, errors.New("the range must not be longer than a year")
	}
	s.step, err = parseStep(q.Get("step"), end.Sub(start), minStep)
	return s, err
}

func parseStep(text string, length, minStep time.Duration) (int64, error) {
	if text == "" {
		return autoStep(length, minStep).Milliseconds(), nil
	}
	step, err := parseDuration(text)
	if err != nil {
		return 0, fmt.Errorf("step: %w", err)
	}
	if step < time.Second || length/step > maxPoints {
		return 0, fmt.Errorf("step %s is out of bounds: at least a second, and at most %d steps in the range", step, maxPoints)
	}
	return step.Milliseconds(), nil
}

// autoStep gives about 120 steps of a length that people count in.
func autoStep(length, minStep time.Duration) time.Duration {
	nice := []time.Duration{1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200, 86400}
	for _, n := range nice {
		if step := n * time.Second; step >= minStep && length/step <= points {
			return step
		}
	}
	return max(minStep, (length / points).Round(time.Hour))
}

// parseTime reads Unix seconds ("1700000000.5"), RFC 3339, "now" or "now-15m".
func parseTime(text string, now, otherwise time.Time) (time.Time, error) {
	if text == "" {
		return otherwise, nil
	}
	if rest, ok := strings.CutPrefix(text, "now"); ok {
		if rest == "" {
			return now, nil
		}
		d, err := parseDuration(rest[1:])
		if err == nil && rest[0] == '-' {
			return now.Add(-d), nil
		}
	}
	// The bound keeps milliseconds, and what is added to them, far from overflow.
	if sec, err := strconv.ParseFloat(text, 64); err == nil && math.Abs(sec) < 1e11 {
		return time.UnixMilli(int64(math.Round(sec * 1000))), nil
	}
	if t, err := time.Parse(time.RFC3339Nano, text); err == nil {
		return t, nil
	}
	return time.Time{}, fmt.Errorf(`%q is not a time: give Unix seconds, RFC 3339, or "now-15m"`, text)
}

// parseDuration reads seconds ("15") or a Prometheus duration ("1h30m").
func parseDuration(text string) (time.Duration, error) {
	if sec, err := strconv.ParseFloat(text, 64); err == nil && sec >= 0 && sec < 1e9 {
		return time.Duration(sec * float64(time.Second)), nil
	}
	d, err := model.ParseDuration(text)
	if err != nil {
		return 0, fmt.Errorf(`%q is not a duration: give seconds, or a number with a unit such as "30s", "5m", "2h"`, text)
	}
	return time.Duration(d), nil
}
