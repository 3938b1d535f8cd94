package truth

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sonde-dev/sonde/test/sut"
	"github.com/sonde-dev/sonde/test/wire"
)

// TestHTTP2 compares HTTP/2, inside TLS by ALPN, with the accounts of clients and servers.
func TestHTTP2(t *testing.T) { inAllWays(t, testHTTP2) }

func testHTTP2(t *testing.T, w way) {
	id := w.id("http2")
	node, env := filepath.Join("testdata", "http2.js"), []string{"TRUTH_TLS=" + w.tls}

	// A connection that is there before Sonde.
	old := startHTTP2(t, id+"-old", "http2-server", Args{TLS: w.tls})
	oldClient := startRole(t, id+"-old-client", "http2-client", Args{Addr: old.addr, Plan: "old", Requests: 5, Connections: 5, TLS: w.tls})
	waitSaid(t, oldClient, "ready")

	w.keepNode(t)
	x := w.sonde(t)
	t.Run("go", func(t *testing.T) {
		var served string
		var l *wire.Log
		checkUnlessBusy(t, x, id+"-go", func(id string) []claim {
			s := startHTTP2(t, id, "http2-server", Args{TLS: w.tls})
			served, l = id, startRole(t, id+"-client", "http2-client", Args{Addr: s.addr, Requests: 10, Connections: 10, TLS: w.tls}).log(t)
			return conversation(id+"-client", id, l)
		})
		checkHTTPLatency(t, x, served+"-client", served, "/delay", delayLeast, l)
	})
	t.Run("h2load", func(t *testing.T) {
		checkUnlessBusy(t, x, id+"-load", func(id string) []claim { return h2load(t, id, w) })
	})
	t.Run("curl and nghttp", func(t *testing.T) { testCurlHTTP2(t, x, id, w) })
	t.Run("node", func(t *testing.T) {
		port := freePort(t)
		s := start(t, id+"-node", env, program(t, "/usr/bin/node", "node"), node, "server", fmt.Sprint(port))
		s.waitPort(t, "tcp", local(port))
		rows := nodeRows(t, start(t, id+"-node-client", env, program(t, "/usr/bin/node", "node"), node, "client", fmt.Sprint(port), "20"))
		check(t, x, conversation(id+"-node-client", id+"-node", rows["http"])...)
		checkHTTPLatency(t, x, id+"-node-client", id+"-node", "/slow", 30*time.Millisecond, rows["http"])
		checkCalls(t, x, id+"-node-client", id+"-node", rows["grpc"])
		checkCallLatency(t, x, id+"-node-client", id+"-node", rows["grpc"])
	})
	t.Run("upgraded", func(t *testing.T) {
		if w.tls != "" {
			t.Skip("there is no upgrade inside TLS (RFC 9113 §3.2)")
		}
		s := startHTTP2(t, id+"-up", "http2-server", Args{Plan: "upgrade"})
		p := start(t, id+"-up-client", nil, program(t, "curl"), "-s", "--http2", "-w", "%{http_version}\n", "-o", "/dev/null",
			"http://"+s.addr+"/items/1", "-o", "/dev/null", "http://"+s.addr+"/hello", "-o", "/dev/null", "http://"+s.addr+"/missing")
		<-p.done
		if got := p.stdout.String(); got != "2\n2\n2\n" {
			t.Fatalf("curl spoke %q, want HTTP/2 three times", got)
		}
		l := &wire.Log{}
		for _, r := range []wire.Row{
			{Key: wire.Key{Method: "GET", Route: "/items/{id}", Status: "101"}}, // and its answer on stream 1
			{Key: wire.Key{Method: "GET", Route: "/hello", Status: "200"}, Sum: wire.Sum{ResponseBytes: 12}},
			{Key: wire.Key{Method: "GET", Route: "/missing", Status: "404"}, Sum: wire.Sum{ResponseBytes: int64(len("nope"))}},
		} {
			r.N = 1
			l.AddRow(r)
		}
		check(t, x, conversation(id+"-up-client", id+"-up", l)...)
	})
	t.Run("joined", func(t *testing.T) {
		io.WriteString(oldClient.stdin, "go\n")
		l := oldClient.log(t)
		checkJoined(t, x, "http", oldClient.service, old.service, l)
	})
	lost, err := x.Lost()
	t.Logf("losses reported on the whole machine: %v %v", lost, err)
	if err := x.Stop(); err != nil {
		t.Error(err)
	}
}

