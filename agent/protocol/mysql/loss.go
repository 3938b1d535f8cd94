package mysql

import (
	"github.com/sonde-dev/sonde/agent/protocol"
	"github.com/sonde-dev/sonde/signal"
)

// Clients send a command when they have read the response to the one before; only MariaDB's send a few at once. So a command ends
// whatever the server was in the middle of, and what comes after it belongs to it: its packets are numbered from 1. When
// a client that pipelines loses bytes, nobody can say what belongs to what, and its exchanges are partial from then on.

// doubt is what is known to be unknown.
type doubt struct {
	isPipelined bool // a command began while a response was to come
	isDoubtful  bool // responses may belong to other commands
	hidden      bool // commands may have been missed since the last one
	orphanSeen  bool // and the server answered one of them
	gapSeen     bool // or its answer was missed too
	isHoled     bool // a part of the response being read was missed, perhaps its end
	isLate      bool // an EOF packet may follow that nobody counts on
}

// settle is called when a command begins: what that says of those before it.
func (p *parser) settle(sink protocol.Sink) {
	res := &p.streams[protocol.FromServer]
	isHoled := res.state == lost || p.isHoled
	switch {
	case p.queue.len() == 0:
	case !isHoled:
		p.isPipelined = true
	case p.isPipelined:
		p.giveUp(protocol.End{Before: true}, sink)
		p.isDoubtful = true
	default: // the response to the one before is over
		p.endAll(protocol.End{Before: true}, sink)
	}
	if res.state == lost && !p.isPipelined {
		res.state = between // and the next call of the server begins the next
	}
	switch {
	case p.hidden && p.isPipelined:
		p.giveUp(protocol.End{Before: true}, sink)
		p.isDoubtful = true
	case p.hidden:
		p.isDoubtful = !p.orphanSeen && !p.gapSeen
	case p.queue.len() == 0 && !p.isPipelined:
		p.isDoubtful = false
	}
	p.hidden, p.orphanSeen, p.gapSeen, p.isLate = false, false, false, false
}

// lose is called when bytes are missing where a payload begins, or make no sense.
func (p *parser) lose(dir protocol.Direction, sink protocol.Sink) {
	s := &p.streams[dir]
	isData := s.state == inBody && s.seq() > 0
	s.lose()
	if dir == protocol.FromServer {
		p.loseResponse(sink)
		return
	}
	if p.phase != running {
		p.phase = running // without knowing how
	}
	if p.isSending { // nobody knows what it is
		e := p.queue.back()
		sink.RequestEnd(e.id, protocol.End{Partial: true})
		sink.Lost(signal.ParserGaveUp, 1)
		p.isSending = false
		p.queue.dropBack()
	}
	if !isData {
		p.hidden = true
		p.lastText.Operation, p.lastText.Template = "", ""
	}
}

func (p *parser) loseResponse(sink protocol.Sink) {
	if p.phase != running {
		p.phase = running
	}
	if p.queue.len() == 0 {
		p.gapSeen = true
		return
	}
	if p.queue.len() > 1 && !p.isSending || p.queue.len() > 2 { // others may have ended
		p.giveUp(protocol.End{}, sink)
		p.isDoubtful = true
		return
	}
	e := p.queue.front()
	e.isPartial, p.isHoled = true, true
	if !e.hasHead && !(p.isSending && p.queue.len() == 1) {
		// It has begun and may take long. The packet that ends it may be missing, so silence ends it too.
		if !e.hasBegun {
			e.hasBegun = true
			sink.ResponseBegin(e.id)
		}
		e.hasHead = true
		sink.ResponseHead(e.id, protocol.Response{Unbounded: true})
	}
}

// endAfterLoss is called with the end of a response of which a part is missing.
func (p *parser) endAfterLoss(sink protocol.Sink) {
	if p.isHoled && p.queue.len() == 1 && !p.isSending {
		p.endAll(protocol.End{}, sink)
	}
}

// passLost looks into bytes that begin no packet for the end of a response.
func (p *parser) passLost(dir protocol.Direction, b []byte, sink protocol.Sink) {
	if dir == protocol.FromServer && endsWithEOF(b) {
		p.endAfterLoss(sink)
	}
}

// endsWithEOF reports whether b ends with an EOF packet after which no result follows, its first byte left out.
func endsWithEOF(b []byte) bool {
	const size = 8
	if len(b) < size {
		return false
	}
	b = b[len(b)-size:]
	return b[0] == 0 && b[1] == 0 && b[3] == headEOF && b[6]&statusMoreResults == 0 && b[7] < 0x80
}

// resumes reports whether a call begins like a payload after a loss.
func (p *parser) resumes(dir protocol.Direction, b []byte) bool {
	if dir == protocol.FromServer {
		return false // the next command begins anew
	}
	return isCommand(b)
}
