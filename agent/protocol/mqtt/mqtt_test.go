package mqtt

import (
	"slices"
	"strings"
	"testing"

	"github.com/sonde-dev/sonde/agent/protocol"
	. "github.com/sonde-dev/sonde/agent/protocol/parsertest"
)

// packet makes one; its parts are byte, uint16 and string (with its length before it) and raw bytes.
func packet(first byte, parts ...any) []byte {
	var b []byte
	for _, p := range parts {
		switch p := p.(type) {
		case byte:
			b = append(b, p)
		case int:
			b = append(b, byte(p>>8), byte(p))
		case string:
			b = append(append(b, byte(len(p)>>8), byte(len(p))), p...)
		case []byte:
			b = append(b, p...)
		}
	}
	head := []byte{first}
	for n := len(b); ; {
		c := byte(n & 127)
		if n >>= 7; n > 0 {
			head = append(head, c|128)
			continue
		}
		return append(append(head, c), b...)
	}
}

const (
	qos1 = publish<<4 | 2
	qos2 = publish<<4 | 4
)

var (
	hello4 = packet(connect<<4, "MQTT", byte(4), byte(0xc2), 60, "me", "user", "secret")
	hello5 = packet(connect<<4, "MQTT", byte(5), byte(2), 60, byte(0), "me")
	ping   = packet(pingreq << 4)
	pong   = packet(pingresp << 4)
	rel    = byte(pubrel<<4 | 2)
)

func TestRecognize(t *testing.T) {
	sub := packet(subscribe<<4|2, 1, "a/b", byte(1))
	sub5 := packet(subscribe<<4|2, 1, byte(0), "a/b", byte(1))
	for _, tt := range []struct {
		in   string
		want protocol.Verdict
	}{
		{"", protocol.Maybe},
		{string(hello4), protocol.IsRequest},
		{string(hello5), protocol.IsRequest},
		{string(hello4[:7]), protocol.Maybe},
		{string(packet(connect<<4, "MQIsdp", byte(3), byte(2), 60, "me")), protocol.IsRequest},
		{string(packet(connect<<4, "MQTT", byte(4), byte(3), 60, "me")), protocol.No}, // reserved flag
		{string(packet(connect<<4, "MQTT", byte(9), byte(2), 60, "me")), protocol.No},
		{string(sub), protocol.IsRequest},
		{string(sub5), protocol.IsRequest},
		{string(packet(subscribe<<4|2, 1, "a\x01b", byte(1))), protocol.No},
		{string(packet(publish<<4, "a/b", []byte("hi"))), protocol.Maybe}, // either end
		{string(packet(publish<<4, "a/b", []byte("hi"))) + string(ping), protocol.IsRequest},
		{string(packet(publish<<4, "a/b", []byte("hi"))) + string(pong), protocol.IsResponse},
		{string(packet(publish<<4, "a/#", []byte("hi"))), protocol.No},
		{string(ping), protocol.Maybe},
		{string(ping) + string(ping), protocol.IsRequest},
		{string(pong) + string(pong), protocol.IsResponse},
		{string(packet(connack<<4, byte(0), byte(0))), protocol.Maybe},
		{"0\r\n\r\n", protocol.No},
	} {
		if got := recognize([]byte(tt.in)); got != tt.want {
			t.Errorf("recognize(%q) = %v, want %v", tt.in, got, tt.want)
		}
	}
	NotForeign(t, Protocol{}, "mqtt")
	Random(t, Protocol{})
}

var conversations = []Conversation{
	{Name: "3.1.1", Calls: []Call{
		Client(hello4), Server(packet(connack<<4, byte(0), byte(0))),
		Client(packet(publish<<4, "a/b", []byte("hi")), packet(qos1, "a/b", 1, []byte("one")), packet(qos2, "a/c", 2, []byte("two"))),
		Server(packet(pubrec<<4, 2), packet(puback<<4, 1)), Client(packet(rel, 2)), Server(packet(pubcomp<<4, 2)),
		Client(packet(subscribe<<4|2, 3, "a/#", byte(1), "b/+/c", byte(2))), Server(packet(suback<<4, 3, byte(1), byte(0x80))),
		Server(packet(publish<<4, "a/x", []byte("0")), packet(qos1, "a/y", 1, []byte("1"))), Client(packet(puback<<4, 1)),
		Server(packet(qos2, "a/z", 2, []byte("2"))), Client(packet(pubrec<<4, 2)), Server(packet(rel, 2)), Client(packet(pubcomp<<4, 2)),
		Client(ping), Server(pong),
		Client(packet(unsubscribe<<4|2, 4, "a/#")), Server(packet(unsuback<<4, 4)),
		Client(packet(disconnect << 4)),
	}, Want: []string{
		"connect - success req=30 res=4",
		"publish a/b - req=9 res=0 noresponse", "publish a/b success req=12 res=4", "publish a/c success req=12 res=8",
		"subscribe a/# unspecified_error req=18 res=6 servererror=unspecified_error error=unspecified_error",
		"deliver a/x - req=8 res=0 noresponse", "deliver a/y success req=10 res=4", "deliver a/z success req=10 res=8",
		"ping - success req=2 res=2", "unsubscribe a/# success req=9 res=4", "disconnect - success req=2 res=0 noresponse",
	}},
	{Name: "5", Calls: []Call{
		Client(hello5), Server(packet(connack<<4, byte(0), byte(0), byte(3), []byte{0x22, 0, 10})),
		Client(packet(subscribe<<4|2, 1, byte(0), "x", byte(0))), Server(packet(suback<<4, 1, byte(0), byte(0))),
		Client(packet(publish<<4, "long/topic", byte(9), []byte{0x01, 0, 0x03, 0, 1, 'c', 0x23, 0, 7}, []byte("a"))),
		Client(packet(qos1, "", 5, byte(3), []byte{0x23, 0, 7}, []byte("b"))), Server(packet(puback<<4, 5, byte(0x10))),
		Client(packet(qos2, "t", 6, byte(0), []byte("c"))), Server(packet(pubrec<<4, 6, byte(0x87), byte(0))),
		Client(packet(unsubscribe<<4|2, 7, byte(0), "y")), Server(packet(unsuback<<4, 7, byte(0), byte(0x11))),
		Client(packet(auth<<4, byte(0x19), byte(0))), Server(packet(auth<<4, byte(0x18), byte(0))),
		Client(packet(auth<<4, byte(0x18), byte(0))), Server(packet(auth<<4, byte(0), byte(0))),
		Server(packet(disconnect<<4, byte(0x8e), byte(0))),
	}, Want: []string{
		"connect - success req=17 res=8", "subscribe x success req=9 res=6",
		"publish long/topic - req=25 res=0 noresponse", "publish long/topic no_matching_subscribers req=11 res=5",
		"publish t not_authorized req=9 res=6 error=not_authorized", "unsubscribe y no_subscription_existed req=8 res=6",
		"auth - success req=4 res=4", "disconnect - session_taken_over req=4 res=0 noresponse error=session_taken_over",
	}},
	{Name: "refused", Calls: []Call{
		Client(hello4), Server(packet(connack<<4, byte(0), byte(5))),
	}, Want: []string{"connect - not_authorized req=30 res=4 error=not_authorized"}},
}

