package truth

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sonde-dev/sonde/test/wire"
)

// databaseOperations asks for the operations of a service by name and outcome.
func databaseOperations(system, service, side string) string {
	return fmt.Sprintf(`sum by (db_operation_name, db_response_status_code) (`+
		`histogram_count(db_%s_operation_duration_seconds{service_name=%q, db_system_name=%q}))`, side, service, system)
}

// inAccount is what a log says of operations, without the rows that count something else.
func inAccount(l *wire.Log, but ...string) map[string]float64 {
	want := map[string]float64{}
	for _, r := range l.Rows {
		if status := r.Status; !strings.Contains(strings.Join(but, " "), r.Method) {
			if status == "" {
				status = "-"
			}
			want[r.Method+" "+status] += float64(r.N)
		}
	}
	return want
}

// TestMongoDB compares the wire protocol of MongoDB with the account of a stub, for there is no server, and those of two official drivers.
func TestMongoDB(t *testing.T) {
	t.Parallel()
	inAllWays(t, testMongoDB)
}

func testMongoDB(t *testing.T, w way) {
	id := w.id("mongo")
	serve := func(name string) (*process, string) {
		addr := local(freePort(t))
		p := startRole(t, id+"-"+name, "mongo-server", Args{Addr: addr, TLS: w.tls})
		p.waitPort(t, "tcp", addr)
		return p, addr
	}
	type pair struct{ server, client *process }
	var old []pair
	for _, plan := range []string{"old", "pymongo old"} {
		server, addr := serve(strings.ReplaceAll(plan, " ", "-"))
		old = append(old, pair{server, startMongoClient(t, server.service+"-client", addr, plan, w)})
	}
	for _, o := range old {
		waitSaid(t, o.client, "ready")
	}

	x := w.sonde(t)
	for _, o := range old {
		t.Run("joined "+o.client.service, func(t *testing.T) {
			fmt.Fprintln(o.client.stdin, "go")
			l := o.client.log(t)
			o.server.stop()
			for side, service := range map[string]string{"client": o.client.service, "server": o.server.service} {
				operations := fmt.Sprintf(`histogram_count(db_%s_operation_duration_seconds{service_name=%q, db_system_name="mongodb", db_operation_name`, side, service)
				want := inAccount(l, "rows")
				sameSoon(t, x, service, "sum by (db_operation_name, db_response_status_code) ("+operations+`!="ping"}))`, want, "db_operation_name", "db_response_status_code")
				pings, err := x.Value("sum(" + operations + `="ping"}))`)
				if err != nil || pings != 1 {
					t.Errorf("%s: %v first requests (%v), want 1", service, pings, err)
				}
			}
		})
	}
	plans := []string{"zstd", "pymongo"}
	if w.name == "socket" { // each form once
		plans = append(plans, "", "snappy", "zlib")
	}
	for _, plan := range plans {
		t.Run("driver "+plan, func(t *testing.T) {
			server, addr := serve("s" + plan)
			client := startMongoClient(t, id+"-c"+plan, addr, plan, w)
			l := client.log(t)
			server.stop()
			answered := server.log(t)
			for operation, n := range inAccount(l, "rows") {
				if got := inAccount(answered)[operation]; got != n {
					t.Errorf("the oracles disagree: %s %v by the stub, %v by the driver", operation, got, n)
				}
			}
			for side, service := range map[string]string{"client": client.service, "server": server.service} {
				sameSoon(t, x, service, databaseOperations("mongodb", service, side), inAccount(answered), "db_operation_name", "db_response_status_code")
				rows := fmt.Sprintf(`sum(db_%s_response_returned_rows_total{service_name=%q})`, side, service)
				if got, err := x.Value(rows); err != nil || got != float64(counted(l, "rows", "*")) {
					t.Errorf("%s: %v documents returned (%v), want %d", service, got, err, counted(l, "rows", "*"))
				}
			}
			for side, service := range map[string]string{"client": client.service, "server": server.service} {
				checkLatency(t, x, service, fmt.Sprintf(`db_%s_operation_duration_seconds{service_name=%q, db_operation_name="count"}`, side, service), mongoSlow.Seconds(), l.Durations)
			}
			noPartial(t, x, client.service, server.service)
			names, err := byLabels(x, fmt.Sprintf(`sum by (db_collection_name) (histogram_count(db_client_operation_duration_seconds{service_name=%q, db_operation_name="insert"}))`, client.service), "db_collection_name")
			delete(names, "log")
			half := inAccount(l)["insert 11000"]
			if d := cmp.Diff(map[string]float64{"users": half, "broken": half}, names); err != nil || d != "" {
				t.Errorf("collections (-truth +Sonde): %v\n%s", err, d)
			}
		})
	}
	if err := x.Stop(); err != nil {
		t.Error(err)
	}
}

func startMongoClient(t *testing.T, service, addr, plan string, w way) *process {
	t.Helper()
	if words := strings.Fields(plan); len(words) > 0 && words[0] == "pymongo" { // -P: it imports a module dns, which is not the script of that name
		argv := []string{program(t, "/usr/bin/python3", "python3"), "-P", filepath.Join("testdata", "mongo.py"), strings.TrimPrefix(addr, "127.0.0.1:"), "20"}
		return start(t, service, nil, w.withTLS(append(argv, words[1:]...), "tls")...)
	}
	return startRole(t, service, "mongo-client", Args{Addr: addr, Plan: plan, Requests: 20, TLS: w.tls})
}
