package probe

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/sonde-dev/sonde/agent/probe/event"
	"github.com/sonde-dev/sonde/signal"
)

// TestJoined opens the Probe when connections are in the middle of a request.
func TestJoined(t *testing.T) {
	for _, tier := range []Tier{TierSocket, TierSyscall} {
		t.Run(string(tier), func(t *testing.T) {
			requireBPF(t, tier)
			children := map[string]*child{"tcp4": start(t, "joined", "tcp4"), "unix": start(t, "joined", "unix")}
			for _, c := range children {
				c.untilPause()
			}
			r := record(t, testConfig(tier))
			for kind, c := range children {
				c.proceed()
				rep := c.finish()
				c.leave()
				// What is left of the body begins no message; it is reported all the same, until somebody knows what it is.
				body := len(request("/before", 10)) + joinedAt
				answered := len(response(20))
				x := expectation{tier: tier, isJoined: true, before: map[string][2]int{"client": {answered, body}, "server": {body, answered}}}
				if kind == "unix" { // positions count from what was seen first
					for _, s := range rep.Socks {
						s.In, s.Out = after(s.In, x.before[s.Name][0]), after(s.Out, x.before[s.Name][1])
					}
					x.before = nil
				}
				x.check(t, rep, r.waitExit(t, rep.PID))
			}
		})
	}
}

// after returns the moves behind the first n bytes, which end with a move.
func after(moves []moved, n int) []moved {
	for n > 0 {
		n -= len(moves[0].Data)
		moves = moves[1:]
	}
	return moves
}

// TestForeign: what is not HTTP is reported whole, for user space to recognise, and HTTP that follows a few foreign words is
// found by the kernel side itself.
func TestForeign(t *testing.T) {
	for _, scene := range []string{"foreign tls 1", "foreign opaque 20", "foreign opaque 4", "foreign proxy 1", "foreign proxy2 1"} {
		t.Run(strings.ReplaceAll(scene, " ", "-"), func(t *testing.T) {
			inBothTiers(t, func(t *testing.T, r *recorder) {
				words := strings.Fields(scene)
				rep, events := play(t, r, words[0], words[1:]...)
				expectation{tier: r.tier}.check(t, rep, events)
				if !slices.ContainsFunc(events, func(e event.Event) bool { return e.Kind == event.Open && e.Open.Protocol == event.ProtocolHTTP1 }) {
					t.Errorf("HTTP was not recognised:\n%s", show(events))
				}
			})
		})
	}
}

// TestUnknownIsBounded sends 2 MiB in one turn that nobody recognises.
func TestUnknownIsBounded(t *testing.T) {
	inBothTiers(t, func(t *testing.T, r *recorder) {
		rep, events := play(t, r, "foreign", "bulk", "1")
		client := connsOf(t, rep, events)[0]
		var copied, moved, largest int
		for _, e := range dataOf(events, client, event.Egress) {
			if strings.HasPrefix(string(e.Payload), "POST") {
				break
			}
			copied += len(e.Payload)
			moved += int(e.Len)
			largest = max(largest, len(e.Payload))
		}
		const sniffBytes, bulk = 1 << 20, 32 * (64 << 10) // SNIFF_BYTES; sceneForeign
		if copied != sniffBytes || largest > 16<<10 {
			t.Errorf("%d bytes copied of %d reported, want %d, in pieces of at most 16 KiB (largest %d)", copied, moved, sniffBytes, largest)
		}
		if moved >= bulk {
			t.Errorf("%d of %d bytes reported: the turn should have fallen silent", moved, bulk)
		}
	})
}

// TestCopy says how much is wanted of the turns of a connection.
func TestCopy(t *testing.T) {
	inBothTiers(t, func(t *testing.T, r *recorder) {
		c := start(t, "steps", "tcp4", "3")
		c.untilPause()
		step := func() []event.Event {
			r.settle(t)
			before := len(r.of(c.pid()))
			c.proceed()
			c.untilPause()
			r.settle(t)
			return r.of(c.pid())[before:]
		}
		for _, e := range step() {
			if e.Kind == event.Open {
				r.Copy(e.Conn, 30, 40, false)
			}
		}
		time.Sleep(2 * r.cfg.PollInterval)
		got := map[event.Direction]int{}
		for _, e := range step() {
			if e.Kind == event.Data {
				got[e.Direction] += len(e.Payload)
			}
		}
		if got[event.Ingress] != 2*30 || got[event.Egress] != 2*40 {
			t.Errorf("%d bytes in and %d out were copied at both ends, want %d and %d", got[event.Ingress], got[event.Egress], 2*30, 2*40)
		}
		c.proceed()
		c.finish()
	})
}

