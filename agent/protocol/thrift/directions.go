package thrift

import (
	"github.com/sonde-dev/sonde/agent/protocol"
	"github.com/sonde-dev/sonde/signal"
)

// toServer is the parser as it reads the direction to the server.
type toServer parser

// Begin implements piecewise.Messages.
func (p *toServer) Begin(sink protocol.Sink) {
	p.nextID++
	p.reqID = p.nextID
	sink.RequestBegin(p.nextID)
}

// Head implements piecewise.Messages.
func (p *toServer) Head(b []byte, isCut bool, sink protocol.Sink) (uint64, int) {
	m, size, n := readHead(b, isCut)
	if size == 0 {
		return size, n
	}
	if !m.isRequest() {
		return 0, 0
	}
	p.in.start(m.isCompact, false)
	q := (*parser)(p).request(&m)
	if !q.NoResponse {
		q.NoResponse = (*parser)(p).await(m.seq, q.Target, sink)
	}
	sink.RequestHead(p.reqID, q)
	return size, n
}

// Body implements piecewise.Messages. A frame says where it ends.
func (p *toServer) Body([]byte, protocol.Sink) {}

// Skip implements piecewise.Messages.
func (p *toServer) Skip(uint64, protocol.Sink) {}

// Measure implements piecewise.Measurer.
func (p *toServer) Measure(b []byte) (int, bool) { return measure(&p.in, b) }

// Pass implements piecewise.Measurer.
func (p *toServer) Pass(n uint64) bool { return p.in.gap(n) == n }

// End implements piecewise.Messages.
func (p *toServer) End(size uint64, sink protocol.Sink) {
	sink.RequestEnd(p.reqID, protocol.End{BodyBytes: size})
	p.reqID = 0
}

// Lose implements piecewise.Messages.
func (p *toServer) Lose(_ bool, sink protocol.Sink) {
	if p.reqID != 0 {
		sink.RequestEnd(p.reqID, protocol.End{Partial: true})
		p.reqID = 0
	}
	sink.Lost(signal.ParserGaveUp, 1)
}

// Resume implements piecewise.Messages.
func (p *toServer) Resume(b []byte) protocol.Verdict {
	if v := resume(b); v != protocol.IsResponse {
		return v
	}
	return protocol.No
}

// fromServer is the parser as it reads the direction from the server.
type fromServer parser

// Begin implements piecewise.Messages. Whose response it is shows only later.
func (p *fromServer) Begin(protocol.Sink) { p.resID = 0 }

// Head implements piecewise.Messages.
func (p *fromServer) Head(b []byte, isCut bool, sink protocol.Sink) (uint64, int) {
	m, size, n := readHead(b, isCut)
	if size == 0 {
		return size, n
	}
	if m.isRequest() {
		return 0, 0
	}
	p.out.start(m.isCompact, m.kind == kindException)
	id := (*parser)(p).take(m.seq, sink)
	p.resID, p.resKind = id, m.kind
	if id != 0 {
		sink.ResponseBegin(id)
	}
	return size, n
}

// Body implements piecewise.Messages.
func (p *fromServer) Body(b []byte, _ protocol.Sink) { p.out.data(b) }

// Skip implements piecewise.Messages.
func (p *fromServer) Skip(n uint64, _ protocol.Sink) { p.out.gap(n) }

// Measure implements piecewise.Measurer.
func (p *fromServer) Measure(b []byte) (int, bool) { return measure(&p.out, b) }

// Pass implements piecewise.Measurer.
func (p *fromServer) Pass(n uint64) bool { return p.out.gap(n) == n }

// End implements piecewise.Messages.
func (p *fromServer) End(size uint64, sink protocol.Sink) {
	id := p.resID
	p.resID = 0
	if id == 0 {
		return
	}
	r, ok := response(p.resKind, &p.out)
	if ok {
		sink.ResponseHead(id, r)
	}
	sink.ResponseEnd(id, protocol.End{BodyBytes: size, Partial: !ok})
}

// Lose implements piecewise.Messages.
func (p *fromServer) Lose(_ bool, sink protocol.Sink) {
	if p.resID != 0 {
		if r, ok := response(p.resKind, &p.out); ok {
			sink.ResponseHead(p.resID, r)
		}
		sink.ResponseEnd(p.resID, protocol.End{Partial: true})
		p.resID = 0
	}
	p.waiting.Forget(func(id uint64) { giveUp(id, sink) })
}

// Resume implements piecewise.Messages.
func (p *fromServer) Resume(b []byte) protocol.Verdict {
	if v := resume(b); v != protocol.IsRequest {
		return v
	}
	return protocol.No
}

func measure(w *walker, b []byte) (n int, isEnd bool) {
	n = w.data(b)
	if w.broken {
		return -1, false
	}
	return n, w.done
}
