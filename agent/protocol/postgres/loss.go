package postgres

import (
	"github.com/sonde-dev/sonde/agent/protocol"
	"github.com/sonde-dev/sonde/signal"
)

// ReadyForQuery answers each Query and each Sync, in order; so the queue pairs them. When bytes of requests are missing, some that were not seen
// may be answered. A client that does not pipeline sends a request only after the ReadyForQuery of the one before: what comes
// after a request that was seen belongs to it. With one that does, a phantom stands in the queue for what was missed,
// and since nobody can say for how many, all its exchanges are partial from then on.

// doubt is what is known to be unknown.
type doubt struct {
	isPipelined bool // a request began while a ReadyForQuery was to come
	isDoubtful  bool // responses may belong to other requests
	hidden      bool // requests may have been missed since the last one
	orphanSeen  bool // and the server answered one of them
	gapSeen     bool // or its answer was missed too
	isHoled     bool // a part of the response being read was missed, perhaps its ReadyForQuery
}

// settle is called when a request begins: what that says of those before it.
func (p *parser) settle(sink protocol.Sink) {
	res := &p.streams[protocol.FromServer]
	isHoled, spans := res.state == lost || p.isHoled, p.queue.spans()
	switch {
	case p.queue.len() == 0:
	case spans > 0 && !isHoled:
		p.isPipelined = true
	case spans > 0 && p.isPipelined:
		p.giveUp(protocol.End{Before: true}, sink)
		p.isDoubtful = true
	case isHoled, p.hidden: // the response to the one before is over, or its Sync was not seen
		p.endAll(protocol.End{Before: true}, sink)
	}
	if res.state == lost && !p.isPipelined {
		res.state = between // and the next call of the server begins the next
	}
	switch {
	case p.hidden && p.isPipelined:
		p.queue.push(entry{kind: phantom})
		p.isDoubtful = true
	case p.hidden:
		p.isDoubtful = !p.orphanSeen && !p.gapSeen
	case p.queue.len() == 0 && !p.isPipelined:
		p.isDoubtful = false
	}
	p.hidden, p.orphanSeen, p.gapSeen = false, false, false
}

// lose is called when bytes are missing where a message begins, or make no sense.
func (p *parser) lose(dir protocol.Direction, tail []byte, sink protocol.Sink) {
	p.streams[dir].lose()
	if dir == protocol.ToServer {
		p.loseRequest(sink)
	} else {
		p.loseResponse(tail, sink)
	}
}

func (p *parser) loseRequest(sink protocol.Sink) {
	if p.phase == starting || p.phase == asked {
		p.phase = running
	}
	if p.open { // nobody knows what it is
		e := p.queue.back()
		sink.RequestEnd(e.id, protocol.End{Partial: true})
		sink.Lost(signal.ParserGaveUp, 1)
		p.open = false
		p.queue.remove(p.queue.len() - 1)
	}
	p.hasUnit = true
	if p.copyIn { // what is missing is data of COPY, and perhaps its Sync
		p.endsLate = true
		return
	}
	p.hidden = true
	p.forgetAll()
}

func (p *parser) loseResponse(tail []byte, sink protocol.Sink) {
	if p.queue.len() == 0 {
		p.gapSeen = true
		return
	}
	e := p.queue.front()
	e.isPartial = true
	if endsReady(tail) {
		p.readyAfterLoss(sink)
		return
	}
	if p.queue.spans() > 1 { // others may have ended
		p.giveUp(protocol.End{}, sink)
		p.isDoubtful = true
		return
	}
	p.isHoled = true
	if !e.hasHead && e.id != 0 && (!p.open || p.queue.len() > 1) {
		// It has begun and may take long. Where the bytes that end it may be missing, silence ends it.
		p.begin(e, sink)
		e.hasHead = true
		sink.ResponseHead(e.id, protocol.Response{Unbounded: len(tail) == 0})
	}
}

// readyAfterLoss is called with the end of a response of which a part is missing.
func (p *parser) readyAfterLoss(sink protocol.Sink) {
	p.streams[protocol.FromServer].state = between
	switch n := p.queue.spans(); {
	case p.queue.len() == 0:
		sink.Lost(signal.OrphanResponse, 1)
		p.orphanSeen = true
	case n > 1: // others may have ended in what is missing
		p.giveUp(protocol.End{}, sink)
		p.isDoubtful = true
	default:
		p.endAll(protocol.End{}, sink)
	}
}

// passLost looks into bytes that begin no message for the end of a response.
func (p *parser) passLost(dir protocol.Direction, b []byte, sink protocol.Sink) {
	if dir == protocol.FromServer && endsReady(b) {
		p.readyAfterLoss(sink)
	}
}

// resumes reports whether a call begins like a message after a loss.
func (p *parser) resumes(dir protocol.Direction, b []byte) bool {
	if dir == protocol.FromServer {
		return isServerRun(b)
	}
	r := readRun(b)
	return r.isSound && (r.isStrong || !r.isCut && len(b) >= headerSize)
}
