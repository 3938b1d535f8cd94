package truth

import (
	"fmt"
	"io"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sonde-dev/sonde/test/sut"
	"github.com/sonde-dev/sonde/test/wire"
)

// TestThrift compares Thrift, over each transport in each protocol, with the accounts of server and clients in two languages.
func TestThrift(t *testing.T) {
	t.Parallel()
	inAllWays(t, testThrift)
}

func testThrift(t *testing.T, w way) {
	id := w.id("thrift")

	// Connections that are there before Sonde.
	type pair struct {
		s server
		c *process
	}
	var old []pair
	for i, plan := range []string{"framed binary old", "buffered compact old"} {
		for _, language := range []string{"go", "python"} {
			name := fmt.Sprint(id, "-old-", language, i)
			s := startHTTP2(t, name, "thrift-server", Args{Plan: plan, TLS: w.tls})
			old = append(old, pair{s, startThriftClient(t, name+"-client", s.addr, plan, language, w)})
		}
	}
	for _, o := range old {
		waitSaid(t, o.c, "ready")
	}

	x := w.sonde(t)
	for _, plan := range []string{"framed binary", "framed compact", "buffered binary", "buffered compact"} {
		t.Run(plan, func(t *testing.T) {
			name := id + "-" + strings.ReplaceAll(plan, " ", "-")
			s := startHTTP2(t, name, "thrift-server", Args{Plan: plan, TLS: w.tls})
			l := startThriftClient(t, name+"-client", s.addr, plan, "go", w).log(t)
			py := startThriftClient(t, name+"-python", s.addr, plan, "python", w).log(t)
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
			for service, l := range map[string]*wire.Log{name + "-client": l, name + "-python": py} {
				checkLatency(t, x, service, fmt.Sprintf(`rpc_client_call_duration_seconds{service_name=%q, rpc_method="slow"}`, service), thriftSlow.Seconds(), l.Durations)
			}
			checkLatency(t, x, name, fmt.Sprintf(`rpc_server_call_duration_seconds{service_name=%q, rpc_method="slow"}`, name), thriftSlow.Seconds(), all.Durations)
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

func startThriftClient(t *testing.T, service, addr, plan, language string, w way) *process {
	t.Helper()
	if language == "python" {
		argv := []string{program(t, "/usr/bin/python3", "python3"), filepath.Join("testdata", "thrift_client.py"), strings.TrimPrefix(addr, "127.0.0.1:"), "20"}
		return start(t, service, nil, w.withTLS(append(argv, strings.Fields(plan)...), "tls")...)
	}
	return startRole(t, service, "thrift-client", Args{Addr: addr, Plan: plan, Requests: 10, Connections: 3, TLS: w.tls})
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
