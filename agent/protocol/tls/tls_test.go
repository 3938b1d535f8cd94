package tls_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	ctls "crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"io"
	"math/big"
	mrand "math/rand/v2"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/sonde-dev/sonde/agent/protocol"
	"github.com/sonde-dev/sonde/agent/protocol/parsertest"
	"github.com/sonde-dev/sonde/agent/protocol/tls"
	"github.com/sonde-dev/sonde/signal"
)

// call is one call of a connection.
type call struct {
	dir protocol.Direction
	b   []byte
}

// recorder is a connection that notes what is written to it.
type recorder struct {
	net.Conn
	dir protocol.Direction
	mu  *sync.Mutex
	to  *[]call
}

func (r recorder) Write(b []byte) (int, error) {
	r.mu.Lock()
	*r.to = append(*r.to, call{r.dir, bytes.Clone(b)})
	r.mu.Unlock()
	return r.Conn.Write(b)
}

// converse lets Go's own TLS, the oracle, talk over loopback, and returns what was written and what was agreed on.
func converse(t testing.TB, client, server *ctls.Config) (calls []call, state ctls.ConnectionState, err error) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	a, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer a.Close()
	b, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	for _, c := range []net.Conn{a, b} {
		_ = c.SetDeadline(time.Now().Add(10 * time.Second))
	}
	var mu sync.Mutex
	c := ctls.Client(recorder{a, protocol.ToServer, &mu, &calls}, client)
	s := ctls.Server(recorder{b, protocol.FromServer, &mu, &calls}, server)
	done := make(chan struct{})
	go func() {
		defer close(done)
		buf := make([]byte, 100)
		if n, err := s.Read(buf); err == nil {
			_, _ = s.Write(buf[:n])
		}
	}()
	if _, err = c.Write([]byte("h")); err == nil {
		_, err = io.ReadFull(c, make([]byte, 1))
	}
	state = c.ConnectionState()
	_ = a.Close()
	<-done
	mu.Lock()
	defer mu.Unlock()
	return slices.Clone(calls), state, err
}

func certificate(t testing.TB) ctls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "shop.example"}, DNSNames: []string{"shop.example"},
		NotAfter: time.Now().Add(time.Hour),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	return ctls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

// sink writes down what it is told.
type sink struct {
	parsertest.Discard
	lines    []string
	isOpaque bool
	lost     uint64
}

func (s *sink) note(format string, args ...any) {
	s.lines = append(s.lines, fmt.Sprintf(format, args...))
}

func (s *sink) RequestHead(_ uint64, r protocol.Request) {
	s.note("%s %s %v", r.Operation, r.Target, r.Attributes)
}
func (s *sink) ResponseHead(_ uint64, r protocol.Response) {
	s.note("%s error=%s %v", r.Status, r.ServerError, r.Attributes)
}
func (s *sink) ResponseEnd(_ uint64, e protocol.End) { s.note("end partial=%t", e.Partial) }
func (s *sink) Opaque()                              { s.isOpaque = true }
func (s *sink) Lost(_ signal.Cause, n uint64)        { s.lost += n }

func parse(calls []call) (*sink, int) {
	s := &sink{}
	p := tls.Protocol{}.NewParser(protocol.Start{})
	for i, c := range calls {
		p.Data(c.dir, c.b, s)
		if s.isOpaque {
			return s, i + 1
		}
	}
	p.Close(s)
	return s, len(calls)
}

