package truth

import (
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sonde-dev/sonde/test/sut"
	"github.com/sonde-dev/sonde/test/wire"
)

// A tally counts "OPERATION STATUS ERROR", with "-" for what there is none of.
type tally map[string]float64

func (c tally) add(operation, status string) {
	problem := status
	if status == "" {
		status, problem = "-", "-"
	}
	c[operation+" "+status+" "+problem]++
}

// skipped adds what a client says was not executed: servers do not log that.
func (c tally) skipped(l *wire.Log) {
	for _, r := range l.Rows {
		if r.Status == notExecuted {
			c[r.Method+" - "+notExecuted] += float64(r.N)
		}
	}
}

// sum adds tallies.
func sum(all ...tally) tally {
	out := tally{}
	for _, c := range all {
		for k, n := range c {
			out[k] += n
		}
	}
	return out
}

// sqlSeen is what Sonde shows of one side of a service.
func sqlSeen(s *sut.Sonde, service, side string) (tally, error) {
	return byLabels(s, fmt.Sprintf(`sum by (db_operation_name, db_response_status_code, error_type) (histogram_count(db_%s_operation_duration_seconds{service_name=%q}))`, side, service),
		"db_operation_name", "db_response_status_code", "error_type")
}

// A sqlClaim is what one side of a service must show.
type sqlClaim struct {
	service, side string
	want          tally
	rows          map[string]float64 // "returned", "affected"; nil for not compared
	hasOthers     bool               // processes that are none of the test have the same name: there may be more
	unlogged      []string           // what the server's log does not have, and is not compared therefore
}

// checkSQL waits until Sonde shows what is claimed, and looks once more a moment later.
func checkSQL(t *testing.T, s *sut.Sonde, claims ...sqlClaim) {
	t.Helper()
	for _, c := range claims {
		if len(c.want) == 0 {
			t.Fatalf("%s made no statements: the test is void", c.service)
		}
	}
	diff := ""
	for deadline := time.Now().Add(settleTimeout); time.Now().Before(deadline); time.Sleep(200 * time.Millisecond) {
		if diff = sqlDifferences(t, s, claims); diff == "" {
			break
		}
	}
	if diff == "" {
		time.Sleep(1500 * time.Millisecond) // a flush later
		diff = sqlDifferences(t, s, claims)
	}
	if diff != "" {
		lost, err := s.Lost()
		t.Errorf("Sonde differs from the truth (-truth +Sonde); losses it reports: %v %v\n%s", lost, err, diff)
	}
}

func sqlDifferences(t *testing.T, s *sut.Sonde, claims []sqlClaim) string {
	var all strings.Builder
	for _, c := range claims {
		got, err := sqlSeen(s, c.service, c.side)
		if err != nil {
			t.Fatal(err)
		}
		for _, key := range c.unlogged {
			delete(got, key)
			delete(c.want, key)
		}
		for key := range got {
			if c.hasOthers && got[key] > c.want[key] {
				delete(got, key)
				if n, ok := c.want[key]; ok {
					got[key] = n
				}
			}
		}
		if d := cmp.Diff(c.want, got); d != "" {
			fmt.Fprintf(&all, "%s as %s:\n%s", c.service, c.side, d)
		}
		for kind, want := range c.rows {
			n, err := s.Value(fmt.Sprintf(`sum(db_%s_response_%s_rows_total{service_name=%q})`, c.side, kind, c.service))
			if err != nil {
				t.Fatal(err)
			}
			if n != want {
				fmt.Fprintf(&all, "%s as %s: %.0f %s rows, want %.0f\n", c.service, c.side, n, kind, want)
			}
		}
	}
	return all.String()
}

// checkSleeps compares how long statements took that slept at the server with what clients measured: those that timed them each for itself,
// and the server id for all but those whose server has another name.
func checkSleeps(t *testing.T, s *sut.Sonde, id, template string, logs map[string]*wire.Log, elsewhere ...string) {
	t.Helper()
	check := func(service, side string, measured []float64) {
		t.Helper()
		// A PREPARE has the same text.
		selector := fmt.Sprintf(`db_%s_operation_duration_seconds{service_name=%q, db_operation_name="SELECT", db_query_text=%q}`, side, service, template)
		checkLatency(t, s, service+" as "+side, selector, sqlSlow.Seconds(), measured)
	}
	all := &wire.Log{}
	for name, l := range logs {
		if len(l.Durations) == 0 {
			continue
		}
		check(id+"-"+name, "client", l.Durations)
		if !slices.Contains(elsewhere, name) {
			all.Merge(l)
		}
	}
	check(id, "server", all.Durations)
}

// verbOf is the operation of a statement: here the tests know what they send.
func verbOf(statement string) string {
	fields := strings.FieldsFunc(statement, func(r rune) bool { return r == ' ' || r == '\n' || r == '\t' || r == ';' || r == '(' })
	if len(fields) == 0 || strings.HasPrefix(strings.TrimSpace(statement), "--") {
		return "other"
	}
	switch v := strings.ToUpper(fields[0]); v {
	case "SELEC":
		return "other"
	default:
		return v
	}
}

// readFrom reads what was appended to a file.
func readFrom(t *testing.T, file string, offset int64) string {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(b[offset:])
}

// settled waits until nothing is appended to a log any more.
func settled(t *testing.T, file string) {
	t.Helper()
	for size := int64(-1); size != sizeOf(t, file); {
		size = sizeOf(t, file)
		time.Sleep(700 * time.Millisecond)
	}
}

func sizeOf(t *testing.T, file string) int64 {
	t.Helper()
	st, err := os.Stat(file)
	if err != nil {
		t.Fatal(err)
	}
	return st.Size()
}

// must runs a program that must succeed and returns what it printed.
func must(t *testing.T, argv ...string) string {
	t.Helper()
	b, err := exec.Command(argv[0], argv[1:]...).CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %v: %s", strings.Join(argv, " "), err, b)
	}
	return string(b)
}

// finish waits for a client that ends by itself.
func (p *process) finish(t *testing.T) string {
	t.Helper()
	select {
	case <-p.done:
	case <-time.After(time.Minute):
		t.Fatalf("%s did not end; it said: %s", p.service, p.said())
	}
	if p.err != nil {
		t.Fatalf("%s: %v: %s", p.service, p.err, p.said())
	}
	return p.stdout.String()
}

// serverDir makes a folder that an unprivileged server may use.
func serverDir(t *testing.T, owner string) string {
	t.Helper()
	dir, err := os.MkdirTemp("/tmp", "truth-"+owner+"-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	must(t, "chown", owner+":"+owner, dir)
	return dir
}
