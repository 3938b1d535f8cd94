package truth

import (
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/sonde-dev/sonde/test/sut"
)

// offers is what the page of databases is made of, GET /api/interfaces?kind=db.
type offers struct {
	Offers []struct {
		Service, Operation, Target string
		Time                       float64 // seconds, all requests together
		RED                        struct{ Requests, Slow float64 }
		Callers                    []struct {
			Name string
			RED  struct{ Requests float64 }
		}
	}
}

var slowTime = regexp.MustCompile(`# Query_time: ([\d.]+) `)

// TestSlowStatement is the story of S3-76: two services use one database; a join that one of them makes is what slows it. That statement
// is first, with its caller alone, as often as the server's own log of slow statements says, and for as long.
func TestSlowStatement(t *testing.T) {
	const often, seldom = 400, 3
	inTiers(t, func(t *testing.T, w way) {
		id := w.id("slow")
		p := startMariaDB(t, id, w, "product", "orders")
		p.cli(t, "shop", "-e", "CREATE TABLE big (a INT, b INT, c TEXT); INSERT INTO big SELECT seq, seq % 97, repeat('c', 50) FROM seq_1_to_800;"+
			"CREATE TABLE wide (a INT, d INT); INSERT INTO wide SELECT seq, seq % 89 FROM seq_1_to_800")
		slowLog := p.dir + "/slow.log"
		p.cli(t, "-e", fmt.Sprintf("SET GLOBAL slow_query_log_file = '%s'; SET GLOBAL long_query_time = 0.2; SET GLOBAL slow_query_log = 1", slowLog))
		x := startSonde(t, sut.Options{Capture: w.capture, Args: []string{"--slow-threshold", "200ms"}})

		began := time.Now()
		ask := func(user, statements string) {
			c := start(t, id+"-"+user, nil, program(t, "mariadb"), "--no-defaults", "-A", "-h127.0.0.1", fmt.Sprint("-P", p.port), "-u"+user, "--skip-ssl", "shop")
			fmt.Fprint(c.stdin, statements)
			c.stdin.Close()
			c.finish(t)
		}
		var quick strings.Builder
		for i := range often {
			fmt.Fprintf(&quick, "SELECT b FROM t WHERE a = %d;\n", i%100)
		}
		ask("orders", quick.String())
		var slow strings.Builder
		for i := range seldom { // each pair of rows is looked at: no index helps
			fmt.Fprintf(&slow, "SELECT count(*), max(x.c) FROM big x JOIN wide y ON x.b + %d > y.d - 100 JOIN t z ON z.a = x.b + 1 WHERE md5(concat(x.c, y.a)) LIKE 'abcd%%';\n", i)
			fmt.Fprintf(&slow, "SELECT b FROM t WHERE a = %d;\n", i)
		}
		ask("product", slow.String())

		var times []float64 // the server's own
		for deadline := time.Now().Add(settleTimeout); len(times) < seldom && time.Now().Before(deadline); pause() {
			times = nil
			for _, m := range slowTime.FindAllStringSubmatch(readFrom(t, slowLog, 0), -1) {
				s, _ := strconv.ParseFloat(m[1], 64)
				times = append(times, s)
			}
		}
		if len(times) != seldom {
			t.Fatalf("the server logs %d slow statements, want %d: the test is void", len(times), seldom)
		}
		truth := 0.0
		for _, s := range times {
			truth += s
		}

		problem := ""
		for deadline := time.Now().Add(settleTimeout); time.Now().Before(deadline); pause() {
			if problem = slowDiffers(t, x.Get, id, began, truth, seldom, often); problem == "" {
				break
			}
		}
		if problem != "" {
			t.Error(problem)
		}
		if err := x.Stop(); err != nil {
			t.Error(err)
		}
	})
}

// slowDiffers says what is wrong with what Sonde shows, "" for nothing.
func slowDiffers(t *testing.T, get func(string, any) error, id string, began time.Time, truth float64, seldom, often int) string {
	t.Helper()
	var got offers
	if err := get(fmt.Sprintf("/api/interfaces?kind=db&sort=time&start=%d&end=now", began.Add(-time.Minute).Unix()), &got); err != nil {
		t.Fatal(err)
	}
	var ours offers
	for _, o := range got.Offers {
		if o.Service == id {
			ours.Offers = append(ours.Offers, o)
		}
	}
	if len(ours.Offers) < 2 {
		return fmt.Sprintf("%d statements are shown", len(ours.Offers))
	}
	first := ours.Offers[0]
	switch {
	case !strings.HasPrefix(first.Target, "SELECT count(*), max(x.c) FROM big x JOIN wide y"):
		return fmt.Sprintf("first is %q", first.Target)
	case first.RED.Requests != float64(seldom), first.RED.Slow != float64(seldom):
		return fmt.Sprintf("it is shown %.0f times, %.0f slow, want %d", first.RED.Requests, first.RED.Slow, seldom)
	case math.Abs(first.Time-truth) > 0.05*truth:
		return fmt.Sprintf("it took %.3f s, the server says %.3f s", first.Time, truth)
	case len(first.Callers) != 1 || first.Callers[0].Name != id+"-product" || first.Callers[0].RED.Requests != float64(seldom):
		return fmt.Sprintf("its callers are %+v", first.Callers)
	}
	for _, o := range ours.Offers[1:] {
		if o.Target != "SELECT b FROM t WHERE a = ?" {
			continue
		}
		asked := map[string]float64{}
		for _, c := range o.Callers {
			asked[c.Name] = c.RED.Requests
		}
		if len(asked) != 2 || asked[id+"-orders"] != float64(often) || asked[id+"-product"] != float64(seldom) {
			return fmt.Sprintf("callers of the quick statement: %v", asked)
		}
		return ""
	}
	return "the quick statement is not shown"
}
