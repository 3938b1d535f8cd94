package redis

import (
	"strings"
	"testing"

	"github.com/sonde-dev/sonde/agent/protocol"
	"github.com/sonde-dev/sonde/agent/protocol/inorder"
	"github.com/sonde-dev/sonde/agent/protocol/parsertest"
	"github.com/sonde-dev/sonde/signal"
)

func TestRecognize(t *testing.T) {
	for _, tt := range []struct {
		in   string
		want protocol.Verdict
	}{
		{"", protocol.Maybe},
		{"*", protocol.Maybe},
		{"*1\r\n", protocol.Maybe},
		{"*1\r\n$", protocol.Maybe},
		{"*1\r\n$4", protocol.Maybe},
		{"*1\r\n$4\r", protocol.Maybe},
		{"*1\r\n$4\r\n", protocol.Maybe},
		{"*1\r\n$4\r\nPI", protocol.Maybe},
		{"*1\r\n$4\r\nPING\r\n", protocol.IsRequest},
		{"*2\r\n$3\r\nget\r\n$5\r\nuser1\r\n", protocol.IsRequest},
		{"*3\r\n$3\r\nSET\r\n$5\r\nuser1\r\n$90000\r\nxxx", protocol.IsRequest},
		{"*3\r\n$3\r\nSET\r\n", protocol.IsRequest},
		{"*2\r\n$7\r\nCLUSTER\r\n$5\r\nSLOTS\r\n", protocol.IsRequest},
		{"*2\r\n$4\r\nKEYS\r\n$1\r\n*\r\n*1\r\n$4\r\nPING\r\n", protocol.IsRequest},
		{"*4\r\n$4\r\ntype\r\n$1\r\na\r\n$1\r\nb\r\n$1\r\nc\r\n", protocol.No}, // a hash
		{"*2\r\n$5\r\nhello\r\n:1\r\n", protocol.No},
		{"*2\r\n$3\r\nfoo\r\n$3\r\nbar\r\n", protocol.No},
		{"*0\r\n", protocol.No},
		{"*-1\r\n", protocol.No},
		{"*3\r\n:1\r\n:2\r\n:3\r\n", protocol.No},
		{"*3\r\n$7\r\nmessage\r\n$2\r\nch\r\n$2\r\nhi\r\n", protocol.IsResponse},
		{">3\r\n$7\r\nmessage\r\n$2\r\nch\r\n$2\r\nhi\r\n", protocol.IsResponse},
		{"*3\r\n$9\r\nsubscribe\r\n$2\r\nch\r\n:1\r\n", protocol.No},
		{"PING\r\nPING\r\n", protocol.Maybe}, // NATS has it too
		{"PING\r\nPONG\r\n", protocol.No},
		{"+PONG\r\n", protocol.IsResponse},
		{"+OK\r\n", protocol.No},
		{"$5\r\nhello\r\n", protocol.No},
	} {
		if got := recognize([]byte(tt.in)); got != tt.want {
			t.Errorf("recognize(%q) = %v, want %v", tt.in, got, tt.want)
		}
	}
	parsertest.NotForeign(t, Protocol{}, "redis")
	parsertest.Random(t, Protocol{})
}

func TestConversations(t *testing.T) { parsertest.Conversations(t, Protocol{}, "testdata/*.txt") }

func bulk(words ...string) string {
	var s strings.Builder
	s.WriteString("*" + itoa(len(words)) + "\r\n")
	for _, w := range words {
		s.WriteString("$" + itoa(len(w)) + "\r\n" + w + "\r\n")
	}
	return s.String()
}

func itoa(n int) string {
	if n >= 10 {
		return itoa(n/10) + string(rune('0'+n%10))
	}
	return string(rune('0' + n))
}

// A thousand commands in one call, their replies in another.
func TestLongPipeline(t *testing.T) {
	const n = inorder.MaxWaiting
	req := strings.Repeat(bulk("GET", "user:1"), n)
	res := strings.Repeat("$5\r\nhello\r\n", n-1) + "-WRONGTYPE x\r\n"
	r := parsertest.Play(t, Protocol{}, false, []parsertest.Call{
		{Dir: protocol.ToServer, Data: []byte(req)}, {Dir: protocol.FromServer, Data: []byte(res)},
	})
	if len(r.Lines) != n || r.Lines[0] != "GET user:1 OK req=25 res=11" || r.Lines[n-1] != "GET user:1 WRONGTYPE req=25 res=14 servererror=WRONGTYPE error=WRONGTYPE" || len(r.Losses) > 0 {
		t.Errorf("%d exchanges, first %q, last %q, losses %v", len(r.Lines), r.Lines[0], r.Lines[len(r.Lines)-1], r.Losses)
	}
}

