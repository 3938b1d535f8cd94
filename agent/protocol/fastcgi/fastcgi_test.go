package fastcgi

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sonde-dev/sonde/agent/protocol"
	"github.com/sonde-dev/sonde/agent/protocol/parsertest"
)

func TestRecognize(t *testing.T) {
	begin := "\x01\x01\x00\x01\x00\x08\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00"
	for _, tt := range []struct {
		in   string
		want protocol.Verdict
	}{
		{"", protocol.Maybe},
		{"\x01", protocol.Maybe},
		{begin[:15], protocol.Maybe},
		{begin, protocol.IsRequest},
		{begin + "\x01\x04\x00\x01", protocol.IsRequest},
		{"\x01\x01\x00\x00" + begin[4:], protocol.No},                                             // 0 is for management
		{begin[:9] + "\x04" + begin[10:], protocol.No},                                            // role
		{begin[:10] + "\x02" + begin[11:], protocol.No},                                           // flags
		{begin[:15] + "\x01", protocol.No},                                                        // reserved
		{"\x01\x05\x00\x01\x00\x00\x00\x00", protocol.No},                                         // the end of a request
		{"\x01\x06\x00\x01\x00\x05\x03\x00Sta\r\n\x00\x00\x00", protocol.No},                      // no head
		{"\x01\x06\x00\x01\x00\x44\x04\x00X-Powered-By: PHP/8.0.11\r\n", protocol.IsResponse},     //
		{"\x01\x06\x00\x01\x00\x0c\x04\x00hello, world\x00\x00\x00\x00", protocol.No},             //
		{"\x01\x03\x00\x01\x00\x08\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00", protocol.No},         //
		{"\x01\x00\x00\x00\x00\x00\x10\x00\x0a\x00\x00\x00\x00\x00\x00\x00\x00", protocol.No},     //
		{"\x01\x01\x00\x10\x00\x08\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00x", protocol.IsRequest}, // a high number
	} {
		if got := recognize([]byte(tt.in)); got != tt.want {
			t.Errorf("recognize(%q) = %v, want %v", tt.in, got, tt.want)
		}
	}
	for _, b := range parsertest.Foreign {
		if v := recognize([]byte(b)); v >= protocol.IsRequest && b != begin {
			t.Errorf("recognize(%q) = %v", b, v)
		}
	}
	parsertest.Random(t, Protocol{})
}

func TestConversations(t *testing.T) { parsertest.Conversations(t, Protocol{}, "testdata/*.txt") }

// What tshark says of the capture: one request, and a response of which the second record has hardly begun.
//
//	tshark -r fastcgi.pcap -d tcp.port==9000,fcgi -V
func TestCapture(t *testing.T) {
	all := parsertest.Capture(t, "testdata/fastcgi.pcap", 9000)
	if len(all) != 1 {
		t.Fatalf("%d conversations", len(all))
	}
	for _, joined := range []bool{false, true} {
		r := parsertest.Play(t, Protocol{}, joined, all[0])
		if diff := cmp.Diff([]string{"GET /aaaaa 200 req=0 res=0 cut server.address=172.17.0.3"}, r.Lines); diff != "" {
			t.Errorf("(-tshark +parser):\n%s", diff)
		}
	}
}

func FuzzParse(f *testing.F) {
	begin := "\x01\x01\x00\x01\x00\x08\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00"
	params := "\x01\x04\x00\x01\x00\x13\x05\x00\x0e\x03REQUEST_METHODGET\x00\x00\x00\x00\x00\x01\x04\x00\x01\x00\x00\x00\x00\x01\x05\x00\x01\x00\x00\x00\x00"
	output := "\x01\x06\x00\x01\x00\x10\x00\x00Status: 404 x\r\n\r\n\x01\x03\x00\x01\x00\x08\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"
	f.Add([]byte("\x00\x45\x01\xff"), []byte(begin+params+output), false)
	f.Add([]byte("\x00\x20\x02\x10\x00\x15\x01\xff"), []byte(begin+params+output), true)
	f.Add([]byte("\x00\x45\x01\x10\x03\x40\x00\x80"), []byte(strings.Repeat(begin+params, 3)), false)
	f.Fuzz(func(t *testing.T, orders, text []byte, joined bool) {
		r := parsertest.Script(t, newParser(joined), orders, text, nil)
		if r.MaxOpen > maxOpen+1 {
			t.Fatalf("%d requests are open", r.MaxOpen)
		}
	})
}

func BenchmarkParse(b *testing.B) {
	steps := parsertest.Capture(b, "testdata/fastcgi.pcap", 9000)[0]
	end := []byte("\x01\x03\x00\x01\x00\x08\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00")
	p, s := newParser(false), parsertest.Discard{}
	b.ReportAllocs()
	for b.Loop() {
		p.Data(protocol.ToServer, steps[0].Data, s)
		p.Data(protocol.FromServer, steps[1].Data[:80], s)
		p.Data(protocol.FromServer, end, s)
	}
}
