package flow

import (
	"testing"
	"time"

	"github.com/sonde-dev/sonde/agent/probe/event"
	"github.com/sonde-dev/sonde/signal"
)

func TestDeltas(t *testing.T) {
	tr := New()
	tr.Open(1, &event.OpenInfo{Seen: true})
	tr.Open(1, &event.OpenInfo{Seen: true}) // announced again
	tr.Open(2, &event.OpenInfo{})           // joined in the middle
	tr.Open(3, &event.OpenInfo{Seen: true, Unix: true})
	tr.Open(4, &event.OpenInfo{Datagrams: true})
	at := func(received, acked uint64, retransmits uint32) event.Transfer {
		return event.Transfer{Received: received, Acked: acked, Retransmits: retransmits}
	}
	for i, step := range []struct {
		got, want Delta
	}{
		{tr.Sample(1, at(10, 20, 0)), Delta{Opened: true, Received: 10, Sent: 20}},
		{tr.Sample(1, at(10, 20, 0)), Delta{}},
		{tr.Sample(1, at(15, 120, 2)), Delta{Received: 5, Sent: 100, Retransmits: 2}},
		{tr.Sample(2, at(1000, 2000, 7)), Delta{}},
		{tr.Sample(2, at(1001, 2003, 8)), Delta{Received: 1, Sent: 3, Retransmits: 1}},
		{tr.Sample(2, event.Transfer{Received: 1001, Acked: 2004, Retransmits: 8, RoundTripTime: time.Millisecond}), Delta{Sent: 1, RoundTripTime: time.Millisecond}},
		{tr.Sample(3, at(1, 1, 0)), Delta{}},
		{tr.Sample(4, at(1, 1, 0)), Delta{}},
		{tr.Close(1, &event.CloseInfo{Reset: true, Transfer: at(16, 120, 2)}), Delta{Closed: true, Reset: true, Received: 1}},
		{tr.Close(1, &event.CloseInfo{Transfer: at(16, 120, 2)}), Delta{}},
		{tr.Close(2, &event.CloseInfo{}), Delta{Closed: true}},
	} {
		if step.got != step.want {
			t.Errorf("step %d: %+v, want %+v", i, step.got, step.want)
		}
	}
	tr.Open(5, &event.OpenInfo{Seen: true})
	if got, want := tr.Close(5, &event.CloseInfo{Transfer: at(3, 4, 0)}), (Delta{Opened: true, Closed: true, Received: 3, Sent: 4}); got != want {
		t.Errorf("short-lived: %+v, want %+v", got, want)
	}
	if !(Delta{RoundTripTime: 1, IsServer: true}).IsZero() {
		t.Error("a round-trip time alone is something that happened")
	}
	if n := tr.Connections(); n != 0 {
		t.Errorf("%d connections are left", n)
	}
}

func TestIsBounded(t *testing.T) {
	tr := New()
	for i := range uint64(MaxConnections + 10) {
		tr.Open(i, &event.OpenInfo{Seen: true})
	}
	if tr.Connections() != MaxConnections || tr.Losses()[signal.ConnectionLimit] != 10 {
		t.Errorf("%d connections, losses %v", tr.Connections(), tr.Losses())
	}
}
