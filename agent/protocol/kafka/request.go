package kafka

import (
	"github.com/sonde-dev/sonde/agent/protocol"
	"github.com/sonde-dev/sonde/signal"
)

// requests is the parser as it reads the direction to the server.
type requests parser

// Begin implements piecewise.Messages.
func (p *requests) Begin(sink protocol.Sink) {
	p.request.id = 0
	if p.isRaw {
		return // perhaps no request
	}
	p.begin(sink)
}

func (p *requests) begin(sink protocol.Sink) {
	p.nextID++
	p.request.id = p.nextID
	sink.RequestBegin(p.nextID)
}

// Head implements piecewise.Messages.
func (p *requests) Head(b []byte, isCut bool, sink protocol.Sink) (uint64, int) {
	h, want, ok := parseHead(b)
	r := &p.request
	if p.isRaw {
		size, hasSize := messageSize(b)
		switch _, isKnown := apiOf(h.key, h.version); {
		case len(b) < 4 && !isCut:
			return 0, 4
		case !hasSize:
			return 0, 0
		case !ok && want > 0 && size > uint64(len(b)) && !isCut:
			return 0, int(min(uint64(want), size))
		case !ok || !isKnown || !isPrintable(h.client):
			return size, int(min(uint64(len(b)), size)) // a token
		}
		p.isRaw = false
		p.begin(sink)
	}
	if !ok {
		if isCut {
			want = 0
		}
		return 0, want
	}
	r.api, r.isKnown = apiOf(h.key, h.version)
	r.client = (*parser)(p).names.intern(h.client)
	h.client = nil
	r.head = h
	r.found.reset(&p.names)
	if h.key == keyFetch {
		r.found.follow = &p.session
	}
	fields := r.api.request
	if !r.isKnown || fields == nil {
		fields = unknownBody
	}
	isFlexible := r.api.isFlexible(h.version)
	r.walk.start(fields, h.version, isFlexible, isFlexible, h.size-uint64(h.used), &r.found)
	return h.size, h.used
}

// Body implements piecewise.Messages.
func (p *requests) Body(b []byte, _ protocol.Sink) {
	if p.request.id != 0 {
		p.request.walk.data(b)
	}
}

// Skip implements piecewise.Messages.
func (p *requests) Skip(n uint64, _ protocol.Sink) {
	if p.request.id != 0 {
		p.request.walk.gap(n)
	}
}

// End implements piecewise.Messages.
func (p *requests) End(size uint64, sink protocol.Sink) {
	if p.request.id != 0 {
		p.finish(protocol.End{BodyBytes: size}, sink)
	}
}

// finish reports a request whose head was read.
func (p *requests) finish(e protocol.End, sink protocol.Sink) {
	r := &p.request
	f := &r.found
	w := waiting{id: r.id, key: r.head.key, version: r.head.version, correlation: r.head.correlation}
	isBroken := r.walk.broken || !r.walk.done
	e.Partial = e.Partial || r.isKnown && isBroken && !e.Cut || r.walk.short
	if r.head.key == keyProduce && !f.hasAcks && r.isKnown && !e.Cut {
		// Nobody knows whether a response is to come.
		sink.RequestEnd(r.id, protocol.End{Partial: true})
		sink.Lost(signal.ParserGaveUp, 1)
		w.id = 0
		(*parser)(p).await(w, sink)
		return
	}
	group := f.group
	if f.isGroups {
		group = ""
	}
	if w.group = group; !isBroken {
		w.commits = f.commits
	}
	q := protocol.Request{
		Operation: r.api.name, Target: f.target(), Waits: r.api.waits,
		Attributes: p.names.attributes(r.client, group),
		NoResponse: r.head.key == keyProduce && f.hasAcks && f.acks == 0,
	}
	if isBroken {
		q.Target = ""
	}
	if r.head.key == keyFetch {
		if isBroken {
			p.session = fetchSession{}
		}
		p.session.isReplica = f.isReplica || f.hasReplicaState
		if f.epoch > 0 {
			q.Target = p.session.target(p.names.shared)
		}
	}
	q.Counts[protocol.MessagesSent], q.Counts[protocol.MessageBytesSent] = f.records, f.bytes
	if !q.NoResponse && !e.Cut {
		(*parser)(p).await(w, sink)
	}
	p.isRaw = r.head.key == keySASLHandshake && r.head.version == 0
	sink.RequestHead(r.id, q)
	sink.RequestEnd(r.id, e)
}

// Lose implements piecewise.Messages.
func (p *requests) Lose(hasBegun bool, sink protocol.Sink) {
	if hasBegun && p.request.id != 0 {
		sink.RequestEnd(p.request.id, protocol.End{Partial: true})
	}
	p.session = fetchSession{}
	sink.Lost(signal.ParserGaveUp, 1)
}

// Resume implements piecewise.Messages.
func (p *requests) Resume(b []byte) protocol.Verdict { return recognize(b) }
