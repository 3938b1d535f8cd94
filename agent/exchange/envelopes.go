package exchange

import (
	"time"

	"github.com/sonde-dev/sonde/agent/probe/event"
	"github.com/sonde-dev/sonde/agent/protocol"
)

// Envelopes keeps the exchanges of protocols that only wrap another one (protocol.Envelope) until it is known whether what is inside is
// seen. If so they are dropped: a request to a TLS server is one request, not a handshake and a request. If not, they are all there is
// to tell of the connection. Its methods are called by one goroutine.
type Envelopes struct {
	out     func(*Exchange)
	pending map[uint64]Exchange
	order   []uint64            // ids by time of arrival; some may be gone
	inside  map[uint64]struct{} // sockets whose inside is seen
}

// envelopeWait is how long an inside may take to show: until the first request after the handshake.
const envelopeWait = 5 * time.Second

// maxEnvelopes bounds the memory; beyond it, envelopes are handed on early and may count too many.
const maxEnvelopes = 16384

// maxInsides bounds what is remembered of connections that are open.
const maxInsides = 65536

// NewEnvelopes makes one that hands on what is to count.
func NewEnvelopes(out func(*Exchange)) *Envelopes {
	return &Envelopes{out: out, pending: make(map[uint64]Exchange), inside: make(map[uint64]struct{})}
}

// Handle takes an exchange. Those of other protocols are handed on at once.
func (v *Envelopes) Handle(x *Exchange) {
	if _, ok := x.Protocol.(protocol.Envelope); !ok {
		v.out(x)
		return
	}
	if _, ok := v.inside[x.Conn.ID]; ok {
		return
	}
	if len(v.order) >= maxEnvelopes {
		v.release(v.order[0])
		v.order = v.order[1:]
	}
	v.pending[x.Conn.ID] = *x
	v.order = append(v.order, x.Conn.ID)
}

// HandleConn takes an event: the announcement of what is inside, or the end of the connection.
func (v *Envelopes) HandleConn(ev *event.Event) {
	id := ev.Conn &^ event.PlainText
	isInside := id != ev.Conn
	switch {
	case ev.Kind == event.Open && isInside:
		delete(v.pending, id)
		if len(v.inside) < maxInsides {
			v.inside[id] = struct{}{}
		}
	case ev.Kind == event.Close:
		if !isInside {
			v.release(id)
		}
		delete(v.inside, id)
	}
}

// Tick hands on what has waited long enough. now is CLOCK_MONOTONIC in nanoseconds.
func (v *Envelopes) Tick(now uint64) {
	n := 0
	for _, id := range v.order {
		x, ok := v.pending[id]
		if ok && !isDue(x.ResponseEnd, envelopeWait, now) {
			break
		}
		v.release(id)
		n++
	}
	v.order = v.order[:copy(v.order, v.order[n:])]
}

func (v *Envelopes) release(id uint64) {
	if x, ok := v.pending[id]; ok {
		delete(v.pending, id)
		v.out(&x)
	}
}
