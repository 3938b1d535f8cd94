// Command smoke is a small truth test that needs nothing but a kernel, /bin/sonde and itself.
//
// In: nothing. Out: one line "VERDICT {json}" on standard output. It plays server and client as processes of their own and
// compares the client's own log with what Sonde answers.
package main

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"time"

	"github.com/sonde-dev/sonde/test/load"
	"github.com/sonde-dev/sonde/test/sut"
	"github.com/sonde-dev/sonde/test/wire"
)

const (
	roleEnv = "SONDE_SMOKE_ROLE"
	addr    = "127.0.0.1:8099"
	tlsAddr = "127.0.0.1:8097"
)

// isBefore says whether a kernel is older than a version.
func isBefore(release string, major, minor int) bool {
	var hasMajor, hasMinor int
	fmt.Sscanf(release, "%d.%d", &hasMajor, &hasMinor)
	return hasMajor < major || hasMajor == major && hasMinor < minor
}

func main() {
	var err error
	switch os.Getenv(roleEnv) {
	case "server":
		err = serve()
	case "client":
		err = ask()
	case "tls-server":
		err = serveTLS()
	case "tls-client":
		err = askTLS()
	default:
		v := &verdict{OK: true}
		v.run()
		b, _ := json.Marshal(v)
		fmt.Println("VERDICT " + string(b))
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("/items/", func(w http.ResponseWriter, _ *http.Request) { w.Write([]byte(`{"ok": true}`)) })
	mux.HandleFunc("/big", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "50000")
		w.Write(make([]byte, 50000))
	})
	return mux
}

func serve() error { return http.ListenAndServe(addr, handler()) }

// serveTLS does so inside TLS, with a certificate that nobody checks.
func serveTLS() error {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		return err
	}
	s := &http.Server{Addr: tlsAddr, Handler: handler(), TLSConfig: &tls.Config{
		Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}, NextProtos: []string{"http/1.1"},
	}}
	return s.ListenAndServeTLS("", "")
}

// askTLS makes requests one after the other on one connection.
func askTLS() error {
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}}
	l := &wire.Log{}
	for i := range 100 {
		r, err := client.Get(fmt.Sprintf("https://%s/items/%d", tlsAddr, i))
		if err != nil {
			return err
		}
		n, err := io.Copy(io.Discard, r.Body)
		if err != nil {
			return err
		}
		r.Body.Close()
		l.AddRow(wire.Row{Key: wire.Key{Method: "GET", Route: "/items/{id}", Status: fmt.Sprint(r.StatusCode)}, Sum: wire.Sum{N: 1, ResponseBytes: n}})
	}
	return json.NewEncoder(os.Stdout).Encode(l)
}

func ask() error {
	l, err := load.Run(load.Plan{Network: "tcp", Addr: addr, Requests: 300, Connections: 4, Paths: []string{"/items/%d", "/missing", "/big"}})
	if err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(l)
}

type verdict struct {
	OK           bool
	Kernel, Tier string
	Lines        []string
}

func (v *verdict) say(ok bool, format string, args ...any) {
	word := "ok   "
	if !ok {
		word, v.OK = "FAIL ", false
	}
	v.Lines = append(v.Lines, word+fmt.Sprintf(format, args...))
}

