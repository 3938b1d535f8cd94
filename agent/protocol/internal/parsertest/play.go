package parsertest

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sonde-dev/sonde/agent/protocol"
)

// Call is one socket call: its first bytes, and how many more were not copied.
type Call struct {
	Dir  protocol.Direction
	Data []byte
	Skip uint32
	Tail []byte // of what was skipped
}

// Client and Server make calls of the two ends.
func Client(parts ...[]byte) Call {
	return Call{Dir: protocol.ToServer, Data: slices.Concat(parts...)}
}

// Server makes a call of the server.
func Server(parts ...[]byte) Call {
	return Call{Dir: protocol.FromServer, Data: slices.Concat(parts...)}
}

// Gap makes a hole of n bytes.
func Gap(dir protocol.Direction, n int) Call { return Call{Dir: dir, Skip: uint32(n)} }

// Play lets a new parser read calls up to the close of the connection. Exchanges that are open then are lines with "open" before them.
func Play(t testing.TB, p protocol.Protocol, isJoined bool, calls []Call) *Recorder {
	r := NewRecorder(t)
	parser := p.NewParser(protocol.Start{Joined: isJoined})
	for _, c := range calls {
		r.Moved += uint64(len(c.Data)) + uint64(c.Skip)
		if len(c.Data) > 0 && !r.opaque {
			scratch := slices.Clone(c.Data)
			parser.Data(c.Dir, scratch, r)
			for i := range scratch {
				scratch[i] = 0xA5 // whoever keeps the slice will show it
			}
		}
		if c.Skip > 0 && !r.opaque {
			parser.Gap(c.Dir, c.Skip, c.Tail, r)
		}
	}
	if !r.opaque {
		parser.Close(r)
	}
	return r
}

// Expect plays calls and compares the lines, then the losses as "cause n" where there are any.
func Expect(t *testing.T, p protocol.Protocol, isJoined bool, calls []Call, want ...string) {
	t.Helper()
	if diff := cmp.Diff(want, outcome(Play(t, p, isJoined, calls))); diff != "" {
		t.Errorf("exchanges (-want +got):\n%s", diff)
	}
}

func outcome(r *Recorder) []string {
	lines := slices.Clone(r.Lines)
	if n := r.Open(); n > 0 {
		lines = append(lines, fmt.Sprintf("open %d", n))
	}
	for c, n := range r.Losses {
		lines = append(lines, fmt.Sprintf("loss %s %d", c, n))
	}
	return lines
}

// AnySplit holds the parser to giving the same exchanges however the bytes of each turn are cut into calls.
func AnySplit(t *testing.T, p protocol.Protocol, isJoined bool, calls []Call) {
	t.Helper()
	want := outcome(Play(t, p, isJoined, calls))
	for seed := range uint64(200) {
		rng := rand.New(rand.NewPCG(seed, 1))
		most := []int{1, 3, 17, 200, 5000}[rng.IntN(5)]
		var cut []Call
		for _, c := range calls {
			for b := c.Data; len(b) > 0; {
				n := min(len(b), 1+rng.IntN(most))
				cut = append(cut, Call{Dir: c.Dir, Data: b[:n]})
				b = b[n:]
			}
			if c.Skip > 0 {
				cut = append(cut, Call{Dir: c.Dir, Skip: c.Skip, Tail: c.Tail})
			}
		}
		if diff := cmp.Diff(want, outcome(Play(t, p, isJoined, cut))); diff != "" {
			t.Fatalf("seed %d, calls of up to %d bytes (-whole +cut):\n%s", seed, most, diff)
		}
	}
}

// AnyLoss takes bytes away, at any place, and holds the parser to telling nothing that is wrong: an exchange that is not partial
// is one of the whole conversation, apart from what may be unknown (same says whether two lines agree), and none comes twice.
func AnyLoss(t *testing.T, p protocol.Protocol, calls []Call, same func(got, want string) bool) {
	t.Helper()
	whole := Play(t, p, false, calls).Lines
	total := 0
	for _, c := range calls {
		total += len(c.Data)
	}
	for seed := range uint64(600) {
		rng := rand.New(rand.NewPCG(seed, 2))
		at, n := rng.IntN(total), 1+rng.IntN([]int{3, 30, 500}[rng.IntN(3)])
		compare(t, fmt.Sprintf("seed %d, %d bytes lost at %d", seed, n, at), Play(t, p, false, holed(calls, at, n)).Lines, whole, same)
	}
}

