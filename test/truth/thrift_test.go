package truth

import (
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sonde-dev/sonde/test/sut"
	"github.com/sonde-dev/sonde/test/wire"
)

// TestThrift compares Thrift, over each transport in each protocol, with the accounts of server and clients in two languages.
func TestThrift(t *testing.T) {
	id := fmt.Sprintf("t%d-thrift", os.Getpid()%1000)

	// Connections that are there before Sonde.
	type pair struct {
		s server
		c *process
	}
	var old []pair
	for i, plan := range []string{"framed binary old", "buffered compact old"} {
		s := startHTTP2(t, fmt.Sprint(id, "-old", i), "thrift-server", Args{Plan: plan})
		c := startRole(t, fmt.Sprint(id, "-old-client", i), "thrift-client", Args{Addr: s.addr, Plan: plan, Requests: 20, Connections: 3})
		waitSaid(t, c, "ready")
		old = append(old, pair{s, c})
	}

	x := startSonde(t, sut.Options{})
	for _, plan := range []string{"framed binary", "framed compact", "buffered binary", "buffered compact"} {
		t.Run(plan, func(t *testing.T) {
			name := id + "-" + strings.ReplaceAll(plan, " ", "-")
			s := startHTTP2(t, name, "thrift-server", Args{Plan: plan})
			l := startRole(t, name+"-client", "thrift-client", Args{Addr: s.addr, Plan: plan, Requests: 50, Connections: 4}).log(t)
			_, port, err := net.SplitHostPort(s.addr)
			if err != nil {
				t.Fatal(err)
			}
			words := strings.Fields(plan)
			py := start(t, name+"-python", nil, "/usr/bin/python3", filepath.Join("testdata", "thrift_client.py"), port, "40", words[0], words[1]).log(t)
			s.stop()
			served := s.log(t)
			all := &wire.Log{}
			all.Merge(l)
			all.Merge(py)
			if d := cmp.Diff(all.Rows, served.Rows); d != "" {
				t.Fatalf("the oracles disagree (-clients +server):\n%s", d)
			}
			checkThrift(t, x, name+"-client", "client", l)
			checkThrift(t, x, name+"-python", "client", py)
			checkThrift(t, x, name, "server", served)
		})
	}
	t.Run("joined", func(t *testing.T) {
		for _, o := range old {
			io.WriteString(o.c.stdin, "go\n")
			l := o.c.log(t)
			checkThrift(t, x, o.c.service, "client", l)
			checkThrift(t, x, o.s.service, "server", l)
		}
	})
	if err := x.Stop(); err != nil {
		t.Error(err)
	}
}

// checkThrift compares the number of calls by method and status, and those that are errors for a side.
func checkThrift(t *testing.T, x *sut.Sonde, service, side string, l *wire.Log) {
	t.Helper()
	want := map[string]float64{}
	for _, r := range l.Rows {
		failed := "-"
		if r.Status == "INTERNAL_ERROR" || side == "client" && r.Status != "OK" && r.Status != "-" {
			failed = r.Status
		}
		want[r.Route+" "+r.Status+" "+failed] += float64(r.N)
	}
	if len(want) == 0 {
		t.Fatal("no calls: the test is void")
	}
	sameSoon(t, x, service+" as "+side, fmt.Sprintf(`sum by (rpc_method, rpc_response_status_code, error_type) (`+
		`histogram_count(rpc_%s_call_duration_seconds{service_name=%q, rpc_system_name="thrift"}))`, side, service),
		want, "rpc_method", "rpc_response_status_code", "error_type")
}
