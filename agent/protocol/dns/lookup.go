package dns

import (
	"slices"
	"strconv"

	"github.com/sonde-dev/sonde/agent/protocol"
	"github.com/sonde-dev/sonde/signal"
)

// message is one that has passed, or the part of it that was copied.
type message struct {
	bytes   []byte
	size    uint64
	isLost  bool // its end was
	mayGrow bool // a gap may say that there was more of it
	isOpen  bool // its end is told by that gap
}

// lookup is a query that waits for its answer.
type lookup struct {
	id     uint64
	sum    uint64 // of the question
	wire   uint16 // id on the wire
	resent uint16
	search bool
}

// Bounds of what waits. A query is repeated two or three times (glibc: twice, dig: three times); who asks more often with the same id
// has given up the one before, or always uses it.
const (
	maxLookups = 1024
	maxResent  = 3
)

// waiting is the queries in flight, oldest first.
type waiting struct {
	lookups  []lookup
	transfer uint16 // id of the zone transfer answered last
	isAfter  bool   // there was one
}

// find returns the place of the latest query with an id and a question, -1 for none.
func (w *waiting) find(wire uint16, sum uint64) int {
	for i := len(w.lookups) - 1; i >= 0; i-- {
		if l := &w.lookups[i]; l.wire == wire && l.sum == sum {
			return i
		}
	}
	return -1
}

// only returns the place of the only query with an id, -1 for none.
func (w *waiting) only(wire uint16) int {
	found := -1
	for i := range w.lookups {
		if w.lookups[i].wire == wire {
			if found >= 0 {
				return -1
			}
			found = i
		}
	}
	return found
}

func (w *waiting) add(l lookup) {
	if len(w.lookups) >= maxLookups { // its exchange ends by itself
		w.lookups = slices.Delete(w.lookups, 0, 1)
	}
	w.lookups = append(w.lookups, l)
}

func (w *waiting) remove(i int) lookup {
	l := w.lookups[i]
	w.lookups = slices.Delete(w.lookups, i, i+1)
	if len(w.lookups) == 0 && cap(w.lookups) > 64 {
		w.lookups = nil
	}
	return l
}

// request tells a query that has begun with id. It reports false for what is none.
func (p *parser) request(m *message, id uint64, sink protocol.Sink) bool {
	h, hasHeader := readHeader(m.bytes)
	q, end, ok := readQuestion(m.bytes)
	isRepeated := false
	if ok = ok && hasHeader && !h.isResponse() && h.questions == 1; ok {
		if i := p.waiting.find(h.id, q.sum()); i >= 0 && p.waiting.lookups[i].resent < maxResent {
			p.waiting.lookups[i].resent++
			isRepeated = true
		}
	}
	if !ok || isRepeated {
		sink.RequestEnd(id, protocol.End{}) // without a head, it never was
		if !ok {
			sink.Lost(signal.ParserGaveUp, 1)
		}
		return ok
	}
	if p.waiting.isAfter && p.waiting.transfer == h.id {
		p.waiting.isAfter = false
	}
	name := p.names.of(nameText(p.scratch[:0], q.name))
	p.waiting.add(lookup{id: id, sum: q.sum(), wire: h.id, search: isSearch(name)})
	sink.RequestHead(id, protocol.Request{Operation: operation(h, q.qtype), Target: name})
	if m.isOpen = m.mayGrow && readReply(m.bytes, h, end, nil).isCut; !m.isOpen {
		sink.RequestEnd(id, protocol.End{BodyBytes: m.size})
	}
	return true
}

// response tells an answer. It reports false for what is none.
func (p *parser) response(m *message, sink protocol.Sink) (id uint64, ok bool) {
	h, hasHeader := readHeader(m.bytes)
	if !hasHeader || !h.isResponse() || h.questions > 1 {
		sink.Lost(signal.ParserGaveUp, 1)
		return 0, false
	}
	at, end := -1, headerBytes
	var q question
	if h.questions == 0 { // some answers to what a server did not understand
		at = p.waiting.only(h.id)
	} else if q, end, ok = readQuestion(m.bytes); ok {
		at = p.waiting.find(h.id, q.sum())
	}
	isUnreadable := h.questions == 1 && !ok
	switch {
	case isUnreadable:
		sink.Lost(signal.ParserGaveUp, 1)
		return 0, false
	case at < 0 && p.waiting.isAfter && p.waiting.transfer == h.id:
		return 0, true // more of a zone
	case at < 0:
		sink.Lost(signal.OrphanResponse, 1)
		return 0, true
	}
	l := p.waiting.remove(at)
	if q.qtype == typeAXFR || q.qtype == typeIXFR {
		p.waiting.transfer, p.waiting.isAfter = h.id, true
	}
	r := readReply(m.bytes, h, end, p.scratch[:0])
	sink.ResponseBegin(l.id)
	sink.ResponseHead(l.id, p.describe(h, &r, &l))
	if m.isOpen = m.mayGrow && r.isCut; !m.isOpen {
		sink.ResponseEnd(l.id, protocol.End{BodyBytes: m.size, Partial: m.isLost && r.isCut || r.isWrong})
	}
	return l.id, true
}

// describe puts an answer into words.
func (p *parser) describe(h header, r *reply, l *lookup) protocol.Response {
	isSearch := r.rcode == rcodeNXDomain && l.search
	out := protocol.Response{Status: rcodeName(r.rcode)}
	out.ClientError, out.ServerError = failures(r.rcode, isSearch)
	if len(r.answers) > 0 {
		out.Attributes = p.names.addresses(r.answers, r.ttl)
	}
	extra := out.Attributes[:len(out.Attributes):len(out.Attributes)] // shared with other answers
	if h.flags&flagTruncated != 0 {
		extra = append(extra, protocol.Attribute{Key: AttrTruncated, Value: "true"})
	}
	if isSearch {
		extra = append(extra, protocol.Attribute{Key: AttrSearch, Value: "true"})
	}
	if l.resent > 0 {
		extra = append(extra, protocol.Attribute{Key: AttrResent, Value: strconv.Itoa(int(l.resent))})
	}
	out.Attributes = extra
	return out
}
