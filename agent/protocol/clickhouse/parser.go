package clickhouse

import (
	"github.com/sonde-dev/sonde/agent/protocol"
	"github.com/sonde-dev/sonde/agent/protocol/sqltext"
	"github.com/sonde-dev/sonde/signal"
)

// call is the exchange under way. The protocol has one at a time.
type call struct {
	id           uint64
	kind         byte // number of the client's packet
	isAnnounced  bool
	isBegun      bool // its response has
	isPartial    bool
	isInsert     bool
	isOpen       bool // an empty block is to come: it ends what the client sends
	isCompressed bool
	isTold       bool // that silence ends it
	looksOver    bool // its last byte is that of the end of a stream
	rows         uint64
	code         int32 // of an exception
	hasFailed    bool
	req, res     uint64
}

// parser follows one connection. Both directions are read step by step (decoder.go); what a packet consists of depends on the revision that both
// ends agreed on when they greeted each other, or, on a connection that was joined, on the first that makes sense of a query.
type parser struct {
	in, out decoder
	rev     int
	client  int  // the client's own
	isAlien bool // it is beyond what is read here
	hasCall bool
	call    call
	lastID  uint64
	isEnd   bool

	columns uint64
	rows    uint64
	types   map[string]*column
	cache   sqltext.Cache
}

func newParser(joined bool) *parser {
	p := &parser{}
	p.in.isLost, p.out.isLost = joined, joined
	return p
}

func (p *parser) decoder(dir protocol.Direction) *decoder {
	if dir == protocol.ToServer {
		return &p.in
	}
	return &p.out
}

// count adds bytes to the exchange under way.
func (p *parser) count(dir protocol.Direction, n int) {
	if dir == protocol.ToServer {
		p.call.req += uint64(n)
	} else {
		p.call.res += uint64(n)
	}
}

// Data implements protocol.Parser.
func (p *parser) Data(dir protocol.Direction, b []byte, sink protocol.Sink) {
	p.data(dir, b, true, sink)
}

func (p *parser) data(dir protocol.Direction, b []byte, atCall bool, sink protocol.Sink) {
	d := p.decoder(dir)
	for ; len(b) > 0 && !p.isEnd; atCall = false {
		if d.isLost {
			if !atCall || !p.resume(dir, b) {
				if p.hasCall {
					p.count(dir, len(b))
					p.guess(dir, b[len(b)-1], sink)
				}
				return
			}
			d.isLost = false
		}
		if dir == protocol.ToServer && p.rev == 0 && len(d.ops) == 0 && b[0] == clientQuery { // joined
			p.rev = revisionOf(b)
		}
		n, ok := p.step(dir, b, sink)
		if p.isAlien {
			p.isEnd = true
			sink.Lost(signal.ParserGaveUp, 1)
			sink.Opaque()
			return
		}
		if !ok {
			p.lose(dir, sink)
			return
		}
		b = b[n:]
	}
}

// Gap implements protocol.Parser. What is skipped by size costs nothing.
func (p *parser) Gap(dir protocol.Direction, n uint32, tail []byte, sink protocol.Sink) {
	if uint64(len(tail)) > uint64(n) {
		tail = tail[len(tail)-int(n):]
	}
	d := p.decoder(dir)
	for left := uint64(n) - uint64(len(tail)); left > 0 && !p.isEnd; {
		k := uint64(0)
		if !d.isLost {
			k = d.skipRun(left)
		}
		if k > 0 && !p.settle(dir, sink) {
			p.lose(dir, sink)
		}
		if k == 0 {
			if p.isEnd || p.endsHere(dir, left, tail, sink) {
				return
			}
			if !d.isLost {
				p.lose(dir, sink)
			}
			k = left
		}
		p.count(dir, int(k))
		left -= k
	}
	if len(tail) == 0 && n > 0 {
		p.guess(dir, 0, sink)
	}
	p.data(dir, tail, n > 0 && int(n) == len(tail), sink)
}

// guess looks at the last byte of a call of a result that is not followed any more: a result ends with the packet EndOfStream, an
// exception with a zero. It counts when silence or the next query shows that nothing came after it, and the exchange is marked partial anyway.
func (p *parser) guess(dir protocol.Direction, last byte, sink protocol.Sink) {
	c := &p.call
	looksOver := last == serverEndOfStream
	if dir != protocol.FromServer || !p.hasCall || !c.isTold || looksOver == c.looksOver {
		return
	}
	c.looksOver = looksOver
	r := protocol.Response{Unbounded: true}
	if looksOver {
		r.Status = statusOf(c)
	}
	sink.ResponseHead(c.id, r)
}

