package query_test

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sonde-dev/sonde/server/query"
)

// statements of the world of databases; the same one goes to two systems that share metric names.
var statements = [][2]string{{"SELECT", "SELECT * FROM orders WHERE id = ?"}, {"SELECT", "SELECT 1"}, {"INSERT", "INSERT INTO orders VALUES (?)"}}

// databases is a world of random calls: shop and billing call an observed mysql, which someone outside calls too, and a
// postgresql that is elsewhere; worker waits at a redis.
func databases(t *testing.T) *world {
	w := newWorld(t)
	w.hidden["10.0.0.5:5432"], w.hidden["203.0.113.9"] = true, true
	rnd := rand.New(rand.NewPCG(1, 2))
	w.run(100, func(i int) {
		for range 2 + rnd.IntN(5) {
			s := statements[rnd.IntN(len(statements))]
			c := call{protocol: "mysql", operation: s[0], route: s[1], rows: float64(rnd.IntN(9)), seconds: 0.001 + rnd.Float64(), server: "mysql", instance: "mysql:1"}
			if rnd.IntN(7) == 0 {
				c.status, c.failed = "1064", "1064"
			}
			c.client, c.seenBy = []string{"shop", "billing"}[rnd.IntN(2)], "both"
			w.do(c)
			c.client, c.seenBy = "203.0.113.9", "server"
			w.do(c)
			c.client, c.seenBy, c.protocol, c.server = "shop", "client", "postgresql", "10.0.0.5:5432"
			w.do(c)
		}
		w.do(call{client: "worker", server: "redis", instance: "redis:1", seenBy: "both", protocol: "redis", operation: "BLPOP", seconds: 4.5, waits: true})
		if i%4 == 0 {
			w.do(call{client: "worker", server: "redis", instance: "redis:1", seenBy: "both", protocol: "redis", operation: "GET", seconds: 0.001})
		}
	})
	return w
}

func (w *world) rows(from, to time.Time, is func(call) bool) (rows, seconds float64) {
	for _, c := range w.calls {
		if told := c.at.Add(5 * time.Second); told.After(from) && !told.After(to) && is(c) {
			rows, seconds = rows+c.rows, seconds+c.seconds
		}
	}
	return rows, seconds
}

func TestOffersEqualTheTruth(t *testing.T) {
	w := databases(t)
	r := [2]time.Time{t0.Add(101 * time.Second), t0.Add(403 * time.Second)}
	length := r[1].Sub(r[0]).Seconds()
	var got query.InterfacesReply
	if code := w.get(ask("/api/interfaces", r)+"&kind=db&sort=requests", &got); code != http.StatusOK {
		t.Fatalf("status %d", code)
	}
	if len(got.Offers) != 6 || got.Total != 6 {
		t.Fatalf("%d offers of %d, want three statements of two systems", len(got.Offers), got.Total)
	}
	if !slices.IsSortedFunc(got.Offers, func(a, b query.Offer) int { return int(b.RED.Requests - a.RED.Requests) }) {
		t.Error("offers are not sorted by requests")
	}
	for _, o := range got.Offers {
		of := func(client string) func(call) bool {
			return func(c call) bool {
				return c.server == o.Service && c.protocol == o.Protocol && c.operation == o.Operation && c.route == o.Target && (client == "" || c.client == client)
			}
		}
		what := o.Protocol + " " + o.Target
		want := w.truth(r[0], r[1], of(""))
		want.request, want.response = 0, 0
		checkRED(t, what, o.RED, want, length)
		rows, seconds := w.rows(r[0], r[1], of(""))
		if o.Counts["returned_rows"] != rows || !near(o.Time, seconds, 1e-9) {
			t.Errorf("%s: %v rows in %v s, want %v in %v", what, o.Counts, o.Time, rows, seconds)
		}
		if o.Statuses["1064"] != want.errors || o.Kind != "db" {
			t.Errorf("%s: statuses %v of kind %s, want %v errors", what, o.Statuses, o.Kind, want.errors)
		}
		seen, callers := "server", 2
		if o.Protocol == "postgresql" {
			seen, callers = "client", 1
		}
		if o.Seen != seen || len(o.Callers) != callers {
			t.Errorf("%s: seen by %s, called by %+v", what, o.Seen, o.Callers)
		}
		for _, c := range o.Callers {
			if want := w.truth(r[0], r[1], of(c.Name)); c.RED.Requests != want.requests || c.RED.Errors != want.errors {
				t.Errorf("%s by %s: %v requests, %v errors, want %v, %v", what, c.Name, c.RED.Requests, c.RED.Errors, want.requests, want.errors)
			}
		}
	}
	var offerers []string
	for _, o := range got.Offerers {
		offerers = append(offerers, fmt.Sprintf("%s %s external=%v %v %v", o.Service, o.Protocol, o.External, o.Severity, o.Callers))
		want := w.truth(r[0], r[1], func(c call) bool { return c.server == o.Service })
		checkRED(t, o.Service, o.RED, want, length)
	}
	if d := cmp.Diff([]string{"mysql mysql external=false critical [203.0.113.9 billing shop]", "10.0.0.5:5432 postgresql external=true critical [shop]"}, offerers); d != "" {
		t.Errorf("offerers (-want +got):\n%s", d)
	}
}

