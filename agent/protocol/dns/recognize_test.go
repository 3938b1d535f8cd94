package dns

import (
	"math/rand/v2"
	"strings"
	"testing"

	"golang.org/x/net/dns/dnsmessage"

	"github.com/sonde-dev/sonde/agent/protocol"
)

// ask packs a query with a library that is not ours.
func ask(id uint16, name string, t dnsmessage.Type) []byte {
	return pack(dnsmessage.Message{
		Header:    dnsmessage.Header{ID: id, RecursionDesired: true},
		Questions: []dnsmessage.Question{{Name: dnsmessage.MustNewName(name), Type: t, Class: dnsmessage.ClassINET}},
	})
}

// answer packs an answer with addresses 192.0.2.1, .2 and so on.
func answer(id uint16, name string, t dnsmessage.Type, code dnsmessage.RCode, addresses int) []byte {
	m := dnsmessage.Message{
		Header:    dnsmessage.Header{ID: id, Response: true, RecursionAvailable: true, RCode: code},
		Questions: []dnsmessage.Question{{Name: dnsmessage.MustNewName(name), Type: t, Class: dnsmessage.ClassINET}},
	}
	for i := range addresses {
		m.Answers = append(m.Answers, dnsmessage.Resource{
			Header: dnsmessage.ResourceHeader{Name: dnsmessage.MustNewName(name), Class: dnsmessage.ClassINET, TTL: uint32(300 - i)},
			Body:   &dnsmessage.AResource{A: [4]byte{192, 0, 2, byte(i + 1)}},
		})
	}
	return pack(m)
}

func pack(m dnsmessage.Message) []byte {
	b, err := m.Pack()
	if err != nil {
		panic(err)
	}
	return b
}

// framed puts the length before messages, as TCP needs it.
func framed(messages ...[]byte) (out []byte) {
	for _, m := range messages {
		out = append(append(out, byte(len(m)>>8), byte(len(m))), m...)
	}
	return out
}

func change(b []byte, at int, to byte) []byte {
	b = append([]byte(nil), b...)
	b[at] = to
	return b
}

