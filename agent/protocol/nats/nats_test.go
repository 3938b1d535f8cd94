package nats

import (
	"fmt"
	"strings"
	"testing"

	"github.com/sonde-dev/sonde/agent/protocol"
	. "github.com/sonde-dev/sonde/agent/protocol/parsertest"
)

const hello = `INFO {"server_id":"NX","version":"2.10.0","proto":1,"headers":true,"max_payload":1048576}` + " \r\n"

func TestRecognize(t *testing.T) {
	for _, tt := range []struct {
		in   string
		want protocol.Verdict
	}{
		{"", protocol.Maybe},
		{hello, protocol.IsResponse},
		{hello[:8], protocol.Maybe},
		{`CONNECT {"verbose":false}` + "\r\n", protocol.IsRequest},
		{"CONNECT host:1 HTTP/1.1\r\n", protocol.No},
		{"PUB a.b 5\r\nhello\r\n", protocol.IsRequest},
		{"PUB a.b reply 5\r\nhel", protocol.IsRequest},
		{"PUB a.b 5\r\nhellooo\r\n", protocol.No},
		{"PUB topic\n\x00\x00\x00\x01a", protocol.No}, // NSQ
		{"SUB topic channel\n", protocol.No},          // NSQ
		{"SUB a.> 7\r\n", protocol.IsRequest},
		{"PING\r\n", protocol.No},
		{"PING\r\nPUB a 1\r\nx\r\n", protocol.IsRequest},
		{"+OK\r\n", protocol.No},
		{"+OK\r\nMSG a 1 1\r\nx\r\n", protocol.IsResponse},
		{"MSG a 1 1\r\nx\r\n", protocol.IsResponse},
		{"MSG a 1\r\n", protocol.No},
		{"HMSG a 1 20 10\r\n", protocol.No}, // headers longer than everything
		{"HMSG a 1 12 12\r\nNATS/1.0\r\n\r\n\r\n", protocol.IsResponse},
		{"PUBLISH a 1\r\n", protocol.No},
		{"PU", protocol.Maybe},
	} {
		if got := recognize([]byte(tt.in)); got != tt.want {
			t.Errorf("recognize(%q) = %v, want %v", tt.in, got, tt.want)
		}
	}
	NotForeign(t, Protocol{}, "nats")
	Random(t, Protocol{})
}

func c(text string) Call { return Client([]byte(text)) }
func s(text string) Call { return Server([]byte(text)) }

