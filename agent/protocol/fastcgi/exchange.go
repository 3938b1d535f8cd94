package fastcgi

import (
	"slices"

	"github.com/sonde-dev/sonde/agent/protocol"
	"github.com/sonde-dev/sonde/signal"
)

// record is called for each whole header. It returns false if that makes no sense.
func (p *parser) record(dir protocol.Direction, sink protocol.Sink) bool {
	s := p.stream(dir)
	h := readHeader(s.head[:])
	if dir == protocol.ToServer && !isFromServer(h) || dir == protocol.FromServer && !isFromApplication(h) {
		return false
	}
	s.h, s.left, s.pad, s.inBody = h, uint32(h.length), uint32(h.padding), true
	if h.kind == typeBegin {
		p.begin(h.id, sink)
	}
	s.r = p.find(h.id)
	switch {
	case s.r == nil:
		if h.kind == typeEnd {
			sink.Lost(signal.OrphanResponse, 1)
		}
	case dir == protocol.FromServer && !s.r.isAnswered && h.kind != typeStderr:
		s.r.isAnswered = true
		sink.ResponseBegin(s.r.id)
	}
	p.leaveBody(dir, sink) // it may have no content
	return true
}

// begin enters a request. One with the same number must be over: its end was not seen.
func (p *parser) begin(id uint16, sink protocol.Sink) {
	if old := p.find(id); old != nil {
		p.giveUp(old, sink)
	}
	if len(p.open) >= maxOpen {
		p.giveUp(p.open[0], sink)
	}
	r := p.spare
	p.spare = nil
	if r == nil {
		r = &request{}
	}
	p.lastID++
	*r = request{wireID: id, id: p.lastID, vars: variables{buf: r.vars.buf[:0]}}
	p.open = append(p.open, r)
	sink.RequestBegin(r.id)
	p.in.since.Date(r.id, sink)
}

// giveUp ends a request whose end was not seen.
func (p *parser) giveUp(r *request, sink protocol.Sink) {
	if !r.isEnded {
		r.isPartial = true
		p.endRequest(r, sink)
	}
	r.isOutPartial = true
	if r.isAnswered {
		p.tell(r, sink)
	} else {
		sink.Lost(signal.ParserGaveUp, 1)
	}
	p.finish(r, protocol.End{Before: true}, sink)
}

// content takes content of the record being read.
func (p *parser) content(dir protocol.Direction, b []byte, sink protocol.Sink) {
	s := p.stream(dir)
	r := s.r
	if r == nil || len(b) == 0 {
		return
	}
	switch s.h.kind {
	case typeBegin:
		if s.left > 6 && uint32(len(b)) > s.left-7 { // the second byte is the role (§5.1)
			r.isDetailed = b[s.left-7] == 3
		}
	case typeParams:
		if !r.isAnnounced {
			r.vars.read(b, &p.last)
		}
	case typeStdin, typeData:
		p.announce(r, sink)
		r.body += uint64(len(b))
	case typeStdout:
		if r.out.read(b) {
			p.tell(r, sink)
		}
	case typeEnd:
		r.endN += copy(r.endBody[r.endN:], b)
	}
}

// skip passes over n unknown bytes of content.
func (p *parser) skip(dir protocol.Direction, n uint32) {
	s := p.stream(dir)
	if s.r == nil {
		return
	}
	switch s.h.kind {
	case typeParams:
		s.r.vars.skip(n)
		s.r.isPartial = s.r.isPartial || s.r.vars.isLost
	case typeStdin, typeData:
		s.r.body += uint64(n)
	case typeStdout:
		s.r.out.skip(uint64(n))
		s.r.isOutPartial = s.r.isOutPartial || s.r.out.isLost
	case typeEnd:
		s.r.isOutPartial = true
	}
}

// endRecord is called after the last byte of a record.
func (p *parser) endRecord(dir protocol.Direction, sink protocol.Sink) {
	s := p.stream(dir)
	r := s.r
	s.r = nil
	if r == nil {
		return
	}
	switch {
	case s.h.kind == typeParams && s.h.length == 0:
		p.announce(r, sink)
	case s.h.length == 0 && (s.h.kind == typeData || s.h.kind == typeStdin && !r.isDetailed):
		if !r.isEnded {
			p.endRequest(r, sink)
		}
	case s.h.kind == typeEnd:
		p.complete(r, sink)
	}
}

// announce reports the head of a request, once.
func (p *parser) announce(r *request, sink protocol.Sink) {
	if r.isAnnounced {
		return
	}
	r.isAnnounced = true
	q := protocol.Request{Operation: r.vars.method, Target: r.vars.path, Attributes: p.last.attributes(r.vars.host)}
	if q.Operation == "" {
		q.Operation = "_OTHER"
	}
	if q.Target == "" {
		q.Target = r.vars.script
	}
	sink.RequestHead(r.id, q)
}

func (p *parser) endRequest(r *request, sink protocol.Sink) {
	p.announce(r, sink)
	r.isEnded = true
	sink.RequestEnd(r.id, protocol.End{BodyBytes: r.body, Partial: r.isPartial})
}

// tell reports the status of a response, once, as far as it was seen.
func (p *parser) tell(r *request, sink protocol.Sink) {
	if r.isTold {
		return
	}
	r.isTold = true
	switch {
	case r.out.isDone:
		sink.ResponseHead(r.id, r.out.response())
	case r.isOutPartial:
		sink.ResponseHead(r.id, protocol.Response{})
	default: // it ended before its head did
		sink.ResponseHead(r.id, protocol.Response{ClientError: "_OTHER", ServerError: "_OTHER"})
	}
}

// complete takes FCGI_END_REQUEST: four bytes of the application's status and one of the protocol's.
func (p *parser) complete(r *request, sink protocol.Sink) {
	if !r.isEnded { // the application did not wait for the rest
		p.endRequest(r, sink)
	}
	if c := r.endBody[4]; r.endN == bodySize && c != 0 && !r.isTold {
		r.isTold = true
		sink.ResponseHead(r.id, protocol.Response{ClientError: protocolStatus(c), ServerError: protocolStatus(c)})
	}
	p.tell(r, sink)
	p.finish(r, protocol.End{}, sink)
}

// finish ends a response and forgets its request.
func (p *parser) finish(r *request, e protocol.End, sink protocol.Sink) {
	e.BodyBytes, e.Partial = r.out.body, r.isOutPartial
	p.open = slices.DeleteFunc(p.open, func(o *request) bool { return o == r })
	for _, s := range [...]*stream{&p.in, &p.out} {
		if s.r == r {
			s.r = nil
		}
	}
	sink.ResponseEnd(r.id, e)
	p.spare = r
}