func startHTTP2(t *testing.T, service, role string, a Args) server {
	t.Helper()
	a.Addr = local(freePort(t))
	s := server{startRole(t, service, role, a), a.Addr}
	s.waitPort(t, "tcp", a.Addr)
	return s
}

// checkUnlessBusy is check, tried again under another name where Sonde says that it lost events because the machine was too busy:
// one lost event hides fields of all later requests of its connection.
func checkUnlessBusy(t *testing.T, x *sut.Sonde, id string, claims func(id string) []claim) {
	t.Helper()
	for try := 1; ; try++ {
		before, _ := x.Lost()
		cs := claims(fmt.Sprintf("%s%d", id, try))
		diff := eventually(x, cs)
		after, _ := x.Lost()
		if lost := after["ring_full"] - before["ring_full"]; diff != "" && lost > 0 && try < 3 {
			t.Logf("%.0f events were lost, try again", lost)
			continue
		}
		check(t, x, cs...)
		return
	}
}

// h2load keeps 100 requests under way on each of 4 connections; nginx's access log must agree.
func h2load(t *testing.T, id string, w way) []claim {
	t.Helper()
	const n = 20000
	s, dir := startNginxHTTP2(t, id+"-nginx", w)
	url := w.pick("http://", "https://") + s.addr
	p := start(t, id+"-h2load", nil, program(t, "h2load"), "-n", fmt.Sprint(n), "-c", "4", "-m", "100", url+"/hello", url+"/none")
	<-p.done
	codes := regexp.MustCompile(`status codes: (\d+) 2xx, 0 3xx, (\d+) 4xx, 0 5xx`).FindStringSubmatch(p.stdout.String())
	if codes == nil {
		t.Fatalf("h2load said: %s", p.stdout.String())
	}
	s.stop()
	l := accessLog(t, dir)
	for _, r := range l.Rows {
		if want := map[string]string{"200": codes[1], "404": codes[2]}[r.Status]; fmt.Sprint(r.N) != want {
			t.Errorf("the oracles disagree: nginx has %+v, h2load %v", r, codes)
		}
	}
	if got := l.Total().N; got != n {
		t.Fatalf("nginx logged %d requests of %d", got, n)
	}
	return conversation(id+"-h2load", id+"-nginx", l)
}

// testCurlHTTP2 uses two more clients on nginx.
func testCurlHTTP2(t *testing.T, x *sut.Sonde, id string, w way) {
	s, dir := startNginxHTTP2(t, id+"-files", w)
	curl := func(args ...string) []string {
		return append([]string{program(t, "curl"), "-sk", w.pick("--http2-prior-knowledge", "--http2"), "-o", "/dev/null"}, args...)
	}
	for _, argv := range [][]string{
		curl("http://HOST/big"),
		curl("http://HOST/fail"),
		curl("-I", "http://HOST/page"),
		{program(t, "nghttp"), "-n", "-m", "20", "http://HOST/hello", "http://HOST/big", "http://HOST/cached", "http://HOST/empty?token=secret"},
		{program(t, "nghttp"), "-n", "--no-dep", "-p", "100", "http://HOST/page", "http://HOST/none"}, // padded
	} {
		for i := range argv {
			argv[i] = strings.ReplaceAll(argv[i], "http://HOST", w.pick("http://", "https://")+s.addr)
		}
		p := start(t, id+"-clients", nil, argv...)
		<-p.done
		if p.err != nil {
			t.Fatalf("%v: %v: %s", argv, p.err, p.said())
		}
	}
	s.stop()
	check(t, x, conversation(id+"-clients", id+"-files", accessLog(t, dir))...)
}