// AnyCallLost is AnyLoss for protocols of lines, of which a part may look like another line: whole calls are lost, as in life.
func AnyCallLost(t *testing.T, p protocol.Protocol, calls []Call, same func(got, want string) bool) {
	t.Helper()
	whole := Play(t, p, false, calls).Lines
	for first := range calls {
		for last := first; last < len(calls); last++ {
			var cut []Call
			for i, c := range calls {
				if i >= first && i <= last {
					c = Gap(c.Dir, len(c.Data))
				}
				cut = append(cut, c)
			}
			compare(t, fmt.Sprintf("calls %d to %d lost", first, last), Play(t, p, false, cut).Lines, whole, same)
		}
	}
}

// compare fails where a line is not true.
func compare(t *testing.T, what string, got, whole []string, same func(got, want string) bool) {
	t.Helper()
	left := slices.Clone(whole)
	for _, line := range got {
		if strings.Contains(line, " partial") || strings.Contains(line, " cut") {
			continue
		}
		i := slices.Index(left, line)
		if i < 0 {
			i = slices.IndexFunc(left, func(w string) bool { return same(line, w) })
		}
		if i < 0 {
			t.Fatalf("%s: got %q, which is not true\nof %s", what, line, strings.Join(whole, "\n   "))
		}
		left = slices.Delete(left, i, i+1)
	}
	if len(got) > len(whole) {
		t.Fatalf("%s: %d exchanges of %d", what, len(got), len(whole))
	}
}

// holed returns the calls with n bytes after position at replaced by gaps.
func holed(calls []Call, at, n int) []Call {
	var out []Call
	for _, c := range calls {
		size := len(c.Data)
		from, to := min(max(at, 0), size), min(max(at+n, 0), size)
		at -= size
		if from > 0 {
			out = append(out, Call{Dir: c.Dir, Data: c.Data[:from]})
		}
		if to > from {
			out = append(out, Call{Dir: c.Dir, Skip: uint32(to - from)})
		}
		if to < size {
			out = append(out, Call{Dir: c.Dir, Data: c.Data[to:]})
		}
	}
	return out
}

// SameButUnknown reports whether two lines agree in operation and, where got has them, in status and size.
func SameButUnknown(got, want string) bool {
	g, w := strings.Fields(got), strings.Fields(want)
	return g[0] == w[0] && (g[2] == "-" || g[2] == w[2]) && (g[3] == "req=0" || g[3] == w[3])
}

// Random holds Recognize to claiming no random bytes: of prefix and n random ones behind it.
func Random(t *testing.T, p protocol.Protocol) {
	t.Helper()
	rng := rand.New(rand.NewPCG(3, 4))
	b := make([]byte, 96)
	for range 300_000 {
		for i := range b {
			b[i] = byte(rng.Uint32())
		}
		if n := 24 + rng.IntN(72); p.Recognize(b[:n]) == protocol.IsRequest || p.Recognize(b[:n]) == protocol.IsResponse {
			t.Fatalf("Recognize(%q) = %v, want No", b[:n], p.Recognize(b[:n]))
		}
	}
}