// Whatever is lost, what remains is right or marked: each command gets a reply that tells which command it was.
func TestLossIsMarked(t *testing.T) {
	cmds := []string{"GET", "INCR", "LPUSH", "HSET"}
	for hole := range 12 {
		for size := 1; size < 90; size += 7 {
			var steps []parsertest.Call
			for i := range 12 {
				req := bulk(cmds[i%4], "k")
				res := "+OK\r\n"
				if i%4 == 1 {
					res = "-WRONGTYPE of INCR\r\n"
				}
				a, b := parsertest.Call{Dir: protocol.ToServer, Data: []byte(req)}, parsertest.Call{Dir: protocol.FromServer, Data: []byte(res)}
				if i == hole {
					holed := &a
					if size%2 == 0 {
						holed = &b
					}
					k := min(size, len(holed.Data))
					holed.Data, holed.Skip = holed.Data[:len(holed.Data)-k], uint32(k)
				}
				steps = append(steps, a, b)
			}
			r := parsertest.Play(t, Protocol{}, false, steps)
			if len(r.Lines) < 10 {
				t.Fatalf("hole %d of %d: %d exchanges: %q", hole, size, len(r.Lines), r.Lines)
			}
			for _, x := range r.Lines {
				isIncr, isWrong := strings.HasPrefix(x, "INCR"), strings.Contains(x, "WRONGTYPE")
				if isIncr != isWrong && !strings.Contains(x, "partial") {
					t.Fatalf("hole %d of %d: %q", hole, size, r.Lines)
				}
			}
			if last := r.Lines[len(r.Lines)-1]; hole < 9 && strings.Contains(last, "partial") {
				t.Fatalf("hole %d of %d: still in doubt at the end: %q", hole, size, r.Lines)
			}
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte("\x00\x20\x01\x20\x02\x10"), []byte("*2\r\n$3\r\nGET\r\n$6\r\nuser:1\r\n+++++++$5\r\nhello\r\n"), false)
	f.Add([]byte("\x00\x21\x01\xff"), []byte("*2\r\n$9\r\nSUBSCRIBE\r\n$1\r\na\r\n       *3\r\n$9\r\nsubscribe\r\n$1\r\na\r\n:1\r\n*3\r\n$7\r\nmessage\r\n$1\r\na\r\n$1\r\nb\r\n"), true)
	f.Add([]byte("\x00\x0f\x01\xff"), []byte("*1\r\n$4\r\nEXEC\r\n|1\r\n+a\r\n:1\r\n*?\r\n$?\r\n;3\r\nabc\r\n;0\r\n-ERR x\r\n.\r\n%1\r\n+a\r\n_\r\n"), false)
	f.Fuzz(func(t *testing.T, orders, text []byte, joined bool) {
		r := parsertest.Script(t, newParser(joined), orders, text, nil)
		if r.MaxOpen > inorder.MaxWaiting+2 {
			t.Fatalf("%d commands wait", r.MaxOpen)
		}
	})
}

func BenchmarkParseGet(b *testing.B) { benchmark(b, 1) }

func BenchmarkParsePipeline16(b *testing.B) { benchmark(b, 16) }

func benchmark(b *testing.B, n int) {
	p, s := newParser(false), parsertest.Discard{}
	req := []byte(strings.Repeat(bulk("SET", "key:000000000012", "xxx"), n))
	res := []byte(strings.Repeat("+OK\r\n", n))
	b.ReportAllocs()
	for range b.N / n {
		p.Data(protocol.ToServer, req, s)
		p.Data(protocol.FromServer, res, s)
	}
}

// A reply that began while nobody waited does not belong to a command that began meanwhile.
func TestOrphanIsNotPaired(t *testing.T) {
	r := parsertest.Play(t, Protocol{}, false, []parsertest.Call{
		{Dir: protocol.FromServer, Data: []byte("!1\r\n0")}, {Dir: protocol.ToServer, Data: []byte(bulk("GET", "k"))},
		{Dir: protocol.FromServer, Data: []byte("\r\n$1\r\nv\r\n")},
	})
	if len(r.Lines) != 1 || r.Lines[0] != "GET k OK req=20 res=7" || r.Losses[signal.OrphanResponse] != 1 {
		t.Errorf("%q, losses %v", r.Lines, r.Losses)
	}
}
