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

// Text is all that calls say, of both ends.
func Text(calls []Call) (text []byte) {
	for _, c := range calls {
		text = append(text, c.Data...)
	}
	return text
}

// Play lets a new parser read calls up to the close of the connection.
func Play(t testing.TB, p protocol.Protocol, isJoined bool, calls []Call) *Recorder {
	r := NewRecorder(t)
	Drive(p.NewParser(protocol.Start{Joined: isJoined}), r, calls, true)
	return r
}

// Drive lets a parser read calls, and the close of the connection if closes.
func Drive(parser protocol.Parser, r *Recorder, calls []Call, closes bool) {
	for _, c := range calls {
		r.Moved += uint64(len(c.Data)) + uint64(c.Skip)
		if len(c.Data) > 0 && !r.IsOpaque {
			scratch := slices.Clone(c.Data)
			parser.Data(c.Dir, scratch, r)
			for i := range scratch {
				scratch[i] = 0xA5 // whoever keeps the slice will show it
			}
		}
		if c.Skip > 0 && !r.IsOpaque {
			parser.Gap(c.Dir, c.Skip, c.Tail, r)
		}
	}
	if closes && !r.IsOpaque {
		parser.Close(r)
	}
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
	return append(lines, r.losses()...)
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

// AnyPartLost is AnyLoss for protocols whose calls are known in part: of some calls the end is lost, or all. key renders what must be true of an
// exchange that is whole.
func AnyPartLost(t *testing.T, p protocol.Protocol, calls []Call, key func(*Exchange) string) {
	t.Helper()
	truth := map[string]int{}
	for _, x := range Play(t, p, false, calls).Exchanges {
		truth[key(x)]++
	}
	rng := rand.New(rand.NewPCG(3, 4))
	for range 500 {
		from, n := rng.IntN(len(calls)), 1+rng.IntN(2)
		cut := slices.Clone(calls)
		for i := from; i < min(from+n, len(calls)); i++ {
			known := rng.IntN(len(calls[i].Data)+1) * rng.IntN(2)
			cut[i].Data, cut[i].Skip = calls[i].Data[:known], uint32(len(calls[i].Data)-known)
		}
		seen := map[string]int{}
		for _, x := range Play(t, p, false, cut).Exchanges {
			isWhole := x.RequestEnded && !x.IsPartial() && !x.RequestEnd.Cut && !x.ResponseEnd.Cut
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
