package protocoltest

import (
	"math/rand/v2"
	"testing"

	"github.com/sonde-dev/sonde/agent/protocol"
)

// Play hands calls to a parser, closes it and returns what it told.
func Play(t testing.TB, p protocol.Parser, calls []Call) string {
	r := NewRecorder(t)
	for _, c := range calls {
		p.Data(c.Direction, c.Payload, r)
	}
	p.Close(r)
	return r.String()
}

// CheckSplits plays calls cut at random places and fails unless what is told stays the same.
func CheckSplits(t *testing.T, newParser func() protocol.Parser, calls []Call) {
	t.Helper()
	want := Play(t, newParser(), calls)
	random := rand.New(rand.NewPCG(1, 2))
	for i := range 60 {
		var cut []Call
		for _, c := range calls {
			for b := c.Payload; len(b) > 0; {
				n := 1
				if i > 0 {
					n = min(len(b), 1+random.IntN(1+random.IntN(100)))
				}
				cut = append(cut, Call{c.Direction, b[:n]})
				b = b[n:]
			}
		}
		if got := Play(t, newParser(), cut); got != want {
			t.Fatalf("cut differently:\n%swant\n%s", got, want)
		}
	}
}

// CheckLoss plays calls of which some are lost, or known in part, and fails when something is told that is not in the truth: an exchange
// without the mark of being partial must be one of those of the whole conversation. key renders an exchange for the comparison.
func CheckLoss(t *testing.T, newParser func() protocol.Parser, calls []Call, key func(*Exchange) string) {
	t.Helper()
	r := NewRecorder(t)
	p := newParser()
	for _, c := range calls {
		p.Data(c.Direction, c.Payload, r)
	}
	p.Close(r)
	truth := map[string]int{}
	for _, x := range r.Exchanges {
		truth[key(x)]++
	}
	random := rand.New(rand.NewPCG(3, 4))
	for range 500 {
		r, p := NewRecorder(t), newParser()
		from, n := random.IntN(len(calls)), 1+random.IntN(2)
		for i, c := range calls {
			if i < from || i >= from+n {
				p.Data(c.Direction, c.Payload, r)
				continue
			}
			known := random.IntN(len(c.Payload) + 1)
			if random.IntN(2) == 0 {
				known = 0
			}
			if known > 0 {
				p.Data(c.Direction, c.Payload[:known], r)
			}
			if rest := len(c.Payload) - known; rest > 0 {
				p.Gap(c.Direction, uint32(rest), nil, r)
			}
		}
		p.Close(r)
		seen := map[string]int{}
		for _, x := range r.Exchanges {
			isWhole := x.RequestEnded && !x.RequestEnd.Partial && !x.RequestEnd.Cut && !x.ResponseEnd.Partial && !x.ResponseEnd.Cut
			if !x.HasRequest || !isWhole || !x.ResponseEnded && !x.Request.NoResponse {
				continue
			}
			k := key(x)
			if seen[k]++; seen[k] > truth[k] {
				t.Fatalf("without calls %d to %d: %s, which is not so in truth", from, from+n, k)
			}
		}
	}
}

// Fuzz drives a parser with a script: each step takes two bytes of orders and some of the text. check is called after each.
func Fuzz(t testing.TB, p protocol.Parser, orders, text []byte, check func()) {
	r := NewRecorder(t)
	r.Bytes = 0
	for len(orders) >= 2 {
		dir := protocol.Direction(orders[0] & 1)
		n := min(int(orders[1]), len(text))
		if orders[0]&2 != 0 {
			size := uint32(orders[1])<<(orders[0]>>4) + uint32(orders[0]>>2&3)
			r.Bytes += uint64(size)
			p.Gap(dir, size, text[:min(n, 8, int(size))], r)
		} else {
			r.Bytes += uint64(n)
			p.Data(dir, text[:n], r)
			text = text[n:]
		}
		orders = orders[2:]
		check()
	}
	p.Close(r)
}

// CheckRandom fails when random bytes are claimed.
func CheckRandom(t *testing.T, recognize func([]byte) protocol.Verdict) {
	t.Helper()
	random := rand.New(rand.NewPCG(3, 4))
	b := make([]byte, 64)
	for range 300_000 {
		for i := range b {
			b[i] = byte(random.Uint32())
		}
		if in := b[:8+random.IntN(57)]; recognize(in) != protocol.No {
			t.Fatalf("recognize(%q) = %v, want No", in, recognize(in))
		}
	}
}
