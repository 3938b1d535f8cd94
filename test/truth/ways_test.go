package truth

import (
	"crypto/tls"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/sonde-dev/sonde/test/sut"
)

// A way is how Sonde sees a conversation: in one of its capture tiers, as plain text or inside TLS.
type way struct {
	name    string
	capture string
	tls     string // folder of cert.pem and key.pem; "" for plain text
}

// inTiers runs a test as plain text in both capture tiers.
func inTiers(t *testing.T, test func(*testing.T, way)) {
	for _, capture := range []string{"socket", "syscall"} {
		t.Run(capture, func(t *testing.T) { test(t, way{name: capture, capture: capture}) })
	}
}

// inAllWays runs a test in both tiers, and inside TLS, which is read in the socket tier alone.
func inAllWays(t *testing.T, test func(*testing.T, way)) {
	inTiers(t, test)
	t.Run("tls", func(t *testing.T) { test(t, way{name: "tls", capture: "socket", tls: newCertificate(t)}) })
}

// id begins the names of a test's services, which nobody else on the machine uses.
func (w way) id(what string) string { return fmt.Sprintf("t%d-%s-%s", os.Getpid()%1000, what, w.name) }

// sonde starts Sonde and fails the test unless it watches in this way.
func (w way) sonde(t *testing.T) *sut.Sonde {
	t.Helper()
	x := startSonde(t, sut.Options{Capture: w.capture})
	if st, err := x.Status(); err != nil || st.Tier != w.capture {
		t.Fatalf("tier = %q (%s), %v, want %q", st.Tier, st.TierReason, err, w.capture)
	}
	return x
}

// pick is plain or, inside TLS, inTLS.
func (w way) pick(plain, inTLS string) string {
	if w.tls == "" {
		return plain
	}
	return inTLS
}

// keyFor copies the certificate into a folder of a server, which wants a key that is its own and nobody else's.
func (w way) keyFor(t *testing.T, dir, owner string) (cert, key string) {
	t.Helper()
	for _, name := range []string{"cert.pem", "key.pem"} {
		b, err := os.ReadFile(filepath.Join(w.tls, name))
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), b, 0o600); err != nil {
			t.Fatal(err)
		}
		must(t, "chown", owner, filepath.Join(dir, name))
	}
	return filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
}

// stubListener listens for a stub, inside TLS where its arguments name a certificate.
func stubListener(a Args) (net.Listener, error) {
	l, err := net.Listen("tcp", a.Addr)
	if err != nil || a.TLS == "" {
		return l, err
	}
	cert, err := tls.LoadX509KeyPair(filepath.Join(a.TLS, "cert.pem"), filepath.Join(a.TLS, "key.pem"))
	if err != nil {
		return nil, fmt.Errorf("load certificate: %w", err)
	}
	return tls.NewListener(l, &tls.Config{Certificates: []tls.Certificate{cert}}), nil
}

// acceptEach serves connections side by side, until the listener is closed.
func acceptEach(l net.Listener, serve func(net.Conn)) {
	for {
		c, err := l.Accept()
		if err != nil {
			return
		}
		go serve(c)
	}
}

// withTLS appends arguments inside TLS.
func (w way) withTLS(argv []string, more ...string) []string {
	if w.tls == "" {
		return argv
	}
	return append(argv, strings.Fields(strings.Join(more, " "))...)
}

// keepNode runs a Node until the test ends where TLS is to be read. It has its library inside, and of such a program that nobody runs when
// it starts the first moments are not seen (docs/tls.md). It is to be there before Sonde.
func (w way) keepNode(t *testing.T) {
	t.Helper()
	if w.tls != "" {
		start(t, "idle", nil, program(t, "/usr/bin/node", "node"), "-e", "setInterval(() => {}, 1000)")
	}
}
