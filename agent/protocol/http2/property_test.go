package http2

import (
	"bytes"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sonde-dev/sonde/agent/protocol"
	"github.com/sonde-dev/sonde/signal"
)

// exchangesOf plays calls and returns what came of them, in order of text: where a call is cut changes which exchange ends first.
func exchangesOf(t testing.TB, calls []segment) ([]string, *recorder) {
	t.Helper()
	p, r := newParser(false), newRecorder(t)
	(&wire{calls: calls}).play(p, r)
	p.Close(r)
	slices.Sort(r.got)
	return r.got, r
}

// Any cut of the calls gives the same exchanges.
func TestSegmentation(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	for _, tt := range slices.Concat(plainConversations, grpcConversations) {
		w := newWire()
		tt.say(w)
		want, whole := exchangesOf(t, w.calls)
		for range 200 {
			var calls []segment
			for _, k := range w.calls {
				for b := k.b; len(b) > 0; {
					n := min(len(b), 1+rnd.IntN(1+rnd.IntN(1+len(b))))
					calls = append(calls, segment{dir: k.dir, b: b[:n]})
					b = b[n:]
				}
			}
			got, r := exchangesOf(t, calls)
			if diff := cmp.Diff(want, got); diff != "" {
				t.Fatalf("%s, cut (-want +got):\n%s", tt.name, diff)
			}
			if diff := cmp.Diff(whole.losses, r.losses); diff != "" {
				t.Fatalf("%s, cut: losses (-want +got):\n%s", tt.name, diff)
			}
		}
	}
}

// generate writes a random conversation in which every stream has a path and a status of its own: /7 is answered by 207, so that any
// mix-up shows.
func generate(rnd *rand.Rand, n int) *wire {
	w := newWire()
	w.preface()
	type open struct {
		number              uint32
		isGRPC, sent, begun bool
	}
	var all []*open
	for next := uint32(1); len(all) < n || len(all) > 0; {
		if len(all) < 5 && next < uint32(2*n) && rnd.IntN(2) == 0 {
			o := &open{number: next, isGRPC: rnd.IntN(3) == 0, sent: rnd.IntN(2) == 0}
			next += 2
			path := "/" + word(o.number)
			if o.isGRPC {
				o.sent = false
				w.headers(c, o.number, false, ":method: POST", ":scheme: http", ":path: /demo"+path, ":authority: x", "content-type: application/grpc")
			} else {
				w.headers(c, o.number, o.sent, ":method: PUT", ":scheme: http", ":path: "+path, ":authority: x", "x-"+word(rnd.Uint32N(20))+": y")
			}
			all = append(all, o)
		} else if len(all) == 0 {
			if next >= uint32(2*n) {
				break
			}
			continue
		}
		if len(all) == 0 {
			continue
		}
		i := rnd.IntN(len(all))
		o := all[i]
		switch {
		case !o.sent:
			o.sent = rnd.IntN(2) == 0
			w.data(c, o.number, o.sent, strings.Repeat("u", rnd.IntN(300)))
		case !o.begun:
			o.begun = true
			w.headers(s, o.number, false, ":status: "+statusFor(o.number, o.isGRPC), "x-"+word(rnd.Uint32N(20))+": z")
		case rnd.IntN(2) == 0:
			w.data(s, o.number, false, strings.Repeat("d", rnd.IntN(300)))
		default:
			if o.isGRPC {
				w.headers(s, o.number, true, "grpc-status: "+grpcFor(o.number))
			} else {
				w.data(s, o.number, true, "end")
			}
			all = slices.Delete(all, i, i+1)
		}
	}
	return w
}

func word(n uint32) string {
	return string(rune('a'+n/26%26)) + string(rune('a'+n%26))
}

func statusFor(n uint32, isGRPC bool) string {
	if isGRPC {
		return "200"
	}
	return string([]byte{'2', '0' + byte(n/10%10), '0' + byte(n%10)})
}

func grpcFor(n uint32) string {
	return []string{"0", "5", "7", "13"}[n/2%4]
}

