package probe

import (
	"testing"

	"github.com/sonde-dev/sonde/agent/probe/event"
)

// TestFlows compares what the iterator tells of open connections, and the close of them in the end, with what the child moved.
func TestFlows(t *testing.T) {
	requireBPF(t, TierSocket)
	r := sharedRecorder(t, TierSocket)
	c := start(t, "steps", "tcp4", "3")
	c.untilPause()
	c.proceed()
	c.untilPause()
	c.proceed()
	c.untilPause()
	r.settle(t)
	open := map[uint64]event.Transfer{}
	if err := r.Flows(func(conn uint64, tr event.Transfer) { open[conn] = tr }); err != nil {
		t.Fatal(err)
	}
	c.proceed()
	rep := c.finish()
	c.leave()
	events := r.waitExit(t, rep.PID)
	conns := connsOf(t, rep, events)
	for i, s := range rep.Socks {
		// Three equal steps; the peer may be slow to confirm the last, and the SYN may count as one byte.
		steps := uint64(total(s.In)) / 3
		sent := uint64(total(s.Out)) / 3
		got := open[conns[i]]
		if got.Received != 2*steps || got.Acked < sent || got.Acked > 2*sent+1 || got.RoundTripTime <= 0 || got.Retransmits != 0 {
			t.Errorf("%s: open %+v, want %d received, %d to %d acked", s.Name, got, 2*steps, sent, 2*sent+1)
		}
		for _, e := range events {
			if e.Kind == event.Close && e.Conn == conns[i] && e.Close.Transfer.Received/3 != steps {
				t.Errorf("%s: closed %+v, want %d received", s.Name, e.Close.Transfer, 3*steps)
			}
		}
	}
}

func total(moves []moved) (n int) {
	for _, m := range moves {
		n += len(m.Data)
	}
	return n
}
