package amqp

import (
	"fmt"
	"slices"
	"testing"

	"github.com/sonde-dev/sonde/agent/protocol"
	. "github.com/sonde-dev/sonde/agent/protocol/parsertest"
)

func TestRecognize(t *testing.T) {
	declare := call(1, queueDeclare, none, "q", byte(0), table)
	broken := slices.Clone(declare)
	broken[len(broken)-1] = 0
	for _, tt := range []struct {
		in   string
		want protocol.Verdict
	}{
		{"", protocol.Maybe},
		{"AMQP", protocol.Maybe},
		{protocolHeader, protocol.IsRequest},
		{"AMQP\x00\x01\x00\x00", protocol.No}, // 1.0
		{"AMQP\x03\x01\x00\x00", protocol.No}, // SASL of 1.0
		{string(declare), protocol.IsRequest},
		{string(declare[:9]), protocol.Maybe},
		{string(declare[:len(declare)-1]), protocol.Maybe},
		{string(broken), protocol.No},
		{string(call(0, queueDeclare, none, "q", byte(0), table)), protocol.No}, // not on channel 0
		{string(call(1, connectionOpen, "/", "", byte(0))), protocol.No},
		{string(call(1, 60<<16|41)), protocol.No}, // no such method
		{string(deliver(1, "c", 1, 5)), protocol.IsResponse},
		{string(publish(1, "", "q", 5)), protocol.IsRequest},
		{string(publish(1, "", "q", 5000)[:100]), protocol.IsRequest},
		{string(ack(1, 1, 0)), protocol.No}, // from either side
		{string(ack(1, 1, 0)) + string(deliver(1, "c", 1, 5)), protocol.IsResponse},
		{string(body(1, 5)), protocol.No},
		{string(frame(frameHeartbeat, 0)), protocol.No},
	} {
		if got := recognize([]byte(tt.in)); got != tt.want {
			t.Errorf("recognize(%q) = %v, want %v", tt.in, got, tt.want)
		}
	}
	NotForeign(t, Protocol{}, "amqp")
	Random(t, Protocol{})
}

// hello opens a connection and channel 1.
var hello = []Call{
	Client([]byte(protocolHeader)),
	Server(call(0, connectionStart, byte(0), byte(9), table, uint32(5), byte('P'), byte('L'), byte('A'), byte('I'), byte('N'), uint32(0))),
	Client(call(0, connectionStartOK, table, "PLAIN", uint32(3), byte(0), byte('a'), byte(0), "en_US")),
	Server(call(0, connectionTune, uint16(2047), uint32(131072), uint16(60))),
	Client(call(0, connectionTuneOK, uint16(2047), uint32(131072), uint16(60)), call(0, connectionOpen, "/", "", byte(0))),
	Server(call(0, connectionOpen+1, "")),
	Client(call(1, channelOpen, "")),
	Server(call(1, channelOpen+1, uint32(0))),
}

var helloLines = []string{
	"connection.start - ok req=8 res=31", "connection.start-ok - ok req=35 res=20",
	"connection.open - ok req=16 res=13", "channel.open - ok req=13 res=16",
}

func conversation(calls ...Call) []Call { return append(slices.Clone(hello), calls...) }
func lines(want ...string) []string     { return append(slices.Clone(helloLines), want...) }

