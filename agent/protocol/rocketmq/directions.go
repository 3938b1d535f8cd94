package rocketmq

import (
	"github.com/sonde-dev/sonde/agent/protocol"
	"github.com/sonde-dev/sonde/signal"
)

// toServer is the parser as it reads the direction to the server: requests, and a client's responses to those of the server.
type toServer parser

// Begin implements piecewise.Messages.
func (p *toServer) Begin(sink protocol.Sink) {
	p.nextID++
	p.in.id = p.nextID
	sink.RequestBegin(p.nextID)
}

// Head implements piecewise.Messages.
func (p *toServer) Head(b []byte, isCut bool, sink protocol.Sink) (uint64, int) {
	var h head
	size, n, ok := (*parser)(p).head(&p.in, &h, b, isCut, sink)
	if size == 0 {
		return size, n
	}
	if !ok || h.flag&flagResponse != 0 {
		sink.RequestEnd(p.in.id, protocol.End{Partial: true}) // without head: it is not reported
		p.in.id = 0
		return size, n
	}
	(*parser)(p).request(&p.in, &h, false)
	if !p.in.request.NoResponse {
		if id := p.waiting.Add(h.opaque, p.in.id, uint32(h.code)); id != 0 {
			giveUp(id, sink)
		}
	}
	return size, n
}

// Body implements piecewise.Messages.
func (p *toServer) Body(b []byte, _ protocol.Sink) { p.in.data(b) }

// Skip implements piecewise.Messages.
func (p *toServer) Skip(n uint64, _ protocol.Sink) { p.in.gap(n) }

// End implements piecewise.Messages.
func (p *toServer) End(size uint64, sink protocol.Sink) {
	(*parser)(p).end(&p.in, protocol.End{BodyBytes: size}, sink)
}

// Lose implements piecewise.Messages.
func (p *toServer) Lose(hasBegun bool, sink protocol.Sink) {
	if hasBegun && p.in.id != 0 {
		sink.RequestEnd(p.in.id, protocol.End{Partial: true})
		p.in.id = 0
	}
	sink.Lost(signal.ParserGaveUp, 1)
}

// Resume implements piecewise.Messages.
func (p *toServer) Resume(b []byte) protocol.Verdict { return recognize(b) }

// fromServer is the parser as it reads the direction from the server: responses, and requests of the server.
type fromServer parser

// Begin implements piecewise.Messages. What it is shows only later.
func (p *fromServer) Begin(protocol.Sink) { p.out.id = 0 }

// Head implements piecewise.Messages.
func (p *fromServer) Head(b []byte, isCut bool, sink protocol.Sink) (uint64, int) {
	var h head
	size, n, ok := (*parser)(p).head(&p.out, &h, b, isCut, sink)
	if size == 0 {
		return size, n
	}
	if !ok {
		p.forget(sink) // it may have been anyone's response
		return size, n
	}
	if h.flag&flagResponse == 0 {
		p.nextID++
		p.out.id = p.nextID
		sink.RequestBegin(p.nextID)
		(*parser)(p).request(&p.out, &h, true)
		return size, n
	}
	id, code, found := p.waiting.Take(h.opaque)
	if !found {
		sink.Lost(signal.OrphanResponse, 1)
	}
	if id != 0 {
		p.out.id = id
		sink.ResponseBegin(id)
		(*parser)(p).answer(&p.out, &h, int32(code))
	}
	return size, n
}

// Body implements piecewise.Messages.
func (p *fromServer) Body(b []byte, _ protocol.Sink) { p.out.data(b) }

// Skip implements piecewise.Messages.
func (p *fromServer) Skip(n uint64, _ protocol.Sink) { p.out.gap(n) }

// End implements piecewise.Messages.
func (p *fromServer) End(size uint64, sink protocol.Sink) {
	(*parser)(p).end(&p.out, protocol.End{BodyBytes: size}, sink)
}

// Lose implements piecewise.Messages.
func (p *fromServer) Lose(_ bool, sink protocol.Sink) { p.forget(sink) }

// Resume implements piecewise.Messages.
func (p *fromServer) Resume(b []byte) protocol.Verdict { return recognize(b) }

// forget gives up the requests that wait: their responses may be lost, and come in no order that would tell.
func (p *fromServer) forget(sink protocol.Sink) {
	p.waiting.Forget(func(id uint64) { giveUp(id, sink) })
}

// giveUp ends a request whose response will not be told from others.
func giveUp(id uint64, sink protocol.Sink) {
	sink.Lost(signal.ParserGaveUp, 1)
	sink.ResponseEnd(id, protocol.End{Partial: true})
}

func (m *message) data(b []byte) {
	if m.id != 0 && m.counts {
		m.body.data(b)
	}
}

func (m *message) gap(n uint64) {
	if m.id != 0 && m.counts {
		m.body.gap(n)
	}
}
