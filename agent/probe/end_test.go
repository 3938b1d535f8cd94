package probe

import (
	"strings"
	"testing"

	"github.com/sonde-dev/sonde/agent/probe/event"
)

// TestEnds holds closes to what happened: the last data comes before, a reset is one, and there is one for each end that
// can be known.
func TestEnds(t *testing.T) {
	for _, c := range []struct {
		scene  string
		closes []bool // for client and server: is a close wanted? Of a Unix socket only its peer's end shows.
		resets []bool
	}{
		{"end tcp4 close read", []bool{true, true}, []bool{false, false}},
		{"end tcp6 close recvmsg", []bool{true, true}, []bool{false, false}},
		{"end tcp4 reset read", []bool{true, true}, []bool{true, true}},
		{"end unix close read", []bool{false, true}, []bool{false, false}},
		{"end unix close recvfrom", []bool{false, true}, []bool{false, false}},
		{"end unix close recvmsg", []bool{false, true}, []bool{false, false}},
		{"end unix close readv", []bool{false, true}, []bool{false, false}},
		{"end unix nothing read", []bool{false, false}, []bool{false, false}},
		{"halfclose tcp4", []bool{true, true}, []bool{false, false}},
		{"halfclose unix", []bool{true, false}, []bool{false, false}},
		{"resetearly tcp4", []bool{true, true}, []bool{true, true}},
	} {
		t.Run(strings.ReplaceAll(c.scene, " ", "-"), func(t *testing.T) {
			inBothTiers(t, func(t *testing.T, r *recorder) {
				words := strings.Fields(c.scene)
				rep, events := play(t, r, words[0], words[1:]...)
				expectation{tier: r.tier}.check(t, rep, events)
				for i, conn := range connsOf(t, rep, events) {
					closes, reset := 0, false
					for _, e := range events {
						if e.Kind == event.Close && e.Conn == conn {
							closes++
							reset = e.Close.Reset
						}
					}
					if (closes == 1) != c.closes[i] || closes > 1 || reset != c.resets[i] {
						t.Errorf("%s: %d closes, reset %t; want %t, reset %t; events:\n%s", rep.Socks[i].Name, closes, reset, c.closes[i], c.resets[i], show(events))
					}
				}
			})
		})
	}
}