var conversations = []Conversation{
	{Name: "publish", Calls: conversation(
		Client(call(1, exchangeDeclare, none, "ex", "topic", byte(0), table)), Server(call(1, exchangeDeclare+1)),
		Client(call(1, basicPublish, none, "ex", "orders.new", byte(0))), Client(body(1, 3)),
		Client(publish(1, "", "q", 10, 20), publish(1, "", "q")),
		Client(frame(frameHeartbeat, 0)), Server(frame(frameHeartbeat, 0)),
		Client(call(1, channelClose, uint16(200), "bye", uint32(0))), Server(call(1, channelCloseOK)),
		Client(call(0, connectionClose, uint16(200), "bye", uint32(0))), Server(call(0, connectionClose+1)),
	), Want: lines(
		"exchange.declare ex ok req=28 res=12", "publish ex:orders.new - req=62 res=0 noresponse",
		"publish q - req=86 res=0 noresponse", "publish q - req=40 res=0 noresponse",
		"channel.close - ok req=22 res=12", "connection.close - ok req=22 res=12",
	)},
	{Name: "confirms", Calls: conversation(
		Client(call(1, confirmSelect, byte(0)), publish(1, "", "a", 1)), Server(call(1, confirmSelect+1)),
		Client(publish(1, "", "b", 1), publish(1, "", "c", 1), publish(1, "", "d", 1)),
		Server(ack(1, 2, 0)), Server(ack(1, 3, 1), call(1, basicNack, uint64(4), byte(0))),
	), Want: lines(
		"confirm.select - ok req=13 res=12", "publish b ack req=49 res=21", "publish a ack req=49 res=21", "publish c ack req=49 res=0",
		"publish d nack req=49 res=21 servererror=nack error=nack",
	)},
	{Name: "consume", Calls: conversation(
		Client(call(1, queueDeclare, none, "", byte(0), table)), Server(call(1, queueDeclareOK, "amq.gen-1", table, table)),
		Client(call(1, basicConsume, none, "", "", byte(0), table)), Server(call(1, basicConsumeOK, "ctag1"), deliver(1, "ctag1", 1, 4)),
		Client(call(1, basicConsume, none, "silent", "me", byte(2), table)), Server(call(1, basicConsumeOK, "me"), deliver(1, "me", 2, 4)),
		Server(deliver(1, "ctag1", 3, 4), deliver(1, "ctag1", 4, 4), deliver(1, "ctag1", 5, 4)),
		Client(ack(1, 1, 0)), Client(call(1, basicReject, uint64(5), byte(1)), call(1, basicNack, uint64(0), byte(1))),
		Server(call(1, basicCancel, "ctag1", byte(1))),
		Client(call(1, basicCancel, "me", byte(0))), Server(call(1, basicCancel+1, "me")),
	), Want: lines(
		"queue.declare - ok req=20 res=30", "consume amq.gen-1 ok req=21 res=18", "consume silent ok req=29 res=15",
		"deliver silent - req=65 res=0 noresponse", "deliver amq.gen-1 ack req=68 res=21",
		"deliver amq.gen-1 reject req=68 res=21 error=reject",
		"deliver amq.gen-1 nack req=68 res=21 error=nack", "deliver amq.gen-1 nack req=68 res=0 error=nack",
		"cancel - - req=19 res=0 noresponse", "cancel silent ok req=16 res=15",
	)},
	{Name: "get", Calls: conversation(
		Client(call(1, basicGet, none, "q", byte(0))), Server(call(1, basicGetOK, uint64(1), byte(0), "", "q", uint32(7)), body(1, 9)),
		Client(ack(1, 1, 0)), Client(call(1, basicGet, none, "q", byte(0))), Server(call(1, basicGetEmpty, "")),
	), Want: lines("get q ok req=17 res=67", "get q empty req=17 res=13")},
	{Name: "errors", Calls: conversation(
		Client(call(1, queueDeclare, none, "x", byte(1), table)), Server(call(1, channelClose, uint16(404), "NOT_FOUND", uint32(queueDeclare))),
		Client(call(1, channelCloseOK)), Client(call(1, channelOpen, "")), Server(call(1, channelOpen+1, uint32(0))),
		Client(publish(1, "nowhere", "k", 1)), Server(call(1, channelClose, uint16(404), "NOT_FOUND", uint32(basicPublish))),
		Client(call(1, channelCloseOK)), Client(call(1, channelOpen, "")), Server(call(1, channelOpen+1, uint32(0))),
		Client(call(1, confirmSelect, byte(1)), publish(1, "ex", "void", 1)),
		Server(call(1, basicReturn, uint16(312), "NO_ROUTE", "ex", "void"), body(1, 1), ack(1, 1, 0)),
		Client(publish(1, "ex", "y", 1)), Server(call(0, connectionClose, uint16(541), "INTERNAL_ERROR", uint32(0))),
		Client(call(0, connectionClose+1)),
	), Want: lines(
		"queue.declare x 404 req=21 res=28 error=404", "channel.open - ok req=13 res=16",
		"publish nowhere:k - req=56 res=0 noresponse", "channel.close - 404 req=28 res=0 noresponse error=404",
		"channel.open - ok req=13 res=16", "confirm.select - - req=13 res=0 noresponse",
		"return ex:void 312 req=62 res=0 noresponse error=312", "publish ex:void ack req=54 res=21",
		"publish ex:y - req=51 res=0 error=channel_closed", "connection.close - 541 req=33 res=0 noresponse servererror=541 error=541",
	)},
	{Name: "channels", Calls: conversation(
		Client(call(2, channelOpen, "")), Server(call(2, channelOpen+1, uint32(0))),
		Client(call(1, basicPublish, none, "", "one", byte(0)), call(2, basicPublish, none, "", "two", byte(0)), body(2, 2), body(1, 1)),
		Client(call(1, queueBind, none, "a", "e", "k", byte(0), table), call(2, queueDeclare, none, "b", byte(16), table)),
		Client(call(2, classQueue<<16|30, none, "b", byte(0))),
		Server(call(2, classQueue<<16|31, uint32(3))), Server(call(1, queueBind+1)),
	), Want: lines(
		"channel.open - ok req=13 res=16", "publish two - req=52 res=0 noresponse", "publish one - req=51 res=0 noresponse",
		"queue.declare b - req=21 res=0 noresponse", "queue.purge b ok req=17 res=16", "queue.bind a ok req=25 res=12",
	)},
}