// endsHere ends a query in a hole. Everything up to the last block was followed exactly, what is missing is too small for another one,
// and its last byte is that of the end of the stream: only the numbers of rows and of progress are lost.
func (p *parser) endsHere(dir protocol.Direction, left uint64, tail []byte, sink protocol.Sink) bool {
	const small = 256
	if dir != protocol.FromServer || len(p.out.ops) > 0 || p.out.isLost || left > small || len(tail) == 0 || tail[len(tail)-1] != serverEndOfStream || !p.hasCall ||
		p.call.kind != clientQuery || !p.call.isBegun {
		return false
	}
	p.count(dir, int(left)+len(tail))
	p.call.isPartial = true
	p.finish(serverEndOfStream, sink)
	return true
}

// lose is called where something is missing or makes no sense. Of what is under way, the end cannot be told any more: silence has to.
func (p *parser) lose(dir protocol.Direction, sink protocol.Sink) {
	d := p.decoder(dir)
	if dir == protocol.ToServer && len(d.ops) > 0 && d.top().code == 'Q' && len(d.buf) > 0 { // the beginning of a statement is enough for its verb
		p.query(d.buf, true, sink)
	}
	d.reset()
	d.isLost = true
	if !p.hasCall {
		sink.Lost(signal.ParserGaveUp, 1)
		return
	}
	p.call.isPartial = true
	if dir == protocol.ToServer {
		if !p.call.isAnnounced {
			p.announce(sqltext.Other, "", sink)
		}
		return
	}
	if !p.call.isBegun {
		p.call.isBegun = true
		sink.ResponseBegin(p.call.id)
	}
	if !p.call.isTold {
		p.call.isTold = true
		sink.ResponseHead(p.call.id, protocol.Response{Unbounded: true})
	}
}

// resume judges a call after a loss.
func (p *parser) resume(dir protocol.Direction, b []byte) bool {
	if dir == protocol.FromServer {
		return p.hasCall && p.isEnding(b)
	}
	switch b[0] {
	case clientPing:
		return len(b) == 1 && p.rev != 0
	case clientHello:
		return recognizeHello(b) == protocol.IsRequest
	case clientQuery:
		rev := p.rev
		if rev == 0 {
			rev = revisionOf(b)
		}
		if rev == 0 || !fits(b, rev) {
			return false
		}
		p.rev = rev
		return true
	}
	return false
}

// isEnding accepts a call that holds nothing but whole packets, the last of which ends a query.
func (p *parser) isEnding(b []byte) bool {
	last := b[len(b)-1]
	if p.rev == 0 || last != serverEndOfStream && b[0] != serverException {
		return false
	}
	try := probe(p.rev)
	return try.run(protocol.FromServer, b) && len(try.p.out.ops) == 0
}

// Close implements protocol.Parser.
func (p *parser) Close(sink protocol.Sink) {
	if p.isEnd {
		return
	}
	p.isEnd = true
	if c := &p.call; p.hasCall {
		if !c.isAnnounced {
			sink.RequestEnd(c.id, protocol.End{Partial: true, Cut: true, Before: true})
			return
		}
		sink.RequestEnd(c.id, protocol.End{BodyBytes: c.req, Partial: c.isPartial, Before: true, Cut: !c.isBegun})
		if c.isBegun {
			sink.ResponseEnd(c.id, protocol.End{BodyBytes: c.res, Partial: c.isPartial, Cut: true, Before: true})
		}
	}
}

// begin enters an exchange. One that has not ended is over: its end was not seen.
func (p *parser) begin(kind byte, sink protocol.Sink) {
	if p.hasCall {
		p.call.isPartial = true
		if p.call.isAnnounced {
			sink.Lost(signal.ParserGaveUp, 1)
			p.end(protocol.End{Before: true}, sink)
		} else {
			p.drop(sink)
		}
		p.out.reset()
	}
	p.lastID++
	p.hasCall = true
	p.call = call{id: p.lastID, kind: kind, isOpen: kind == clientQuery}
	p.out.isLost = false
	sink.RequestBegin(p.lastID)
}

// drop forgets an exchange of which nothing is known.
func (p *parser) drop(sink protocol.Sink) {
	p.hasCall = false
	sink.RequestEnd(p.call.id, protocol.End{Partial: true})
}

func (p *parser) announce(operation, target string, sink protocol.Sink) {
	p.call.isAnnounced, p.call.isInsert = true, operation == "INSERT"
	sink.RequestHead(p.call.id, protocol.Request{Operation: operation, Target: target})
}

// end reports the ends of both messages. Where the request ended shows only now: data for an insert may follow it.
func (p *parser) end(e protocol.End, sink protocol.Sink) {
	c := &p.call
	p.hasCall = false
	sink.RequestEnd(c.id, protocol.End{BodyBytes: c.req, Partial: c.isPartial, Before: true})
	if c.code != 0 || !c.isPartial || !e.Before {
		r := protocol.Response{Status: statusOf(c)}
		if c.hasFailed {
			r.ServerError, r.ClientError = r.Status, r.Status
		}
		r.Counts[protocol.RowsReturned] = c.rows
		sink.ResponseHead(c.id, r)
	}
	e.BodyBytes, e.Partial = c.res, c.isPartial
	sink.ResponseEnd(c.id, e)
}