func (v *verdict) run() {
	release, _ := os.ReadFile("/proc/sys/kernel/osrelease")
	v.Kernel = strings.TrimSpace(string(release))
	// The socket tracepoints came with Linux 6.3, so before it there is only one tier to choose; probes on many functions at once with 6.6.
	wantTier, hasTLS := "socket", !isBefore(v.Kernel, 6, 6)
	if isBefore(v.Kernel, 6, 3) {
		wantTier = "syscall"
		refused, err := exec.Command("/bin/sonde", "run", "--capture=socket", "--listen", "127.0.0.1:8098", "--data", "/tmp").CombinedOutput()
		v.say(err != nil && len(refused) > 0, "--capture=socket is refused: %s", lastLine(refused))
	}

	s, err := sut.Start(context.Background(), sut.Options{Binary: "/bin/sonde", Data: "/data"})
	if err != nil {
		v.say(false, "%v", err)
		return
	}
	st, err := s.Status()
	v.Tier = st.Tier
	v.say(err == nil && st.Tier == wantTier, "tier %q (%s), want %q: %v", st.Tier, st.TierReason, wantTier, err)
	// The question whether Sonde is ready was asked before it saw anything: its answer is an orphan, reported a moment later.
	time.Sleep(3 * time.Second)
	before, err := s.Lost()
	if err != nil {
		v.say(false, "%v", err)
		return
	}
	for _, inside := range []string{"", "tls-"} {
		if inside != "" && !hasTLS {
			continue
		}
		l, err := traffic(inside)
		if err != nil {
			v.say(false, "%v", err)
			return
		}
		v.compare(s, inside, l)
	}
	lost, err := s.Lost()
	for cause, n := range before {
		if lost[cause] == n {
			delete(lost, cause)
		}
	}
	v.say(err == nil && len(lost) == 0, "losses: %v %v", lost, err)
	v.say(s.Stop() == nil, "stops cleanly")
}

// compare waits until Sonde shows what the client logged, at both ends.
func (v *verdict) compare(s *sut.Sonde, inside string, l *wire.Log) {
	for _, c := range []struct{ side, service, route string }{
		{"client", "smoke-" + inside + "client", "url_template"}, {"server", "smoke-" + inside + "server", "http_route"},
	} {
		for _, r := range l.Rows {
			count := fmt.Sprintf(`sum(histogram_count(http_%s_request_duration_seconds{service_name=%q,%s=%q,http_response_status_code=%q}))`, c.side, c.service, c.route, r.Route, r.Status)
			size := fmt.Sprintf(`sum(histogram_sum(http_%s_response_body_size_bytes{service_name=%q,%s=%q}))`, c.side, c.service, c.route, r.Route)
			var n, bytes float64
			var err error
			for end := time.Now().Add(30 * time.Second); time.Now().Before(end); time.Sleep(500 * time.Millisecond) {
				var err1, err2 error
				n, err1 = s.Value(count)
				bytes, err2 = s.Value(size)
				if err = errors.Join(err1, err2); err == nil && n == float64(r.N) && bytes == float64(r.ResponseBytes) {
					break
				}
			}
			v.say(err == nil && n == float64(r.N) && bytes == float64(r.ResponseBytes), "%s%s %s %s: %d requests, %d bytes; Sonde says %.0f and %.0f %v",
				inside, c.side, r.Route, r.Status, r.N, r.ResponseBytes, n, bytes, err)
		}
	}
}

// traffic lets a client ask a server, inside TLS ("tls-") or not, and returns the client's account.
func traffic(inside string) (*wire.Log, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	role := func(name string) *exec.Cmd {
		c := exec.Command(self)
		c.Env = append(os.Environ(), roleEnv+"="+inside+name, "OTEL_SERVICE_NAME=smoke-"+inside+name)
		c.Stderr = os.Stderr
		return c
	}
	server := role("server")
	if err := server.Start(); err != nil {
		return nil, fmt.Errorf("start the server: %w", err)
	}
	defer func() { server.Process.Kill(); server.Wait() }()
	at := addr
	if inside != "" {
		at = tlsAddr
		time.Sleep(15 * time.Second) // a program is looked at as soon as it starts; here everything is slow
	}
	for range 200 {
		if c, err := net.Dial("tcp", at); err == nil {
			c.Close()
			break
		}
		time.Sleep(100 * time.Millisecond)
	}
	out, err := role("client").Output()
	if err != nil {
		return nil, fmt.Errorf("run the client: %w", err)
	}
	l := &wire.Log{}
	if err := json.Unmarshal(out, l); err != nil {
		return nil, fmt.Errorf("read the client's log: %w", err)
	}
	return l, nil
}

func lastLine(b []byte) string {
	lines := strings.Split(strings.TrimSpace(string(b)), "\n")
	return lines[len(lines)-1]
}
