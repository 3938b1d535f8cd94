package mysql

import (
	"strings"
	"testing"

	"github.com/sonde-dev/sonde/agent/protocol"
	"github.com/sonde-dev/sonde/agent/protocol/parsertest"
)

func TestRecognize(t *testing.T) {
	long := query("SELECT " + strings.Repeat("a, ", 5000))
	for _, tt := range []struct {
		in   string
		want protocol.Verdict
	}{
		{"", protocol.Maybe},
		{greet("8.0.36", caps), protocol.IsResponse},
		{greet("5.5.5-10.11.6-MariaDB-1+deb12u1", caps), protocol.IsResponse},
		{greet("8.0.36", caps)[:10], protocol.Maybe},
		{greet("8.0.36", 0), protocol.No},
		{greet("eight", caps), protocol.No},
		{greet("8.0.36", caps) + "x", protocol.No},
		{query("SELECT 1"), protocol.IsRequest},
		{query("\x00\x01SELECT 1"), protocol.IsRequest},
		{long[:8000], protocol.IsRequest},
		{prepare("insert into t values (?)"), protocol.IsRequest},
		{execute(1), protocol.IsRequest},
		{query("hello world"), protocol.No},
		{query("SEL"), protocol.No},
		{long[:7], protocol.Maybe},
		{zip(0, query("SELECT 1"), 1000), protocol.IsRequest},
		{zip(0, query("SELECT * FROM a_table_with_a_long_name WHERE id = 123456"), 1000), protocol.IsRequest},
		{zip(0, query("SELECT 1"), 1000)[:outerSize], protocol.Maybe},
		{zip(0, query("SELECT * FROM t WHERE a IN ("+strings.Repeat("1, ", 50)+"2)"), 1000)[:outerSize], protocol.Maybe},
		{loginNumbered(2, caps|capSSL), protocol.IsRequest},
		{loginNumbered(2, caps|capSSL)[:headerSize], protocol.Maybe},
		{loginNumbered(2, caps|capSSL)[:60], protocol.Maybe},
		{loginNumbered(2, caps), protocol.No},
		{loginNumbered(1, caps|capSSL), protocol.No},
		{strings.ReplaceAll(loginNumbered(2, caps|capSSL), strings.Repeat("\x00", 23), strings.Repeat("y", 23)), protocol.No},
		{com(comPing, ""), protocol.No},
		{com(comQuit, ""), protocol.No},
		{pkt(1, "\x03SELECT 1"), protocol.No},
		{query("SELECT 1") + "x", protocol.No},
		{"GET / HTTP/1.1\r\n\r\n", protocol.No},
		{"*1\r\n$4\r\nPING\r\n", protocol.No},
		{"Q\x00\x00\x00\x0dSELECT 1\x00", protocol.No},
		{"\x00\x00\x00\x08\x04\xd2\x16\x2f", protocol.No},
		{"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", protocol.No},
		{"\x3a\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00\x00\xd4\x07\x00\x00\x00\x00\x00\x00admin.$cmd\x00", protocol.No}, // MongoDB
		{"\x00\x00\x00\x21\x00\x03\x00\x04\x00\x00\x00\x01\x00\x06kafka", protocol.No},
		{"SSH-2.0-OpenSSH_9.2\r\n", protocol.No},
		{"220 mail ESMTP\r\n", protocol.No},
		{"\x10\x0c\x00\x04MQTT\x04\x02\x00\x3c\x00\x00", protocol.No},
		{"INFO {\"server_id\":\"x\"}\r\n", protocol.No},
	} {
		if got := recognize([]byte(tt.in)); got != tt.want {
			t.Errorf("recognize(%q) = %v, want %v", tt.in, got, tt.want)
		}
	}
}

func TestRecognizeRandom(t *testing.T) { parsertest.DenyRandom(t, Protocol{}) }

// FuzzParse drives a parser with scripts of two texts.
func FuzzParse(f *testing.F) {
	for i, c := range conversations() {
		if i%3 == 0 {
			c.Calls = zipped(c.Calls)
		}
		orders, client, server := c.Script()
		f.Add(orders, client, server)
	}
	f.Fuzz(func(t *testing.T, orders, client, server []byte) {
		p, r := newParser(), parsertest.NewRecorder(t)
		r.Moved = 1 << 40 // what is compressed may say that it is long
		r.Script(p, orders, client, server, func() {
			if p.queue.len() > maxQueue+1 || len(p.streams[0].buf) > maxText+1 || len(p.streams[1].buf) > maxGreeting {
				t.Fatalf("not bounded: %d waiting, %d and %d bytes", p.queue.len(), len(p.streams[0].buf), len(p.streams[1].buf))
			}
		})
	})
}

func TestParserIsBounded(t *testing.T) {
	p, r := newParser(), parsertest.NewRecorder(t)
	r.Moved = 1 << 40
	for range 5 * maxQueue {
		p.Data(protocol.ToServer, []byte(query("SELECT 1")), r)
	}
	if n := p.queue.len(); n > maxQueue {
		t.Errorf("%d commands wait, want at most %d", n, maxQueue)
	}
	p = newParser()
	for i := range 5 * maxStatements {
		p.Data(protocol.ToServer, []byte(prepare("DO 1")), parsertest.Discard{})
		p.Data(protocol.FromServer, []byte(run(1, preparedOK(i, 0, 0))), parsertest.Discard{})
	}
	if n := len(p.statements); n > maxStatements || n == 0 {
		t.Errorf("%d statements kept, want at most %d", n, maxStatements)
	}
	p.Data(protocol.ToServer, []byte(query("SELECT '" + strings.Repeat("x", 1<<20) + "'"))[:1<<20], parsertest.Discard{})
	if n := len(p.streams[0].buf); n > maxText+1 {
		t.Errorf("%d bytes of a statement kept", n)
	}
	p.Data(protocol.ToServer, []byte(strings.Repeat("x", 100)), parsertest.Discard{})
	if n := cap(p.streams[0].buf); n > keepBuf {
		t.Errorf("%d bytes kept while idle", n)
	}
}
