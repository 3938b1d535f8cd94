package exchange_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sonde-dev/sonde/agent/exchange"
	"github.com/sonde-dev/sonde/agent/probe/event"
	"github.com/sonde-dev/sonde/agent/protocol/all"
)

var sides = []event.Role{event.RoleClient, event.RoleServer}

// rounds runs a test on many scripts, each from both sides; the name of a subtest is the seed.
func rounds(t *testing.T, n int, test func(t *testing.T, w *writer, side event.Role)) {
	for seed := range uint64(n) {
		for _, side := range sides {
			w := &writer{Rand: rand.New(rand.NewPCG(seed, 7))}
			t.Run(fmt.Sprintf("%d/%d", seed, side), func(t *testing.T) { test(t, w, side) })
		}
	}
}

func check(t *testing.T, p *player, s script) {
	t.Helper()
	if diff := cmp.Diff(s.want, p.got); diff != "" {
		t.Errorf("exchanges (-want +got):\n%s", diff)
	}
	if l := p.engine.Losses(); len(l) > 0 {
		t.Errorf("losses = %v, want none", l)
	}
	if n := p.engine.InFlight(); n != 0 {
		t.Errorf("%d in flight at the end, want none", n)
	}
}

func TestAnySplit(t *testing.T) {
	rounds(t, 300, func(t *testing.T, w *writer, side event.Role) {
		s := w.write(1+w.IntN(5), w.IntN(2) == 0)
		most := []int{1, 3, 40, 2000}[w.IntN(4)]
		p := newPlayer(side)
		for _, said := range s.said {
			for b := said.text; len(b) > 0; {
				n := min(len(b), 1+w.IntN(most))
				p.call(said.from, b[:n])
				b = b[n:]
			}
		}
		p.close(false)
		check(t, p, s)
	})
}

func TestEverySplitInTwo(t *testing.T) {
	w := &writer{Rand: rand.New(rand.NewPCG(5, 5))}
	for range 12 {
		s := w.write(2, true)
		for i, cut := range s.said {
			if len(cut.text) > 1500 {
				continue
			}
			for at := 1; at < len(cut.text); at++ {
				p := newPlayer(sides[at%2])
				for j, said := range s.said {
					if j == i {
						p.call(said.from, said.text[:at])
						p.call(said.from, said.text[at:])
					} else {
						p.call(said.from, said.text)
					}
				}
				p.close(false)
				check(t, p, s)
				if t.Failed() {
					t.Fatalf("cut at %d of %q", at, cut.text)
				}
			}
		}
	}
}

// Calls of one direction that are reported in a wrong order, and responses reported before their request.
func TestDisorder(t *testing.T) {
	rounds(t, 200, func(t *testing.T, w *writer, side event.Role) {
		s := w.write(1+w.IntN(5), false)
		p := newPlayer(side)
		p.open()
		var events []*event.Event
		for i, said := range s.said {
			first := len(events)
			for b := said.text; len(b) > 0; {
				n := min(len(b), 1+w.IntN(2000))
				events = append(events, p.event(said.from, uint32(n), b[:n], nil))
				b = b[n:]
			}
			turn := events[first:]
			for range w.IntN(3) {
				if len(turn) > 1 {
					i := w.IntN(len(turn) - 1)
					turn[i], turn[i+1] = turn[i+1], turn[i]
				}
			}
			// Only the first call of a response, and only on the client's side, overtakes the last of its request.
			if i%2 == 1 && side == event.RoleClient && w.IntN(2) == 0 && len(turn) == 1 {
				events[first-1], events[first] = events[first], events[first-1]
			}
		}
		for _, ev := range events {
			ev.Time = p.now
			p.deliver(ev)
		}
		p.close(false)
		check(t, p, s)
	})
}

// verify holds exchanges against a script when bytes are missing: what is not partial is true, nothing comes twice or from nowhere.
func verify(t *testing.T, p *player, s script) (full int) {
	t.Helper()
	byPath := map[string]string{}
	for _, want := range s.want {
		byPath[strings.Fields(want)[1]] = want
	}
	for _, got := range p.got {
		path := strings.Fields(got)[1]
		want, ok := byPath[path]
		if strings.Contains(got, "partial") {
			if path == "-" {
				continue
			}
		} else if got != want {
			t.Errorf("got  %s\nwant %s, or partial", got, want)
		} else {
			full++
		}
		if !ok {
			t.Errorf("%s: never said, or said twice", got)
		}
		delete(byPath, path)
	}
	if len(p.got) > len(s.want) {
		t.Errorf("%d exchanges of %d", len(p.got), len(s.want))
	}
	if t.Failed() {
		t.Logf("want %s", strings.Join(s.want, "\n     "))
		t.Logf("got  %s", strings.Join(p.got, "\n     "))
	}
	return full
}