func TestConversations(t *testing.T) {
	Each(t, Protocol{}, conversations, func(t *testing.T, c Conversation) {
		AnyLoss(t, Protocol{}, c.Calls, SameButUnknown)
	})
}

// A connection that was there before: everything from the next method on, without what only its start would have told.
func TestJoined(t *testing.T) {
	Expect(t, Protocol{}, true, []Call{
		Client(body(1, 100)), // of a message that began before
		Server(ack(1, 17, 0)),
		Client(publish(1, "", "q", 5)), Server(ack(1, 18, 0)),
		Server(deliver(1, "c", 40, 4)), Server(deliver(1, "c", 41, 4)), Client(ack(1, 40, 0)),
		Server(deliver(1, "c", 42, 4)), Client(ack(1, 42, 1)),
		Server(call(1, queueBind+1)),
	},
		"publish q - req=53 res=0 noresponse", "deliver ex:key - req=64 res=0 noresponse", "deliver ex:key - req=64 res=0 noresponse",
		"deliver ex:key ack req=64 res=21", "loss orphan_response 1")
}

// Bodies are skipped to the byte.
func TestGapInBody(t *testing.T) {
	big := publish(1, "", "q", 60_000)
	Expect(t, Protocol{}, false, conversation(
		Call{Dir: protocol.ToServer, Data: big[:1000], Skip: uint32(len(big)) - 1000}, Client(publish(1, "", "q", 1)),
	), lines(fmt.Sprintf("publish q - req=%d res=0 noresponse", len(big)), "publish q - req=49 res=0 noresponse")...)
}

// Nobody acknowledges: the memory stays bounded and the counts exact.
func TestBounded(t *testing.T) {
	calls := conversation(Client(call(1, basicConsume, none, "q", "c", byte(0), table)), Server(call(1, basicConsumeOK, "c")),
		Client(call(1, confirmSelect, byte(1))))
	for i := range 5000 {
		calls = append(calls, Server(deliver(1, "c", uint64(i+1), 1)), Client(publish(1, "", "q", 1)))
	}
	r := Play(t, Protocol{}, false, calls)
	if n := r.Open(); n != 2*maxTags {
		t.Errorf("%d wait, want %d", n, 2*maxTags)
	}
	if n := len(r.Lines) - len(helloLines) - 2; n != 2*(5000-maxTags) || len(r.Losses) > 0 {
		t.Errorf("%d ended without waiting, losses %v, want %d and none", n, r.Losses, 2*(5000-maxTags))
	}
}

// The oracle is tshark: tshark -r amqp1.pcap -Y amqp -T fields -e amqp.method.class -e amqp.method.method -e amqp.length; a frame is
// 8 bytes longer than what it prints. One connection, over IPv6, was refused and has no calls.
func TestCapture(t *testing.T) {
	conns := Capture(t, "testdata/amqp1.pcap", 5672)
	start := []string{
		"connection.start - ok req=8 res=516", "connection.start-ok - ok req=298 res=20", "connection.open - ok req=16 res=13",
		"channel.open - ok req=13 res=16", "queue.declare hello ok req=25 res=26", "exchange.declare exchange-1 ok req=37 res=12",
	}
	Expect(t, Protocol{}, false, conns[0], append(slices.Clone(start),
		"publish exchange-1:rk-1 - req=73 res=0 noresponse", "channel.close - ok req=34 res=12", "connection.close - ok req=34 res=12")...)
	// no_ack is set: tshark -e amqp.method.arguments.no_ack.
	Expect(t, Protocol{}, false, conns[len(conns)-1], append(slices.Clone(start),
		"queue.bind hello ok req=41 res=12", "consume hello ok req=31 res=18", "deliver hello - req=85 res=0 noresponse")...)
}

func FuzzParse(f *testing.F) { Fuzz(f, Protocol{}, conversations) }

func BenchmarkParsePublishConfirmed(b *testing.B) {
	p := newParser()
	sink := Discard{}
	for _, c := range hello {
		p.Data(c.Dir, c.Data, sink)
	}
	p.Data(protocol.ToServer, call(1, confirmSelect, byte(1)), sink)
	message := publish(1, "orders", "created", 300)
	answer := [21]byte{frameMethod, 0, 1, 0, 0, 0, 13, 0, classBasic, 0, 80, 20: frameEnd}
	b.ReportAllocs()
	for tag := uint64(1); b.Loop(); tag++ {
		p.Data(protocol.ToServer, message, sink)
		for i := range 8 {
			answer[11+i] = byte(tag >> (56 - 8*i))
		}
		p.Data(protocol.FromServer, answer[:], sink)
	}
}
