package truth

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"io"
	"maps"
	"math/big"
	"net"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/sonde-dev/sonde/test/sut"
	"github.com/sonde-dev/sonde/test/wire"
)

// tlsServerKinds read and write by crypto/tls, by OpenSSL with sockets of its own, and by OpenSSL in memory (twice, of which one is
// a program with OpenSSL inside).
func tlsServerKinds() []string { return []string{"go", "python", "asyncio", "node"} }

// TestTLS compares what is seen of TLS with what went over it as plain text. Half of the servers run before Sonde starts.
func TestTLS(t *testing.T) {
	folder := newCertificate(t)
	x := &tier{name: "socket", edges: map[[2]string]int64{}}
	before := map[string]server{}
	for _, kind := range tlsServerKinds() {
		before[kind] = startServerTLS(t, kind, x.service(t, "before-"+kind), folder)
	}
	x.Sonde = startSonde(t, sut.Options{Capture: "socket"})
	for _, kind := range tlsServerKinds() {
		t.Run("before/"+kind, func(t *testing.T) { x.testServerTLS(t, before[kind], before[kind].service) })
		t.Run("after/"+kind, func(t *testing.T) {
			service := x.service(t, "server")
			x.testServerTLS(t, startServerTLS(t, kind, service, folder), service)
		})
	}
	t.Run("fresh stacks", func(t *testing.T) { x.testFreshStacks(t, folder) })
	t.Run("stripped", func(t *testing.T) { x.testStripped(t, folder) })
	for _, client := range []string{"curl", "wget", "python", "asyncio", "node"} {
		t.Run("client/"+client, func(t *testing.T) { x.testClientTLS(t, client, folder) })
	}
	t.Run("client/bssl", func(t *testing.T) { x.testBoringSSL(t, folder) })
	t.Run("container", func(t *testing.T) { x.testOwnLibrary(t, folder) })
	t.Run("java", func(t *testing.T) { x.testJavaTLS(t, folder) })
	t.Run("all", x.testAll)
}

func (x *tier) testServerTLS(t *testing.T, s server, service string) {
	client := x.service(t, "client")
	l := startRole(t, client, "client", Args{Network: "tcp", Addr: s.addr, Requests: 3, Connections: 3, TLS: "yes"}).log(t)
	x.talk(t, client, service, l)
}

// testClientTLS lets clients of other languages and libraries ask nginx; its access log is the truth for both ends.
func (x *tier) testClientTLS(t *testing.T, kind, folder string) {
	client, service := x.service(t, "client"), x.service(t, "nginx")
	s, dir := startNginxTLS(t, service, "", folder)
	url, script := "https://"+s.addr, filepath.Join("testdata", "tlsclient")
	var argv []string
	switch kind {
	case "curl":
		argv = []string{program(t, "curl"), "-sk", "--http1.1"}
		for _, path := range []string{"/hello", "/big", "/fail", "/none"} {
			argv = append(argv, "-o", "/dev/null", url+path)
		}
	case "wget": // GnuTLS
		argv = []string{program(t, "wget"), "-q", "--no-check-certificate", "-O", "/dev/null", url + "/hello", url + "/big", url + "/none"}
	case "python":
		argv = []string{program(t, "/usr/bin/python3", "python3"), script + ".py", s.addr}
	case "asyncio":
		argv = []string{program(t, "/usr/bin/python3", "python3"), script + "_async.py", s.addr}
	case "node":
		argv = []string{program(t, "/usr/bin/node", "node"), script + ".js", url}
	}
	for range 3 {
		p := start(t, client, nil, argv...)
		<-p.done
		if p.err != nil && kind != "wget" { // wget ends with 8 after a 404
			t.Fatalf("%s: %v: %s", kind, p.err, p.stderr.String())
		}
	}
	s.stop()
	l := accessLog(t, dir)
	x.edges[[2]string{client, service}] += l.Total().N
	x.expectCounts(t, claim{client, "client", l}, claim{service, "server", l})
}

