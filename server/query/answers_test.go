package query_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sonde-dev/sonde/server/query"
)

// shop is a world of random traffic: an external browser → gateway → cart and stock; bot is a local client.
func shop(t *testing.T) *world {
	w := newWorld(t)
	w.hidden["203.0.113.9"] = true
	rnd := rand.New(rand.NewPCG(7, 7))
	traffic := func(int) {
		for range 3 + rnd.IntN(5) {
			c := call{client: "203.0.113.9", server: "gateway", instance: "gateway:1", seenBy: "server", route: "/", status: "200"}
			c.seconds = math.Exp(rnd.NormFloat64()*0.8 - 3)
			c.request, c.response = float64(rnd.IntN(500)), float64(rnd.IntN(90_000))
			w.do(c)
			c.client, c.server, c.instance, c.seenBy, c.route = "gateway", "cart", fmt.Sprintf("cart:%d", rnd.IntN(3)), "both", "/cart/{id}"
			if rnd.IntN(12) == 0 {
				c.status, c.failed = "503", "503"
			}
			w.do(c)
			c = call{client: "bot", server: "stock", instance: "stock:1", seenBy: "both", route: "/stock", status: "200", seconds: 0.004}
			w.do(c)
			c.client, c.server, c.seenBy = "stock", "198.51.100.1:443", "client"
			w.do(c)
		}
	}
	w.hidden["198.51.100.1:443"] = true
	w.run(100, traffic)
	w.restart()
	w.run(80, traffic)
	return w
}

// truth sums up calls by what the test itself recorded.
type truth struct {
	requests, errors, slow, request, response float64
	durations                                 []float64
}

func (w *world) truth(from, to time.Time, is func(call) bool) truth {
	var x truth
	for _, c := range w.calls {
		told := c.at.Add(5 * time.Second) // the flush after it
		if !told.After(from) || told.After(to) || !is(c) {
			continue
		}
		x.requests++
		x.request += c.request
		x.response += c.response
		x.durations = append(x.durations, c.seconds)
		if c.failed != "" {
			x.errors++
		}
		if c.seconds > 0.5 {
			x.slow++
		}
	}
	return x
}

func checkRED(t *testing.T, what string, got query.RED, want truth, length float64) {
	t.Helper()
	if got.Requests != want.requests || got.Errors != want.errors || got.Slow != want.slow || got.RequestBytes != want.request || got.ResponseBytes != want.response {
		t.Errorf("%s: requests %v errors %v slow %v bytes %v/%v, want %v %v %v %v/%v", what,
			got.Requests, got.Errors, got.Slow, got.RequestBytes, got.ResponseBytes, want.requests, want.errors, want.slow, want.request, want.response)
	}
	if !near(got.Rate, want.requests/length, 1e-9) {
		t.Errorf("%s: rate %v, want %v", what, got.Rate, want.requests/length)
	}
	for _, p := range []struct{ q, got float64 }{{0.5, got.P50}, {0.9, got.P90}, {0.95, got.P95}, {0.99, got.P99}} {
		if !isQuantile(p.got, p.q, want.durations) {
			t.Errorf("%s: p%v = %v is not that of %v", what, p.q*100, p.got, want.durations)
		}
	}
}

func ranges(w *world) map[string][2]time.Time {
	return map[string][2]time.Time{
		"all":            {t0.Add(-time.Minute), w.now},
		"over a restart": {t0.Add(303 * time.Second), t0.Add(802 * time.Second)},
		"after it":       {t0.Add(601 * time.Second), w.now},
	}
}

func ask(path string, r [2]time.Time) string {
	return fmt.Sprintf("%s?start=%d&end=%d", path, r[0].Unix(), r[1].Unix())
}