// TestSelection changes what is observed while a connection is in use: each step is one exchange on it.
func TestSelection(t *testing.T) {
	for _, tier := range []Tier{TierSocket, TierSyscall} {
		t.Run(string(tier), func(t *testing.T) {
			r := sharedRecorder(t, tier)
			t.Cleanup(func() {
				if err := errors.Join(r.SetDefault(true), r.SetPorts(nil, nil)); err != nil {
					t.Error(err)
				}
			})
			other := start(t, "steps", "tcp4", "1")
			c := start(t, "steps", "tcp4", "10")
			other.untilPause()
			c.untilPause()
			pid := uint32(c.pid())
			var client, server uint64
			var port uint16
			step := 0
			exchange := func(what string, wanted bool) {
				t.Helper()
				r.settle(t)
				before := len(r.of(int(pid)))
				c.proceed()
				if step++; step < 10 {
					c.untilPause()
				} else {
					c.finish()
				}
				r.settle(t)
				marker := r.of(int(pid))
				got := slices.ContainsFunc(marker[before:], func(e event.Event) bool { return e.Kind == event.Data })
				if got != wanted {
					t.Errorf("%s: reported %t, want %t:\n%s", what, got, wanted, show(marker[before:]))
				}
				for _, e := range marker {
					if e.Kind == event.Open && e.Open.Role == event.RoleClient {
						client, port = e.Conn, e.Open.Remote.Port()
					} else if e.Kind == event.Open {
						server = e.Conn
					}
				}
			}
			must := func(err error) {
				t.Helper()
				if err != nil {
					t.Fatal(err)
				}
			}
			exchange("at first", true)
			must(r.SetProcess(pid, false))
			exchange("excluded process", false)
			r.ForgetProcess(pid)
			must(r.SetDefault(false))
			exchange("observe nothing by default", false)
			must(r.SetProcess(pid, true))
			exchange("included process", true)
			must(r.SetDefault(true))
			must(r.SetPorts(nil, []uint16{port}))
			exchange("excluded port", false)
			must(r.SetPorts([]uint16{port}, nil))
			exchange("included port", true)
			must(r.SetPorts([]uint16{port}, []uint16{port}))
			exchange("port included and excluded", false)
			must(r.SetPorts([]uint16{port + 1}, nil))
			exchange("another port included", false)
			must(r.SetPorts(nil, nil))
			exchange("all ports", true)
			r.Copy(client, 0, 0, false)
			r.Copy(server, 0, 0, false)
			exchange("silenced connection", false)
			c.leave()
			other.proceed()
			rep := other.finish()
			other.leave()
			expectation{tier: tier}.check(t, rep, r.waitExit(t, rep.PID))
		})
	}
}

// TestTwoProbes runs two Probes at once: both see everything, and what one silences and ends does not matter to the other.
func TestTwoProbes(t *testing.T) {
	for _, tiers := range [][2]Tier{{TierSocket, TierSocket}, {TierSocket, TierSyscall}} {
		t.Run(fmt.Sprint(tiers), func(t *testing.T) {
			requireBPF(t, tiers[0])
			first, second := openProbe(t, testConfig(tiers[0])), sharedRecorder(t, tiers[1])
			one := newRecorder(first)
			for i, r := range []*recorder{one, second} {
				rep, events := play(t, r, "exchange", "tcp4", "writev", "recvmsg")
				expectation{tier: r.tier}.check(t, rep, events)
				other := []*recorder{second, one}[i]
				expectation{tier: other.tier}.check(t, rep, other.waitExit(t, rep.PID))
			}
			if err := one.SetDefault(false); err != nil {
				t.Fatal(err)
			}
			one.settle(t)
			rep, events := play(t, second, "exchange", "tcp4", "write", "read")
			expectation{tier: second.tier}.check(t, rep, events)
			expectation{isSilent: true}.check(t, rep, one.waitExit(t, rep.PID))
			if err := one.end(); err != nil {
				t.Fatal(err)
			}
			rep, events = play(t, second, "exchange", "tcp4", "write", "read")
			expectation{tier: second.tier}.check(t, rep, events)
		})
	}
}

// TestRingFull lets a small ring fill up: events and losses together are all the calls that were made, and the requests
// that are missing are counted as such.
func TestRingFull(t *testing.T) {
	for _, tier := range []Tier{TierSocket, TierSyscall} {
		for _, perRing := range []int{1, 20} { // does the connection get announced before the ring is full?
			if tier == TierSyscall && perRing == 1 {
				continue // loading takes seconds
			}
			t.Run(fmt.Sprintf("%s/%d", tier, perRing), func(t *testing.T) {
				cfg := testConfig(tier)
				cfg.RingBytes = 64 << 10
				cfg.OnlySelected = true // others on this machine do not count
				p := openProbe(t, cfg)
				var children []*child
				for range perRing {
					c := start(t, "many", fmt.Sprint(1200/perRing))
					c.untilPause()
					if err := p.SetProcess(uint32(c.pid()), true); err != nil {
						t.Fatal(err)
					}
					p.selection.publish()
					children = append(children, c)
				}
				for _, c := range children {
					c.proceed()
				}
				for _, c := range children {
					c.untilPause()
				}
				losses, err := p.Losses()
				if err != nil {
					t.Fatal(err)
				}
				r := newRecorder(p)
				calls, data, requests := 0, 0, 0
				for _, c := range children {
					c.proceed()
					calls += c.finish().Calls
					c.leave()
				}
				t.Cleanup(func() { _ = r.end() })
				r.settle(t)
				for _, c := range children {
					for _, e := range r.of(c.pid()) {
						if e.Kind == event.Data {
							data++
						}
						if e.Kind == event.Data && strings.HasPrefix(string(e.Payload), "POST ") {
							requests++
						}
					}
				}
				if data+int(losses[signal.RingFull]) != calls {
					t.Errorf("%d data events and %d lost are not the %d calls made", data, losses[signal.RingFull], calls)
				}
				// a request is one message at each end, and half of the calls move requests
				if missing := calls/2 - requests; missing != int(losses[signal.RingFullMessage]) || missing == 0 {
					t.Errorf("%d of %d requests are missing, %d are counted as lost", missing, calls/2, losses[signal.RingFullMessage])
				}
				if losses[signal.StorageFull] != 0 || losses[signal.Recursion] != 0 || losses[signal.PayloadFault] != 0 {
					t.Errorf("other losses: %v", losses)
				}
			})
		}
	}
}