// Foreign are first bytes of calls of other protocols.
var Foreign = map[string]string{
	"http":          "GET / HTTP/1.1\r\nHost: x\r\n\r\n",
	"http response": "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
	"http2":         "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x00\x04\x00\x00\x00\x00\x00",
	"http2 frame":   "\x00\x00\x04\x01\x05\x00\x00\x00\x01\x82\x86\x84\x41",
	"redis":         "*2\r\n$3\r\nGET\r\n$1\r\nk\r\n",
	"redis ok":      "+OK\r\n",
	"redis pong":    "+PONG\r\n",
	"redis error":   "-ERR unknown command\r\n",
	"redis inline":  "PING\r\n",
	"memcached":     "get key\r\n",
	"memcached bin": "\x80\x00\x00\x03\x00\x00\x00\x00\x00\x00\x00\x03\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00key",
	"tls":           "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\x01\x02\x03\x04\x05\x06\x07\x08",
	"tls data":      "\x17\x03\x03\x00\x30\x00\x00\x00\x00\x00\x00\x00\x01\xaa\xbb\xcc\xdd",
	"ssh":           "SSH-2.0-OpenSSH_9.2\r\n",
	"smtp":          "220 mail ESMTP\r\n",
	"smtp connect":  "EHLO host\r\n",
	"mysql":         "\x4a\x00\x00\x00\x0a8.0.32\x00\x08\x00\x00\x00abcdefgh\x00\xff\xff\xff\x02\x00\xff\xdf\x15\x00\x00",
	"mysql query":   "\x09\x00\x00\x00\x03SELECT 1",
	"postgres":      "\x00\x00\x00\x08\x04\xd2\x16\x2f",
	"postgres 3":    "\x00\x00\x00\x22\x00\x03\x00\x00user\x00postgres\x00database\x00x\x00\x00",
	"postgres q":    "Q\x00\x00\x00\x0dSELECT 1\x00",
	"kafka":         "\x00\x00\x00\x1a\x00\x12\x00\x03\x00\x00\x00\x01\x00\x07console\x00\x01a\x01b\x00",
	"dns":           "\x00\x1d\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\x07example\x03com\x00\x00\x01\x00\x01",
	"fastcgi":       "\x01\x01\x00\x01\x00\x08\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00",
	"dubbo":         "\xda\xbb\xc2\x00\x00\x00\x00\x00\x00\x00\x00\x01\x00\x00\x00\x10",
	"pulsar":        "\x00\x00\x00\x12\x00\x00\x00\x0e\x08\x02\x12\x0a\x0a\x051.2.3",
	"amqp":          "AMQP\x00\x00\x09\x01",
	"amqp 1.0":      "AMQP\x00\x01\x00\x00",
	"amqp method":   "\x01\x00\x00\x00\x00\x00\x0c\x00\x0a\x00\x1f\x00\x00\x00\x02\x00\x00\x00\x3c\xce",
	"mqtt":          "\x10\x10\x00\x04MQTT\x04\x02\x00\x3c\x00\x04test",
	"mqtt connack":  "\x20\x02\x00\x00",
	"mqtt publish":  "\x30\x07\x00\x03a/bhi",
	"nats info":     `INFO {"server_id":"NX","version":"2.10.0","proto":1,"max_payload":1048576}` + "\r\n",
	"nats connect":  `CONNECT {"verbose":false,"lang":"go"}` + "\r\nPING\r\n",
	"nats pub":      "PUB a.b 5\r\nhello\r\n",
	"mongo":         "\x3a\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00\x00\xdd\x07\x00\x00\x00\x00\x00\x00\x00\x25\x00\x00\x00\x10ping\x00\x01\x00\x00\x00\x02$db\x00\x06\x00\x00\x00admin\x00\x00\x00",
	"cassandra":     "\x04\x00\x00\x00\x01\x00\x00\x00\x16\x00\x01\x00\x0bCQL_VERSION\x00\x053.0.0",
	"thrift":        "\x00\x00\x00\x1c\x80\x01\x00\x01\x00\x00\x00\x04ping\x00\x00\x00\x00\x00",
	"zookeeper":     "\x00\x00\x00\x2c\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x75\x30",
	"rtsp":          "OPTIONS rtsp://h/ RTSP/1.0\r\n",
	"text":          "hello world, this is no protocol at all\n",
	"json":          `{"a":1,"b":[1,2,3]}`,
	"zeros":         strings.Repeat("\x00", 64),
	"ones":          strings.Repeat("\xff", 64),
}

// NotForeign holds Recognize to claiming none of Foreign but those whose names begin with own.
func NotForeign(t *testing.T, p protocol.Protocol, own string) {
	t.Helper()
	for name, text := range Foreign {
		if strings.HasPrefix(name, own) {
			continue
		}
		if v := p.Recognize([]byte(text)); v == protocol.IsRequest || v == protocol.IsResponse {
			t.Errorf("Recognize(%s: %q) = %v, want No", name, text, v)
		}
	}
}

// Fuzz drives a parser with a script: each step takes two bytes of orders and some of the text. seeds are conversations.
func Fuzz(f *testing.F, p protocol.Protocol, seeds ...[]Call) {
	for _, calls := range seeds {
		var orders, text []byte
		for _, c := range calls {
			for b := c.Data; len(b) > 0; {
				n := min(len(b), 255)
				orders = append(orders, byte(c.Dir), byte(n))
				text = append(text, b[:n]...)
				b = b[n:]
			}
		}
		f.Add(orders, text, false)
		f.Add(orders, text, true)
	}
	f.Fuzz(func(t *testing.T, orders, text []byte, joined bool) {
		var calls []Call
		for ; len(orders) >= 2; orders = orders[2:] {
			c := Call{Dir: protocol.Direction(orders[0] & 1)}
			n := min(int(orders[1]), len(text))
			if orders[0]&2 != 0 {
				c.Skip = uint32(orders[1])<<(orders[0]>>4) + uint32(orders[0]>>2&3)
				c.Tail = text[:min(n, 8, int(c.Skip))]
			} else {
				c.Data, text = text[:n], text[n:]
			}
			calls = append(calls, c)
		}
		Play(t, p, joined, calls)
		p.Recognize(text)
	})
}
