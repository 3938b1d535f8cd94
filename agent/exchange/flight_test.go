package exchange_test

import (
	"testing"
	"time"

	"github.com/sonde-dev/sonde/agent/exchange"
	"github.com/sonde-dev/sonde/agent/probe/event"
	"github.com/sonde-dev/sonde/agent/protocol"
)

// toy is a protocol of one-call messages: "q" asks, "w" asks and waits, "a" answers. Each counts its length.
type toy struct{ id uint64 }

func (*toy) Name() string                             { return "toy" }
func (*toy) Semantics() *protocol.Semantics           { return &protocol.Semantics{} }
func (*toy) NewParser(protocol.Start) protocol.Parser { return &toy{} }

func (*toy) Recognize(b []byte) protocol.Verdict {
	if b[0] == 'a' {
		return protocol.IsResponse
	}
	return protocol.IsRequest
}

func (t *toy) Data(dir protocol.Direction, b []byte, sink protocol.Sink) {
	n := [protocol.MaxCounts]uint64{0, uint64(len(b))}
	if dir == protocol.FromServer {
		sink.ResponseBegin(t.id)
		sink.ResponseHead(t.id, protocol.Response{Counts: n})
		sink.ResponseEnd(t.id, protocol.End{})
		return
	}
	t.id++
	n[3] = 1
	sink.RequestBegin(t.id)
	sink.RequestHead(t.id, protocol.Request{Operation: string(b[:1]), Waits: b[0] == 'w', Counts: n})
	sink.RequestEnd(t.id, protocol.End{})
}

func (*toy) Gap(protocol.Direction, uint32, []byte, protocol.Sink) {}
func (*toy) Close(protocol.Sink)                                   {}

func newToyWire() *wire {
	w := &wire{now: 1e9, seq: map[[2]uint64]uint32{}}
	w.engine = exchange.New(exchange.DefaultConfig, []protocol.Protocol{&toy{}}, func(x *exchange.Exchange) { w.got = append(w.got, new(*x)) }, nil)
	return w
}

func TestCountsOfBothMessagesAddUp(t *testing.T) {
	w := newToyWire()
	w.open(1, 7, event.RoleServer)
	for range 2 { // the second flight takes the place of the first
		w.call(1, event.Ingress, "qqqqq")
		w.call(1, event.Egress, "aaa")
	}
	if len(w.got) != 2 {
		t.Fatalf("%d exchanges, want 2", len(w.got))
	}
	for _, x := range w.got {
		if want := [protocol.MaxCounts]uint64{0, 8, 0, 1}; x.Counts != want || x.Waits {
			t.Errorf("counts %v, waits %v, want %v, false", x.Counts, x.Waits, want)
		}
	}
}

// A request that waits on purpose has no time-out, and when its quiet connection is forgotten nobody knows how it ended.
func TestWaitingIsNoTimeout(t *testing.T) {
	w := newToyWire()
	w.open(1, 7, event.RoleServer)
	w.call(1, event.Ingress, "w")
	w.engine.Tick(w.now + uint64(exchange.DefaultConfig.Timeout+time.Second))
	w.now += uint64(exchange.DefaultConfig.Timeout + 2*time.Second)
	w.call(1, event.Egress, "a")
	w.call(1, event.Ingress, "w")
	w.engine.Tick(w.now + uint64(exchange.DefaultConfig.IdleTimeout+time.Second))
	if len(w.got) != 2 {
		t.Fatalf("%d exchanges, want 2", len(w.got))
	}
	if x := w.got[0]; !x.Waits || x.Error != "" || x.Partial || x.Duration() < uint64(exchange.DefaultConfig.Timeout) {
		t.Errorf("answered late: %+v", x)
	}
	if x := w.got[1]; !x.Waits || x.Error != "" || !x.Partial {
		t.Errorf("forgotten: %+v, want partial without an error", x)
	}
}

// A consumer that stops closes its connection while it waits: nothing has failed.
func TestWaitingEndsWithItsConnection(t *testing.T) {
	for request, want := range map[string]string{"w": "", "q": exchange.ErrorClosed} {
		w := newToyWire()
		w.open(1, 7, event.RoleClient)
		w.call(1, event.Egress, request)
		w.now += 1e6
		w.engine.Handle(&event.Event{Kind: event.Close, Time: w.now, Conn: 1})
		w.engine.Tick(w.now + uint64(time.Minute))
		if len(w.got) != 1 || w.got[0].Error != want || w.got[0].Status != "" {
			t.Errorf("%s: %+v, want one with error %q", request, w.got, want)
		}
	}
}
