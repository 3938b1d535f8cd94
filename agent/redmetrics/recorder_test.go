package redmetrics

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/sonde-dev/sonde/agent/exchange"
	"github.com/sonde-dev/sonde/agent/protocol"
	"github.com/sonde-dev/sonde/signal"
)

// fake is a protocol with HTTP's names; its template replaces a trailing number.
type fake struct{ protocol.Protocol }

var fakeSemantics = &protocol.Semantics{
	ServerDuration: "http_server_request_duration_seconds", ClientDuration: "http_client_request_duration_seconds",
	ServerRequestSize: "http_server_request_body_size_bytes", ClientRequestSize: "http_client_request_body_size_bytes",
	ServerResponseSize: "http_server_response_body_size_bytes", ClientResponseSize: "http_client_response_body_size_bytes",
	OperationLabel: "http_request_method", ServerTargetLabel: "http_route", ClientTargetLabel: "url_template",
	StatusLabel: "http_response_status_code",
	Template: func(s string) string {
		if t := strings.TrimRight(s, "0123456789"); t != s {
			return t + "{id}"
		}
		return s
	},
}

func (fake) Name() string                   { return "http" }
func (fake) Semantics() *protocol.Semantics { return fakeSemantics }

var start = time.Unix(1_700_000_000, 0)

func testRecorder(change func(*Config)) *Recorder {
	cfg := DefaultConfig
	cfg.Start = start
	if change != nil {
		change(&cfg)
	}
	if err := cfg.Validate(); err != nil {
		panic(err)
	}
	return New(cfg)
}

func get(side exchange.Side, target, status string, d time.Duration) *exchange.Exchange {
	return &exchange.Exchange{
		Protocol: fake{}, Side: side, Operation: "GET", Target: target, Status: status,
		RequestStart: 1e9, ResponseEnd: 1e9 + uint64(d), ResponseBytes: 100,
	}
}

func process(service string, pid uint32) *signal.Entity {
	return &signal.Entity{Service: service, Instance: fmt.Sprintf("h:%d", pid), PID: pid, Executable: service, Host: "h"}
}

// values indexes a batch by name and labels in the notation of Prometheus: the value, or the count of a histogram.
func values(t *testing.T, b *signal.Batch) map[string]float64 {
	t.Helper()
	m := map[string]float64{}
	ids := map[uint64]bool{}
	for _, s := range b.Series {
		var l []string
		if len(s.LabelValues) != len(s.Desc.Labels) {
			t.Fatalf("%s has values %q for labels %q", s.Desc.Name, s.LabelValues, s.Desc.Labels)
		}
		for i, v := range s.LabelValues {
			if v != "" {
				l = append(l, s.Desc.Labels[i]+"="+v)
			}
		}
		key := s.Desc.Name + "{" + strings.Join(l, ",") + "}"
		if _, ok := m[key]; ok {
			t.Errorf("%s is in the batch twice", key)
		}
		if ids[s.ID] {
			t.Errorf("id %d is in the batch twice", s.ID)
		}
		ids[s.ID] = true
		m[key] = s.Value
		if s.Histogram != nil {
			m[key] = float64(s.Histogram.Count)
			m[key+" sum"] = s.Histogram.Sum
		}
		if !s.Created.Before(b.Time) {
			t.Errorf("%s was created at %v, not before the batch of %v", key, s.Created, b.Time)
		}
	}
	return m
}

func expect(t *testing.T, got, want map[string]float64) {
	t.Helper()
	for k, v := range want {
		g, ok := got[k]
		if !ok {
			t.Errorf("%s is missing", k)
		} else if g != v {
			t.Errorf("%s = %v, want %v", k, g, v)
		}
	}
	if t.Failed() {
		for k, v := range got {
			t.Logf("have %s = %v", k, v)
		}
	}
}

