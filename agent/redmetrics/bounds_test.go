package redmetrics

import (
	"fmt"
	"testing"
	"time"

	"github.com/sonde-dev/sonde/agent/exchange"
	"github.com/sonde-dev/sonde/signal"
)

// total sums the counts of a metric over its series, by the value of one label where by is not "".
func total(b *signal.Batch, metric, by string) (sum float64, values map[string]float64) {
	values = map[string]float64{}
	for _, s := range b.Series {
		if s.Desc.Name != metric {
			continue
		}
		v := s.Value
		if s.Histogram != nil {
			v = float64(s.Histogram.Count)
		}
		sum += v
		for i, l := range s.Desc.Labels {
			if l == by {
				values[s.LabelValues[i]] += v
			}
		}
	}
	return sum, values
}

// 100 000 distinct targets, each word a route of its own: the bound holds, nothing is lost, "other" is counted.
func TestManyTargets(t *testing.T) {
	const n = 100_000
	r := testRecorder(nil)
	a, b := process("a", 1), process("b", 2)
	for i := range n {
		r.Observe(get(exchange.Server, fmt.Sprintf("/%dx", i), "200", time.Millisecond), a, b)
	}
	batch := r.Snapshot(start.Add(time.Second))
	sum, routes := total(batch, "http_server_request_duration_seconds", "http_route")
	if sum != n || len(routes) != DefaultConfig.Routes+1 {
		t.Errorf("%v requests on %d routes, want %d on %d", sum, len(routes), n, DefaultConfig.Routes+1)
	}
	want := float64(n - DefaultConfig.Routes)
	if got := float64(r.Losses()[signal.RouteLimit]); routes[other] != want || got != want {
		t.Errorf("%v under other, %v counted, want %v", routes[other], got, want)
	}
	if len(r.sides) != 1 || r.rawUsed != DefaultConfig.RawTargets {
		t.Errorf("%d raw targets remembered, want %d", r.rawUsed, DefaultConfig.RawTargets)
	}
	for _, s := range r.sides {
		if op := s.operations[0]; len(op.raw) != len(op.entries) || len(op.entries) != DefaultConfig.RawTargets {
			t.Errorf("cache of %d entries knows %d", len(op.entries), len(op.raw))
		}
	}
}

// A numbered target is one route however many there are.
func TestManyTargetsOfOneTemplate(t *testing.T) {
	r := testRecorder(nil)
	a, b := process("a", 1), process("b", 2)
	for i := range 20_000 {
		r.Observe(get(exchange.Server, fmt.Sprint("/item/", i), "200", time.Millisecond), a, b)
	}
	sum, routes := total(r.Snapshot(start.Add(time.Second)), "http_server_request_duration_seconds", "http_route")
	if sum != 20_000 || len(routes) != 1 || len(r.Losses()) != 0 {
		t.Errorf("%v requests on routes %v, losses %v", sum, routes, r.Losses())
	}
}

func TestSeriesLimit(t *testing.T) {
	r := testRecorder(func(c *Config) { c.Series = 100 })
	a, b := process("a", 1), process("b", 2)
	const n = 1000
	for i := range n {
		r.Observe(get(exchange.Server, fmt.Sprintf("/%dx", i%150), "200", time.Second), a, b)
		r.Observe(get(exchange.Client, fmt.Sprintf("/%dx", i%150), "200", time.Millisecond), b, a)
	}
	batch := r.Snapshot(start.Add(time.Second))
	var others float64
	for _, m := range []string{"http_server_request_duration_seconds", "http_client_request_duration_seconds"} {
		by := "http_route"
		if m[5] == 'c' {
			by = "url_template"
		}
		sum, routes := total(batch, m, by)
		if sum != n {
			t.Errorf("%s: %v requests, want %d", m, sum, n)
		}
		others += routes[other]
	}
	if got := float64(r.Losses()[signal.SeriesLimit]); others == 0 || got != others {
		t.Errorf("%v under other, %v counted", others, got)
	}
	for _, m := range []string{
		"sonde_service_request_duration_seconds", "sonde_edge_request_duration_seconds", "sonde_instance_request_duration_seconds",
	} {
		if sum, _ := total(batch, m, ""); sum != 2*n {
			t.Errorf("%s: %v requests, want %d", m, sum, 2*n)
		}
	}
	if slow, _ := total(batch, "sonde_interface_slow_requests_total", ""); slow != n {
		t.Errorf("%v slow requests, want %d", slow, n)
	}
	// The services' own and the overflow of both sides come on top of the bound.
	if n := r.Stats().Series; n > 150 || n != len(batch.Series) {
		t.Errorf("%d series, %d in the batch, want at most 150", n, len(batch.Series))
	}
}