// Whatever is lost, what is told of a stream is its own or marked partial, and no request is told twice.
func TestLoss(t *testing.T) {
	rnd := rand.New(rand.NewPCG(5, 6))
	for range 400 {
		w := generate(rnd, 12)
		want, whole := exchangesOf(t, w.calls)
		if len(want) != 12 || len(whole.losses) > 0 {
			t.Fatalf("%d exchanges and losses %v without loss, want 12 and none:\n%s", len(want), whole.losses, strings.Join(want, "\n"))
		}
		for range 20 {
			calls := slices.Clone(w.calls)
			if rnd.IntN(3) == 0 { // joined
				calls = calls[rnd.IntN(len(calls)):]
			}
			for range 1 + rnd.IntN(3) {
				lossy(rnd, calls)
			}
			got, r := exchangesOf(t, calls)
			for _, x := range got {
				if !strings.Contains(x, "partial") && !strings.Contains(x, " cut") && !slices.Contains(want, x) {
					t.Fatalf("told %q of\n%s", x, strings.Join(want, "\n"))
				}
			}
			if len(r.exchanges) > 12 {
				t.Fatalf("%d requests of 12", len(r.exchanges))
			}
		}
	}
}

// lossy makes a hole of a call or a part of one, or drops what is left of a direction.
func lossy(rnd *rand.Rand, calls []segment) {
	i := rnd.IntN(len(calls))
	k := calls[i]
	if n := len(k.b); n > 0 {
		from := rnd.IntN(n)
		if rnd.IntN(2) == 0 {
			from = 0
		}
		calls[i] = segment{dir: k.dir, skip: k.skip + n - from}
		if from > 0 && i > 0 && calls[i-1].dir == k.dir && calls[i-1].skip == 0 {
			calls[i-1].b = append(bytes.Clone(calls[i-1].b), k.b[:from]...)
		} else {
			calls[i].skip += from
		}
	}
}

// Random bytes give nothing.
func TestRandomBytes(t *testing.T) {
	rnd := rand.New(rand.NewPCG(7, 8))
	p, r := newParser(false), newRecorder(t)
	b := make([]byte, 200)
	for range 200_000 {
		for i := range b {
			b[i] = byte(rnd.Uint32())
		}
		p.Data(protocol.Direction(rnd.IntN(2)), b[:1+rnd.IntN(199)], r)
	}
	if len(r.exchanges) > 0 {
		t.Errorf("%d requests in random bytes", len(r.exchanges))
	}
}

func TestBounds(t *testing.T) {
	w := newWire()
	w.preface()
	for i := range uint32(3000) {
		w.get(1+2*i, "/"+word(i))
	}
	p, r := newParser(false), newRecorder(t)
	w.play(p, r)
	if n := len(p.streams); n != maxStreams {
		t.Errorf("%d streams kept, want %d", n, maxStreams)
	}
	if n := r.losses[signal.ParserGaveUp]; n != 3000-maxStreams {
		t.Errorf("%d given up, want %d", n, 3000-maxStreams)
	}

	w = newWire()
	w.preface()
	huge := w.fields(c, ":method: GET", ":scheme: http", ":authority: x", ":path: /", "cookie: "+strings.Repeat("\x01", 20<<10))
	f := w.ends[c].framer
	_ = f.WriteRawFrame(frameHeaders, flagEndStream, 1, huge)
	for range 20 {
		_ = f.WriteContinuation(1, false, huge)
		w.call(c)
	}
	_ = f.WriteContinuation(1, true, nil)
	w.call(c)
	w.get(3, "/after")
	p, r = newParser(false), newRecorder(t)
	w.play(p, r)
	for dir, h := range p.halves {
		if cap(h.buf)+cap(h.block) > 2*4096 {
			t.Errorf("direction %d keeps %d and %d bytes", dir, cap(h.buf), cap(h.block))
		}
	}
	if got := r.exchanges[1]; got == nil || got.req.Operation != "" || !got.reqEnd.Partial {
		t.Errorf("request whose fields are too long: %+v, want it unknown and partial", got)
	}
}
