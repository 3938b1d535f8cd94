package redmetrics

import (
	"testing"
	"time"

	"github.com/sonde-dev/sonde/agent/exchange"
)

// The round-trip time of two services is the mean of the samples since the last snapshot, or what it was last.
func TestRoundTripTime(t *testing.T) {
	r := testRecorder(nil)
	a, b := process("a", 1), process("b", 2)
	const key = "sonde_connection_round_trip_seconds{client=a,server=b,side=client,network_protocol_name=tcp}"
	now := start
	want := func(seconds float64, isThere bool) {
		t.Helper()
		now = now.Add(time.Second)
		if v, ok := values(t, r.Snapshot(now))[key]; ok != isThere || v != seconds {
			t.Errorf("%v, there: %v; want %v, %v", v, ok, seconds, isThere)
		}
	}
	told := func(rtt time.Duration) {
		r.ObserveConnections(exchange.Client, "tcp", a, b, Connections{Sent: 1, RoundTripTime: rtt})
	}
	told(0)
	want(0, false)
	told(10 * time.Millisecond)
	told(30 * time.Millisecond)
	want(0.02, true)
	told(0)
	want(0.02, true)
	told(4 * time.Millisecond)
	want(0.004, true)
}
