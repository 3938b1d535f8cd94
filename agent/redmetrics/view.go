package redmetrics

import (
	"github.com/sonde-dev/sonde/agent/exchange"
	"github.com/sonde-dev/sonde/signal"
)

// observeView counts an exchange once more, as what it is in the words of a dialect: only under its interface there, so that no total has it twice.
// It reports whether the bound on series forced it under "other".
func (r *Recorder) observeView(x *exchange.Exchange, self, peer *signal.Entity, ns uint64, at int32, isSlow bool) (limited bool) {
	v := &r.view
	*v = *x
	v.Protocol, v.Operation, v.Target, v.Counts = x.View.Protocol, x.View.Operation, x.View.Target, x.View.Counts
	if v.Error == "" {
		v.Error = x.View.Failure
	}
	p := r.pairOf(v, self, peer, true)
	p.touched, p.side.touched = true, true
	limited = r.observeInterface(p, v, ns, at, isSlow)
	*v = exchange.Exchange{} // let go of what it points to
	return limited
}