var conversations = []Conversation{
	{Name: "publish", Calls: []Call{
		s(hello), c(`CONNECT {"verbose":false,"user":"u","pass":"secret"}` + "\r\nPING\r\n"), s("PONG\r\n"),
		c("SUB orders.* 1\r\nPUB orders.new 5\r\nhello\r\nHPUB orders.new 12 14\r\nNATS/1.0\r\n\r\nhi\r\n"),
		s("MSG orders.new 1 5\r\nhello\r\nHMSG orders.new 1 12 14\r\nNATS/1.0\r\n\r\nhi\r\n"), s("PING\r\n"), c("PONG\r\n"),
		c("pub orders.none 0\r\n\r\nUNSUB 1 5\r\n"), s("-ERR 'Slow Consumer'\r\n"),
	}, Want: []string{
		"connect - - req=54 res=0 noresponse", "ping - ok req=6 res=6", "subscribe orders.* - req=16 res=0 noresponse",
		"publish orders.new - req=25 res=0 noresponse", "publish orders.new - req=39 res=0 noresponse",
		"deliver orders.new - req=27 res=0 noresponse", "deliver orders.new - req=41 res=0 noresponse",
		"publish orders.none - req=21 res=0 noresponse", "unsubscribe - - req=11 res=0 noresponse",
		"error - slow_consumer req=22 res=0 noresponse servererror=slow_consumer error=slow_consumer",
	}},
	{Name: "requests", Calls: []Call{
		s(hello), c(`CONNECT {"verbose": false}` + "\r\nSUB _INBOX.abc.* 1\r\n"),
		c("PUB svc.a _INBOX.abc.1 2\r\nq1\r\nPUB svc.b _INBOX.abc.2 2\r\nq2\r\n"),
		s("MSG _INBOX.abc.2 1 3\r\nr_2\r\n"), s("MSG other 9 1\r\nx\r\nMSG _INBOX.abc.1 1 2\r\nr1\r\n"),
		c("PUB svc.c _INBOX.abc.3 0\r\n\r\n"), s("HMSG _INBOX.abc.3 1 16 16\r\nNATS/1.0 503\r\n\r\n\r\n"),
		c("PUB svc.d _INBOX.abc.4 0\r\n\r\n"),
		s("HMSG _INBOX.abc.4 1 42 42\r\nNATS/1.0\r\nNats-Service-Error-Code: 404\r\n\r\n\r\n"),
		c("PUB events.x elsewhere 0\r\n\r\n"), s("MSG svc 3 _INBOX.zz.1 2\r\nq?\r\n"), c("PUB _INBOX.zz.1 1\r\na\r\n"),
		c("PUB $JS.API.CONSUMER.MSG.NEXT.S.C _INBOX.abc.5 1\r\n1\r\n"), s("MSG orders 1 $JS.ACK.S.C.1.2.3.4.5 2\r\nm1\r\n"),
		c("PUB $JS.ACK.S.C.1.2.3.4.5 4\r\n+ACK\r\n"),
	}, Want: []string{
		"connect - - req=28 res=0 noresponse", "subscribe _INBOX.abc.* - req=20 res=0 noresponse",
		"request svc.b ok req=30 res=27", "deliver other - req=18 res=0 noresponse", "request svc.a ok req=30 res=26",
		"request svc.c 503 req=28 res=45 servererror=503 error=503", "request svc.d 404 req=28 res=71 error=404",
		"publish events.x - req=28 res=0 noresponse", "deliver svc - req=29 res=0 noresponse", "reply _INBOX.zz.1 - req=22 res=0 noresponse",
		"pull $JS.API.CONSUMER.MSG.NEXT.S.C - req=53 res=0 noresponse", "deliver orders - req=42 res=0 noresponse",
		"ack $JS.ACK.S.C.1.2.3.4.5 - req=35 res=0 noresponse",
	}},
	{Name: "own inbox", Calls: []Call{
		s(hello), c(`CONNECT {"verbose":false}` + "\r\nSUB MYBOX.x.* 2\r\n"),
		c("PUB svc.c MYBOX.x.3 0\r\n\r\n"), s("HMSG MYBOX.x.3 2 16 16\r\nNATS/1.0 503\r\n\r\n\r\n"),
	}, Want: []string{
		"connect - - req=27 res=0 noresponse", "subscribe MYBOX.x.* - req=17 res=0 noresponse",
		"request svc.c 503 req=25 res=42 servererror=503 error=503",
	}},
	{Name: "verbose", Calls: []Call{
		s(hello), c("CONNECT {}\r\nSUB a 1\r\nSUB forbidden 2\r\nPUB a _INBOX.x 1\r\nx\r\nPUB b 1\r\ny\r\n"),
		s("+OK\r\n+OK\r\n-ERR 'Permissions Violation for Subscription to \"forbidden\"'\r\n+OK\r\nMSG a 1 _INBOX.x 1\r\nx\r\n+OK\r\n"),
		s("MSG _INBOX.x 3 1\r\nr\r\n"), c("DEADBEEF\r\n"), s("-ERR 'Unknown Protocol Operation'\r\n"),
	}, Want: []string{
		"connect - ok req=12 res=5", "subscribe a ok req=9 res=5", "subscribe forbidden subscription_not_permitted req=17 res=62 error=subscription_not_permitted",
		"deliver a - req=23 res=0 noresponse", "publish b ok req=12 res=5", "request a ok req=21 res=21",
		"error - unknown_protocol_operation req=35 res=0 noresponse error=unknown_protocol_operation", "loss parser_gave_up 1",
	}},
	{Name: "refused", Calls: []Call{
		s(hello), c("CONNECT {}\r\n"), s("-ERR 'Authorization Violation'\r\n"),
	}, Want: []string{"connect - authorization_violation req=12 res=32 error=authorization_violation"}},
}

func TestConversations(t *testing.T) {
	Each(t, Protocol{}, conversations, func(t *testing.T, c Conversation) {
		if c.Name == "own inbox" {
			return // a name that means nothing once the subscription is lost
		}
		AnyCallLost(t, Protocol{}, c.Calls, func(got, want string) bool {
			return strings.HasPrefix(got, "error ") || SameButUnknown(got, want) // whose error it is may be lost
		})
	})
}

func TestJoined(t *testing.T) {
	Expect(t, Protocol{}, true, []Call{
		c("the end of a payload\r\n"), s("MSG _INBOX.abc.7 1 2\r\nr1\r\n"), s("PONG\r\n+OK\r\n"),
		c("PUB svc _INBOX.abc.8 1\r\nx\r\nPING\r\n"), s("PONG\r\nMSG _INBOX.abc.8 1 1\r\ny\r\n"), s("MSG a 1 1\r\nz\r\n"),
	}, "ping - - req=6 res=0 noresponse", "request svc ok req=27 res=25", "deliver a - req=14 res=0 noresponse", "loss orphan_response 1")
}

// A subscription with a wildcard is no inbox: its messages are counted whatever was lost before.
func TestWildcardAfterLoss(t *testing.T) {
	Expect(t, Protocol{}, false, []Call{
		s(hello), c(`CONNECT {"verbose":false}` + "\r\nSUB orders.* 1\r\n"), Gap(protocol.FromServer, 50), s("MSG orders.7 1 1\r\nx\r\n"),
	}, "connect - - req=27 res=0 noresponse", "subscribe orders.* - req=16 res=0 noresponse", "deliver orders.7 - req=21 res=0 noresponse", "loss parser_gave_up 1")
}

