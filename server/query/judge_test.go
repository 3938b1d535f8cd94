package query

import (
	"strings"
	"testing"
	"time"
)

func red(requests, errors, slow, p95 float64) RED {
	r := RED{Requests: requests, Errors: errors, Slow: slow, P95: p95}
	if requests > 0 {
		r.ErrorRatio = errors / requests
	}
	return r
}

func TestJudgement(t *testing.T) {
	with503 := red(200, 25, 0, 0.1)
	with503.ErrorsByType = map[string]float64{"503": 25}
	mixed := red(1000, 12, 0, 0.1)
	mixed.ErrorsByType = map[string]float64{"500": 9, "timeout": 3}
	one := func(r Reason, ok bool) []Reason {
		if !ok {
			return nil
		}
		return []Reason{r}
	}
	for _, x := range []struct {
		name string
		got  []Reason
		want string // "severity signal: text", joined by "; "
	}{
		{"no errors", one(judgeErrors(red(1000, 0, 0, 0))), ""},
		{"errors just below the limit", one(judgeErrors(red(1000, 9, 0, 0))), ""},
		{"errors at the limit", one(judgeErrors(mixed)), "warning errors: 1.2 % of requests fail (mostly 500)"},
		{"many errors", one(judgeErrors(with503)), "critical errors: 12.5 % of requests fail (503)"},
		{"too few to judge", one(judgeErrors(red(4, 4, 0, 0))), ""},
		{"slow calls", one(judgeSlow(red(1000, 0, 32, 0), 500*time.Millisecond)), "warning slow: 3.2 % of requests take longer than 500 ms"},
		{"many slow calls", one(judgeSlow(red(10, 0, 1, 0), 2*time.Second)), "critical slow: 10 % of requests take longer than 2 s"},
		{"few slow calls", one(judgeSlow(red(1000, 0, 9, 0), time.Second)), ""},
		{"latency jump", one(judgeJump(third{20, 20, 0.16}, third{20, 20, 0.84})), "warning latency: p95 rose from 160 ms to 840 ms"},
		{"jump of a few milliseconds", one(judgeJump(third{20, 20, 0.001}, third{20, 20, 0.02})), ""},
		{"jump of less than twice", one(judgeJump(third{20, 20, 0.5}, third{20, 20, 0.9})), ""},
		{"jump of few among many that wait", one(judgeJump(third{900, 19, 0}, third{900, 20, 0.9})), ""},
		{"slow calls beside waits", one(judgeSlow(RED{Requests: 1000, Untimed: 990, Slow: 1}, time.Second)), "critical slow: 10 % of requests take longer than 1 s"},
		{"only waits", one(judgeSlow(RED{Requests: 1000, Untimed: 1000}, time.Second)), ""},
		{"outlier among waits", judgeOutlier(red(100, 0, 0, 0.84), []RED{{Requests: 50, Untimed: 50}}), ""},
		{"jump on few requests", one(judgeJump(third{19, 19, 0.1}, third{20, 20, 0.9})), ""},
		{"jump after few requests", one(judgeJump(third{20, 20, 0.1}, third{19, 19, 0.9})), ""},
		{"traffic stops", one(judgeDrop([3]third{{300, 300, 0}, {600, 600, 0}, {0, 0, 0}}, 300, true)), "warning traffic: no requests for 5 min, before that 2 per second"},
		{"nobody watched", one(judgeDrop([3]third{{300, 300, 0}, {600, 600, 0}, {0, 0, 0}}, 300, false)), ""},
		{"traffic was not steady", one(judgeDrop([3]third{{200, 200, 0}, {600, 600, 0}, {0, 0, 0}}, 300, true)), ""},
		{"traffic goes on", one(judgeDrop([3]third{{300, 300, 0}, {300, 300, 0}, {1, 1, 0}}, 300, true)), ""},
		{"outlier", judgeOutlier(red(100, 0, 0, 0.84), []RED{red(100, 0, 0, 0.16), red(100, 0, 0, 0.1), red(100, 0, 0, 0.2)}),
			"warning latency: p95 840 ms, 5.25 times its siblings' 160 ms"},
		{"outlier by errors", judgeOutlier(red(100, 8, 0, 0.1), []RED{red(100, 2, 0, 0.1), red(100, 0, 0, 0.1)}),
			"warning errors: 8 % of requests fail, its siblings' 1 %"},
		{"no siblings", judgeOutlier(red(100, 50, 0, 9), nil), ""},
		{"siblings without traffic", judgeOutlier(red(100, 50, 0, 9), []RED{red(4, 0, 0, 0)}), ""},
		{"outlier by little", judgeOutlier(red(100, 0, 0, 0.021), []RED{red(100, 0, 0, 0.002)}), ""},
	} {
		t.Run(x.name, func(t *testing.T) {
			var got []string
			for _, r := range x.got {
				got = append(got, string(r.Severity)+" "+r.Signal+": "+r.Text)
			}
			if g := strings.Join(got, "; "); g != x.want {
				t.Errorf("got %q, want %q", g, x.want)
			}
		})
	}
}

