package memcached

import (
	"strings"
	"testing"

	"github.com/sonde-dev/sonde/agent/protocol"
	"github.com/sonde-dev/sonde/agent/protocol/inorder"
	"github.com/sonde-dev/sonde/agent/protocol/parsertest"
)

func TestRecognize(t *testing.T) {
	for _, tt := range []struct {
		in   string
		want protocol.Verdict
	}{
		{"", protocol.Maybe},
		{"ge", protocol.Maybe},
		{"get key", protocol.Maybe},
		{"get key\r\n", protocol.IsRequest},
		{"get key\r\nget other\r\n", protocol.IsRequest},
		{"get / http/1.1\r\n\r\n", protocol.No}, // HTTP in small letters
		{"get / http/1.1\r\n", protocol.No},
		{"gets a b c\r\n", protocol.IsRequest},
		{"get\r\n", protocol.No},
		{"GET key\r\n", protocol.No},
		{"get a\x01\r\n", protocol.No},
		{"gat 60 a\r\n", protocol.IsRequest},
		{"set k 0 0 1\r\n", protocol.IsRequest},
		{"set k 0 0 1\r\nx\r\n", protocol.IsRequest},
		{"set k 0 0 1 noreply\r\nx\r\n", protocol.IsRequest},
		{"set k 0 0 1\r\nxyz\r\n", protocol.No},
		{"set k v\r\n", protocol.No},
		{"cas k 0 0 1 42\r\n", protocol.IsRequest},
		{"delete key\r\n", protocol.IsRequest},
		{"delete 5\r\n", protocol.No}, // beanstalkd
		{"incr n 1\r\n", protocol.IsRequest},
		{"incr n\r\n", protocol.No},
		{"mg k v t\r\n", protocol.IsRequest},
		{"ms k 2 T60\r\nhi\r\n", protocol.IsRequest},
		{"mn\r\n", protocol.IsRequest},
		{"version\r\n", protocol.IsRequest},
		{"stats\r\n", protocol.No}, // beanstalkd
		{"quit\r\n", protocol.No},
		{"VALUE key 0 3\r\nabc\r\nEND\r\n", protocol.IsResponse},
		{"VALUE key x\r\n", protocol.No},
		{"STORED\r\n", protocol.IsResponse},
		{"END\r\n", protocol.No},
		{"\x80\x00\x00\x03\x00\x00\x00\x00\x00\x00\x00\x03\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00\x00\x00key", protocol.IsRequest},
		{"\x80\x01\x00\x01\x00\x00\x00\x04ping\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00", protocol.No}, // Thrift
		{"\x81\x00\x00\x00\x04\x00\x00\x00\x00\x00\x00\x09\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00\x00\x00", protocol.IsResponse},
		{"\x81\x00\x00\x00\x04\x00\x77\x77\x00\x00\x00\x09\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00\x00\x00", protocol.No},
	} {
		if got := recognize([]byte(tt.in)); got != tt.want {
			t.Errorf("recognize(%q) = %v, want %v", tt.in, got, tt.want)
		}
	}
	for _, b := range parsertest.Foreign {
		isOwn := strings.HasPrefix(b, "get ") || strings.HasPrefix(b, "VALUE") || strings.HasPrefix(b, "set ") || b == "STORED\r\n" || strings.HasPrefix(b, "mg ") ||
			strings.HasPrefix(b, "\x80\x00\x00\x03") || strings.HasPrefix(b, "\x81\x00")
		if v := recognize([]byte(b)); (v >= protocol.IsRequest) != isOwn {
			t.Errorf("recognize(%q) = %v", b, v)
		}
	}
	parsertest.Random(t, Protocol{})
}

func TestConversations(t *testing.T) { parsertest.Conversations(t, Protocol{}, "testdata/*.txt") }

func FuzzParse(f *testing.F) {
	f.Add([]byte("\x00\x07\x01\xff"), []byte("get a\r\nVALUE a 0 3\r\nabc\r\nEND\r\n"), false)
	f.Add([]byte("\x00\x17\x01\xff"), []byte("mg a v q\r\nmg b v q\r\nmn\r\nVA 1\r\nx\r\nMN\r\n"), true)
	f.Add([]byte("\x00\x1b\x01\xff"), []byte("\x80\x00\x00\x03\x00\x00\x00\x00\x00\x00\x00\x03\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00\x00\x00key\x81\x00\x00\x00\x04\x00\x00\x00\x00\x00\x00\x09\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00value"), false)
	f.Add([]byte("\x00\x10\x01\x08\x02\x20"), []byte("set a 0 0 1\r\nx\r\nSTORED\r\nstats\r\nSTAT a b\r\nEND\r\nincr a 1\r\n2\r\n"), false)
	f.Fuzz(func(t *testing.T, orders, text []byte, joined bool) {
		r := parsertest.Script(t, newParser(joined), orders, text, nil)
		if r.MaxOpen > inorder.MaxWaiting+2 {
			t.Fatalf("%d commands wait", r.MaxOpen)
		}
	})
}

func BenchmarkParseGet(b *testing.B) {
	p, s := newParser(false), parsertest.Discard{}
	req, res := []byte("get user:000012\r\n"), []byte("VALUE user:000012 0 5\r\nhello\r\nEND\r\n")
	b.ReportAllocs()
	for b.Loop() {
		p.Data(protocol.ToServer, req, s)
		p.Data(protocol.FromServer, res, s)
	}
}

func BenchmarkParseBinarySet(b *testing.B) {
	p, s := newParser(false), parsertest.Discard{}
	req := []byte("\x80\x01\x00\x03\x08\x00\x00\x00\x00\x00\x00\x0e\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00keyabc")
	res := []byte("\x81\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00\x00\x00")
	b.ReportAllocs()
	for b.Loop() {
		p.Data(protocol.ToServer, req, s)
		p.Data(protocol.FromServer, res, s)
	}
}
