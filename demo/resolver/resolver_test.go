package resolver

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/gopacket/gopacket"
	"github.com/gopacket/gopacket/layers"
)

func look(kind, name string) ([]netip.Addr, bool) {
	switch name {
	case "both.test":
		return []netip.Addr{netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("192.0.2.2"), netip.MustParseAddr("2001:db8::1")}, true
	case "four.test":
		return []netip.Addr{netip.MustParseAddr("192.0.2.4")}, true
	}
	return nil, false
}

func serve(t *testing.T) string {
	t.Helper()
	c, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error)
	go func() { done <- Serve(ctx, c, look) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	return c.LocalAddr().String()
}

// TestServerAnswersGoResolver has Go's own resolver as its judge.
func TestServerAnswersGoResolver(t *testing.T) {
	addr := serve(t)
	r := &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "udp", addr)
	}}
	got, err := r.LookupHost(t.Context(), "Both.Test.")
	slices.Sort(got)
	if d := cmp.Diff([]string{"192.0.2.1", "192.0.2.2", "2001:db8::1"}, got); d != "" || err != nil {
		t.Errorf("both.test (-want +got), %v:\n%s", err, d)
	}
	if got, err := r.LookupIP(t.Context(), "ip4", "four.test."); len(got) != 1 || err != nil {
		t.Errorf("four.test = %v, %v", got, err)
	}
	var notFound *net.DNSError
	if _, err := r.LookupHost(t.Context(), "none.test."); !errors.As(err, &notFound) || !notFound.IsNotFound {
		t.Errorf("none.test: %v, want not found", err)
	}
}

// TestServerSpeaksPlainly writes and reads the messages with another library.
func TestServerSpeaksPlainly(t *testing.T) {
	c, err := net.Dial("udp", serve(t))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	c.SetDeadline(time.Now().Add(5 * time.Second))
	for _, tt := range []struct {
		name    string
		kind    layers.DNSType
		code    layers.DNSResponseCode
		answers int
	}{
		{"both.test", layers.DNSTypeA, layers.DNSResponseCodeNoErr, 2}, {"both.test", layers.DNSTypeAAAA, layers.DNSResponseCodeNoErr, 1},
		{"four.test", layers.DNSTypeAAAA, layers.DNSResponseCodeNoErr, 0}, {"none.test", layers.DNSTypeA, layers.DNSResponseCodeNXDomain, 0},
	} {
		buf := gopacket.NewSerializeBuffer()
		q := &layers.DNS{ID: 77, RD: true, Questions: []layers.DNSQuestion{{Name: []byte(tt.name), Type: tt.kind, Class: layers.DNSClassIN}}}
		if err := q.SerializeTo(buf, gopacket.SerializeOptions{FixLengths: true}); err != nil {
			t.Fatal(err)
		}
		if _, err := c.Write(buf.Bytes()); err != nil {
			t.Fatal(err)
		}
		b := make([]byte, maxDatagram)
		n, err := c.Read(b)
		if err != nil {
			t.Fatal(err)
		}
		a := &layers.DNS{}
		if err := a.DecodeFromBytes(b[:n], gopacket.NilDecodeFeedback); err != nil {
			t.Fatal(err)
		}
		if a.ID != 77 || !a.QR || a.ResponseCode != tt.code || len(a.Answers) != tt.answers || string(a.Questions[0].Name) != tt.name {
			t.Errorf("%s %s: %+v", tt.kind, tt.name, a)
		}
	}
}

func TestAsk(t *testing.T) {
	addr := serve(t)
	for _, tt := range []struct {
		kind, name, code string
		addresses        int
	}{{"A", "both.test", "NOERROR", 2}, {"AAAA", "four.test", "NOERROR", 0}, {"A", "none.test", "NXDOMAIN", 0}} {
		if code, n, err := Ask(addr, tt.kind, tt.name, 5*time.Second); code != tt.code || n != tt.addresses || err != nil {
			t.Errorf("Ask(%s, %s) = %s, %d, %v, want %s, %d", tt.kind, tt.name, code, n, err, tt.code, tt.addresses)
		}
	}
	for _, bad := range [][2]string{{"MX", "both.test"}, {"A", "a..b"}} {
		if _, _, err := Ask(addr, bad[0], bad[1], time.Second); err == nil {
			t.Errorf("Ask(%q): no error", bad)
		}
	}
}