func TestOffersAreRankedAndBounded(t *testing.T) {
	w := databases(t)
	all := [2]time.Time{t0, w.now}
	by := map[string]func(query.Offer) float64{
		"time": func(o query.Offer) float64 { return o.RED.Mean * o.RED.Requests }, "errors": func(o query.Offer) float64 { return o.RED.Errors },
		"slow": func(o query.Offer) float64 { return o.RED.Slow }, "p95": func(o query.Offer) float64 { return o.RED.P95 },
	}
	for order, value := range by {
		var got query.InterfacesReply
		w.get(ask("/api/interfaces", all)+"&kind=db&limit=4&sort="+order, &got)
		if len(got.Offers) != 4 || got.Total != 6 || !slices.IsSortedFunc(got.Offers, func(a, b query.Offer) int {
			if value(a) > value(b)+1e-9 {
				return -1
			}
			return 0
		}) {
			t.Errorf("by %s: %d of %d offers", order, len(got.Offers), got.Total)
		}
		if got.Offers[3].RED.Requests == 0 {
			t.Errorf("by %s: an offer without requests", order)
		}
	}
	for _, q := range []string{"", "kind=sql", "kind=db&sort=name", "kind=db&limit=0", "kind=db&limit=x", "kind=db,nothing"} {
		var e query.ErrorReply
		if code := w.get("/api/interfaces?"+q, &e); code != http.StatusBadRequest || e.Error == "" {
			t.Errorf("%q: %d %q, want 400 and a sentence", q, code, e.Error)
		}
	}
}

// Waiting is no service time, yet every request is there.
func TestWaitsAreCountedApart(t *testing.T) {
	w := databases(t)
	all := [2]time.Time{t0, w.now}
	var offers query.InterfacesReply
	w.get(ask("/api/interfaces", all)+"&kind=cache", &offers)
	pop := find(t, offers.Offers, func(o query.Offer) bool { return o.Operation == "BLPOP" })
	if pop.RED.Requests != 100 || pop.RED.Untimed != 100 || pop.RED.Slow != 0 || pop.Time != 0 || pop.RED.P50 < 4 {
		t.Errorf("BLPOP = %+v, want 100 requests, all waiting", pop)
	}
	if o := offers.Offerers[0]; o.RED.Requests != 125 || o.RED.Untimed != 100 || o.RED.P99 > 0.01 || o.Severity != query.SeverityOK {
		t.Errorf("redis = %+v, want 125 requests of which 25 are timed, nothing wrong", o)
	}
	var topology query.TopologyReply
	w.get(ask("/api/topology", all), &topology)
	e := find(t, topology.Edges, func(e query.Edge) bool { return e.Client == "worker" })
	if e.RED.Requests != 125 || e.RED.P99 > 0.01 || e.Kind != "cache" || e.Seen != "both" {
		t.Errorf("edge = %+v", e)
	}
	n := find(t, topology.Nodes, func(n query.Node) bool { return n.ID == "redis" })
	if d := cmp.Diff([]string{"cache"}, n.Kinds); d != "" || !slices.Equal(n.Protocols, []string{"redis"}) {
		t.Errorf("node = %+v", n)
	}
	var service query.ServiceReply
	w.get(ask("/api/services/worker", all), &service)
	if c := service.Service.Client; c.Requests != 125 || c.Untimed != 100 || c.P99 > 0.01 || len(service.Service.Reasons) != 0 {
		t.Errorf("worker = %+v", c)
	}
	if in := service.Instances[0].Client; in.Requests != 125 || in.Untimed != 100 {
		t.Errorf("instance = %+v", in)
	}
	var rate float64
	for i, v := range service.Series.Rate {
		if v != nil {
			rate += *v * service.Range.Step
		}
		if p := service.Series.P99[i]; p != nil && *p > 0.01 {
			t.Errorf("p99 at step %d is %v: a wait is in it", i, *p)
		}
	}
	if rate < 120 || rate > 125.5 { // the ends of the range are no whole steps
		t.Errorf("%v requests over time, want 125", rate)
	}
	if _, ok := service.Series.Status["none"]; !ok || len(service.Series.Status) != 1 {
		t.Errorf("statuses over time: %v, want only none", service.Series.Status)
	}
	// Statuses are folded into classes for HTTP only.
	w.get(ask("/api/services/mysql", all), &service)
	if _, ok := service.Series.Status["1064"]; !ok {
		t.Errorf("statuses of mysql over time: %v, want its own codes", service.Series.Status)
	}
}