// startNginxHTTP2 is startNginx on HTTP/2: files and fixed statuses.
func startNginxHTTP2(t *testing.T, service string, w way) (server, string) {
	t.Helper()
	dir, err := os.MkdirTemp("", "truth-nginx-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	os.Chmod(dir, 0o755)
	// big: of a turn of a new connection 256 KiB are copied until it is known what it speaks.
	for name, size := range map[string]int{"hello": 12, "big": 200000, "page": 1024} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(strings.Repeat("n", size)), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	addr, inside := local(freePort(t)), ""
	if w.tls != "" {
		inside = fmt.Sprintf(" ssl; ssl_certificate %[1]s/cert.pem; ssl_certificate_key %[1]s/key.pem", w.tls)
	}
	conf := fmt.Sprintf(`daemon off; worker_processes 1; pid %[1]s/pid;
events { worker_connections 1024; }
http {
  log_format truth '$request_method $uri $status $body_bytes_sent';
  access_log %[1]s/access.log truth;
  client_body_temp_path %[1]s/b; proxy_temp_path %[1]s/p; fastcgi_temp_path %[1]s/f; uwsgi_temp_path %[1]s/u; scgi_temp_path %[1]s/s;
  sendfile on; keepalive_requests 1000000;
  server {
    listen %[2]s http2%[3]s;
    root %[1]s;
    location / { }
    location = /fail { return 500; }
    location = /cached { return 304; }
    location = /empty { return 204; }
  }
}
`, dir, addr, inside)
	if err := os.WriteFile(filepath.Join(dir, "nginx.conf"), []byte(conf), 0o644); err != nil {
		t.Fatal(err)
	}
	s := server{start(t, service, nil, program(t, "/usr/sbin/nginx", "nginx"), "-c", filepath.Join(dir, "nginx.conf"), "-e", filepath.Join(dir, "error.log")), addr}
	s.waitPort(t, "tcp", addr)
	return s, dir
}

// nodeRows reads the account of testdata/http2.js or calls.py, apart for HTTP and gRPC.
func nodeRows(t *testing.T, p *process) map[string]*wire.Log {
	t.Helper()
	<-p.done
	if p.err != nil {
		t.Fatalf("%s: %v: %s", p.service, p.err, p.said())
	}
	logs := map[string]*wire.Log{"http": {}, "grpc": {}}
	for line := range strings.Lines(p.stdout.String()) {
		var r struct {
			Kind string
			wire.Row
			Durations []float64
		}
		if err := json.Unmarshal([]byte(line), &r); err != nil {
			t.Fatalf("read %q: %v", line, err)
		}
		if l := logs[r.Kind]; r.Durations != nil {
			l.Durations = r.Durations
		} else {
			l.AddRow(r.Row)
		}
	}
	return logs
}

// checkCalls compares both ends with an account of gRPC calls.
func checkCalls(t *testing.T, x *sut.Sonde, client, server string, l *wire.Log) {
	t.Helper()
	want := map[string]float64{}
	for _, r := range l.Rows {
		want[r.Route+" "+r.Status] += float64(r.N)
	}
	if len(want) == 0 {
		t.Fatal("no calls: the test is void")
	}
	for side, service := range map[string]string{"client": client, "server": server} {
		query := fmt.Sprintf(`sum by (rpc_method, rpc_response_status_code) (histogram_count(rpc_%s_call_duration_seconds{service_name=%q, rpc_system_name="grpc"}))`, side, service)
		sameSoon(t, x, side, query, want, "rpc_method", "rpc_response_status_code")
	}
}

// sameSoon waits until a query yields what is wanted, and looks once more a moment later.
func sameSoon(t *testing.T, x *sut.Sonde, what, query string, want map[string]float64, labels ...string) {
	t.Helper()
	var diff string
	for deadline := time.Now().Add(settleTimeout); ; time.Sleep(200 * time.Millisecond) {
		got, err := byLabels(x, query, labels...)
		if diff = cmp.Diff(want, got); err != nil || diff == "" || time.Now().After(deadline) {
			if err != nil {
				diff = err.Error()
			}
			break
		}
	}
	if diff != "" {
		lost, _ := x.Lost()
		t.Errorf("%s (-truth +Sonde), losses %v:\n%s", what, lost, diff)
		return
	}
	time.Sleep(1200 * time.Millisecond) // a flush later
	if got, err := byLabels(x, query, labels...); err != nil || !cmp.Equal(want, got) {
		t.Errorf("%s: Sonde was right, then counted on: %v %v, want %v", what, got, err, want)
	}
}

// checkJoined compares what must hold on a connection whose fields were indexed before Sonde came: how many there were, at both ends;
// and that nothing is told under a name or a status that the account does not have.
func checkJoined(t *testing.T, x *sut.Sonde, kind, client, server string, l *wire.Log) {
	t.Helper()
	checkJoinedEnd(t, x, kind, "client", client, l)
	checkJoinedEnd(t, x, kind, "server", server, l)
}

// checkJoinedEnd does so at one end.
func checkJoinedEnd(t *testing.T, x *sut.Sonde, kind, side, service string, l *wire.Log) {
	t.Helper()
	metric := map[string]string{"http": "http_%s_request_duration_seconds", "grpc": "rpc_%s_call_duration_seconds"}[kind]
	target := map[string]string{"http": map[string]string{"client": "url_template", "server": "http_route"}[side], "grpc": "rpc_method"}[kind]
	state := map[string]string{"http": "http_response_status_code", "grpc": "rpc_response_status_code"}[kind]
	query := fmt.Sprintf("histogram_count("+metric+"{service_name=%q})", side, service)
	sameSoon(t, x, side+" in all", "sum("+query+")", map[string]float64{"": float64(l.Total().N)})
	seen, err := byLabels(x, fmt.Sprintf("sum by (%s, %s) (%s)", target, state, query), target, state)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%s: %v", side, seen)
	for key, n := range seen {
		route, status, _ := strings.Cut(key, " ")
		var most int64
		for _, r := range l.Rows {
			if (route == "-" || route == r.Route) && (status == "-" || status == r.Status) {
				most += r.N
			}
		}
		if n > float64(most) {
			t.Errorf("%s: %v of %q, the truth has %d at most", side, n, key, most)
		}
	}
}

// TestGRPC compares calls of every kind with the accounts of clients and servers.
func TestGRPC(t *testing.T) { inAllWays(t, testGRPC) }

func testGRPC(t *testing.T, w way) {
	id, env := w.id("grpc"), []string{"TRUTH_TLS=" + w.tls}
	old := startHTTP2(t, id+"-old", "grpc-server", Args{TLS: w.tls})
	oldClient := startRole(t, id+"-old-client", "grpc-client", Args{Addr: old.addr, Plan: "old", Requests: 5, Connections: 3, TLS: w.tls})
	forOldNode := startHTTP2(t, id+"-for-old-node", "grpc-server", Args{TLS: w.tls})
	python := append([]string{program(t, "/usr/bin/python3", "python3")}, filepath.Join("testdata", "calls.py"))
	forOldPython := startHTTP2(t, id+"-for-old-python", "grpc-server", Args{TLS: w.tls})
	oldPython := start(t, id+"-old-python-client", env, append(python, "client", fmt.Sprint(portOf(forOldPython.addr)), "5", "old")...)
	oldNode := start(t, id+"-old-node-client", env, program(t, "/usr/bin/node", "node"), filepath.Join("testdata", "http2.js"), "client", fmt.Sprint(portOf(forOldNode.addr)), "5", "grpc-old")
	waitSaid(t, oldClient, "ready")
	waitSaid(t, oldNode, "ready")
	waitSaid(t, oldPython, "ready")

	w.keepNode(t)
	x := w.sonde(t)
	t.Run("go", func(t *testing.T) {
		s := startHTTP2(t, id+"-go", "grpc-server", Args{TLS: w.tls})
		l := startRole(t, id+"-go-client", "grpc-client", Args{Addr: s.addr, Requests: 5, Connections: 5, TLS: w.tls}).log(t)
		s.stop()
		served := s.log(t)
		for _, r := range served.Rows {
			if r.Status != "CANCELLED" && r.Status != "DEADLINE_EXCEEDED" && !hasRow(l, r) {
				t.Errorf("the oracles disagree: the server has %+v, its client\n%s", r, l)
			}
		}
		checkCalls(t, x, id+"-go-client", id+"-go", l)
		checkCallLatency(t, x, id+"-go-client", id+"-go", l)
		checkGRPCErrors(t, x, id+"-go-client", id+"-go", l)
	})
	t.Run("node", func(t *testing.T) {
		s := startHTTP2(t, id+"-for-node", "grpc-server", Args{TLS: w.tls})
		_, port, _ := strings.Cut(s.addr, ":")
		rows := nodeRows(t, start(t, id+"-node-client", env, program(t, "/usr/bin/node", "node"), filepath.Join("testdata", "http2.js"), "client", port, "10", "grpc"))
		checkCalls(t, x, id+"-node-client", id+"-for-node", rows["grpc"])
		checkCallLatency(t, x, id+"-node-client", id+"-for-node", rows["grpc"])
	})
	t.Run("python", func(t *testing.T) { // gRPC's core in C++, which keeps OpenSSL in memory and reads and writes on any of its threads
		port := freePort(t)
		own := server{start(t, id+"-python", env, append(python, "server", fmt.Sprint(port))...), local(port)}
		own.waitPort(t, "tcp", own.addr)
		for client, s := range map[string]server{id + "-python-client": own, id + "-python-client-of-go": startHTTP2(t, id+"-for-python", "grpc-server", Args{TLS: w.tls})} {
			rows := nodeRows(t, start(t, client, env, append(python, "client", fmt.Sprint(portOf(s.addr)), "10")...))
			checkCalls(t, x, client, s.service, rows["grpc"])
			checkCallLatency(t, x, client, s.service, rows["grpc"])
		}
	})
	t.Run("joined", func(t *testing.T) {
		io.WriteString(oldClient.stdin, "go\n")
		l := oldClient.log(t)
		checkJoined(t, x, "grpc", oldClient.service, old.service, l)
	})
	t.Run("joined python", func(t *testing.T) {
		io.WriteString(oldPython.stdin, "go\n")
		l := nodeRows(t, oldPython)["grpc"]
		checkJoined(t, x, "grpc", oldPython.service, forOldPython.service, l)
	})
	t.Run("joined node", func(t *testing.T) {
		io.WriteString(oldNode.stdin, "go\n")
		l := nodeRows(t, oldNode)["grpc"]
		checkJoined(t, x, "grpc", oldNode.service, forOldNode.service, l)
	})
	lost, err := x.Lost()
	t.Logf("losses reported on the whole machine: %v %v", lost, err)
	if err := x.Stop(); err != nil {
		t.Error(err)
	}
}

func hasRow(l *wire.Log, want wire.Row) bool {
	for _, r := range l.Rows {
		if r.Key == want.Key && r.N == want.N {
			return true
		}
	}
	return false
}

// checkCallLatency compares durations at both ends with what the client measured, of all calls but those that it gave up, and with how long the
// server waits in some.
func checkCallLatency(t *testing.T, x *sut.Sonde, client, server string, l *wire.Log) {
	t.Helper()
	for side, service := range map[string]string{"client": client, "server": server} {
		calls := fmt.Sprintf(`rpc_%s_call_duration_seconds{service_name=%q, rpc_response_status_code!="CANCELLED"`, side, service)
		checkLatency(t, x, service, calls+"}", 0, l.Durations)
		for method, least := range map[string]time.Duration{"EmptyCall": grpcSlow, "StreamingOutputCall": 5 * grpcPause} {
			method = "grpc.testing.TestService/" + method
			if !slices.ContainsFunc(l.Rows, func(r wire.Row) bool { return r.Route == method }) {
				continue
			}
			checkLeast(t, x, service, calls+fmt.Sprintf(`, rpc_method=%q}`, method), least.Seconds())
		}
	}
}

// checkHTTPLatency compares durations at both ends with what the client measured, and with how long the server waits in requests of one route.
func checkHTTPLatency(t *testing.T, x *sut.Sonde, client, server, route string, least time.Duration, l *wire.Log) {
	t.Helper()
	for side, service := range map[string]string{"client": client, "server": server} {
		requests := fmt.Sprintf(`http_%s_request_duration_seconds{service_name=%q`, side, service)
		checkLatency(t, x, service, requests+"}", 0, l.Durations)
		if n, _ := checkLeast(t, x, service, requests+fmt.Sprintf(`, %s=%q}`, map[string]string{"client": "url_template", "server": "http_route"}[side], route), least.Seconds()); n == 0 {
			t.Errorf("%s: no requests of %s: the test is void", service, route)
		}
	}
}

// checkGRPCErrors checks who is to blame (OpenTelemetry's gRPC conventions).
func checkGRPCErrors(t *testing.T, x *sut.Sonde, client, server string, l *wire.Log) {
	t.Helper()
	blame := map[string][]string{"client": {"CANCELLED", "NOT_FOUND", "INTERNAL", "UNIMPLEMENTED"}, "server": {"INTERNAL", "UNIMPLEMENTED"}}
	for side, service := range map[string]string{"client": client, "server": server} {
		want := map[string]float64{}
		for _, r := range l.Rows {
			for _, status := range blame[side] {
				if r.Status == status {
					want[status] += float64(r.N)
				}
			}
		}
		query := fmt.Sprintf(`sum by (error_type) (histogram_count(rpc_%s_call_duration_seconds{service_name=%q, error_type!=""}))`, side, service)
		sameSoon(t, x, "errors of the "+side, query, want, "error_type")
	}
}