func TestGapInPayload(t *testing.T) {
	big := "PUB big _INBOX.a 100000\r\n" + strings.Repeat("x", 100_000) + "\r\n"
	Expect(t, Protocol{}, false, []Call{
		s(hello), c(`CONNECT {"verbose":false}` + "\r\n"),
		{Dir: protocol.ToServer, Data: []byte(big[:200]), Skip: uint32(len(big)) - 200}, s("MSG _INBOX.a 1 2\r\nok\r\n"), c("PING\r\n"), s("PONG\r\n"),
	}, "connect - - req=27 res=0 noresponse", fmt.Sprintf("request big ok req=%d res=22", len(big)), "ping - ok req=6 res=6")
}

// A connection between servers, and one that goes on in TLS, are left to others.
func TestOther(t *testing.T) {
	for _, text := range []string{"RS+ $G a\r\n", "\x16\x03\x01\x02\x00\x01"} {
		r := Play(t, Protocol{}, false, []Call{s(hello), c(text), c(text)})
		if len(r.Lines) > 0 || len(r.Losses) > 0 {
			t.Errorf("%q: told %q, losses %v, want none", text, r.Lines, r.Losses)
		}
	}
}

func TestBounded(t *testing.T) {
	calls := []Call{s(hello), c(`CONNECT {"verbose":false}` + "\r\n")}
	for i := range 3000 {
		calls = append(calls, c(fmt.Sprintf("PUB svc _INBOX.a.%d 0\r\n\r\n", i)))
	}
	r := Play(t, Protocol{}, false, calls)
	if n := r.Open(); n != maxRequests || len(r.Lines) != 1+3000-maxRequests || len(r.Losses) > 0 {
		t.Errorf("%d wait, %d ended, losses %v, want %d, %d and none", n, len(r.Lines), r.Losses, maxRequests, 1+3000-maxRequests)
	}
}

func TestTemplate(t *testing.T) {
	for in, want := range map[string]string{
		"orders.new": "orders.new", "_INBOX.AbC.1": "_INBOX", "$JS.ACK.S.C.1.2.3.4.5": "$JS.ACK.S.C", "$JS.ACK.S": "$JS.ACK.S",
		"device.4711.temp": "device.?.temp", "$JS.ACK.S.C": "$JS.ACK.S.C",
	} {
		if got := Template(in); got != want {
			t.Errorf("Template(%q) = %q, want %q", in, got, want)
		}
	}
}

// The oracle is the text itself: tshark -r FILE -q -z follow,tcp,ascii,0 (tshark knows no NATS); sizes counted there.
func TestCapture(t *testing.T) {
	start := []string{"connect - ok req=166 res=5"}
	Expect(t, Protocol{}, false, Capture(t, "testdata/nats-err.pcap", 4222)[0], append(start,
		"error - unknown_protocol_operation req=35 res=0 noresponse error=unknown_protocol_operation", "loss parser_gave_up 1")...)
	Expect(t, Protocol{}, false, Capture(t, "testdata/nats-headers.pcap", 4222)[0], append(start,
		"subscribe FOO ok req=15 res=5", "subscribe FRONT.DOOR ok req=20 res=5",
		"publish FOO ok req=51 res=5", "deliver FOO - req=57 res=0 noresponse",
		"publish FRONT.DOOR ok req=89 res=5", "deliver FRONT.DOOR - req=93 res=0 noresponse",
		"unsubscribe - ok req=15 res=5", "unsubscribe - ok req=11 res=5",
		"publish FOO ok req=51 res=5", "deliver FOO - req=57 res=0 noresponse",
		"publish FOO ok req=51 res=5", "deliver FOO - req=57 res=0 noresponse",
		"publish FOO ok req=51 res=5", "ping - ok req=6 res=6")...)
}

func FuzzParse(f *testing.F) { Fuzz(f, Protocol{}, conversations) }

func BenchmarkParse(b *testing.B) {
	payload := strings.Repeat("x", 200)
	for _, bench := range []struct{ name, request, response string }{
		{"publish", "PUB orders.created 200\r\n" + payload + "\r\n", ""},
		{"request", "PUB svc.echo _INBOX.Qw3rTy.1 200\r\n" + payload + "\r\n", "MSG _INBOX.Qw3rTy.1 1 200\r\n" + payload + "\r\n"},
	} {
		b.Run(bench.name, func(b *testing.B) {
			p, sink := newParser(), Discard{}
			p.Data(protocol.FromServer, []byte(hello), sink)
			p.Data(protocol.ToServer, []byte(`CONNECT {"verbose":false}`+"\r\n"), sink)
			request, response := []byte(bench.request), []byte(bench.response)
			b.ReportAllocs()
			for b.Loop() {
				p.Data(protocol.ToServer, request, sink)
				p.Data(protocol.FromServer, response, sink)
			}
		})
	}
}