// The kernel side copies only the first bytes of each call.
func TestTruncatedPayload(t *testing.T) {
	for _, limit := range []int{1024, 64, 16} {
		full, all := 0, 0
		t.Run(fmt.Sprint(limit), func(t *testing.T) {
			rounds(t, 150, func(t *testing.T, w *writer, side event.Role) {
				pipelined := w.IntN(3) == 0
				w.wantsPlain = pipelined
				s := w.write(1+w.IntN(5), pipelined)
				p := newPlayer(side)
				p.open()
				for _, said := range s.said {
					for b := said.text; len(b) > 0; {
						n := min(len(b), 1+w.IntN(4000))
						payload, tail := b[:min(n, limit)], []byte(nil)
						if len(payload) < n {
							tail = b[max(0, n-8):n]
						}
						p.deliver(p.event(said.from, uint32(n), payload, tail))
						b = b[n:]
					}
				}
				p.close(false)
				full += verify(t, p, s)
				all += len(s.want)
				if !pipelined && len(p.got) != len(s.want) && limit > 16 {
					t.Errorf("%d exchanges, want %d: %v", len(p.got), len(s.want), s.want)
				}
			})
		})
		t.Logf("%d bytes: %d of %d exchanges complete", limit, full, all)
	}
}

// Events are lost at random.
func TestLoss(t *testing.T) {
	full, got, all := 0, 0, 0
	rounds(t, 1000, func(t *testing.T, w *writer, side event.Role) {
		w.wantsPlain = w.IntN(2) == 0
		s := w.write(3+w.IntN(8), w.wantsPlain)
		p := newPlayer(side)
		p.open()
		hasLost, rate := false, []float64{0.02, 0.1, 0.4}[w.IntN(3)]
		for _, said := range s.said {
			start := 0
			for start < len(said.text) {
				end := min(len(said.text), start+1+w.IntN(3000))
				if i := w.IntN(len(said.ends)); w.IntN(2) == 0 && said.ends[i] > start {
					end = said.ends[i]
				}
				ev := p.event(said.from, uint32(end-start), said.text[start:end], nil)
				start = end
				if w.Float64() < rate {
					hasLost = true
					continue
				}
				p.deliver(ev)
			}
			if w.IntN(2) == 0 {
				p.wait(60 * time.Millisecond)
			}
		}
		p.close(false)
		full += verify(t, p, s)
		got += len(p.got)
		all += len(s.want)
		losses := p.engine.Losses()
		if len(p.got) < len(s.want) && len(losses) == 0 {
			t.Errorf("%d exchanges of %d, and no loss counted", len(p.got), len(s.want))
		}
		if !hasLost {
			check(t, p, s)
		}
	})
	t.Logf("%d exchanges, %d of them reported, %d complete", all, got, full)
}

// Random bytes on a connection make no exchange.
func TestRandomBytes(t *testing.T) {
	r := rand.New(rand.NewPCG(8, 9))
	silenced := silencer{}
	e := exchange.New(exchange.DefaultConfig, all.Protocols(), func(x *exchange.Exchange) {
		t.Errorf("exchange from random bytes: %s", describe(x))
	}, silenced)
	b := make([]byte, 400)
	for conn := range uint64(100) {
		e.Handle(&event.Event{Kind: event.Open, Time: 1, Conn: conn, Open: event.OpenInfo{Seen: conn%2 == 0}})
		var seq [2]uint32
		for range 1000 { // 256 turns and more
			for i := range b {
				b[i] = byte(r.Uint32())
			}
			n, dir := 1+r.IntN(len(b)), r.IntN(2)
			e.Handle(&event.Event{Kind: event.Data, Time: 2, Conn: conn, Direction: event.Direction(dir), Seq: seq[dir], Len: uint32(n), Payload: b[:n]})
			seq[dir] += uint32(n)
		}
	}
	if len(silenced) != 100 {
		t.Errorf("%d connections silenced, want 100", len(silenced))
	}
}

type silencer map[uint64]bool

func (s silencer) Copy(conn uint64, ingress, egress uint32, _ bool) {
	if ingress == 0 && egress == 0 {
		s[conn] = true
	}
}
