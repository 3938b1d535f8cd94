package fastcgi

import (
	"slices"

	"github.com/sonde-dev/sonde/agent/protocol"
	"github.com/sonde-dev/sonde/signal"
)

// maxOpen bounds the requests under way on one connection. PHP-FPM has one.
const maxOpen = 1024

// request is one under way.
type request struct {
	wireID       uint16
	isAnnounced  bool
	isEnded      bool // all of it was read
	isDetailed   bool // FCGI_FILTER: FCGI_DATA follows FCGI_STDIN
	isPartial    bool
	isAnswered   bool // its response has begun
	isTold       bool // and its status was reported
	id           uint64
	body         uint64
	vars         variables
	out          output
	endBody      [bodySize]byte
	endN         int
	isOutPartial bool
}

// stream is one direction: a sequence of records.
type stream struct {
	head   [headerSize]byte
	n      int            // of the header
	since  protocol.Since // when the record began of which only a part of the header is there
	h      header
	left   uint32 // of the content
	pad    uint32
	inBody bool
	isLost bool
	r      *request // of the record
}

// parser follows one connection. Records say their length, so that a hole inside a content costs no more than the content.
type parser struct {
	in, out stream
	open    []*request
	spare   *request
	lastID  uint64
	isEnd   bool
	last    names
}

func newParser(joined bool) *parser {
	return &parser{in: stream{isLost: joined}, out: stream{isLost: joined}}
}

func (p *parser) stream(dir protocol.Direction) *stream {
	if dir == protocol.ToServer {
		return &p.in
	}
	return &p.out
}

// Data implements protocol.Parser.
func (p *parser) Data(dir protocol.Direction, b []byte, sink protocol.Sink) {
	p.data(dir, b, true, sink)
	s := p.stream(dir)
	s.since.Stamp(!s.isLost && !s.inBody && s.n > 0, sink)
}

func (p *parser) data(dir protocol.Direction, b []byte, atCall bool, sink protocol.Sink) {
	s := p.stream(dir)
	for ; len(b) > 0 && !p.isEnd; atCall = false {
		switch {
		case s.isLost:
			if !atCall || !p.begins(dir, b) {
				return
			}
			s.isLost, s.n, s.inBody = false, 0, false
		case s.inBody:
			n := min(uint32(len(b)), s.left)
			p.content(dir, b[:n], sink)
			s.left -= n
			b = b[n:]
			pad := min(uint32(len(b)), s.pad)
			if s.left == 0 {
				s.pad -= pad
				b = b[pad:]
			}
			p.leaveBody(dir, sink)
		default:
			n := copy(s.head[s.n:], b)
			s.n += n
			b = b[n:]
			if s.n < headerSize {
				return
			}
			ok := p.record(dir, sink)
			s.since.Clear()
			if !ok {
				p.lose(dir, sink)
				return
			}
		}
	}
}

// leaveBody goes on to the next record when nothing is left of one.
func (p *parser) leaveBody(dir protocol.Direction, sink protocol.Sink) {
	s := p.stream(dir)
	if s.inBody && s.left == 0 && s.pad == 0 {
		s.inBody, s.n = false, 0
		p.endRecord(dir, sink)
	}
}

// begins judges a call after a loss: the beginning of a request, or a record of an application about one that is known.
func (p *parser) begins(dir protocol.Direction, b []byte) bool {
	if dir == protocol.ToServer {
		return recognize(b) == protocol.IsRequest
	}
	if len(b) < headerSize {
		return false
	}
	h := readHeader(b)
	return isFromApplication(h) && h.reserved == 0 && p.find(h.id) != nil
}

func (p *parser) find(id uint16) *request {
	for _, r := range p.open {
		if r.wireID == id {
			return r
		}
	}
	return nil
}

// Gap implements protocol.Parser.
func (p *parser) Gap(dir protocol.Direction, n uint32, tail []byte, sink protocol.Sink) {
	if uint64(len(tail)) > uint64(n) {
		tail = tail[len(tail)-int(n):]
	}
	s := p.stream(dir)
	for left := n - uint32(len(tail)); left > 0 && !p.isEnd; {
		if s.isLost {
			break
		}
		if !s.inBody {
			p.lose(dir, sink)
			break
		}
		k := min(left, s.left)
		if k > 0 {
			p.skip(dir, k)
		}
		s.left -= k
		left -= k
		k = min(left, s.pad)
		s.pad -= k
		left -= k
		p.leaveBody(dir, sink)
	}
	p.data(dir, tail, n > 0 && int(n) == len(tail), sink)
}

// lose is called where a record should begin and bytes are missing or make no sense. What was under way in that direction cannot be whole. A
// response of which no status was seen is given up: what comes next may belong to a later request of the same number.
func (p *parser) lose(dir protocol.Direction, sink protocol.Sink) {
	s := p.stream(dir)
	s.isLost, s.inBody, s.n = true, false, 0
	if len(p.open) == 0 {
		sink.Lost(signal.ParserGaveUp, 1)
	}
	for _, r := range slices.Clone(p.open) {
		if dir == protocol.FromServer {
			r.isOutPartial = true
			if !r.isTold {
				p.giveUp(r, sink)
			}
		} else if !r.isEnded {
			r.isPartial = true
			p.endRequest(r, sink)
		}
	}
}

// Close implements protocol.Parser.
func (p *parser) Close(sink protocol.Sink) {
	if p.isEnd {
		return
	}
	for _, r := range slices.Clone(p.open) {
		if !r.isEnded {
			p.announce(r, sink)
			r.isEnded = true
			sink.RequestEnd(r.id, protocol.End{BodyBytes: r.body, Partial: r.isPartial, Before: true, Cut: true})
		}
		if r.isAnswered {
			sink.ResponseEnd(r.id, protocol.End{BodyBytes: r.out.body, Partial: r.isOutPartial, Before: true, Cut: !r.isOutPartial})
		}
	}
	p.open, p.isEnd = nil, true
}
