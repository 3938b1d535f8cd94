package exchange_test

import (
	"testing"

	"github.com/sonde-dev/sonde/agent/exchange"
	"github.com/sonde-dev/sonde/agent/probe/event"
	"github.com/sonde-dev/sonde/agent/protocol/http1"
	"github.com/sonde-dev/sonde/agent/protocol/tls"
)

func TestEnvelopesCountOnlyWhereTheInsideIsUnseen(t *testing.T) {
	const second = 1e9
	handshake := &exchange.Exchange{Conn: &exchange.Conn{ID: 7}, Protocol: tls.Protocol{}, ResponseEnd: second}
	request := &exchange.Exchange{Conn: &exchange.Conn{ID: 7 | event.PlainText}, Protocol: http1.Protocol{}}
	open := &event.Event{Kind: event.Open, Conn: 7 | event.PlainText}
	socketClosed := &event.Event{Kind: event.Close, Conn: 7}
	insideClosed := &event.Event{Kind: event.Close, Conn: 7 | event.PlainText}
	for _, tt := range []struct {
		name string
		do   func(*exchange.Envelopes)
		want int
	}{
		{"nothing inside, closed", func(v *exchange.Envelopes) { v.Handle(handshake); v.HandleConn(socketClosed) }, 1},
		{"nothing inside, for long", func(v *exchange.Envelopes) { v.Handle(handshake); v.Tick(7 * second) }, 1},
		{"not for long yet", func(v *exchange.Envelopes) { v.Handle(handshake); v.Tick(5 * second) }, 0},
		{"inside seen later", func(v *exchange.Envelopes) { v.Handle(handshake); v.HandleConn(open); v.Tick(99 * second) }, 0},
		{"inside seen before", func(v *exchange.Envelopes) { v.HandleConn(open); v.Handle(handshake); v.Tick(99 * second) }, 0},
		{"inside closes first", func(v *exchange.Envelopes) {
			v.HandleConn(open)
			v.Handle(handshake)
			v.HandleConn(insideClosed)
			v.HandleConn(socketClosed)
		}, 0},
		{"a request inside is one", func(v *exchange.Envelopes) { v.Handle(handshake); v.HandleConn(open); v.Handle(request) }, 1},
		{"once only", func(v *exchange.Envelopes) { v.Handle(handshake); v.HandleConn(socketClosed); v.Tick(99 * second) }, 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := 0
			tt.do(exchange.NewEnvelopes(func(*exchange.Exchange) { got++ }))
			if got != tt.want {
				t.Errorf("%d exchanges were handed on, want %d", got, tt.want)
			}
		})
	}
}
