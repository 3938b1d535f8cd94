package truth

import (
	"encoding/json"
	"fmt"
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

// TestDNS compares look-ups over UDP and TCP with the accounts of clients (Go's resolver, dig, Python on bare sockets) and of servers
// (dnsmasq's log of queries, a server of ours for what dnsmasq does not do).
func TestDNS(t *testing.T) {
	t.Parallel()
	for _, capture := range []string{"socket", "syscall"} {
		t.Run(capture, func(t *testing.T) { testDNS(t, capture) })
	}
}

func testDNS(t *testing.T, capture string) {
	id := fmt.Sprintf("t%d-dns-%s", os.Getpid()%1000, capture)
	python := program(t, "/usr/bin/python3", "python3")

	// Sockets that are there before Sonde.
	oldServer := startNameServer(t, id+"-old")
	old := start(t, id+"-old-python", nil, python, filepath.Join("testdata", "dns.py"), oldServer.port, "old")
	waitSaid(t, old, "ready")

	x := startSonde(t, sut.Options{Capture: capture})
	begin := time.Now()
	silent := startNameServer(t, id+"-silent")
	silentDig := dig(t, id+"-silent-dig", silent.port, "+tries=2 +timeout=1 @127.0.0.1 silent.test A", "+tries=1 +timeout=1 @127.0.0.1 ok.test A")

	t.Run("old sockets", func(t *testing.T) {
		fmt.Fprintln(old.stdin, "go")
		l := pythonRows(t, old)
		oldServer.stop()
		checkNames(t, x, id+"-old-python", "client", l)
		checkNames(t, x, id+"-old", "server", without(oldServer.log(t), "early.test"))
		checkNamesLatency(t, x, id+"-old-python", id+"-old", l)
		same(t, l, without(oldServer.log(t), "early.test"))
	})
	t.Run("python", func(t *testing.T) {
		s := startNameServer(t, id+"-py")
		l := pythonRows(t, start(t, id+"-python", nil, python, filepath.Join("testdata", "dns.py"), s.port, "new"))
		s.stop()
		checkNames(t, x, id+"-python", "client", l)
		checkNames(t, x, id+"-py", "server", s.log(t))
		checkNamesLatency(t, x, id+"-python", id+"-py", l)
		same(t, l, s.log(t))
	})
	t.Run("go", func(t *testing.T) {
		s := startNameServer(t, id+"-go")
		l := startRole(t, id+"-resolver", "dns-client", Args{Addr: s.addr, Requests: 5,
			Paths: []string{"ok.test.", "missing.test.", "long.test.", "slow.test.", "servfail.test."}}).log(t)
		s.stop()
		checkNames(t, x, id+"-resolver", "client", l)
		checkNames(t, x, id+"-go", "server", s.log(t))
		checkNamesLatency(t, x, id+"-resolver", id+"-go", l)
		same(t, l, s.log(t))
	})
	t.Run("dnsmasq", func(t *testing.T) { testDnsmasq(t, x, id) })
	if capture == "socket" { // what is waited for is the engine's patience, the same in both tiers
		t.Run("no answer", func(t *testing.T) {
			// Sonde knows that nothing comes when it has forgotten the socket, after half a minute without traffic.
			time.Sleep(time.Until(begin.Add(35 * time.Second)))
			silent.stop()
			checkNames(t, x, id+"-silent-dig", "client", silentDig)
		})
	}
	lost, err := x.Lost()
	t.Logf("losses reported: %v %v", lost, err)
	if err := x.Stop(); err != nil {
		t.Error(err)
	}
}

// TestDNSOverTLS compares look-ups inside TLS (RFC 7858) with the accounts of dig and Python (OpenSSL) and of a server of ours (crypto/tls), on a
// connection from before Sonde too.
func TestDNSOverTLS(t *testing.T) {
	t.Parallel()
	w := way{name: "tls", capture: "socket", tls: newCertificate(t)}
	id, python := w.id("dot"), program(t, "/usr/bin/python3", "python3")
	oldServer := startNameServerTLS(t, id+"-old", w.tls)
	old := start(t, id+"-old-python", nil, python, filepath.Join("testdata", "dns.py"), oldServer.port, "old", "tls")
	waitSaid(t, old, "ready")

	x := w.sonde(t)
	t.Run("old", func(t *testing.T) {
		fmt.Fprintln(old.stdin, "go")
		l := pythonRows(t, old)
		oldServer.stop()
		same(t, without(l, "early.test"), without(oldServer.log(t), "early.test"))
		checkNames(t, x, id+"-old-python", "client", l)
		checkNames(t, x, id+"-old", "server", l)
		checkNamesLatency(t, x, id+"-old-python", id+"-old", l)
	})
	t.Run("python", func(t *testing.T) {
		s := startNameServerTLS(t, id+"-py", w.tls)
		l := pythonRows(t, start(t, id+"-python", nil, python, filepath.Join("testdata", "dns.py"), s.port, "new", "tls"))
		s.stop()
		same(t, l, s.log(t))
		checkNames(t, x, id+"-python", "client", l)
		checkNames(t, x, id+"-py", "server", l)
		checkNamesLatency(t, x, id+"-python", id+"-py", l)
	})
	t.Run("dig", func(t *testing.T) {
		s := startNameServerTLS(t, id+"-dig", w.tls)
		const way = "+tls +tries=1 +timeout=5 @127.0.0.1 "
		l := dig(t, id+"-dig-client", s.port, way+"ok.test A", way+"missing.test AAAA", way+"+keepopen ok.test A slow.test A servfail.test A")
		s.stop()
		same(t, l, s.log(t))
		checkNames(t, x, id+"-dig-client", "client", l)
		checkNames(t, x, id+"-dig", "server", l)
		checkNamesLatency(t, x, id+"-dig-client", id+"-dig", l)
	})
	if err := x.Stop(); err != nil {
		t.Error(err)
	}
}

// testDnsmasq has dnsmasq answer for itself, and ask another server.
func testDnsmasq(t *testing.T, x *sut.Sonde, id string) {
	up := startNameServer(t, id+"-up")
	port, file := fmt.Sprint(freePort(t)), filepath.Join(t.TempDir(), "queries.log")
	s := start(t, id+"-dnsmasq", nil, program(t, "dnsmasq", "/usr/sbin/dnsmasq"), "--keep-in-foreground", "--conf-file=/dev/null", "--no-resolv", "--no-hosts",
		"--pid-file=", "--user=root", "--bind-interfaces", "--port="+port, "--listen-address=127.0.0.1,::1", "--log-queries=extra", "--log-facility="+file,
		"--local=/test/", "--host-record=api.test,192.0.2.10,2001:db8::10,300", "--cname=www.test,api.test", "--txt-record=big.test"+strings.Repeat(","+strings.Repeat("x", 200), 12),
		"--server=/up/127.0.0.1#"+up.port)
	s.waitPort(t, "tcp", "127.0.0.1:"+port)
	var lines []string
	for i, server := range []string{"@127.0.0.1", "@::1"} {
		for _, q := range []string{"api.test A", "API.test AAAA", "www.test A", "none.test A", "big.test TXT", "+noedns api.test A", "+tcp api.test A",
			"+tcp +keepopen api.test A www.test A none.test AAAA", "elsewhere.example A", "ok.up A", "ok2.up A", fmt.Sprintf("slow%d.up A", i), "servfail.up A", "test MX", "version.bind CH TXT"} {
			lines = append(lines, "+tries=1 +timeout=2 "+server+" "+q)
		}
	}
	l := dig(t, id+"-dig", port, lines...)
	s.stop()
	up.stop()
	checkNames(t, x, id+"-dig", "client", l)
	checkNames(t, x, id+"-dnsmasq", "server", l)
	checkNames(t, x, id+"-dnsmasq", "client", up.log(t))
	checkNames(t, x, id+"-up", "server", up.log(t))
	checkNamesLatency(t, x, id+"-dig", id+"-dnsmasq", l)
	checkNamesLatency(t, x, id+"-dnsmasq", id+"-up", l) // dig waited for all of it

	// dnsmasq's own log knows types and names.
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	logged := map[string]int64{}
	for _, m := range regexp.MustCompile(`query\[(\w+)\] (\S+) from`).FindAllStringSubmatch(string(b), -1) {
		logged[m[1]+" "+strings.ToLower(m[2])]++
	}
	asked := map[string]int64{}
	for _, r := range l.Rows {
		asked[r.Method+" "+r.Route] += r.N
	}
	if d := cmp.Diff(logged, asked); d != "" {
		t.Errorf("the oracles disagree (-dnsmasq +dig):\n%s", d)
	}
}

// nameServerProcess is our own server.
type nameServerProcess struct {
	*process
	addr, port string
}

func startNameServer(t *testing.T, service string) nameServerProcess {
	t.Helper()
	return startNameServerAt(t, service, local(freePort(t)))
}

func startNameServerAt(t *testing.T, service, addr string) nameServerProcess {
	t.Helper()
	return startNameServerOf(t, service, Args{Addr: addr})
}

// startNameServerTLS starts one that speaks TLS on its TCP port, with the certificate in a folder.
func startNameServerTLS(t *testing.T, service, folder string) nameServerProcess {
	t.Helper()
	return startNameServerOf(t, service, Args{Addr: local(freePort(t)), TLS: folder})
}

func startNameServerOf(t *testing.T, service string, a Args) nameServerProcess {
	t.Helper()
	p := startRole(t, service, "dns-server", a)
	p.waitPort(t, "tcp", a.Addr) // it listens on UDP before
	_, port, _ := strings.Cut(a.Addr, ":")
	return nameServerProcess{p, a.Addr, port}
}

// dig asks each line's questions in a process of its own, and returns dig's own account, with the times of slow names.
func dig(t *testing.T, service, port string, lines ...string) *wire.Log {
	t.Helper()
	header, question := regexp.MustCompile(`status: (\w+),`), regexp.MustCompile(`(?m)^;([^ ;\t]+)\.\s+(?:IN|CH)\s+(\w+)$`)
	took := regexp.MustCompile(`(?m)^;; Query time: (\d+) usec$`)
	l := &wire.Log{}
	for _, line := range lines {
		// Truncated answers show, and are asked for again by +tcp as a user would.
		p := start(t, service, nil, append([]string{program(t, "dig"), "-u", "-p", port, "+ignore", "+qr"}, strings.Fields(line)...)...)
		<-p.done
		out := p.stdout.String()
		// +qr prints each message that is sent, then each that is received.
		var open []wire.Row
		for _, part := range strings.Split(out, ";; ->>HEADER<<-")[1:] {
			q := question.FindStringSubmatch(part)
			h := header.FindStringSubmatch(part)
			if q == nil || h == nil {
				t.Fatalf("dig %s: %s", line, out)
			}
			r := wire.Row{Key: wire.Key{Method: q[2], Route: strings.ToLower(q[1]), Status: "-"}, Sum: wire.Sum{N: 1}}
			if flags, _, _ := strings.Cut(strings.SplitN(part, ";; flags:", 2)[1], ";"); !slices.Contains(strings.Fields(flags), "qr") {
				open = append(open, r)
				continue
			}
			i := slices.IndexFunc(open, func(o wire.Row) bool { return o.Key == r.Key })
			if i < 0 {
				t.Fatalf("dig %s: answer without question: %s", line, out)
			}
			open = slices.Delete(open, i, i+1)
			r.Status = h[1]
			l.AddRow(r)
			if isSlowName(r.Route) {
				m := took.FindStringSubmatch(part)
				if m == nil {
					t.Fatalf("dig %s: no time: %s", line, out)
				}
				d, _ := time.ParseDuration(m[1] + "us")
				l.Durations = append(l.Durations, d.Seconds())
			}
		}
		for _, r := range open {
			l.AddRow(r)
		}
	}
	return l
}

func pythonRows(t *testing.T, p *process) *wire.Log {
	t.Helper()
	<-p.done
	if p.err != nil {
		t.Fatalf("%s: %v: %s", p.service, p.err, p.said())
	}
	l := &wire.Log{}
	for line := range strings.Lines(p.stdout.String()) {
		var r struct {
			wire.Row
			Durations []float64
		}
		if err := json.Unmarshal([]byte(line), &r); err != nil {
			t.Fatalf("read %q: %v", line, err)
		}
		l.AddRow(r.Row)
		l.Durations = append(l.Durations, r.Durations...)
	}
	return l
}

// without leaves out a name.
func without(l *wire.Log, name string) *wire.Log {
	out := &wire.Log{Durations: l.Durations}
	for _, r := range l.Rows {
		if r.Route != name {
			out.AddRow(r)
		}
	}
	return out
}

// checkNamesLatency compares both ends with how long a client waited for slow names.
func checkNamesLatency(t *testing.T, s *sut.Sonde, client, server string, l *wire.Log) {
	t.Helper()
	for metric, service := range map[string]string{"dns_lookup_duration_seconds": client, "dns_server_lookup_duration_seconds": server} {
		checkLatency(t, s, service, fmt.Sprintf(`%s{service_name=%q, dns_question_name=~"slow.*"}`, metric, service), nameSlow.Seconds(), l.Durations)
	}
}

// same holds two oracles against each other.
func same(t *testing.T, client, server *wire.Log) {
	t.Helper()
	if client.String() != server.String() {
		t.Errorf("the oracles disagree: client\n%s\nserver\n%s", client, server)
	}
}

// checkNames waits until Sonde counts what is claimed, and looks once more a moment later.
func checkNames(t *testing.T, s *sut.Sonde, service, side string, l *wire.Log) {
	t.Helper()
	want := map[string]float64{}
	for _, r := range l.Rows {
		want[fmt.Sprintf("%s %s %s", r.Method, r.Route, r.Status)] += float64(r.N)
	}
	if len(want) == 0 {
		t.Fatalf("%s made no look-ups: the test is void", service)
	}
	metric := map[string]string{"client": "dns_lookup_duration_seconds", "server": "dns_server_lookup_duration_seconds"}[side]
	look := func() string {
		got, err := byLabels(s, fmt.Sprintf(`sum by (dns_question_type, dns_question_name, dns_response_code) (histogram_count(%s{service_name=%q}))`, metric, service),
			"dns_question_type", "dns_question_name", "dns_response_code")
		if err != nil {
			return err.Error()
		}
		return cmp.Diff(want, got)
	}
	var d string
	for deadline := time.Now().Add(settleTimeout); time.Now().Before(deadline); time.Sleep(200 * time.Millisecond) {
		if d = look(); d == "" {
			break
		}
	}
	if d == "" {
		time.Sleep(1200 * time.Millisecond)
		d = look()
	}
	if d != "" {
		lost, err := s.Lost()
		t.Errorf("%s as %s differs from the truth (-truth +Sonde); losses it reports: %v %v\n%s", service, side, lost, err, d)
	}
}
