package truth

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/sonde-dev/sonde/test/sut"
)

// TestManyStatements sends 100 000 statements that are all different, most by a literal, 2 000 by a name: each counts, those that differ by
// literals are one, and the series do not grow with the rest: "other" says how many had to share.
func TestManyStatements(t *testing.T) {
	const literals, names, bound = 97999, 2000, 200
	w := way{name: "many", capture: "socket"}
	id := w.id("my")
	p := startMariaDB(t, id, w, "app")
	x := startSonde(t, sut.Options{})
	var script strings.Builder
	script.WriteString("SELECT b FROM t WHERE a = 1;\n") // before the names take all room
	for i := range names {
		fmt.Fprintf(&script, "SELECT a AS name_%s FROM t WHERE a = 1;\n", word(i))
	}
	for i := range literals {
		fmt.Fprintf(&script, "SELECT b FROM t WHERE a = %d;\n", i)
	}
	offset := sizeOf(t, p.log)
	c := start(t, id+"-app", nil, program(t, "mariadb"), "--no-defaults", "-A", "-h127.0.0.1", fmt.Sprint("-P", p.port), "-uapp", "--skip-ssl", "shop")
	fmt.Fprint(c.stdin, script.String())
	c.stdin.Close()
	<-c.done
	settled(t, p.log)
	truth := p.truth(t, offset)["app"]["SELECT - -"] // the client asks for the version, too
	if truth < literals+names {
		t.Fatalf("the server logs %.0f statements, want %d: the test is void", truth, literals+names)
	}
	query := func(q string) float64 {
		v, err := x.Value(strings.ReplaceAll(q, "SERVER", fmt.Sprintf("service_name=%q", id)))
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	const all = `sum(histogram_count(db_server_operation_duration_seconds{SERVER,db_operation_name="SELECT"}))`
	for deadline := time.Now().Add(settleTimeout); query(all) != truth && time.Now().Before(deadline); {
		pause()
	}
	if got := query(all); got != truth {
		t.Errorf("%.0f statements, the server logs %.0f", got, truth)
	}
	const one = `sum(histogram_count(db_server_operation_duration_seconds{SERVER,db_query_text="SELECT b FROM t WHERE a = ?"}))`
	if got := query(one); got != literals+1 {
		t.Errorf("%.0f statements under their template, want %d", got, literals+1)
	}
	series := query(`count(db_server_operation_duration_seconds{SERVER})`)
	other := query(`sum(histogram_count(db_server_operation_duration_seconds{SERVER,db_query_text="other"}))`)
	lost, err := x.Lost()
	t.Logf("%.0f series, %.0f statements under other, losses %v %v, RSS %d MB", series, other, lost, err, x.RSS()>>20)
	if series > bound+10 {
		t.Errorf("%.0f series, want at most %d and those of other operations", series, bound)
	}
	if other == 0 || lost["route_limit"] < other {
		t.Errorf("%.0f statements under other, route_limit says %.0f: want it counted", other, lost["route_limit"])
	}
	if err := x.Stop(); err != nil {
		t.Error(err)
	}
}

// word spells a number in letters: digits are placeholders in templates.
func word(n int) string {
	s := ""
	for ; n > 0 || s == ""; n /= 26 {
		s += string(rune('a' + n%26))
	}
	return s
}
