package truth

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/sonde-dev/sonde/test/wire"
)

// testNginxStatic reads files by sendfile; curl's and the recording client's accounts must agree with Sonde.
func (x *tier) testNginxStatic(t *testing.T) {
	client, service := x.service(t, "client"), x.service(t, "nginx")
	s, dir := startNginx(t, service, "")
	args := Args{Network: "tcp", Addr: s.addr, Connections: 4, Requests: 400, Paths: []string{"/hello", "/big", "/none", "/fail", "/page"}}
	l := startRole(t, client, "load", args).log(t)
	x.talk(t, client, service, l)
	s.stop()
	if got := accessLog(t, dir); got.String() != withoutRequests(l).String() {
		t.Errorf("the oracles disagree: client\n%s\nnginx\n%s", l, got)
	}
}

// testNginxProxy watches both hops: client → nginx by the client's record, nginx → Go by the Go server's record.
func (x *tier) testNginxProxy(t *testing.T) {
	client, proxy, service := x.service(t, "client"), x.service(t, "nginx"), x.service(t, "behind")
	behind := startServer(t, "go", service)
	s, _ := startNginx(t, proxy, behind.addr)
	l := startRole(t, client, "client", Args{Network: "tcp", Addr: s.addr, Requests: 4, Connections: 3}).log(t)
	s.stop() // closes its connections to the server behind, whose record is then whole
	behind.stop()
	inner := behind.log(t)
	x.talk(t, client, proxy, l)
	x.talk(t, proxy, service, inner)
}

// testCurl compares with what curl writes about its own transfers. Replies have a length, so that a body is as long on the
// wire as for curl.
func (x *tier) testCurl(t *testing.T) {
	client, service := x.service(t, "curl"), x.service(t, "server")
	s := startServer(t, "node", service)
	curl := program(t, "curl")
	format := `%{method} %{url_effective} %{http_code} %{size_upload} %{size_download}\n`
	all := &wire.Log{}
	for _, args := range [][]string{
		{"-o", "/dev/null", "http://HOST/hello", "-o", "/dev/null", "http://HOST/items/1", "-o", "/dev/null", "http://HOST/big"}, // one connection
		{"-o", "/dev/null", "-d", strings.Repeat("d", 2500), "http://HOST/echo"},
		{"-o", "/dev/null", "-I", "http://HOST/hello"},
		{"-o", "/dev/null", "-X", "DELETE", "http://HOST/items/2"},
		{"-o", "/dev/null", "http://HOST/missing?q=1"},
		{"-o", "/dev/null", "--http1.0", "http://HOST/hello"},
	} {
		for i := range args {
			args[i] = strings.ReplaceAll(args[i], "HOST", s.addr)
		}
		p := start(t, client, nil, append([]string{curl, "-s", "-w", format}, args...)...)
		<-p.done
		if p.err != nil {
			t.Fatalf("curl %v: %v: %s", args, p.err, p.stderr.String())
		}
		for line := range strings.Lines(p.stdout.String()) {
			var x wire.Exchange
			var url string
			if _, err := fmt.Sscan(line, &x.Method, &url, &x.Status, &x.RequestBytes, &x.ResponseBytes); err != nil {
				t.Fatalf("read curl's %q: %v", line, err)
			}
			path := strings.TrimPrefix(url, "http://"+s.addr)
			x.Path, _, _ = strings.Cut(path, "?")
			all.Add(x)
		}
	}
	x.talk(t, client, service, all)
}

