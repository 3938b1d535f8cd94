package parsertest

import (
	"math/rand/v2"
	"testing"

	"github.com/sonde-dev/sonde/agent/protocol"
)

// Script drives a parser as a fuzzer likes: each step takes two bytes of orders and some of the text. Bit 0 of the first is the
// direction, bit 1 a hole, the second is a size.
func Script(t testing.TB, p protocol.Protocol, orders, text []byte, joined bool) *Recorder {
	r := NewRecorder(t)
	x := p.NewParser(protocol.Start{Joined: joined})
	for len(orders) >= 2 && !r.IsOpaque {
		dir := protocol.Direction(orders[0] & 1)
		n := min(int(orders[1]), len(text))
		if orders[0]&2 != 0 {
			size := uint32(orders[1])<<(orders[0]>>4) + uint32(orders[0]>>2&3)
			x.Gap(dir, size, text[:min(n, 8, int(size))], r)
		} else {
			x.Data(dir, text[:n], r)
			text = text[n:]
		}
		orders = orders[2:]
	}
	if !r.IsOpaque {
		x.Close(r)
	}
	return r
}

// Random asks a protocol about random bytes, all of them and text alone, and about other protocols' first bytes. It may claim none.
func Random(t *testing.T, p protocol.Protocol, n int) {
	r := rand.New(rand.NewPCG(3, 4))
	b := make([]byte, 64)
	for i := range n {
		for j := range b {
			b[j] = byte(r.Uint32())
			if i%3 == 0 {
				b[j] = "abcdefGHIJKL0123456789 \r\n:$*+-/._"[int(b[j])%33]
			}
		}
		if v := p.Recognize(b[:8+r.IntN(56)]); v == protocol.IsRequest || v == protocol.IsResponse {
			t.Fatalf("Recognize(%q) = %v", b, v)
		}
	}
}

// Foreign are first bytes of other protocols.
var Foreign = []string{
	"GET / HTTP/1.1\r\nHost: x\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", "POST /x HTTP/1.1\r\n", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
	"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", "SSH-2.0-OpenSSH_9.2\r\n", "EHLO host\r\n", "220 mail ESMTP\r\n", "+OK POP3 ready\r\n", "-ERR no\r\n", "* OK IMAP4 ready\r\n",
	"INFO {\"server_id\":\"x\"}\r\n", "CONNECT {\"verbose\":false}\r\n", "PUB a 3\r\nabc\r\n", "+OK\r\n", "MSG a 1 3\r\nabc\r\n",
	"\x4a\x00\x00\x00\x0a8.0.30\x00\x08\x00\x00\x00abcdefgh\x00\xff\xff", "\x0e\x00\x00\x00\x03select 1 + 1", "\x00\x00\x00\x54\x00\x03\x00\x00user\x00x\x00", "\x00\x00\x00\x08\x04\xd2\x16\x2f",
	"Q\x00\x00\x00\x0dselect 1\x00", "R\x00\x00\x00\x08\x00\x00\x00\x00", "\x10\x10\x00\x04MQTT\x04\x02\x00\x3c\x00\x04abcd", "AMQP\x00\x00\x09\x01", "\x01\x00\x00\x00\x00\x00\x10\x00\x0a",
	"\x00\x00\x00\x1d\x00\x12\x00\x03\x00\x00\x00\x01\x00\x05kafka\x00\x00", "\x3f\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00\x00\xdd\x07\x00\x00\x00\x00\x00\x00\x00",
	"\x04\x00\x00\x00\x01\x00\x00\x00\x16\x00\x01", "\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\x03www\x07example\x03org\x00\x00\x01\x00\x01",
	"\xda\xbb\xc2\x00\x00\x00\x00\x00\x00\x00\x00\x01\x00\x00\x00\x10", "\x80\x01\x00\x01\x00\x00\x00\x04ping", "*3\r\n$3\r\nfoo\r\n$3\r\nbar\r\n$3\r\nbaz\r\n", "$5\r\nhello\r\n", ":1\r\n",
	"*2\r\n$3\r\nGET\r\n$5\r\nuser1\r\n", "get key\r\n", "VALUE key 0 3\r\nabc\r\nEND\r\n", "set k 0 0 1\r\nx\r\n", "STORED\r\n", "mg k v\r\n",
	"\x80\x00\x00\x03\x00\x00\x00\x00\x00\x00\x00\x03\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00\x00\x00key", "\x81\x00\x00\x00\x04\x00\x00\x00\x00\x00\x00\x09\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00value",
	"\x01\x01\x00\x01\x00\x08\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00", "\x01\x06\x00\x01\x00\x05\x03\x00Sta\r\n\x00\x00\x00",
	"\x00\x11ClickHouse client\x12\x0c\xb4\xa9\x03\x07default\x07default\x00", "USER anonymous\r\n", "NICK joe\r\nUSER joe 0 * :Joe\r\n", "<stream:stream to='x'>", "\x05\x01\x00", "RFB 003.008\n",
}
