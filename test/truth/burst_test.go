package truth

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/sonde-dev/sonde/test/sut"
)

func pause() { time.Sleep(25 * time.Millisecond) }

// within compares two sums with the truth: equal, or short by no more than the losses that Sonde reports meanwhile say.
func (x *tier) within(t *testing.T, before map[string]float64, what string, clientTruth, serverTruth float64, clientQuery, serverQuery string) {
	t.Helper()
	var client, server, lost float64
	var all map[string]float64
	for deadline := time.Now().Add(settleTimeout); time.Now().Before(deadline); pause() {
		var err1, err2, err3 error
		client, err1 = x.Value(clientQuery)
		server, err2 = x.Value(serverQuery)
		all, err3 = x.Lost()
		if err1 != nil || err2 != nil || err3 != nil {
			t.Fatal(err1, err2, err3)
		}
		lost = exchangesLost(all) - exchangesLost(before)
		if client+server+lost == clientTruth+serverTruth {
			break
		}
	}
	t.Logf("%s: client %.0f of %.0f, server %.0f of %.0f, exchanges reported lost %.0f (%v)", what, client, clientTruth, server, serverTruth, lost, all)
	if client+server+lost != clientTruth+serverTruth || client > clientTruth || server > serverTruth {
		t.Errorf("%s: seen %.0f + %.0f and %.0f reported lost, want %.0f + %.0f in all", what, client, server, lost, clientTruth, serverTruth)
	}
}

// exchangesLost is how many exchanges were not counted, by Sonde's own account: those whose first event had no room.
func exchangesLost(l map[string]float64) float64 { return l["ring_full_message"] }

// TestBurst sends 20 000 requests a second for three seconds, 60 000 in all.
func TestBurst(t *testing.T) {
	for _, capture := range []string{"socket", "syscall"} {
		t.Run(capture, func(t *testing.T) {
			x := &tier{Sonde: startSonde(t, sut.Options{Capture: capture}), name: capture}
			client, service := x.service(t, "client"), x.service(t, "nginx")
			s, _ := startNginx(t, service, "")
			before, err := x.Lost()
			if err != nil {
				t.Fatal(err)
			}
			p := startRole(t, client, "load", Args{Network: "tcp", Addr: s.addr, Connections: 100, Requests: 60000, Rate: 20000, Paths: []string{"/page"}})
			sent := float64(p.log(t).Total().N)
			t.Logf("sent: %s", p.stderr.String())
			x.within(t, before, "burst", sent, sent,
				fmt.Sprintf(`sum(histogram_count(http_client_request_duration_seconds{service_name=%q, http_response_status_code="200"}))`, client),
				fmt.Sprintf(`sum(histogram_count(http_server_request_duration_seconds{service_name=%q}))`, service))
			t.Logf("RSS after the burst %d MB", x.RSS()>>20)
			if err := x.Stop(); err != nil {
				t.Error(err)
			}
		})
	}
}

// percentileTries is how often the comparison of percentiles is made before it counts as failed: on a machine that is busy elsewhere a
// client may wait for a processor after the response has come. A wrong percentile is wrong each time.
const percentileTries = 3

// testPercentiles compares percentiles at both ends with the exact ones of the load generator, for a server whose delay is
// 20 ms and more, so that the clocks' places (in the kernel, at the socket call) weigh less than the 2 % allowed. What the server's end sees
// lies between what the server and what the client measures.
func (x *tier) testPercentiles(t *testing.T) {
	for try := 1; ; try++ {
		wrong := x.comparePercentiles(t, try)
		if len(wrong) == 0 {
			return
		}
		if try == percentileTries {
			t.Errorf("%d tries, the last one: %s", try, strings.Join(wrong, "; "))
			return
		}
		t.Logf("try %d: %s", try, strings.Join(wrong, "; "))
	}
}

// comparePercentiles makes one comparison with services of its own and returns what differs.
func (x *tier) comparePercentiles(t *testing.T, try int) (wrong []string) {
	t.Helper()
	client, service := x.service(t, fmt.Sprintf("client-%d", try)), x.service(t, fmt.Sprintf("server-%d", try))
	addr := local(freePort(t))
	s := startRole(t, service, "server", Args{Network: "tcp", Addr: addr, Plan: "timed"})
	s.waitPort(t, "tcp", addr)
	l := startRole(t, client, "load", Args{Network: "tcp", Addr: addr, Plan: "timed", Connections: 24, Requests: 2000, Paths: []string{"/delay"}}).log(t)
	s.stop()
	served := s.log(t).Durations
	if len(served) != len(l.Durations) {
		t.Fatalf("the oracles disagree: the server timed %d requests, its client %d", len(served), len(l.Durations))
	}
	x.talk(t, client, service, l)
	slices.Sort(l.Durations)
	slices.Sort(served)
	for side, name := range map[string]string{"client": client, "server": service} {
		shortest := l.Durations
		if side == "server" {
			shortest = served
		}
		for _, q := range []float64{0.5, 0.9, 0.95, 0.99} {
			got, err := x.Value(fmt.Sprintf(`histogram_quantile(%g, sum(http_%s_request_duration_seconds{service_name=%q}))`, q, side, name))
			if err != nil {
				t.Fatal(err)
			}
			// A percentile of n values lies between two of them; which point is a matter of definition.
			rank := q * float64(len(l.Durations)-1)
			low, high := shortest[int(math.Floor(rank))], l.Durations[min(int(math.Ceil(rank))+1, len(l.Durations)-1)]
			t.Logf("%s p%g: Sonde %.2f ms, exact %.2f to %.2f ms", side, q*100, got*1e3, low*1e3, high*1e3)
			if got < low*0.98 || got > high*1.02 {
				wrong = append(wrong, fmt.Sprintf("%s p%g = %.3f ms, want %.3f to %.3f ms within 2 %%", side, q*100, got*1e3, low*1e3, high*1e3))
			}
		}
	}
	return wrong
}
