package truth

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sonde-dev/sonde/test/sut"
	"github.com/sonde-dev/sonde/test/wire"
)

// settleTimeout is how long Sonde may take to show what happened: the flush interval of one second and two more is the
// budget; the rest is the patience of a test on a busy machine.
const settleTimeout = 10 * time.Second

// A claim is what one end of a conversation must show: exactly the rows of the log.
type claim struct {
	service string
	side    string // "client", "server"
	log     *wire.Log
}

// conversation claims both ends.
func conversation(client, server string, l *wire.Log) []claim {
	return []claim{{client, "client", l}, {server, "server", l}}
}

// check waits until Sonde shows what is claimed, and once more a moment later, so that counting too much fails too.
func check(t *testing.T, s *sut.Sonde, claims ...claim) {
	t.Helper()
	for _, c := range claims {
		if c.log.Total().N == 0 {
			t.Fatalf("%s made no requests: the test is void", c.service)
		}
	}
	if d := eventually(s, claims); d != "" {
		lost, err := s.Lost()
		t.Errorf("Sonde differs from the truth (-truth +Sonde); losses it reports: %v %v\n%s", lost, err, d)
		return
	}
	time.Sleep(1500 * time.Millisecond) // a flush later
	if d := differences(s, claims); d != "" {
		t.Errorf("Sonde was right, then counted on (-truth +Sonde):\n%s", d)
	}
}

func eventually(s *sut.Sonde, claims []claim) (diff string) {
	for deadline := time.Now().Add(settleTimeout); time.Now().Before(deadline); time.Sleep(200 * time.Millisecond) {
		if diff = differences(s, claims); diff == "" {
			return ""
		}
	}
	return diff
}

func differences(s *sut.Sonde, claims []claim) string {
	var all strings.Builder
	for _, c := range claims {
		counts, bytes, err := seen(s, c)
		if err != nil {
			return err.Error()
		}
		wantCounts, wantBytes := map[string]float64{}, map[string]float64{}
		for _, r := range c.log.Rows {
			wantCounts[fmt.Sprintf("%s %s %s", r.Method, r.Route, r.Status)] += float64(r.N)
			wantBytes[fmt.Sprintf("%s %s request bytes", r.Method, r.Route)] += float64(r.RequestBytes)
			wantBytes[fmt.Sprintf("%s %s response bytes", r.Method, r.Route)] += float64(r.ResponseBytes)
		}
		if d := cmp.Diff(wantCounts, counts); d != "" {
			fmt.Fprintf(&all, "%s as %s, requests:\n%s", c.service, c.side, d)
		}
		if d := cmp.Diff(wantBytes, bytes); d != "" {
			fmt.Fprintf(&all, "%s as %s, bytes:\n%s", c.service, c.side, d)
		}
	}
	return all.String()
}

// seen asks Sonde for the counts and bytes of one side of a service.
func seen(s *sut.Sonde, c claim) (counts, bytes map[string]float64, err error) {
	route := map[string]string{"server": "http_route", "client": "url_template"}[c.side]
	counts, err = byLabels(s, fmt.Sprintf(`sum by (http_request_method, %s, http_response_status_code) (histogram_count(http_%s_request_duration_seconds{service_name=%q}))`,
		route, c.side, c.service), "http_request_method", route, "http_response_status_code")
	if err != nil {
		return nil, nil, err
	}
	bytes = map[string]float64{}
	for _, direction := range []string{"request", "response"} {
		sums, err := byLabels(s, fmt.Sprintf(`sum by (http_request_method, %s) (histogram_sum(http_%s_%s_body_size_bytes{service_name=%q}))`,
			route, c.side, direction, c.service), "http_request_method", route)
		if err != nil {
			return nil, nil, err
		}
		for k, v := range sums {
			bytes[k+" "+direction+" bytes"] = v
		}
	}
	return counts, bytes, nil
}

// byLabels turns a vector into a map from the values of some labels to the value. A label that is absent shows as "-".
func byLabels(s *sut.Sonde, promql string, labels ...string) (map[string]float64, error) {
	samples, err := s.Query(promql, time.Time{})
	if err != nil {
		return nil, err
	}
	out := map[string]float64{}
	for _, x := range samples {
		var key []string
		for _, l := range labels {
			v := x.Labels[l]
			if v == "" {
				v = "-"
			}
			key = append(key, v)
		}
		out[strings.Join(key, " ")] += x.Value
	}
	return out, nil
}

// checkServices compares /api/services with the logs: totals of requests and bytes.
func checkServices(t *testing.T, s *sut.Sonde, start time.Time, claims []claim) {
	t.Helper()
	services, err := s.Services(start, time.Now())
	if err != nil {
		t.Error(err)
		return
	}
	want, got := map[string]wire.Sum{}, map[string]wire.Sum{}
	for _, c := range claims {
		total, sum := c.log.Total(), want[c.service+" as "+c.side]
		want[c.service+" as "+c.side] = wire.Sum{N: sum.N + total.N, RequestBytes: sum.RequestBytes + total.RequestBytes, ResponseBytes: sum.ResponseBytes + total.ResponseBytes}
	}
	for _, v := range services {
		for side, r := range map[string]*sut.RED{"client": v.Client, "server": v.Server} {
			key := v.Name + " as " + side
			if _, asked := want[key]; asked && r != nil {
				got[key] = wire.Sum{N: int64(r.Requests), RequestBytes: int64(r.RequestBytes), ResponseBytes: int64(r.ResponseBytes)}
			}
		}
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("/api/services differs from the truth (-truth +Sonde):\n%s", d)
	}
}

// checkEdges compares /api/topology with the true edges, among all edges that touch any service of them. An edge is
// "client → server: requests".
func checkEdges(t *testing.T, s *sut.Sonde, start time.Time, truth map[[2]string]int64) {
	t.Helper()
	known, want, got := map[string]bool{}, map[string]int64{}, map[string]int64{}
	for e, n := range truth {
		known[e[0]], known[e[1]] = true, true
		want[e[0]+" → "+e[1]] = n
	}
	topology, err := s.Topology(start, time.Now())
	if err != nil {
		t.Error(err)
		return
	}
	for _, e := range topology.Edges {
		if known[e.Client] || known[e.Server] {
			got[e.Client+" → "+e.Server] += int64(e.RED.Requests)
		}
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("the map's edges and requests differ from the truth (-truth +Sonde); true services %v:\n%s",
			slices.Sorted(maps.Keys(known)), d)
	}
}