func TestServicesAndPeersAreBounded(t *testing.T) {
	r := testRecorder(func(c *Config) { c.ExternalPeers, c.Services, c.Edges, c.Instances = 10, 30, 60, 20 })
	const n = 500
	a := process("a", 1)
	for i := range n {
		r.Observe(get(exchange.Client, "/", "200", time.Millisecond), a,
			&signal.Entity{Service: fmt.Sprintf("10.0.0.%d:80", i), External: true})
		r.Observe(get(exchange.Server, "/", "200", time.Millisecond), process(fmt.Sprint("s", i), uint32(10+i)), a)
	}
	batch := r.Snapshot(start.Add(time.Second))
	sum, servers := total(batch, "sonde_edge_request_duration_seconds", "server")
	if sum != 2*n {
		t.Errorf("%v requests on edges, want %d", sum, 2*n)
	}
	if servers[otherExternal] != n-10 {
		t.Errorf("%v requests to other external peers, want %d", servers[otherExternal], n-10)
	}
	sum, services := total(batch, "sonde_service_request_duration_seconds", "service_name")
	if sum != 2*n || len(services) > 30 || services[other] == 0 {
		t.Errorf("%v requests of %d services, %v of others, want %d of at most 30", sum, len(services), services[other], 2*n)
	}
	sum, instances := total(batch, "sonde_instance_request_duration_seconds", "service_instance_id")
	if sum != 2*n || len(instances) > 21 || instances[other] == 0 {
		t.Errorf("%v requests of %d instances, want %d of at most 21", sum, len(instances), 2*n)
	}
	// Ten peers have room; of the twenty instances one is a's, and the services with an instance are within their bound.
	if got := r.Losses()[signal.SeriesLimit]; got != (n-10)+(n-19) {
		t.Errorf("%d counted, want %d", got, (n-10)+(n-19))
	}
}

// When routes end, those that were "other" get a place of their own.
func TestRoutesMakeRoom(t *testing.T) {
	r := testRecorder(func(c *Config) { c.Routes = 2 })
	a, b := process("a", 1), process("b", 2)
	see := func(target string) { r.Observe(get(exchange.Server, target, "200", time.Millisecond), a, b) }
	see("/a")
	see("/b")
	see("/c")
	now := start.Add(time.Second)
	r.Snapshot(now)
	for range 3 { // "/c" stays in use under other while the first two go
		now = now.Add(DefaultConfig.IdleAfter / 2)
		see("/c")
		r.Snapshot(now)
	}
	see("/c")
	_, routes := total(r.Snapshot(now.Add(time.Second)), "http_server_request_duration_seconds", "http_route")
	if routes["/c"] != 2 || routes[other] != 3 || routes["/a"] != 0 {
		t.Errorf("routes %v, want those since the others ended under /c", routes)
	}
}

func TestStatusesAndErrorsAreBounded(t *testing.T) {
	r := testRecorder(nil)
	a, b := process("a", 1), process("b", 2)
	for i := range 1000 {
		x := get(exchange.Server, "/", fmt.Sprint(i), time.Millisecond)
		x.Error = fmt.Sprint("e", i)
		x.Operation = fmt.Sprint("M", i)
		r.Observe(x, a, b)
	}
	batch := r.Snapshot(start.Add(time.Second))
	for metric, by := range map[string]string{
		"sonde_service_status_total": "status", "sonde_service_errors_total": "error_type",
		"sonde_edge_errors_total": "error_type", "http_server_request_duration_seconds": "http_request_method",
	} {
		sum, vs := total(batch, metric, by)
		if sum != 1000 || len(vs) > valuesPerLabel+1 || vs[other] == 0 {
			t.Errorf("%s: %v with %d values of %s, want 1000 with at most %d", metric, sum, len(vs), by, valuesPerLabel+1)
		}
	}
}

// An end that could not be named is still counted.
func TestUnknownEnds(t *testing.T) {
	r := testRecorder(nil)
	r.Observe(get(exchange.Server, "/", "200", time.Millisecond), nil, nil)
	expect(t, values(t, r.Snapshot(start.Add(time.Second))), map[string]float64{
		"sonde_edge_request_duration_seconds{client=unknown,server=unknown,side=server,network_protocol_name=http,client_external=true,server_external=true}": 1,
	})
}