func TestEveryLevelIsCounted(t *testing.T) {
	r := testRecorder(nil)
	shop, cart := process("shop", 1), process("cart", 2)
	db := &signal.Entity{Service: "10.0.0.9:80", External: true}
	for i := range 3 {
		r.Observe(get(exchange.Server, fmt.Sprint("/item/", i), "200", 250*time.Millisecond), cart, shop)
	}
	slow := get(exchange.Server, "/item/4", "500", 501*time.Millisecond)
	slow.Error, slow.Partial, slow.RequestBytes = "500", true, 7
	r.Observe(slow, cart, shop)
	r.Observe(get(exchange.Server, "/item/5", "200", 500*time.Millisecond), cart, shop) // not strictly greater: not slow
	r.Observe(get(exchange.Client, "/q", "404", time.Millisecond), cart, db)

	got := values(t, r.Snapshot(start.Add(time.Second)))
	expect(t, got, map[string]float64{
		"http_server_request_duration_seconds{service_name=cart,http_request_method=GET,http_route=/item/{id},http_response_status_code=200,network_protocol_name=http}":                    4,
		"http_server_request_duration_seconds{service_name=cart,http_request_method=GET,http_route=/item/{id},http_response_status_code=200,network_protocol_name=http} sum":                1.25,
		"http_server_request_duration_seconds{service_name=cart,http_request_method=GET,http_route=/item/{id},http_response_status_code=500,error_type=500,network_protocol_name=http}":     1,
		"http_server_request_body_size_bytes{service_name=cart,http_request_method=GET,http_route=/item/{id},network_protocol_name=http}":                                                   5,
		"http_server_request_body_size_bytes{service_name=cart,http_request_method=GET,http_route=/item/{id},network_protocol_name=http} sum":                                               7,
		"http_server_response_body_size_bytes{service_name=cart,http_request_method=GET,http_route=/item/{id},network_protocol_name=http} sum":                                              500,
		"http_client_request_duration_seconds{service_name=cart,http_request_method=GET,url_template=/q,http_response_status_code=404,network_protocol_name=http,peer_service=10.0.0.9:80}": 1,
		"sonde_interface_slow_requests_total{service_name=cart,side=server,network_protocol_name=http,operation=GET,target=/item/{id}}":                                                     1,
		"sonde_service_request_duration_seconds{service_name=cart,side=server,network_protocol_name=http}":                                                                                  5,
		"sonde_service_slow_requests_total{service_name=cart,side=server,network_protocol_name=http}":                                                                                       1,
		"sonde_service_partial_requests_total{service_name=cart,side=server,network_protocol_name=http}":                                                                                    1,
		"sonde_service_request_bytes_total{service_name=cart,side=server,network_protocol_name=http}":                                                                                       7,
		"sonde_service_response_bytes_total{service_name=cart,side=server,network_protocol_name=http}":                                                                                      500,
		"sonde_service_errors_total{service_name=cart,side=server,network_protocol_name=http,error_type=500}":                                                                               1,
		"sonde_service_status_total{service_name=cart,side=server,network_protocol_name=http,status=200}":                                                                                   4,
		"sonde_service_status_total{service_name=cart,side=server,network_protocol_name=http,status=500}":                                                                                   1,
		"sonde_edge_request_duration_seconds{client=shop,server=cart,side=server,network_protocol_name=http}":                                                                               5,
		"sonde_edge_request_duration_seconds{client=cart,server=10.0.0.9:80,side=client,network_protocol_name=http,server_external=true}":                                                   1,
		"sonde_edge_errors_total{client=shop,server=cart,side=server,network_protocol_name=http,error_type=500}":                                                                            1,
		"sonde_edge_slow_requests_total{client=shop,server=cart,side=server,network_protocol_name=http}":                                                                                    1,
		"sonde_edge_response_bytes_total{client=shop,server=cart,side=server,network_protocol_name=http}":                                                                                   500,
		"sonde_instance_request_duration_seconds{service_name=cart,service_instance_id=h:2,side=server,network_protocol_name=http}":                                                         5,
		"sonde_instance_errors_total{service_name=cart,service_instance_id=h:2,side=server,network_protocol_name=http}":                                                                     1,
		"sonde_instance_slow_requests_total{service_name=cart,service_instance_id=h:2,side=server,network_protocol_name=http}":                                                              1,
		"sonde_instance_info{service_name=cart,service_instance_id=h:2,process_pid=2,process_executable_name=cart,host_name=h}":                                                             1,
		"sonde_agent_exchanges_total{network_protocol_name=http,side=server}":                                                                                                               5,
		"sonde_agent_exchanges_total{network_protocol_name=http,side=client}":                                                                                                               1,
	})
	if l := r.Losses(); len(l) != 0 {
		t.Errorf("losses %v, want none", l)
	}
}

