package redmetrics

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sonde-dev/sonde/agent/exchange"
	"github.com/sonde-dev/sonde/agent/protocol"
	"github.com/sonde-dev/sonde/agent/protocol/dialect"
	"github.com/sonde-dev/sonde/agent/protocol/http1"
	"github.com/sonde-dev/sonde/signal"
)

// A view is one more interface and nothing else: no service, edge, instance or total knows of it.
func TestViewsAreCountedByInterfaceOnly(t *testing.T) {
	start := time.Unix(1e9, 0)
	cfg := DefaultConfig
	cfg.Start = start
	plain, viewed := New(cfg), New(cfg)
	self, peer := &signal.Entity{Service: "shop", Instance: "a"}, &signal.Entity{Service: "search", Instance: "b"}
	x := exchange.Exchange{
		Conn: &exchange.Conn{}, Side: exchange.Client, Protocol: http1.Protocol{}, Operation: "POST", Target: "/orders-2026.11.21/_search", Status: "200",
		RequestStart: 1, ResponseEnd: 2e9, RequestBytes: 10, ResponseBytes: 20,
	}
	for range 3 {
		plain.Observe(&x, self, peer)
	}
	x.View = &protocol.View{Protocol: dialect.Protocols()[0], Operation: "search", Target: "orders-2026.11.21"}
	for range 2 {
		viewed.Observe(&x, self, peer)
	}
	x.View = &protocol.View{Protocol: dialect.Protocols()[0], Operation: "search", Target: "orders-2026.11.22", Failure: "partial"}
	viewed.Observe(&x, self, peer)

	then := start.Add(time.Second)
	want, got := values(t, plain.Snapshot(then)), values(t, viewed.Snapshot(then))
	const op = "db_client_operation_duration_seconds{service_name=shop,db_operation_name=search,db_collection_name=orders-{date},db_response_status_code=200,"
	const of = "network_protocol_name=elasticsearch,peer_service=search,db_system_name=elasticsearch}"
	want[op+of], want[op+of+" sum"] = 2, 2*1.999999999
	want[op+"error_type=partial,"+of], want[op+"error_type=partial,"+of+" sum"] = 1, 1.999999999
	want["sonde_interface_slow_requests_total{service_name=shop,side=client,network_protocol_name=elasticsearch,operation=search,target=orders-{date},peer_service=search}"] = 3
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("with views (-want +got):\n%s", d)
	}
	for now := then; now.Before(then.Add(3 * cfg.IdleAfter)); now = now.Add(10 * time.Minute) {
		viewed.Snapshot(now)
	}
	if n := len(viewed.sides) + len(viewed.pairs) + len(viewed.names); n > 0 {
		t.Errorf("%d things are left after all is idle", n)
	}
}