func TestConversations(t *testing.T) {
	Each(t, Protocol{}, conversations, func(t *testing.T, c Conversation) {
		AnyLoss(t, Protocol{}, c.Calls, SameButUnknown)
	})
}

func TestJoined(t *testing.T) {
	Expect(t, Protocol{}, true, []Call{
		Client([]byte("the end of a payload")), Server(packet(puback<<4, 9)),
		Client(packet(qos1, "a", 10, []byte("x"))), Server(packet(puback<<4, 10)),
		Client(packet(publish<<4, "", byte(3), []byte{0x23, 0, 7}, []byte("alias unknown"))),
		Server(packet(qos1, "b", 1, byte(0), []byte("x"))), Client(packet(puback<<4, 1)),
	}, "publish a success req=8 res=4", "publish - - req=21 res=0 noresponse", "deliver b success req=9 res=4", "loss orphan_response 1")
}

func TestGapInPayload(t *testing.T) {
	big := packet(qos1, "big", 1, make([]byte, 100_000))
	Expect(t, Protocol{}, false, []Call{
		Client(hello4), Server(packet(connack<<4, byte(0), byte(0))),
		{Dir: protocol.ToServer, Data: big[:64], Skip: uint32(len(big)) - 64}, Server(packet(puback<<4, 1)), Client(ping), Server(pong),
	}, "connect - success req=30 res=4", "publish big success req=100011 res=4", "ping - success req=2 res=2")
}

func TestBounded(t *testing.T) {
	calls := []Call{Client(hello4), Server(packet(connack<<4, byte(0), byte(0)))}
	for i := range 3000 {
		calls = append(calls, Client(packet(qos1, "q", i+1, []byte("x"))), Client(ping))
	}
	for i := range 3000 {
		calls = append(calls, Server(packet(puback<<4, i+1)))
	}
	r := Play(t, Protocol{}, false, calls)
	if n := r.Open(); n != maxPings {
		t.Errorf("%d wait, want %d pings", n, maxPings)
	}
	n := 0
	for _, l := range r.Lines {
		if strings.HasPrefix(l, "publish q ") && !strings.Contains(l, "partial") {
			n++
		}
	}
	if n != 3000 || len(r.Losses) > 0 {
		t.Errorf("%d publishes, losses %v, want 3000 and none", n, r.Losses)
	}
}

// The oracle is tshark: tshark -r FILE -Y mqtt -T fields -e mqtt.msgtype -e mqtt.topic -e tcp.len.
func TestCapture(t *testing.T) {
	Expect(t, Protocol{}, false, Capture(t, "testdata/mqtt_connect.pcap", 1883)[0], "connect - success req=43 res=4")
	pub := Capture(t, "testdata/mqtt_pub.pcap", 1883)[0]
	Expect(t, Protocol{}, false, pub, "connect - success req=64 res=4", "publish bench success req=268 res=4", "publish bench success req=268 res=4")
}

func FuzzParse(f *testing.F) { Fuzz(f, Protocol{}, conversations) }

func TestNoSecrets(t *testing.T) {
	for _, line := range Play(t, Protocol{}, false, slices.Clone(conversations[0].Calls)).Lines {
		if strings.Contains(line, "secret") || strings.Contains(line, "user") {
			t.Errorf("%q shows who the client is", line)
		}
	}
}

func BenchmarkParsePublish(b *testing.B) {
	for _, bench := range []struct {
		name   string
		first  byte
		answer []byte
	}{{"qos0", publish << 4, nil}, {"qos1", qos1, packet(puback<<4, 5)}} {
		b.Run(bench.name, func(b *testing.B) {
			p, sink := newParser(), Discard{}
			p.Data(protocol.ToServer, hello4, sink)
			message := packet(bench.first, "devices/temperature", 5, make([]byte, 200))
			b.ReportAllocs()
			for b.Loop() {
				p.Data(protocol.ToServer, message, sink)
				p.Data(protocol.FromServer, bench.answer, sink)
			}
		})
	}
}
