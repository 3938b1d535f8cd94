package postgres

import (
	"github.com/sonde-dev/sonde/agent/protocol"
	"github.com/sonde-dev/sonde/signal"
)

// firstOfResponse is called with the first byte of each message of the server.
func (p *parser) firstOfResponse(kind byte, sink protocol.Sink) {
	if p.queue.len() > 0 && !isAsync(kind) && p.phase != entering {
		p.begin(p.queue.front(), sink)
	}
}

// response reads a complete message of the server.
func (p *parser) response(t text, size uint64, sink protocol.Sink) {
	switch {
	case isAsync(t.kind):
		return
	case t.kind == 'W': // replication
		p.isOpaque = true
		sink.Opaque()
		return
	case p.phase == entering:
		if t.kind == 'Z' {
			p.phase = running
		}
		return
	case t.kind == 'Z':
		if p.queue.len() > 0 {
			p.queue.front().bytes += size
		}
		p.ready(sink)
		return
	case p.queue.len() == 0 || p.queue.front().kind == phantom:
		return
	}
	e := p.queue.front()
	e.bytes += size
	switch t.kind {
	case '1', '2', '3', 't', 'T', 'n':
		p.reply(e, t.kind, sink)
	case 'D':
		e.rows++
	case 'C':
		p.tag(e, t.b)
		p.complete(e, sink)
	case 'I', 's':
		p.count(e)
		p.complete(e, sink)
	case 'E':
		p.fail(e, t.b, sink)
	case 'G':
		p.startCopyIn(e)
	case 'H':
		e.isCopyOut = true
	}
}

// reply counts the answers to Parse, Bind, Describe and Close; the last one ends an exchange that no Sync follows directly.
func (p *parser) reply(e *entry, kind byte, sink protocol.Sink) {
	e.expects--
	if kind == '1' {
		e.parsed = 0
	}
	isOpen := p.open && p.queue.len() == 1
	isSynced := p.queue.len() > 1 && p.queue.at(1).kind == syncing
	if e.kind == prepare && e.expects <= 0 && !isOpen && !isSynced {
		p.finish(e, protocol.End{}, sink)
		p.queue.pop()
	}
}

// complete ends an Execute, or waits for its ReadyForQuery when a Sync follows directly.
func (p *parser) complete(e *entry, sink protocol.Sink) {
	p.copyIn = false
	if e.kind == prepare { // nothing was to be executed: this answers what was not seen
		e.isPartial = true
	}
	if e.kind != execute {
		return
	}
	if p.queue.len() > 1 && p.queue.at(1).kind == syncing {
		e.isDone = true
		return
	}
	p.finish(e, protocol.End{}, sink)
	p.queue.pop()
}

// startCopyIn: the server reads data now, and ignores a Sync that was sent already.
func (p *parser) startCopyIn(e *entry) {
	e.isCopyIn = true
	p.copyIn = true
	if e.kind == execute && p.queue.len() > 1 && p.queue.at(1).kind == syncing {
		p.queue.remove(1)
		p.hasUnit = true
	}
}

// ready reads ReadyForQuery: all that was sent up to a Query or Sync is over.
func (p *parser) ready(sink protocol.Sink) {
	skipped := p.isSkipping
	p.isSkipping, p.copyIn = false, false
	defer func() { p.isHoled = false }()
	if p.queue.len() == 0 {
		if !p.endsLate {
			sink.Lost(signal.OrphanResponse, 1)
			p.orphanSeen = true
		}
		p.endsLate = false
		return
	}
	for p.queue.len() > 0 {
		e := p.queue.front()
		if p.open && p.queue.len() == 1 {
			return // it belongs to what is still being sent; then it is not ours
		}
		kind := e.kind
		switch {
		case kind == phantom:
			sink.Lost(signal.OrphanResponse, 1)
		case skipped && !e.isFailed && !e.isDone && kind != syncing && kind != simple:
			e.isSkipped, e.expects = true, 0
			p.forget(e.parsed)
		case kind == execute && !e.isDone && !e.isFailed:
			e.isPartial = true
		}
		p.finish(e, protocol.End{}, sink)
		p.queue.pop()
		if kind == simple || kind == syncing || kind == phantom {
			return
		}
	}
}