func TestNumbersForHumans(t *testing.T) {
	for _, x := range []struct{ got, want string }{
		{number(0), "0"}, {number(0.1254), "0.125"}, {number(1.254), "1.25"}, {number(12.54), "12.5"}, {number(125.4), "125"}, {number(12345), "12345"},
		{percent(0.125), "12.5 %"}, {percent(1), "100 %"}, {percent(0.999), "99.9 %"},
		{seconds(0.000042), "42 µs"}, {seconds(0.16), "160 ms"}, {seconds(1.234), "1.23 s"}, {seconds(300), "5 min"}, {seconds(7200), "2 h"},
	} {
		if x.got != x.want {
			t.Errorf("got %q, want %q", x.got, x.want)
		}
	}
}

func TestRanking(t *testing.T) {
	row := func(name string, s Severity, failed, rate float64) Service {
		return Service{Name: name, Severity: s, Server: &RED{Errors: failed, Rate: rate}}
	}
	order := []Service{
		row("critical, many", SeverityCritical, 50, 1), row("critical, few", SeverityCritical, 5, 100), row("warning", SeverityWarning, 90, 100),
		row("ok, busy", SeverityOK, 0, 100), row("ok", SeverityOK, 0, 1), {Name: "idle client", Severity: SeverityOK, Client: &RED{Rate: 0.5}},
	}
	for i := range order {
		for j := range order {
			if got := compareServices(order[i], order[j]); (got < 0) != (i < j) || (got == 0) != (i == j) {
				t.Errorf("compare %q with %q = %d", order[i].Name, order[j].Name, got)
			}
		}
	}
}

func TestSteps(t *testing.T) {
	for _, x := range []struct {
		length, want time.Duration
	}{{time.Minute, 5 * time.Second}, {15 * time.Minute, 10 * time.Second}, {time.Hour, 30 * time.Second}, {24 * time.Hour, 15 * time.Minute}, {15 * 24 * time.Hour, 3 * time.Hour}} {
		if got := autoStep(x.length, 5*time.Second); got != x.want {
			t.Errorf("step of %s = %s, want %s", x.length, got, x.want)
		}
	}
	// A range that begins and ends between multiples of the step: the steps lie inside, the edges stay outside.
	s := span{start: 1003, end: 5002, step: 1000}
	cuts, first, last := s.stepped()
	if len(cuts) != 6 || cuts[0] != 1003 || cuts[1] != 2000 || cuts[5] != 5002 || first != 1 || last != 4 {
		t.Errorf("stepped() = %v, %d, %d", cuts, first, last)
	}
	s = span{start: 1000, end: 3000, step: 1000}
	if cuts, first, last := s.stepped(); len(cuts) != 3 || first != 0 || last != 2 {
		t.Errorf("aligned: stepped() = %v, %d, %d", cuts, first, last)
	}
	s = span{start: 1100, end: 1900, step: 1000}
	if cuts, first, last := s.stepped(); len(cuts) != 2 || first != last {
		t.Errorf("shorter than a step: stepped() = %v, %d, %d", cuts, first, last)
	}
}