// testWrk saturates nginx. wrk's own count is of whole responses; at its end it abandons up to one request on each
// connection, which nginx may or may not have answered, in part. So: whole responses at wrk's end equal wrk's count, and
// requests at nginx's end equal nginx's access log.
func (x *tier) testWrk(t *testing.T) {
	const connections = 16
	client, service := x.service(t, "wrk"), x.service(t, "nginx")
	s, dir := startNginx(t, service, "")
	script := filepath.Join(t.TempDir(), "count.lua")
	lua := `done = function(summary) io.write(string.format("COUNT %d %d\n", summary.requests, summary.errors.status)) end`
	if err := os.WriteFile(script, []byte(lua), 0o600); err != nil {
		t.Fatal(err)
	}
	before, err := x.Lost()
	if err != nil {
		t.Fatal(err)
	}
	p := start(t, client, nil, program(t, "wrk"), "-t1", fmt.Sprint("-c", connections), "-d2s", "-s", script, "http://"+s.addr+"/page")
	<-p.done
	_, counts, _ := strings.Cut(p.stdout.String(), "COUNT ")
	var responses, bad float64
	if _, err := fmt.Sscan(counts, &responses, &bad); err != nil || responses == 0 || bad > 0 {
		t.Fatalf("wrk said: %s %v", p.stdout.String(), err)
	}
	s.stop()
	logged := float64(accessLog(t, dir).Total().N)
	t.Logf("wrk: %.0f responses/s", responses/2)
	x.within(t, before, "wrk", responses, logged,
		fmt.Sprintf(`sum(histogram_count(http_client_request_duration_seconds{service_name=%q, http_response_status_code="200", error_type=""}))`, client),
		fmt.Sprintf(`sum(histogram_count(http_server_request_duration_seconds{service_name=%q}))`, service))
}

// testSyscalls moves messages by each of the socket calls there are.
func (x *tier) testSyscalls(t *testing.T) {
	client, service, port := x.service(t, "client"), x.service(t, "server"), freePort(t)
	python := program(t, "/usr/bin/python3", "python3")
	script := filepath.Join("testdata", "syscalls.py")
	s := start(t, service, nil, python, script, "server", fmt.Sprint(port))
	waitListening(t, s, port)
	p := start(t, client, nil, python, script, "client", fmt.Sprint(port))
	<-p.done
	if p.err != nil {
		t.Fatalf("client: %v: %s; server: %s", p.err, p.stderr.String(), s.stderr.String())
	}
	all := &wire.Log{}
	for line := range strings.Lines(p.stdout.String()) {
		var r wire.Row
		if err := json.Unmarshal([]byte(line), &r); err != nil {
			t.Fatalf("read %q: %v", line, err)
		}
		all.AddRow(r)
	}
	x.talk(t, client, service, all)
}

// accessLog reads startNginx's access log. It knows nothing of the sizes of requests.
func accessLog(t *testing.T, dir string) *wire.Log {
	t.Helper()
	f, err := os.Open(filepath.Join(dir, "access.log"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	l := &wire.Log{}
	for sc := bufio.NewScanner(f); sc.Scan(); {
		f := strings.Fields(sc.Text())
		if len(f) != 4 {
			t.Fatalf("access log: %q", sc.Text())
		}
		size, _ := strconv.ParseInt(f[3], 10, 64)
		l.AddRow(wire.Row{Key: wire.Key{Method: f[0], Route: wire.Route(f[1]), Status: f[2]}, Sum: wire.Sum{N: 1, ResponseBytes: size}})
	}
	return l
}

func withoutRequests(l *wire.Log) *wire.Log {
	o := &wire.Log{}
	for _, r := range l.Rows {
		r.RequestBytes = 0
		o.AddRow(r)
	}
	return o
}

// waitListening looks for a listening socket in /proc/net/tcp, for a server that serves one connection after the other.
func waitListening(t *testing.T, p *process, port int) {
	t.Helper()
	needle := fmt.Sprintf(":%04X 00000000:0000 0A", port)
	for range 400 {
		if b, err := os.ReadFile("/proc/net/tcp"); err == nil && strings.Contains(string(b), needle) {
			return
		}
		pause()
	}
	t.Fatalf("%s does not listen on %d: %s", p.service, port, p.stderr.String())
}
