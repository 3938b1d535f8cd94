package redmetrics

import (
	"strings"
	"testing"
	"time"

	"github.com/sonde-dev/sonde/agent/exchange"
	"github.com/sonde-dev/sonde/agent/protocol"
)

// database is a protocol with counts and a constant, that has no sizes and measures only clients.
type database struct {
	protocol.Protocol
	name      string
	semantics *protocol.Semantics
}

func (d database) Name() string                   { return d.name }
func (d database) Semantics() *protocol.Semantics { return d.semantics }

func newDatabase(name string) database {
	return database{name: name, semantics: &protocol.Semantics{
		ClientDuration: "db_client_operation_duration_seconds", OperationLabel: "db_operation_name",
		ClientTargetLabel: "db_query_text", StatusLabel: "db_response_status_code",
		Counts: []protocol.Count{
			{Client: "db_client_returned_rows_total", Unit: "{row}", Help: "Rows."},
			{Server: "db_server_returned_rows_total", Unit: "{row}", Help: "Rows."},
		},
		Constant: []protocol.Attribute{{Key: "db_system_name", Value: name}},
	}}
}

func query(p protocol.Protocol, side exchange.Side, statement string, rows uint64) *exchange.Exchange {
	return &exchange.Exchange{
		Protocol: p, Side: side, Operation: "SELECT", Target: statement, RequestStart: 1e9, ResponseEnd: 2e9,
		Counts: [protocol.MaxCounts]uint64{rows, 100 * rows},
	}
}

// Two protocols share metrics; each has its own series, its constant and its counts, each side only what it has a name for.
func TestSharedMetrics(t *testing.T) {
	r := testRecorder(nil)
	shop, db := process("shop", 1), process("db", 2)
	for _, name := range []string{"mysql", "postgresql"} {
		p := newDatabase(name)
		for rows := range uint64(3) {
			r.Observe(query(p, exchange.Client, "q", rows), shop, db)
			r.Observe(query(p, exchange.Server, "q", rows), db, shop)
		}
	}
	r.Observe(query(newDatabase("mysql"), exchange.Client, "q", 5), shop, db) // another pointer: a version of the same protocol
	got := values(t, r.Snapshot(start.Add(time.Second)))
	expect(t, got, map[string]float64{
		"db_client_operation_duration_seconds{service_name=shop,db_operation_name=SELECT,db_query_text=q,network_protocol_name=mysql,peer_service=db,db_system_name=mysql}":           4,
		"db_client_operation_duration_seconds{service_name=shop,db_operation_name=SELECT,db_query_text=q,network_protocol_name=postgresql,peer_service=db,db_system_name=postgresql}": 3,
		"db_client_returned_rows_total{service_name=shop,db_operation_name=SELECT,db_query_text=q,network_protocol_name=mysql,peer_service=db,db_system_name=mysql}":                  8,
		"db_client_returned_rows_total{service_name=shop,db_operation_name=SELECT,db_query_text=q,network_protocol_name=postgresql,peer_service=db,db_system_name=postgresql}":        3,
		"db_server_returned_rows_total{service_name=db,db_operation_name=SELECT,network_protocol_name=mysql,db_system_name=mysql}":                                                    300,
		"sonde_interface_slow_requests_total{service_name=db,side=server,network_protocol_name=mysql,operation=SELECT}":                                                               3,
		"sonde_service_request_duration_seconds{service_name=db,side=server,network_protocol_name=mysql}":                                                                             3,
		"sonde_edge_request_duration_seconds{client=shop,server=db,side=client,network_protocol_name=mysql}":                                                                          4,
		"sonde_edge_request_duration_seconds{client=shop,server=db,side=client,network_protocol_name=postgresql}":                                                                     3,
	})
	for k := range got {
		if strings.HasPrefix(k, "db_server_operation") || strings.Contains(k, "_size_") || strings.HasPrefix(k, "{") {
			t.Errorf("%s: the protocol has no such metric", k)
		}
	}
}