func TestSlowThresholdChanges(t *testing.T) {
	r := testRecorder(nil)
	a, b := process("a", 1), process("b", 2)
	r.Observe(get(exchange.Server, "/", "200", 20*time.Millisecond), a, b)
	r.SetSlowThreshold(10 * time.Millisecond)
	r.Observe(get(exchange.Server, "/", "200", 20*time.Millisecond), a, b)
	expect(t, values(t, r.Snapshot(start.Add(time.Second))), map[string]float64{
		"sonde_service_slow_requests_total{service_name=a,side=server,network_protocol_name=http}": 1,
	})
}

// What ended is reported once, gives its memory back, and begins anew with another ID.
func TestIdleSeriesEnd(t *testing.T) {
	r := testRecorder(nil)
	a, b := process("a", 1), process("b", 2)
	x := get(exchange.Server, "/", "200", time.Millisecond)
	r.Observe(x, a, b)
	now := start.Add(time.Second)
	first := r.Snapshot(now)

	afterInstances := r.Snapshot(now.Add(DefaultConfig.InstanceIdleAfter))
	if want := 4; len(afterInstances.Ended) != want { // duration, errors, slow, info
		t.Errorf("%d series ended with the instance, want %d", len(afterInstances.Ended), want)
	}
	last := r.Snapshot(now.Add(DefaultConfig.IdleAfter))
	ended := map[uint64]bool{}
	for _, id := range append(last.Ended, afterInstances.Ended...) {
		ended[id] = true
	}
	for _, s := range first.Series {
		if s.Desc != signal.AgentExchanges && !ended[s.ID] {
			t.Errorf("%s %q did not end", s.Desc.Name, s.LabelValues)
		}
	}
	if len(last.Series) != 1 || r.Stats() != (Stats{Series: 1}) {
		t.Errorf("%d series left, %+v, want only the agent's own", len(last.Series), r.Stats())
	}
	if n := len(r.pairs) + len(r.sides) + len(r.edges) + len(r.instances) + len(r.infos) + len(r.names) + r.rawUsed; n != 0 {
		t.Errorf("%d records are still kept: %+v", n, r)
	}

	r.Observe(x, a, b)
	again := r.Snapshot(now.Add(2 * DefaultConfig.IdleAfter))
	values(t, again)
	if len(again.Series) != len(first.Series) || len(again.Ended) != 0 {
		t.Errorf("%d series again, want %d", len(again.Series), len(first.Series))
	}
	for _, s := range again.Series {
		if ended[s.ID] {
			t.Errorf("the ID of %s is used again", s.Desc.Name)
		}
		if s.Desc != signal.AgentExchanges && !s.Created.Equal(last.Time) {
			t.Errorf("%s was created at %v, want the last time it was zero, %v", s.Desc.Name, s.Created, last.Time)
		}
	}
}

// A histogram once in a batch stays as it is: batches wait in queues.
func TestBatchesAreImmutable(t *testing.T) {
	r := testRecorder(nil)
	a, b := process("a", 1), process("b", 2)
	x := get(exchange.Server, "/", "200", time.Millisecond)
	r.Observe(x, a, b)
	first := r.Snapshot(start.Add(1 * time.Second))
	same := r.Snapshot(start.Add(2 * time.Second))
	r.Observe(x, a, b)
	r.Snapshot(start.Add(3 * time.Second))
	for i, s := range first.Series {
		if s.Histogram == nil {
			continue
		}
		if s.Histogram.Count != 1 {
			t.Errorf("%s changed in the first batch", s.Desc.Name)
		}
		if same.Series[i].Histogram != s.Histogram {
			t.Errorf("%s was copied although nothing changed", s.Desc.Name)
		}
	}
}

// The facts of an instance may become known later.
func TestInstanceInfoLearns(t *testing.T) {
	r := testRecorder(nil)
	peer := process("b", 2)
	x := get(exchange.Server, "/", "200", time.Millisecond)
	r.Observe(x, process("a", 1), peer)
	r.Snapshot(start.Add(time.Second))
	known := process("a", 1)
	known.ContainerID = "c0ffee"
	r.Observe(x, known, peer)
	r.Observe(x, process("a", 1), peer) // knows less: no news
	b := r.Snapshot(start.Add(2 * time.Second))
	expect(t, values(t, b), map[string]float64{
		"sonde_instance_info{service_name=a,service_instance_id=h:1,process_pid=1,process_executable_name=a,container_id=c0ffee,host_name=h}": 1,
		"sonde_service_request_duration_seconds{service_name=a,side=server,network_protocol_name=http}":                                       3,
	})
	if len(b.Ended) != 1 {
		t.Errorf("%d series ended, want the one of the old facts", len(b.Ended))
	}
}