func TestServicesEqualTheTruth(t *testing.T) {
	w := shop(t)
	for name, r := range ranges(w) {
		t.Run(name, func(t *testing.T) {
			var got query.ServicesReply
			if code := w.get(ask("/api/services", r), &got); code != http.StatusOK {
				t.Fatalf("status %d", code)
			}
			var names []string
			for _, s := range got.Services {
				names = append(names, s.Name)
			}
			slices.Sort(names)
			if d := cmp.Diff([]string{"bot", "cart", "gateway", "stock"}, names); d != "" {
				t.Errorf("services (-want +got):\n%s", d)
			}
			length := r[1].Sub(r[0]).Seconds()
			for _, s := range got.Services {
				var total float64
				if s.Server != nil {
					want := w.truth(r[0], r[1], func(c call) bool { return c.server == s.Name && c.seenBy != "client" })
					checkRED(t, s.Name+" as server", *s.Server, want, length)
					total = want.requests
				}
				if s.Client != nil {
					want := w.truth(r[0], r[1], func(c call) bool { return c.client == s.Name && c.seenBy != "server" })
					checkRED(t, s.Name+" as client", *s.Client, want, length)
					if s.Server == nil {
						total = want.requests
					}
				}
				var spark float64
				for _, x := range s.Spark {
					spark += x * length / float64(len(s.Spark))
				}
				if !near(spark, total, 1e-9) {
					t.Errorf("%s: spark sums up to %v requests, want %v", s.Name, spark, total)
				}
			}
			cart := find(t, got.Services, func(s query.Service) bool { return s.Name == "cart" })
			if cart.Instances != 3 || cart.Language != "go" || cart.Severity != query.SeverityCritical || got.Services[0].Name != "cart" {
				t.Errorf("cart = %+v, want three instances in go, critical, first of all", cart)
			}
			if bot := find(t, got.Services, func(s query.Service) bool { return s.Name == "bot" }); bot.Server != nil || bot.Severity != query.SeverityOK {
				t.Errorf("bot = %+v, want a client that is never abnormal", bot)
			}
		})
	}
}

func TestTopologyEqualsTheTruth(t *testing.T) {
	w := shop(t)
	for name, r := range ranges(w) {
		t.Run(name, func(t *testing.T) {
			var got query.TopologyReply
			w.get(ask("/api/topology", r), &got)
			var edges []string
			for _, e := range got.Edges {
				edges = append(edges, e.Client+" → "+e.Server+" seen by "+e.Seen)
				want := w.truth(r[0], r[1], func(c call) bool { return c.client == e.Client && c.server == e.Server })
				checkRED(t, e.Client+" → "+e.Server, e.RED, want, r[1].Sub(r[0]).Seconds())
			}
			wantEdges := []string{
				"203.0.113.9 → gateway seen by server", "bot → stock seen by both", "gateway → cart seen by both", "stock → 198.51.100.1:443 seen by client",
			}
			if d := cmp.Diff(wantEdges, edges); d != "" {
				t.Errorf("edges (-want +got):\n%s", d)
			}
			var nodes []string
			for _, n := range got.Nodes {
				nodes = append(nodes, fmt.Sprintf("%s external=%v entry=%v serves=%v", n.ID, n.External, n.Entry, n.Server != nil))
			}
			wantNodes := []string{
				"198.51.100.1:443 external=true entry=false serves=false", "203.0.113.9 external=true entry=true serves=false",
				"bot external=false entry=true serves=false", "cart external=false entry=false serves=true",
				"gateway external=false entry=false serves=true", "stock external=false entry=false serves=true",
			}
			if d := cmp.Diff(wantNodes, nodes); d != "" {
				t.Errorf("nodes (-want +got):\n%s", d)
			}
		})
	}
}