// testBoringSSL lets BoringSSL's own tool ask nginx, one request after the other. Nobody has probed its library before: its handshake is
// over by then.
func (x *tier) testBoringSSL(t *testing.T, folder string) {
	client, service := x.service(t, "client"), x.service(t, "nginx")
	s, dir := startNginxTLS(t, service, "", folder)
	p := start(t, client, nil, program(t, "bssl-tool"), "client", "-connect", s.addr)
	time.Sleep(3 * time.Second) // looks at a new program are at its start and one second later
	for i := range 30 {
		fmt.Fprintf(p.stdin, "GET /%s HTTP/1.1\r\nHost: truth\r\n\r\n", []string{"hello", "page", "none"}[i%3])
		time.Sleep(20 * time.Millisecond) // else it writes several at once
	}
	time.Sleep(500 * time.Millisecond)
	s.stop()
	l := accessLog(t, dir)
	if l.Total().N != 30 {
		t.Fatalf("nginx logged %d requests, want 30: %s", l.Total().N, p.said())
	}
	x.edges[[2]string{client, service}] += l.Total().N
	x.expectCounts(t, claim{client, "client", l}, claim{service, "server", l})
}

// expectCounts compares numbers of requests where the oracle knows no sizes of requests.
func (x *tier) expectCounts(t *testing.T, claims ...claim) {
	t.Helper()
	check(t, x.Sonde, claims...)
	x.claims = append(x.claims, claims...)
}

// testStripped builds this test program without symbols, so that functions are found by the runtime's own table.
func (x *tier) testStripped(t *testing.T, folder string) {
	service, client := x.service(t, "server"), x.service(t, "client")
	binary := stripped(t)
	addr := local(freePort(t))
	s := startRoleOf(t, binary, service, "server", Args{Network: "tcp", Addr: addr, Plan: "record", TLS: folder})
	s.waitPort(t, "tcp", addr)
	time.Sleep(time.Second) // a program that nobody ran before is probed when the news of it is read
	l := startRoleOf(t, binary, client, "client", Args{Network: "tcp", Addr: addr, Requests: 2, Connections: 2, TLS: "yes"}).log(t)
	x.talk(t, client, service, l)
}

// testOwnLibrary gives a server a library of its own, under another root as in a container: nobody has probed that file before.
func (x *tier) testOwnLibrary(t *testing.T, folder string) {
	libraries, _ := filepath.Glob("/usr/lib/x86_64-linux-gnu/lib*.so*")
	own := t.TempDir()
	for _, path := range libraries {
		if name := filepath.Base(path); strings.HasPrefix(name, "libssl.so.") || strings.HasPrefix(name, "libcrypto.so.") {
			b, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(own, name), b, 0o755); err != nil {
				t.Fatal(err)
			}
		}
	}
	client, service, port := x.service(t, "client"), x.service(t, "server"), freePort(t)
	// A mount namespace of its own hides the folder from the rest of the host.
	s := start(t, service, []string{"LD_LIBRARY_PATH=/mnt"}, program(t, "unshare"), "-m", "sh", "-c",
		`mount -t tmpfs none /mnt && cp "$0"/* /mnt && exec "$@"`, own,
		program(t, "/usr/bin/python3", "python3"), filepath.Join("testdata", "threads.py"), fmt.Sprint(port), folder)
	s.waitPort(t, "tcp", local(port))
	time.Sleep(2 * time.Second) // the second look at a new program is after one second
	l := startRole(t, client, "client", Args{Network: "tcp", Addr: local(port), Requests: 2, Connections: 2, TLS: "yes"}).log(t)
	x.talk(t, client, service, l)
}

// testJavaTLS talks to a server whose plain text is not seen: one handshake for each connection at its end, requests at the other.
func (x *tier) testJavaTLS(t *testing.T, folder string) {
	client, service, port := x.service(t, "client"), x.service(t, "server"), freePort(t)
	store := filepath.Join(t.TempDir(), "store.p12")
	openssl := start(t, service+"-store", nil, program(t, "openssl"), "pkcs12", "-export", "-in", folder+"/cert.pem", "-inkey", folder+"/key.pem",
		"-out", store, "-passout", "pass:truth-store")
	if <-openssl.done; openssl.err != nil {
		t.Fatalf("make a key store: %v: %s", openssl.err, openssl.stderr.String())
	}
	s := start(t, service, nil, program(t, "/usr/bin/java", "java"), "-XX:TieredStopAtLevel=1", filepath.Join("testdata", "TLSServer.java"), fmt.Sprint(port), store)
	s.waitPort(t, "tcp", local(port))
	const connections = 5
	for range connections {
		p := start(t, client, nil, program(t, "curl"), "-sk", "--http1.1", "-o", "/dev/null", "https://"+local(port)+"/hello", "-o", "/dev/null", "https://"+local(port)+"/hello")
		if <-p.done; p.err != nil {
			t.Fatalf("curl: %v: %s; java: %s", p.err, p.stderr.String(), s.stderr.String())
		}
	}
	l := &wire.Log{}
	l.AddRow(wire.Row{Key: wire.Key{Method: "GET", Route: "/hello", Status: "200"}, Sum: wire.Sum{N: 2 * connections, ResponseBytes: 2 * connections * 2}})
	x.expect(t, claim{client, "client", l})
	x.edges[[2]string{client, service}] += 2*connections + connections
	handshakes := fmt.Sprintf(`sum(histogram_count(sonde_tls_server_handshake_duration_seconds{service_name=%q,tls_protocol_version="1.3"}))`, service)
	for deadline := time.Now().Add(settleTimeout); ; pause() {
		got, err := x.Value(handshakes)
		if err == nil && got == connections {
			break
		}
		if time.Now().After(deadline) {
			t.Errorf("%v handshakes at the server's end, %v, want %d", got, err, connections)
			break
		}
	}
}

