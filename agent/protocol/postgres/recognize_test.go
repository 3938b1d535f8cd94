package postgres

import (
	"strings"
	"testing"

	"github.com/sonde-dev/sonde/agent/protocol"
	"github.com/sonde-dev/sonde/agent/protocol/parsertest"
)

func TestRecognize(t *testing.T) {
	extended := parse("", "SELECT 1") + bind("", "") + msg('D', "P\x00") + exec("") + sync_
	for _, tt := range []struct {
		in   string
		want protocol.Verdict
	}{
		{"", protocol.Maybe},
		{"\x00", protocol.Maybe},
		{"\x00\x00\x00\x08\x04\xd2\x16\x2f", protocol.IsRequest},
		{"\x00\x00\x00\x08\x04\xd2\x16\x30", protocol.IsRequest},
		{"\x00\x00\x00\x10\x04\xd2\x16\x2e12345678", protocol.IsRequest},
		{startup("user\x00me\x00database\x00d\x00"), protocol.IsRequest},
		{startup("user\x00me\x00database\x00d\x00")[:20], protocol.Maybe},
		{startup("us er\x00me\x00"), protocol.No},
		{startup(""), protocol.No},
		{"Q", protocol.Maybe},
		{"Q\x00\x00\x00\x20SEL", protocol.Maybe},
		{query("SELECT 1"), protocol.IsRequest},
		{query(" /* x */ insert into t values (1)"), protocol.IsRequest},
		{query("SELECT " + strings.Repeat("a, ", 5000))[:8000], protocol.IsRequest},
		{query("-- ping"), protocol.No},
		{query("hello world, this is not a statement"), protocol.No},
		{query("SELECT 1") + "junk and more", protocol.No},
		{extended, protocol.IsRequest},
		{extended[:len(extended)-3], protocol.IsRequest},
		{bind("", "s1") + exec("") + sync_, protocol.IsRequest},
		{exec("") + sync_, protocol.IsRequest},
		{sync_, protocol.No},
		{msg('X', ""), protocol.No},
		{"Query: hello\r\n", protocol.No},
		{"POST / HTTP/1.1\r\n", protocol.No},
		{"PING\r\n", protocol.No},
		{"EHLO host\r\n", protocol.No},
		{"BEGIN\r\n", protocol.No},
		{"PUBLISH a 1\r\n", protocol.No},
		{"*1\r\n$4\r\nPING\r\n", protocol.No},
		{"\x16\x03\x01\x02\x00\x01", protocol.No},
		{"\x00\x00\x00\x21\x00\x03\x00\x04\x00\x00\x00\x01\x00\x06kafka", protocol.No}, // Kafka: length, API, version, correlation
		{"\x00\x00\x00\x17\x00\x03\x00\x00\x00\x00\x00\x07\x00\x09\x00\x00\x00\x00\x00\x00\x00\x00\x00", protocol.No},
		{"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", protocol.No},
		{"\x01\x00\x00\x00\x0e", protocol.No},
		{"\x21\x00\x00\x00\x03SELECT 1", protocol.No}, // MySQL
		{"\x10\x0c\x00\x04MQTT\x04\x02\x00\x3c\x00\x00", protocol.No},
		{"AMQP\x00\x00\x09\x01", protocol.No},
	} {
		if got := recognize([]byte(tt.in)); got != tt.want {
			t.Errorf("recognize(%q) = %v, want %v", tt.in, got, tt.want)
		}
	}
}

func TestRecognizeRandom(t *testing.T) { parsertest.DenyRandom(t, Protocol{}) }

func TestMayBeginResponse(t *testing.T) {
	for in, want := range map[string]bool{
		"": false, "N": false, notice: false, "1": true, parsed: true, tag("SELECT 1"): true, ready("I"): true, "Z\x00\x00\x00\x06I": false, "x": false, described: true,
	} {
		if got := mayBeginResponse([]byte(in)); got != want {
			t.Errorf("mayBeginResponse(%q) = %v, want %v", in, got, want)
		}
	}
}

// FuzzParse drives a parser with scripts of two texts.
func FuzzParse(f *testing.F) {
	for _, c := range conversations() {
		orders, client, server := c.Script()
		f.Add(orders, client, server)
	}
	f.Fuzz(func(t *testing.T, orders, client, server []byte) {
		p, r := newParser(), parsertest.NewRecorder(t)
		r.Script(p, orders, client, server, func() {
			if p.queue.len() > maxQueue+2 || len(p.streams[0].buf) > maxText || len(p.streams[1].buf) > 4096 {
				t.Fatalf("not bounded: %d waiting, %d and %d bytes", p.queue.len(), len(p.streams[0].buf), len(p.streams[1].buf))
			}
		})
	})
}

func TestParserIsBounded(t *testing.T) {
	p, r := newParser(), parsertest.NewRecorder(t)
	r.Moved = 1 << 40
	for range 5 * maxQueue {
		p.Data(protocol.ToServer, []byte(parse("", "SELECT 1")+bind("", "")+exec("")), r)
	}
	if n := p.queue.len(); n > maxQueue {
		t.Errorf("%d requests wait, want at most %d", n, maxQueue)
	}
	for i := range 5 * maxStatements {
		p.Data(protocol.ToServer, []byte(parse(string(rune('a'+i)), "SELECT 1")+sync_), r)
		p.Data(protocol.FromServer, []byte(parsed+ready("I")), r)
	}
	if n := len(p.named); n > maxStatements {
		t.Errorf("%d statements kept, want at most %d", n, maxStatements)
	}
	p.Data(protocol.ToServer, []byte(query("SELECT '" + strings.Repeat("x", 1<<20) + "'")[:1<<20]), r)
	if n := len(p.streams[0].buf); n > maxText {
		t.Errorf("%d bytes of a statement kept", n)
	}
	p.Data(protocol.ToServer, []byte(strings.Repeat("x", 100)), r)
	if n := cap(p.streams[0].buf); n > keepBuf {
		t.Errorf("%d bytes kept while idle", n)
	}
}