func TestRecognizeDatagram(t *testing.T) {
	query, reply := ask(7, "api.example.com.", dnsmessage.TypeA), answer(7, "api.example.com.", dnsmessage.TypeA, 0, 3)
	for _, c := range []struct {
		name string
		b    []byte
		want protocol.Verdict
	}{
		{"query", query, protocol.IsRequest},
		{"answer", reply, protocol.IsResponse},
		{"root", ask(7, ".", dnsmessage.TypeNS), protocol.IsRequest},
		{"no such name", answer(7, "x.", dnsmessage.TypeAAAA, 3, 0), protocol.IsResponse},
		{"answer that was cut", reply[:60], protocol.IsResponse},
		{"query that was cut", query[:20], protocol.No},
		{"bytes behind a query", append(query[:len(query):len(query)], 0), protocol.No},
		{"bytes behind an answer", append(reply[:len(reply):len(reply)], 0), protocol.No},
		{"reserved bit", change(query, 3, 0x40), protocol.No},
		{"operation", change(query, 2, 0x28), protocol.No},
		{"query with a code", change(query, 3, 3), protocol.No},
		{"two questions", change(query, 5, 2), protocol.No},
		{"query with answers", change(query, 7, 1), protocol.No},
		{"answer with a code there is not", change(reply, 3, 15), protocol.No},
		{"pointer in a question", change(query, 12, 0xc0), protocol.No},
		{"control character in a name", change(query, 14, 7), protocol.No},
		{"class", change(query, len(query)-1, 9), protocol.No},
		{"NetBIOS", change(query, len(query)-3, 32), protocol.No},
		{"multicast", ask(0, "printer.local.", dnsmessage.TypePTR), protocol.No},
		{"id 0", ask(0, "a.default.svc.cluster.local.", dnsmessage.TypeA), protocol.IsRequest},
		{"with length", framed(query), protocol.No},
		{"nothing", nil, protocol.No},
		{"QUIC", append([]byte{0xc3, 0, 0, 0, 1, 8}, make([]byte, 1194)...), protocol.No},
		{"NTP", append([]byte{0x23, 0, 6, 0xec}, make([]byte, 44)...), protocol.No},
		{"syslog", []byte("<34>Oct 11 22:14:15 mymachine su: 'su root' failed"), protocol.No},
		{"statsd", []byte("api.requests:1|c|#env:prod"), protocol.No},
	} {
		if got := (Protocol{}).RecognizeDatagram(c.b); got != c.want {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
	}
}

func TestRecognize(t *testing.T) {
	query, reply := framed(ask(7, "api.example.com.", dnsmessage.TypeA)), framed(answer(7, "api.example.com.", dnsmessage.TypeA, 0, 3))
	for _, c := range []struct {
		name string
		b    []byte
		want protocol.Verdict
	}{
		{"query", query, protocol.IsRequest},
		{"two queries", append(query[:len(query):len(query)], query...), protocol.IsRequest},
		{"answer", reply, protocol.IsResponse},
		{"half an answer", reply[:50], protocol.IsResponse},
		{"length alone", query[:2], protocol.Maybe},
		{"header", query[:14], protocol.Maybe},
		{"without length", query[2:], protocol.No},
		{"length too small", change(query, 1, 16), protocol.No},
		{"length too large", change(query, 1, query[1]+1), protocol.No},
		{"HTTP", []byte("GET / HTTP/1.1\r\nHost: x\r\n\r\n"), protocol.No},
		{"TLS", append([]byte{22, 3, 1, 2, 0, 1, 0, 1, 0xfc, 3, 3}, make([]byte, 506)...), protocol.No},
		{"Redis", []byte("*2\r\n$3\r\nGET\r\n$1\r\nx\r\n"), protocol.No},
		{"PostgreSQL", []byte("\x00\x00\x00\x08\x04\xd2\x16\x2f"), protocol.No},
		{"MySQL", []byte("\x0b\x00\x00\x00\x03SELECT 1+1"), protocol.No},
		{"Kafka", []byte("\x00\x00\x00\x23\x00\x12\x00\x03\x00\x00\x00\x01\x00\x07console\x00\x12apache-kafka-java\x063.3.1\x00"), protocol.No},
		{"MongoDB", []byte("\x3a\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00\x00\xdd\x07\x00\x00"), protocol.No},
	} {
		if got := (Protocol{}).Recognize(c.b); got != c.want {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
	}
	// Whatever a message's start is, it is not denied.
	for _, b := range [][]byte{query, reply} {
		for n := 1; n < len(b); n++ {
			if (Protocol{}).Recognize(b[:n]) == protocol.No {
				t.Errorf("the first %d bytes of a message are denied: %x", n, b[:n])
			}
		}
	}
}

func TestRecognizeRandom(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	b := make([]byte, 600)
	for range 300_000 {
		for i := range b {
			b[i] = byte(r.Uint32())
		}
		n := r.IntN(len(b))
		if r.IntN(2) == 0 && n > 13 { // what length and header may look like
			b[0], b[1], b[4+2], b[5+2] = 0, byte(n-2), 0, 1
		}
		for _, v := range []protocol.Verdict{(Protocol{}).Recognize(b[:n]), (Protocol{}).RecognizeDatagram(b[:n])} {
			if v == protocol.IsRequest || v == protocol.IsResponse || v == protocol.Maybe && n > 16 {
				t.Fatalf("%x is %v", b[:n], v)
			}
		}
	}
}

func TestTemplate(t *testing.T) {
	for name, want := range map[string]string{
		"api.example.com": "api.example.com", "example.com": "example.com", ".": ".", "localhost": "localhost",
		"17.example.com": "*.example.com", "1.pool.ntp.org": "1.pool.ntp.org", "12345.com": "12345.com",
		"10.2.0.192.in-addr.arpa":                                  "*.in-addr.arpa",
		"ip-10-0-0-1.ec2.internal":                                 "*.ec2.internal",
		"d3b07384d113edec49eaa6238ad5ff00.cdn.example.com":         "*.cdn.example.com",
		"550e8400-e29b-41d4-a716-446655440000.eu.example.com":      "*.eu.example.com",
		"4k1.9f8e7d6c5b.example.com":                               "4k1.9f8e7d6c5b.example.com",
		"web-7d4b9c6f5d-x2x9z.shop.default.svc.cluster.local":      "*.shop.default.svc.cluster.local",
		"s3.eu-west-1.amazonaws.com":                               "s3.eu-west-1.amazonaws.com",
		"a.b.c.d.e.f.g.h.example.com":                              "*.d.e.f.g.h.example.com",
		"registry.yingmi-inc.com.monitor.svc.cluster.local":        "registry.yingmi-inc.com.monitor.svc.cluster.local",
		"_http._tcp.example.com":                                   "_http._tcp.example.com",
		strings.Repeat("abcdefghij", 6) + ".tunnel.example.com":    "*.tunnel.example.com",
		"1a2b3c4d5e6f." + strings.Repeat("9z", 9) + ".example.com": "*.example.com",
	} {
		got := Template(name)
		if got != want || Template(got) != got {
			t.Errorf("Template(%q) = %q, want %q; again %q", name, got, want, Template(got))
		}
	}
}

func TestIsSearch(t *testing.T) {
	for name, want := range map[string]bool{
		"api.example.com": false, "api.default.svc.cluster.local": false, "db-0.db.default.svc.cluster.local": false,
		"api.example.com.default.svc.cluster.local": true, "api.example.com.svc.cluster.local": true, "db-0.db.dev.svc.cluster.local": false,
		"example.com.svc.cluster.local": false, "a.b.example.com.svc.cluster.local": true,
		"api.example.com.cluster.local": true, "10-0-0-1.default.pod.cluster.local": false, "cluster.local": false,
	} {
		if got := isSearch(name); got != want {
			t.Errorf("isSearch(%q) = %v, want %v", name, got, want)
		}
	}
}