func TestServiceEqualsTheTruth(t *testing.T) {
	w := shop(t)
	r := [2]time.Time{t0.Add(303 * time.Second), t0.Add(802 * time.Second)}
	length := r[1].Sub(r[0]).Seconds()
	var got query.ServiceReply
	w.get(ask("/api/services/cart", r)+"&step=10", &got)
	if len(got.Interfaces) != 1 || len(got.Calls) != 0 || len(got.Callers) != 1 || len(got.Dependencies) != 0 || len(got.Instances) != 3 {
		t.Fatalf("%d interfaces, %d calls, %d callers, %d dependencies, %d instances, want 1 0 1 0 3",
			len(got.Interfaces), len(got.Calls), len(got.Callers), len(got.Dependencies), len(got.Instances))
	}
	isCart := func(c call) bool { return c.server == "cart" }
	want := w.truth(r[0], r[1], isCart)
	in := got.Interfaces[0]
	checkRED(t, "GET /cart/{id}", in.RED, want, length)
	if in.Target != "/cart/{id}" || in.Operation != "GET" || in.Statuses["503"] != want.errors || in.Statuses["200"] != want.requests-want.errors {
		t.Errorf("interface %+v", in)
	}
	for _, x := range got.Instances {
		wantX := w.truth(r[0], r[1], func(c call) bool { return isCart(c) && c.instance == x.ID })
		wantX.request, wantX.response = 0, 0 // not measured by instance
		checkRED(t, x.ID, *x.Server, wantX, length)
		if x.PID != 42 || x.Host != "h1" || x.Executable != "cart" {
			t.Errorf("instance %+v", x)
		}
	}
	if got.Callers[0].Name != "gateway" {
		t.Errorf("caller %+v", got.Callers[0])
	}
	// Over time: the steps are those of the test's own clock.
	s := got.Series
	if n := len(s.Time); n < 48 || n > 50 {
		t.Fatalf("%d steps of 10 s in 499 s", n)
	}
	for i, end := range s.Time {
		to := time.Unix(int64(end), 0)
		wantI := w.truth(to.Add(-10*time.Second), to, isCart)
		if s.Rate[i] == nil || !near(*s.Rate[i], wantI.requests/10, 1e-9) || !near(*s.Errors[i]+1, wantI.errors/10+1, 1e-9) {
			t.Errorf("step ending %v: rate %v, want %v", to.Sub(t0), s.Rate[i], wantI.requests/10)
			continue
		}
		if wantI.requests > 0 && !isQuantile(*s.P50[i], 0.5, wantI.durations) {
			t.Errorf("step ending %v: p50 %v is not that of %v", to.Sub(t0), *s.P50[i], wantI.durations)
		}
		if c := s.Status["2xx"][i]; c == nil || !near(*c+1, (wantI.requests-wantI.errors)/10+1, 1e-9) {
			t.Errorf("step ending %v: 2xx %v, want %v", to.Sub(t0), c, (wantI.requests-wantI.errors)/10)
		}
	}
}

func TestMistakesAreExplained(t *testing.T) {
	w := newWorld(t)
	w.run(3, func(int) {
		w.do(call{client: "a", server: "b", instance: "b:1", seenBy: "both", status: "200", seconds: 0.01})
	})
	for _, x := range []struct {
		url  string
		code int
	}{
		{"/api/services/nobody", 404}, {"/api/nothing", 404}, {"/api/services?start=yesterday", 400}, {"/api/topology?start=now&end=now-5m", 400},
		{"/api/services?start=now-2000d", 400}, {"/api/services/b?step=0.1", 400}, {"/api/services/b?side=left", 400}, {"/api/services?end=1e300", 400},
	} {
		var e query.ErrorReply
		if code := w.get(x.url, &e); code != x.code || e.Error == "" {
			t.Errorf("GET %s = %d %q, want %d and a sentence", x.url, code, e.Error, x.code)
		}
	}
	var ok query.ServicesReply
	for _, q := range []string{"", "?start=now-1h", "?start=2023-11-14T22:00:00Z&end=now", "?start=1700000000.5", "?start=now-1h30m&end=now-0s"} {
		if code := w.get("/api/services"+q, &ok); code != 200 || len(ok.Services) != 2 {
			t.Errorf("GET /api/services%s = %d with %d services, want two", q, code, len(ok.Services))
		}
	}
}
