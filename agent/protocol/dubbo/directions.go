package dubbo

import (
	"github.com/sonde-dev/sonde/agent/protocol"
	"github.com/sonde-dev/sonde/signal"
)

// toServer is the parser as it reads the direction to the server: calls, and a client's responses to those of the server.
type toServer parser

// Begin implements piecewise.Messages.
func (p *toServer) Begin(sink protocol.Sink) {
	p.nextID++
	p.reqID = p.nextID
	sink.RequestBegin(p.nextID)
}

// Head implements piecewise.Messages.
func (p *toServer) Head(b []byte, isCut bool, sink protocol.Sink) (uint64, int) {
	h, body, size, n := readHead(b, isCut)
	switch {
	case size == 0:
	case !h.isRequest() || h.isEvent():
		sink.RequestEnd(p.reqID, protocol.End{Partial: true}) // without head: it is not reported
		p.reqID = 0
		if h.isRequest() && h.isTwoWay() {
			p.waiting.Add(h.id, 0, 0)
		}
	default:
		q := (*parser)(p).request(&h, body, false)
		p.isNameless = isCut && q.Target == ""
		sink.RequestHead(p.reqID, q)
		if !q.NoResponse {
			if id := p.waiting.Add(h.id, p.reqID, 0); id != 0 {
				giveUp(id, sink)
			}
		}
	}
	return size, n
}

// Body implements piecewise.Messages.
func (p *toServer) Body([]byte, protocol.Sink) {}

// Skip implements piecewise.Messages.
func (p *toServer) Skip(uint64, protocol.Sink) {}

// End implements piecewise.Messages.
func (p *toServer) End(size uint64, sink protocol.Sink) {
	if p.reqID != 0 {
		sink.RequestEnd(p.reqID, protocol.End{BodyBytes: size, Partial: p.isNameless})
	}
	p.reqID, p.isNameless = 0, false
}

// Lose implements piecewise.Messages.
func (p *toServer) Lose(hasBegun bool, sink protocol.Sink) {
	if hasBegun && p.reqID != 0 {
		sink.RequestEnd(p.reqID, protocol.End{Partial: true})
	}
	p.reqID = 0
	sink.Lost(signal.ParserGaveUp, 1)
}

// Resume implements piecewise.Messages.
func (p *toServer) Resume(b []byte) protocol.Verdict { return resume(b) }

// fromServer is the parser as it reads the direction from the server: responses, and calls of the server.
type fromServer parser

// Begin implements piecewise.Messages. What it is shows only later.
func (p *fromServer) Begin(protocol.Sink) { p.resID, p.pushID = 0, 0 }

// Head implements piecewise.Messages.
func (p *fromServer) Head(b []byte, isCut bool, sink protocol.Sink) (uint64, int) {
	h, body, size, n := readHead(b, isCut)
	switch {
	case size == 0:
	case h.isRequest():
		if !h.isEvent() {
			p.nextID++
			p.pushID = p.nextID
			sink.RequestBegin(p.nextID)
			q := (*parser)(p).request(&h, body, true)
			p.isBlind = isCut && q.Target == ""
			sink.RequestHead(p.nextID, q)
		}
	default:
		id, _, found := p.waiting.Take(h.id)
		if !found && !h.isEvent() {
			sink.Lost(signal.OrphanResponse, 1)
		}
		if id == 0 {
			break
		}
		p.resID = id
		sink.ResponseBegin(id)
		if isCut && len(body) == 0 && h.body > 0 && h.status == statusOK {
			p.isBlind = true // perhaps an exception
			break
		}
		sink.ResponseHead(id, (*parser)(p).response(&h, body))
	}
	return size, n
}

// Body implements piecewise.Messages.
func (p *fromServer) Body([]byte, protocol.Sink) {}

// Skip implements piecewise.Messages.
func (p *fromServer) Skip(uint64, protocol.Sink) {}

// End implements piecewise.Messages.
func (p *fromServer) End(size uint64, sink protocol.Sink) {
	if p.resID != 0 {
		sink.ResponseEnd(p.resID, protocol.End{BodyBytes: size, Partial: p.isBlind})
	}
	if p.pushID != 0 {
		sink.RequestEnd(p.pushID, protocol.End{BodyBytes: size, Partial: p.isBlind})
	}
	p.resID, p.pushID, p.isBlind = 0, 0, false
}

// Lose implements piecewise.Messages. Responses come in no order that would tell which of them are lost.
func (p *fromServer) Lose(_ bool, sink protocol.Sink) {
	p.resID, p.pushID = 0, 0
	p.waiting.Forget(func(id uint64) { giveUp(id, sink) })
}

// Resume implements piecewise.Messages.
func (p *fromServer) Resume(b []byte) protocol.Verdict { return resume(b) }
