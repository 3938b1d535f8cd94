package truth

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/sonde-dev/sonde/test/sut"
	"github.com/sonde-dev/sonde/test/wire"
)

// TestCassandra compares CQL with the account of a stub, for there is no server, and those of two official drivers, gocql and the DataStax driver
// of Python (OpenSSL). The driver of Python begins with versions that are not read, until the server agrees.
func TestCassandra(t *testing.T) {
	t.Parallel()
	inAllWays(t, testCassandra)
}

// cassandraLabels are what its operations are counted by.
var cassandraLabels = []string{"db_operation_name", "db_response_status_code"}

func testCassandra(t *testing.T, w way) {
	id := w.id("cql")
	serve := func(name, plan string) (*process, string) {
		addr := local(freePort(t))
		p := startRole(t, id+"-"+name, "cassandra-server", Args{Addr: addr, Plan: plan, TLS: w.tls})
		p.waitPort(t, "tcp", addr)
		return p, addr
	}
	var old []cassandraPair
	for _, plan := range []string{"go v4 snappy old", "go v5 lz4 old", "python v4 old", "python v5 old"} {
		name := strings.ReplaceAll(plan, " ", "-")
		server, addr := serve(name, "auth")
		old = append(old, cassandraPair{server, startCassandraClient(t, id+"-"+name+"-client", addr, plan, w)})
	}
	for _, o := range old {
		waitSaid(t, o.client, "ready")
		fmt.Fprintln(o.server.stdin, "account")
		waitSaid(t, o.server, "anew")
	}

	x := w.sonde(t)
	for _, o := range old {
		t.Run("joined "+o.client.service, func(t *testing.T) { o.checkJoined(t, x) })
	}
	plans := []string{"go v4 snappy", "go v5 lz4 auth", "python v4 auth", "python agreed lz4"}
	if w.name == "socket" { // each form once
		plans = append(plans, "go v4", "go v5 auth", "python v4 lz4", "python v5 auth")
	}
	for _, plan := range plans {
		t.Run(plan, func(t *testing.T) {
			name := strings.ReplaceAll(plan, " ", "-")
			server, addr := serve(name, map[bool]string{true: "auth"}[strings.Contains(plan, "auth")])
			client := startCassandraClient(t, id+"-"+name+"-client", addr, plan, w)
			l := client.log(t)
			server.stop()
			answered := server.log(t)
			sameAsClient(t, answered, l)
			for side, service := range map[string]string{"client": client.service, "server": server.service} {
				sameSoon(t, x, service, databaseOperations("cassandra", service, side), inAccount(answered, "rows"), cassandraLabels...)
				rows := fmt.Sprintf(`sum(db_%s_response_returned_rows_total{service_name=%q})`, side, service)
				if got, err := x.Value(rows); err != nil || got != float64(counted(answered, "rows", "*")) {
					t.Errorf("%s: %v rows returned (%v), want %d", service, got, err, counted(answered, "rows", "*"))
				}
				checkLatency(t, x, service, fmt.Sprintf(`db_%s_operation_duration_seconds{service_name=%q, db_operation_name="UPDATE"}`, side, service), cqlSlow.Seconds(), l.Durations)
			}
			noPartial(t, x, client.service, server.service)
		})
	}
	if err := x.Stop(); err != nil {
		t.Error(err)
	}
}

// A cassandraPair is a stub and its client.
type cassandraPair struct{ server, client *process }

func startCassandraClient(t *testing.T, service, addr, plan string, w way) *process {
	t.Helper()
	if strings.HasPrefix(plan, "python") {
		return start(t, service, nil, program(t, "/usr/bin/python3", "python3"), "-P", filepath.Join("testdata", "cassandra.py"), strings.TrimPrefix(addr, "127.0.0.1:"), "8", plan, w.tls)
	}
	return startRole(t, service, "cassandra-client", Args{Addr: addr, Plan: plan, Requests: 6, Connections: 5, TLS: w.tls})
}

// checkJoined lets an old client go on. The driver's heartbeats (OPTIONS) come when they like and are left out.
func (p cassandraPair) checkJoined(t *testing.T, x *sut.Sonde) {
	fmt.Fprintln(p.client.stdin, "go")
	l := p.client.log(t)
	p.server.stop()
	answered := p.server.log(t)
	sameAsClient(t, answered, l)
	but := []string{"rows", "OPTIONS"}
	for side, service := range map[string]string{"client": p.client.service, "server": p.server.service} {
		base := fmt.Sprintf(`db_%s_operation_duration_seconds{service_name=%q, db_system_name="cassandra", db_operation_name!~%q}`, side, service, strings.Join(but, "|"))
		sameSoon(t, x, service, "sum by ("+strings.Join(cassandraLabels, ", ")+") (histogram_count("+base+"))", inAccount(answered, but...), cassandraLabels...)
	}
}

// sameAsClient compares what a stub answered with what a client of it says.
func sameAsClient(t *testing.T, answered, l *wire.Log) {
	t.Helper()
	if l.Total().N == 0 {
		t.Fatal("no requests: the test is void")
	}
	atServer := &wire.Log{}
	for _, r := range answered.Rows {
		if r.Route == "app" {
			r.Route = ""
			atServer.AddRow(r)
		}
	}
	for _, r := range l.Rows {
		if r.Method != "PREPARE" && !hasRow(atServer, r) { // drivers prepare once for each connection or host
			t.Errorf("the oracles disagree: the client has %+v, the stub\n%s", r, atServer)
		}
	}
}
