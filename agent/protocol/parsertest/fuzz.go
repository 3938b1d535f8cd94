package parsertest

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/sonde-dev/sonde/agent/protocol"
)

// Script drives a parser as a fuzzer likes: each step takes two bytes of orders and some of the text. Bit 0 of the first is the
// direction, bit 1 a hole, the second is a size. check, if there is one, is called after each step.
func Script(t testing.TB, parser protocol.Parser, orders, text []byte, check func()) *Recorder {
	r := NewRecorder(t)
	r.script(parser, orders, [2]*[]byte{&text, &text}, check)
	return r
}

// Script is the function Script with a text for each direction.
func (r *Recorder) Script(parser protocol.Parser, orders, client, server []byte, check func()) {
	r.script(parser, orders, [2]*[]byte{&client, &server}, check)
}

func (r *Recorder) script(parser protocol.Parser, orders []byte, texts [2]*[]byte, check func()) {
	for ; len(orders) >= 2 && !r.IsOpaque; orders = orders[2:] {
		c := Call{Dir: protocol.Direction(orders[0] & 1)}
		text := texts[c.Dir]
		n := min(int(orders[1]), len(*text))
		if orders[0]&2 != 0 {
			c.Skip = uint32(orders[1])<<(orders[0]>>4) + uint32(orders[0]>>2&3)
			c.Tail = (*text)[:min(n, 8, int(c.Skip))]
		} else {
			c.Data, *text = (*text)[:n], (*text)[n:]
		}
		Drive(parser, r, []Call{c}, false)
		if check != nil {
			check()
		}
	}
	Drive(parser, r, nil, true)
}

// Orders makes a script of calls, of about the first most bytes.
func Orders(calls []Call, most int) (orders, text []byte) {
	for _, c := range calls {
		for b := c.Data; len(b) > 0 && len(text) < most; {
			n := min(len(b), 255)
			orders = append(orders, byte(c.Dir), byte(n))
			text = append(text, b[:n]...)
			b = b[n:]
		}
	}
	return orders, text
}

// Fuzz drives a parser with scripts.
func Fuzz(f *testing.F, p protocol.Protocol, seeds []Conversation) {
	for _, c := range seeds {
		orders, text := Orders(c.Calls, math.MaxInt)
		f.Add(orders, text, false)
		f.Add(orders, text, true)
	}
	f.Fuzz(func(t *testing.T, orders, text []byte, joined bool) {
		Script(t, p.NewParser(protocol.Start{Joined: joined}), orders, text, nil)
		p.Recognize(text)
	})
}

// Random holds Recognize to claiming no random bytes, nor random text.
func Random(t *testing.T, p protocol.Protocol) {
	t.Helper()
	r := rand.New(rand.NewPCG(3, 4))
	b := make([]byte, 96)
	for i := range 300_000 {
		for j := range b {
			b[j] = byte(r.Uint32())
			if i%3 == 0 {
				b[j] = "abcdefGHIJKL0123456789 \r\n:$*+-/._"[int(b[j])%33]
			}
		}
		in := b[:8+r.IntN(len(b)-8)]
		if v := p.Recognize(in); v == protocol.IsRequest || v == protocol.IsResponse {
			t.Fatalf("Recognize(%q) = %v, want No", in, v)
		}
	}
}

// DenyRandom is stricter than Random: no random bytes may ask for more either.
func DenyRandom(t *testing.T, p protocol.Protocol) {
	t.Helper()
	r := rand.New(rand.NewPCG(3, 4))
	b := make([]byte, 64)
	for range 300_000 {
		for i := range b {
			b[i] = byte(r.Uint32())
		}
		in := b[:8+r.IntN(56)]
		if v := p.Recognize(in); v != protocol.No {
			t.Fatalf("Recognize(%q) = %v, want No", in, v)
		}
	}
}