// TestWithoutTLS turns the probes of libraries off: handshakes are counted still, and nothing is known of what is inside.
func TestWithoutTLS(t *testing.T) {
	const requests = 5
	x := &tier{Sonde: startSonde(t, sut.Options{Capture: "socket", Args: []string{"--tls=false"}}), name: "socket"}
	service, client := x.service(t, "nginx"), x.service(t, "client")
	s, _ := startNginxTLS(t, service, "", newCertificate(t))
	for range requests {
		p := start(t, client, nil, program(t, "curl"), "-sk", "--http1.1", "-o", "/dev/null", "https://"+s.addr+"/hello")
		if <-p.done; p.err != nil {
			t.Fatalf("curl: %v: %s", p.err, p.stderr.String())
		}
	}
	handshakes := fmt.Sprintf(`sum(histogram_count(sonde_tls_server_handshake_duration_seconds{service_name=%q}))`, service)
	var got float64
	for deadline := time.Now().Add(settleTimeout); got != requests && time.Now().Before(deadline); pause() {
		got, _ = x.Value(handshakes)
	}
	if got != requests {
		t.Errorf("%v handshakes, want %d", got, requests)
	}
	inside := fmt.Sprintf(`count({__name__=~"http_(server|client)_request_duration_seconds", service_name=~"%s|%s"})`, service, client)
	if n, err := x.Value(inside); err == nil && n != 0 {
		t.Errorf("%v series of HTTP, want none", n)
	}
}

// TestOldTLSConnections starts Sonde between two requests of the same connections. Everybody is exact from the first request on, also the
// server of threads, which waits inside OpenSSL when that is probed. A Sonde that was there before, and is killed, leaves its mark on the
// stacks of such threads: the kernel has the return addresses that it has put away.
func TestOldTLSConnections(t *testing.T) {
	for name, again := range map[string]bool{"first": false, "again": true} {
		t.Run(name, func(t *testing.T) { testOldTLSConnections(t, again) })
	}
}

func testOldTLSConnections(t *testing.T, again bool) {
	const connections = 4
	folder := newCertificate(t)
	id := fmt.Sprintf("t%d-%s-oldtls", os.Getpid()%1000, path.Base(t.Name()))
	var one *sut.Sonde
	if again {
		one = startSonde(t, sut.Options{Capture: "socket"})
	}
	servers := map[string]server{}
	clients := map[string]*process{}
	for _, kind := range tlsServerKinds() {
		s := startServerTLS(t, kind, id+"-"+kind, folder)
		servers[kind] = s
		clients[kind] = startRole(t, id+"-client-"+kind, "old", Args{Network: "tcp", Addr: s.addr, Connections: connections, Requests: 4, TLS: "yes"})
	}
	ofNginx := startOldClients(t, id, folder)
	for _, c := range clients {
		waitSaid(t, c, "ready")
	}
	if again {
		one.Kill()
	}
	x := startSonde(t, sut.Options{Capture: "socket"})
	before := lossesBefore(t, x)
	for _, c := range slices.Concat(slices.Collect(maps.Values(clients)), ofNginx) { // all before the first check: Node closes what is idle for five seconds
		io.WriteString(c.stdin, "go\n")
	}
	atNginx := &wire.Log{}
	for _, c := range ofNginx {
		l := c.log(t)
		check(t, x, claim{c.service, "client", l})
		atNginx.Merge(l)
	}
	check(t, x, claim{"nginx", "server", atNginx}) // it wrote over the environment, in which its name stood, before Sonde came
	for kind, c := range clients {
		l := c.log(t)
		check(t, x, claim{servers[kind].service, "server", l}, claim{c.service, "client", l})
	}
	sameLossesOf(t, x, before, "tls_unbound", "tls_not_probed", "orphan_response", "bytes_lost")
	if err := x.Stop(); err != nil {
		t.Error(err)
	}
}

