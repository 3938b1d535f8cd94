package kafka

import (
	"encoding/binary"
	"strconv"

	"github.com/sonde-dev/sonde/agent/protocol"
	"github.com/sonde-dev/sonde/signal"
)

// waiting is a request whose response has not come.
type waiting struct {
	id           uint64 // 0 when the request was not reported
	correlation  int32
	key, version int16
	isDoubtful   bool // its response may be among lost bytes
	group        string
	commits      []commit // that it asks for
}

// maxWaiting bounds them. Clients keep 5 (Java) or up to a million (librdkafka's max.in.flight) under way; none uses as many.
const maxWaiting = 1024

// await remembers a request. Responses come in the order of requests from brokers that keep to the protocol; others are found too.
func (p *parser) await(w waiting, sink protocol.Sink) {
	if len(p.waiting) >= maxWaiting {
		p.giveUp(p.waiting[0], sink)
		p.waiting = p.waiting[:copy(p.waiting, p.waiting[1:])]
	}
	p.waiting = append(p.waiting, w)
}

// giveUp ends a request whose response will not be told from others.
func (p *parser) giveUp(w waiting, sink protocol.Sink) {
	sink.Lost(signal.ParserGaveUp, 1)
	if w.id != 0 {
		sink.ResponseEnd(w.id, protocol.End{Partial: true})
	}
}

// find returns the index of the request that waits for a correlation id, or -1.
func (p *parser) find(correlation int32) int {
	for i := range p.waiting {
		if p.waiting[i].correlation == correlation {
			return i
		}
	}
	return -1
}

// take removes a request and those before it that cannot get a response any more.
func (p *parser) take(i int, sink protocol.Sink) waiting {
	w := p.waiting[i]
	kept := p.waiting[:0]
	for j, o := range p.waiting {
		switch {
		case j == i:
		case j < i && o.isDoubtful:
			p.giveUp(o, sink)
		case j < i && o.id == 0:
		default:
			kept = append(kept, o)
		}
	}
	p.waiting = kept
	return w
}

// responses is the parser as it reads the direction from the server.
type responses parser

// Begin implements piecewise.Messages. Whose response it is shows only later.
func (p *responses) Begin(protocol.Sink) { p.response.of = waiting{} }

// Head implements piecewise.Messages.
func (p *responses) Head(b []byte, isCut bool, sink protocol.Sink) (uint64, int) {
	size, ok := messageSize(b)
	r := &p.response
	if !ok && len(b) >= 4 {
		return 0, 0
	}
	if ok && p.isRaw && size <= responseHead {
		return size, int(min(uint64(len(b)), size))
	}
	if len(b) < responseHead {
		if isCut || ok && size < minResponse {
			return 0, 0
		}
		return 0, responseHead
	}
	i := (*parser)(p).find(int32(binary.BigEndian.Uint32(b[4:])))
	switch {
	case i >= 0:
	case p.isRaw:
		return size, int(min(uint64(len(b)), size))
	case !p.isSynced || size < minResponse: // it may be the middle of one
		return 0, 0
	default:
		sink.Lost(signal.OrphanResponse, 1)
		return size, responseHead
	}
	p.isSynced = true
	r.of = (*parser)(p).take(i, sink)
	if r.of.id == 0 {
		return size, responseHead
	}
	sink.ResponseBegin(r.of.id)
	r.found.reset(&p.names)
	if r.of.key == keyFetch {
		r.found.answers = &p.session
	}
	a, isKnown := apiOf(r.of.key, r.of.version)
	fields := a.response
	if !isKnown || fields == nil {
		fields = unknownBody
	}
	// KIP-511: the head of an ApiVersions response never has tagged fields, so that every client can read it.
	isFlexible := a.isFlexible(r.of.version)
	r.walk.start(fields, r.of.version, isFlexible, isFlexible && r.of.key != keyAPIVersions, size-responseHead, &r.found)
	return size, responseHead
}

// Body implements piecewise.Messages.
func (p *responses) Body(b []byte, _ protocol.Sink) {
	if p.response.of.id != 0 {
		p.response.walk.data(b)
	}
}

// Skip implements piecewise.Messages.
func (p *responses) Skip(n uint64, _ protocol.Sink) {
	if p.response.of.id != 0 {
		p.response.walk.gap(n)
	}
}

// End implements piecewise.Messages.
func (p *responses) End(size uint64, sink protocol.Sink) {
	r := &p.response
	if r.of.id == 0 {
		return
	}
	e := protocol.End{BodyBytes: size}
	_, isKnown := apiOf(r.of.key, r.of.version)
	isBroken := isKnown && (r.walk.broken || !r.walk.done)
	e.Partial = isBroken || r.walk.short
	if isBroken && r.found.err == 0 {
		sink.ResponseEnd(r.of.id, e)
		return
	}
	sink.ResponseHead(r.of.id, r.head(isKnown, &p.session, p.names.shared))
	sink.ResponseEnd(r.of.id, e)
}

// head translates what was found.
func (r *response) head(isKnown bool, session *fetchSession, known *topics) protocol.Response {
	f := &r.found
	var q protocol.Response
	a, _ := apiOf(r.of.key, r.of.version)
	if isKnown && a.response != nil {
		q.Status = errorName(f.err)
		q.ClientError, q.ServerError = errorsOf(f.err, r.of.key)
	}
	q.Target = f.source()
	q.Counts[protocol.MessagesConsumed], q.Counts[protocol.MessageBytesConsumed] = f.records, f.bytes
	switch {
	case !isKnown:
	case r.of.key == keyFetch:
		var lag uint64
		var isTold bool
		if q.Levels, lag, isTold = session.levels(known); isTold {
			q.Attributes = []protocol.Attribute{{Key: attrLag, Value: strconv.FormatUint(lag, 10)}}
		}
	default:
		q.Levels = r.positions(known)
	}
	return q
}

// Lose implements piecewise.Messages.
func (p *responses) Lose(_ bool, sink protocol.Sink) {
	if p.isSynced {
		sink.Lost(signal.ParserGaveUp, 1)
	}
	for i := range p.waiting {
		p.waiting[i].isDoubtful = p.isSynced
	}
}

// Resume implements piecewise.Messages. Only a correlation id that is waited for shows where a response begins.
func (p *responses) Resume(b []byte) protocol.Verdict {
	size, ok := messageSize(b)
	switch {
	case len(b) < 4:
		return protocol.Maybe
	case !ok || size < minResponse:
		return protocol.No
	case len(b) < responseHead:
		return protocol.Maybe
	case (*parser)(p).find(int32(binary.BigEndian.Uint32(b[4:]))) < 0:
		return protocol.No
	}
	return protocol.IsResponse
}