func TestHandshake(t *testing.T) {
	cert := certificate(t)
	server := func(f func(*ctls.Config)) *ctls.Config {
		c := &ctls.Config{Certificates: []ctls.Certificate{cert}, NextProtos: []string{"h2", "http/1.1"}}
		if f != nil {
			f(c)
		}
		return c
	}
	client := func(f func(*ctls.Config)) *ctls.Config {
		c := &ctls.Config{InsecureSkipVerify: true, ServerName: "shop.example", NextProtos: []string{"http/1.1"}}
		if f != nil {
			f(c)
		}
		return c
	}
	const asked = "handshake shop.example [{tls.client.server_name shop.example} {tls.client.supported_alpn http/1.1}]"
	for _, tt := range []struct {
		name           string
		client, server *ctls.Config
		want           []string
	}{
		{"1.3", client(nil), server(nil), []string{asked, "1.3 error= []", "end partial=false"}},
		{"1.3 with a retry", client(func(c *ctls.Config) { c.CurvePreferences = []ctls.CurveID{ctls.X25519, ctls.CurveP384} }),
			server(func(c *ctls.Config) { c.CurvePreferences = []ctls.CurveID{ctls.CurveP384} }), []string{asked, "1.3 error= []", "end partial=false"}},
		{"1.2", client(func(c *ctls.Config) { c.MaxVersion = ctls.VersionTLS12 }), server(nil),
			[]string{asked, "1.2 error= [{tls.next_protocol http/1.1}]", "end partial=false"}},
		{"1.0", client(func(c *ctls.Config) { c.MinVersion, c.MaxVersion = ctls.VersionTLS10, ctls.VersionTLS10 }),
			server(func(c *ctls.Config) { c.MinVersion = ctls.VersionTLS10 }),
			[]string{asked, "1.0 error= [{tls.next_protocol http/1.1}]", "end partial=false"}},
		{"no version in common", client(func(c *ctls.Config) { c.MaxVersion = ctls.VersionTLS12 }),
			server(func(c *ctls.Config) { c.MinVersion = ctls.VersionTLS13 }), []string{asked, " error=protocol_version []", "end partial=false"}},
		{"nothing to speak", client(func(c *ctls.Config) { c.NextProtos = []string{"x"} }), server(nil),
			[]string{strings.Replace(asked, "http/1.1", "x", 1), " error=no_application_protocol []", "end partial=false"}},
		{"1.3, refused certificate", client(func(c *ctls.Config) { c.InsecureSkipVerify = false }), server(nil),
			[]string{asked, "1.3 error=alert []", "end partial=false"}},
		{"1.2, refused certificate", client(func(c *ctls.Config) { c.InsecureSkipVerify, c.MaxVersion = false, ctls.VersionTLS12 }), server(nil),
			[]string{asked, "1.2 error=bad_certificate [{tls.next_protocol http/1.1}]", "end partial=false"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			calls, state, err := converse(t, tt.client, tt.server)
			got, used := parse(calls)
			if !slices.Equal(got.lines, tt.want) {
				t.Fatalf("got  %q\nwant %q", got.lines, tt.want)
			}
			if !got.isOpaque {
				t.Error("the parser did not let go of the connection")
			}
			if isError := strings.Contains(got.lines[1], "error= "); isError != (err == nil) {
				t.Errorf("Go's TLS says %v, the parser %q", err, got.lines[1])
			}
			if want := map[uint16]string{ctls.VersionTLS10: "1.0", ctls.VersionTLS12: "1.2", ctls.VersionTLS13: "1.3"}[state.Version]; err == nil && !strings.HasPrefix(got.lines[1], want) {
				t.Errorf("Go's TLS agreed on %s, the parser says %q", want, got.lines[1])
			}
			if v := (tls.Protocol{}).Recognize(calls[0].b); v != protocol.IsRequest {
				t.Errorf("Recognize of the first call = %d, want a request", v)
			}
			resegment(t, calls, got.lines)
			truncate(t, calls[:used])
		})
	}
}

// resegment checks that the same bytes in other calls tell the same, also as libraries read them: header, then body.
func resegment(t *testing.T, calls []call, want []string) {
	t.Helper()
	for range 50 {
		var cut []call
		for _, c := range calls {
			for b := c.b; len(b) > 0; {
				n := 1 + mrand.IntN(len(b))
				cut = append(cut, call{c.dir, b[:n]})
				b = b[n:]
			}
		}
		if got, _ := parse(cut); !slices.Equal(got.lines, want) {
			t.Fatalf("in other calls: %q, want %q", got.lines, want)
		}
	}
}

// truncate checks that missing bytes give less, or something marked, and no other values.
func truncate(t *testing.T, calls []call) {
	t.Helper()
	for i := range calls {
		s := &sink{}
		p := tls.Protocol{}.NewParser(protocol.Start{})
		for k, c := range calls {
			if s.isOpaque {
				break
			}
			if k == i {
				p.Gap(c.dir, uint32(len(c.b)), nil, s)
			} else {
				p.Data(c.dir, c.b, s)
			}
		}
		if n := len(s.lines); n > 1 && s.lines[n-1] == "end partial=false" {
			t.Errorf("without call %d: %q", i, s.lines)
		}
	}
}

