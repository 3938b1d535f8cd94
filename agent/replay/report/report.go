// Package report runs a capture through the rooms of a live host and writes down what comes out.
//
// In: events of a replay.Source. Out: exchanges as lines of JSON, or their golden metrics as a table.
// It must not know how captures are stored, nor who the ends of a connection are: a capture does not say.
package report

import (
	"context"
	"maps"
	"slices"

	"github.com/sonde-dev/sonde/agent/exchange"
	"github.com/sonde-dev/sonde/agent/probe/event"
	"github.com/sonde-dev/sonde/agent/protocol"
	"github.com/sonde-dev/sonde/agent/replay"
	"github.com/sonde-dev/sonde/signal"
)

// Config says what of a capture is wanted.
type Config struct {
	// Client and Server are the sides from which exchanges are told. With both, each is told twice.
	Client, Server bool
	// Only tells exchanges of the protocols of these names, of all if there are none.
	Only []string
}

// run is one pass through a capture. Each end of a connection has its own engine, as two hosts have, so that what was lost is
// counted once.
type run struct {
	cfg     Config
	out     func(*exchange.Exchange)
	engines [2]*exchange.Engine
	open    map[uint64]uint64 // time of the last event of each end that is open
	now     uint64
	isOver  bool // the capture has ended
}

// Run reads a capture to its end or to ctx's and calls out for each exchange; it is valid until out returns. What is under way at the end of
// the capture is partial, and no response is no error then. The error is that of the source; what was read before it was told.
func Run(ctx context.Context, source *replay.Source, protocols []protocol.Protocol, cfg Config, out func(*exchange.Exchange)) (signal.Losses, error) {
	r := &run{cfg: cfg, out: out, open: map[uint64]uint64{}}
	for i := range r.engines {
		r.engines[i] = exchange.New(exchange.DefaultConfig, protocols, r.onExchange, nil)
	}
	err := source.Run(ctx, r.onEvent, r.onTick)
	r.finish()
	return r.engines[0].Losses(), err
}

func (r *run) engine(conn uint64) *exchange.Engine { return r.engines[conn%2] }

func (r *run) onEvent(ev *event.Event) {
	switch ev.Kind {
	case event.Open:
		r.open[ev.Conn] = ev.Time
	case event.Close:
		delete(r.open, ev.Conn)
	}
	r.now = max(r.now, ev.Time)
	r.engine(ev.Conn).Handle(ev)
}

func (r *run) onTick(now uint64) {
	const patience = 10 * 60e9 // longer than the source and the engine keep a connection
	r.now = max(r.now, now)
	for _, e := range r.engines {
		e.Tick(now)
	}
	if now%uint64(60e9) < uint64(50e6) { // about once a minute
		maps.DeleteFunc(r.open, func(_, last uint64) bool { return last+patience < now })
	}
}

// finish ends what is under way.
func (r *run) finish() {
	r.isOver = true
	for _, id := range slices.Sorted(maps.Keys(r.open)) {
		r.engine(id).Handle(&event.Event{Kind: event.Close, Time: r.now, Conn: id})
	}
}

func (r *run) onExchange(x *exchange.Exchange) {
	if x.Side == exchange.Client && !r.cfg.Client || x.Side == exchange.Server && !r.cfg.Server {
		return
	}
	if len(r.cfg.Only) > 0 && !slices.Contains(r.cfg.Only, x.Protocol.Name()) {
		return
	}
	if r.isOver { // nobody knows what came next
		own := *x
		own.Partial = true
		if own.Error == exchange.ErrorClosed {
			own.Error = ""
		}
		x = &own
	}
	r.out(x)
}
