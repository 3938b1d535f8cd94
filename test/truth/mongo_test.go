package truth

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sonde-dev/sonde/test/sut"
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
	id := fmt.Sprintf("t%d-mongo", os.Getpid()%1000)
	serve := func(name string) (*process, string) {
		addr := local(freePort(t))
		p := startRole(t, id+"-"+name, "mongo-server", Args{Addr: addr})
		p.waitPort(t, "tcp", addr)
		return p, addr
	}
	oldServer, addr := serve("old")
	old := startRole(t, id+"-old-client", "mongo-client", Args{Addr: addr, Plan: "old", Requests: 10})
	waitSaid(t, old, "ready")

	x := startSonde(t, sut.Options{Capture: "socket"})
	before := lossesBefore(t, x)
	t.Run("joined", func(t *testing.T) {
		fmt.Fprintln(old.stdin, "go")
		l := old.log(t)
		want := inAccount(l, "rows")
		oldServer.stop()
		sameSoon(t, x, "old client", databaseOperations("mongodb", old.service, "client"), want, "db_operation_name", "db_response_status_code")
		sameSoon(t, x, "old server", databaseOperations("mongodb", oldServer.service, "server"), want, "db_operation_name", "db_response_status_code")
	})
	for _, plan := range []string{"", "snappy", "zlib", "zstd", "pymongo"} {
		t.Run("driver "+plan, func(t *testing.T) {
			server, addr := serve("s" + plan)
			client := startMongoClient(t, id+"-c"+plan, addr, plan)
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
			names, err := byLabels(x, fmt.Sprintf(`sum by (db_collection_name) (histogram_count(db_client_operation_duration_seconds{service_name=%q, db_operation_name="insert"}))`, client.service), "db_collection_name")
			delete(names, "log")
			half := inAccount(l)["insert 11000"]
			if d := cmp.Diff(map[string]float64{"users": half, "broken": half}, names); err != nil || d != "" {
				t.Errorf("collections (-truth +Sonde): %v\n%s", err, d)
			}
		})
	}
	sameLosses(t, x, before)
	if err := x.Stop(); err != nil {
		t.Error(err)
	}
}

func startMongoClient(t *testing.T, service, addr, plan string) *process {
	if plan == "pymongo" { // -P: it imports a module dns, which is not the script of that name
		return start(t, service, nil, program(t, "/usr/bin/python3", "python3"), "-P", filepath.Join("testdata", "mongo.py"), strings.TrimPrefix(addr, "127.0.0.1:"), "20")
	}
	return startRole(t, service, "mongo-client", Args{Addr: addr, Plan: plan, Requests: 20})
}