// A connection whose handshake was before anybody looked holds no request that could be missing.
func TestJoined(t *testing.T) {
	sealed := append([]byte{23, 3, 3, 0, 40}, make([]byte, 40)...)
	for _, dir := range []protocol.Direction{protocol.ToServer, protocol.FromServer} {
		if s, n := parse([]call{{dir, sealed}, {1 - dir, sealed}}); s.lost != 0 || len(s.lines) != 0 || n != 1 {
			t.Errorf("direction %d: %d calls read, told %q, lost %d", dir, n, s.lines, s.lost)
		}
	}
}

func TestRecognize(t *testing.T) {
	sealed := append([]byte{23, 3, 3, 0, 40}, make([]byte, 40)...)
	for _, tt := range []struct {
		name string
		b    []byte
		want protocol.Verdict
	}{
		{"header by itself", []byte{22, 3, 1, 2, 0}, protocol.Maybe},
		{"encrypted record", sealed, protocol.IsRequest},
		{"two of them", append(slices.Clone(sealed), sealed...), protocol.IsRequest},
		{"its header by itself", sealed[:5], protocol.Maybe},
		{"part of it", sealed[:30], protocol.No},
		{"more than it", append(slices.Clone(sealed), 0), protocol.No},
		{"ServerHello", append([]byte{22, 3, 3, 0, 90, 2, 0, 0, 86, 3, 3}, make([]byte, 60)...), protocol.No},
		{"SSLv2", []byte{0x80, 0x2e, 1, 0, 2, 0, 0x15}, protocol.No},
		{"version 3.9", []byte{22, 3, 9, 0, 200, 1}, protocol.No},
		{"HTTP", []byte("GET / HTTP/1.1\r\n\r\n"), protocol.No},
		{"Redis", []byte("*1\r\n$4\r\nPING\r\n"), protocol.No},
		{"PostgreSQL SSLRequest", []byte{0, 0, 0, 8, 4, 0xd2, 0x16, 0x2f}, protocol.No},
		{"Kafka", []byte{0, 0, 0, 22, 0, 3, 0, 1, 0, 0, 0, 1, 0, 4}, protocol.No},
		{"MQTT", []byte{0x16, 3, 0, 0}, protocol.Maybe}, // four bytes may still be either
		{"AMQP", []byte("AMQP\x00\x00\x09\x01"), protocol.No},
	} {
		if got := (tls.Protocol{}).Recognize(tt.b); got != tt.want {
			t.Errorf("%s: Recognize = %d, want %d", tt.name, got, tt.want)
		}
	}
	r := mrand.New(mrand.NewPCG(1, 2))
	b := make([]byte, 300)
	for range 300_000 {
		for i := range b {
			b[i] = byte(r.Uint32())
		}
		if r.IntN(2) == 0 {
			copy(b, []byte{22, 3, 1})
		}
		if v := (tls.Protocol{}).Recognize(b); v == protocol.IsRequest || v == protocol.IsResponse {
			t.Fatalf("random bytes are claimed: %x", b[:60])
		}
	}
}

func FuzzParse(f *testing.F) {
	cert := certificate(f)
	for _, version := range []uint16{ctls.VersionTLS12, ctls.VersionTLS13} {
		calls, _, _ := converse(f, &ctls.Config{InsecureSkipVerify: true, MaxVersion: version}, &ctls.Config{Certificates: []ctls.Certificate{cert}})
		var seed []byte
		for _, c := range calls {
			seed = append(seed, byte(c.dir), byte(len(c.b)), byte(len(c.b)>>8))
			seed = append(seed, c.b...)
		}
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		s := &sink{}
		p := tls.Protocol{}.NewParser(protocol.Start{})
		for len(b) > 3 && !s.isOpaque {
			n := min(int(b[1])|int(b[2])<<8, len(b)-3)
			if b[0]&2 != 0 {
				p.Gap(protocol.Direction(b[0]&1), uint32(n), nil, s)
			} else {
				p.Data(protocol.Direction(b[0]&1), b[3:3+n], s)
			}
			b = b[3+n:]
		}
		p.Close(s)
		if len(s.lines) > 3 {
			t.Errorf("one handshake told %q", s.lines)
		}
	})
}

func BenchmarkParseHandshake(b *testing.B) {
	calls, _, err := converse(b, &ctls.Config{InsecureSkipVerify: true, ServerName: "shop.example"}, &ctls.Config{Certificates: []ctls.Certificate{certificate(b)}})
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		parse(calls)
	}
}