// startOldClients starts clients of nginx: two whose library has no socket, so that they send its records themselves, and one that is in a read all
// the time.
func startOldClients(t *testing.T, id, folder string) (clients []*process) {
	t.Helper()
	s, _ := startNginxTLS(t, id+"-nginx", "", folder)
	for i, argv := range [][]string{
		{program(t, "/usr/bin/node", "node"), filepath.Join("testdata", "tlsclient.js"), "https://" + s.addr},
		{program(t, "/usr/bin/python3", "python3"), filepath.Join("testdata", "tlsclient_async.py"), s.addr},
		{program(t, "/usr/bin/python3", "python3"), filepath.Join("testdata", "tlsclient_gnutls.py"), s.addr},
	} {
		c := start(t, fmt.Sprintf("%s-%s-%d", id, filepath.Base(argv[0]), i), nil, append(argv, "old")...)
		waitSaid(t, c, "ready")
		clients = append(clients, c)
	}
	return clients
}

// TestTLSLeavesNothing compares the kernel's objects before and after, and the probes on a program that has ended.
func TestTLSLeavesNothing(t *testing.T) {
	folder := newCertificate(t)
	before, err := sut.BPFObjects()
	if err != nil {
		t.Fatal(err)
	}
	x := startSonde(t, sut.Options{Capture: "socket"})
	s := startServerTLS(t, "python", fmt.Sprintf("t%d-leaves", os.Getpid()%1000), folder)
	l := startRole(t, s.service+"-client", "client", Args{Network: "tcp", Addr: s.addr, Requests: 1, Connections: 1, TLS: "yes"}).log(t)
	check(t, x, claim{s.service, "server", l})
	if err := x.Stop(); err != nil {
		t.Error(err)
	}
	var left []sut.BPFObject
	for deadline := time.Now().Add(settleTimeout); time.Now().Before(deadline); pause() { // the kernel frees them a moment later
		after, err := sut.BPFObjects()
		if err != nil {
			t.Fatal(err)
		}
		left = slices.DeleteFunc(sut.Appeared(before, after), func(o sut.BPFObject) bool { return !isOfTLS(o) })
		if len(left) == 0 {
			break
		}
	}
	for _, o := range left {
		t.Errorf("left behind: %+v", o)
	}
	// What was probed works as before.
	startRole(t, s.service+"-client", "client", Args{Network: "tcp", Addr: s.addr, Requests: 1, Connections: 1, TLS: "yes"}).log(t)
}

// isOfTLS tells the objects of bpf/tls.bpf.c from those of another Sonde that may run on this machine.
func isOfTLS(o sut.BPFObject) bool {
	const uprobeMulti = "12" // include/uapi/linux/bpf.h: BPF_LINK_TYPE_UPROBE_MULTI
	return o.Kind == "link" && (o.Type == "uprobe_multi" || o.Type == uprobeMulti) || strings.HasPrefix(o.Name, "tls_") || strings.HasPrefix(o.Name, "go_") || o.Name == "plain_conns"
}

// newCertificate writes cert.pem and key.pem for loopback into a folder that servers without root can read.
func newCertificate(t *testing.T) string {
	t.Helper()
	folder, err := os.MkdirTemp("", "truth-tls-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(folder) })
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "localhost"}, DNSNames: []string{"localhost"},
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
	}
	cert, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	for name, block := range map[string]*pem.Block{"cert.pem": {Type: "CERTIFICATE", Bytes: cert}, "key.pem": {Type: "PRIVATE KEY", Bytes: der}} {
		if err := os.WriteFile(filepath.Join(folder, name), pem.EncodeToMemory(block), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	os.Chmod(folder, 0o755)
	return folder
}

// stripped returns a copy of this test program without its symbols.
func stripped(t *testing.T) string {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	out := filepath.Join(t.TempDir(), "truth-stripped")
	p := start(t, "strip", nil, program(t, "strip", "llvm-strip-19"), "-o", out, self)
	if <-p.done; p.err != nil {
		t.Fatalf("strip: %v: %s", p.err, strings.TrimSpace(p.stderr.String()))
	}
	return out
}