// Where operations have no label they are one: no two series have the same labels.
func TestOperationWithoutLabel(t *testing.T) {
	r := testRecorder(nil)
	shop, db := process("shop", 1), process("db", 2)
	p := newDatabase("grpc")
	p.semantics.OperationLabel = ""
	for _, op := range []string{"GET", "POST"} {
		x := query(p, exchange.Client, "m", 0)
		x.Operation = op
		r.Observe(x, shop, db)
	}
	expect(t, values(t, r.Snapshot(start.Add(time.Second))), map[string]float64{
		"db_client_operation_duration_seconds{service_name=shop,db_query_text=m,network_protocol_name=grpc,peer_service=db,db_system_name=grpc}": 2,
		"sonde_interface_slow_requests_total{service_name=shop,side=client,network_protocol_name=grpc,target=m,peer_service=db}":                 2,
	})
}

// Whoever waits on purpose, or for nothing, is counted everywhere, and timed and judged only under its interface.
func TestUntimed(t *testing.T) {
	r := testRecorder(nil)
	worker, redis := process("worker", 1), process("redis", 2)
	p := newDatabase("redis")
	for i := range 5 {
		x := query(p, exchange.Client, "", 1)
		if i < 3 {
			x.Operation, x.Waits, x.IsOneWay = "BLPOP", i < 2, i == 2
		}
		if i == 0 {
			x.Error = "WRONGTYPE"
		}
		r.Observe(x, worker, redis)
	}
	got := values(t, r.Snapshot(start.Add(time.Second)))
	const edge = "{client=worker,server=redis,side=client,network_protocol_name=redis"
	const service, instance = "{service_name=worker,side=client,network_protocol_name=redis", "{service_name=worker,service_instance_id=h:1,side=client,network_protocol_name=redis"
	expect(t, got, map[string]float64{
		"sonde_service_request_duration_seconds" + service + "}":          2,
		"sonde_service_untimed_requests_total" + service + "}":            3,
		"sonde_service_slow_requests_total" + service + "}":               2,
		"sonde_service_status_total" + service + "}":                      5,
		"sonde_service_errors_total" + service + ",error_type=WRONGTYPE}": 1,
		"sonde_edge_request_duration_seconds" + edge + "}":                2,
		"sonde_edge_untimed_requests_total" + edge + "}":                  3,
		"sonde_edge_slow_requests_total" + edge + "}":                     2,
		"sonde_instance_request_duration_seconds" + instance + "}":        2,
		"sonde_instance_untimed_requests_total" + instance + "}":          3,
		"sonde_instance_slow_requests_total" + instance + "}":             2,
		"db_client_operation_duration_seconds{service_name=worker,db_operation_name=BLPOP,network_protocol_name=redis,peer_service=redis,db_system_name=redis}":                      2,
		"db_client_operation_duration_seconds{service_name=worker,db_operation_name=BLPOP,error_type=WRONGTYPE,network_protocol_name=redis,peer_service=redis,db_system_name=redis}": 1,
		"sonde_interface_untimed_requests_total{service_name=worker,side=client,network_protocol_name=redis,operation=BLPOP,peer_service=redis}":                                     3,
		"sonde_agent_exchanges_total{network_protocol_name=redis,side=client}":                                                                                                       5,
	})
	if n, ok := got["sonde_interface_slow_requests_total{service_name=worker,side=client,network_protocol_name=redis,operation=BLPOP,peer_service=redis}"]; ok {
		t.Errorf("%v requests without service time are slow", n)
	}
}

// Counting does not allocate once the series are there.
func TestCountsDoNotAllocate(t *testing.T) {
	r := testRecorder(nil)
	shop, db := process("shop", 1), process("db", 2)
	x := query(newDatabase("mysql"), exchange.Client, "q", 3)
	y := query(x.Protocol, exchange.Client, "q", 3)
	y.Waits = true
	do := func() {
		r.Observe(x, shop, db)
		r.Observe(y, shop, db)
	}
	do()
	if n := testing.AllocsPerRun(1000, do); n != 0 {
		t.Errorf("%v allocations for two exchanges, want none", n)
	}
}
