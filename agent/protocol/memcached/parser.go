package memcached

import (
	"github.com/sonde-dev/sonde/agent/protocol"
	"github.com/sonde-dev/sonde/agent/protocol/inorder"
	"github.com/sonde-dev/sonde/signal"
)

// waiting is what is remembered of a command until it is answered.
type waiting struct {
	cmd      *command
	isBinary bool
	isQuiet  bool // answered only in some cases
	isEither bool // its answer may be that of another command of the same kind
	isBegun  bool
	hasValue bool
	isSingle bool // a get of one key: after its value comes END
	opcode   byte
	opaque   uint64 // the token that its answer repeats; 0: none
	key      uint64 // likewise
	bytes    uint64 // of the answer so far
}

// state is the place of a direction inside its messages.
type state uint8

const (
	between state = iota // the next byte begins a message, or the next line of an answer
	inLine               // of text
	inHead               // of a binary message, with extras and key
	inValue              // skipped by size
	lost                 // until a call begins like a message
)

// parser follows one connection.
//
// Some commands ask for silence in the usual case (GETQ, "mg … q"). That they were answered by silence shows when one behind them
// is answered; answers that may belong to several of them are told apart by opaque token, key or opcode, and otherwise marked.
type parser struct {
	queue inorder.Queue[waiting]
	req   requests
	res   responses
	isEnd bool
}

func newParser(joined bool) *parser {
	p := &parser{}
	if joined {
		p.queue.Join()
		p.req.state, p.res.state = lost, lost
	}
	return p
}

// Data implements protocol.Parser.
func (p *parser) Data(dir protocol.Direction, b []byte, sink protocol.Sink) {
	p.data(dir, b, true, sink)
}

func (p *parser) data(dir protocol.Direction, b []byte, atCall bool, sink protocol.Sink) {
	for len(b) > 0 && !p.isEnd {
		var n int
		if dir == protocol.ToServer {
			n = p.readRequest(b, atCall, sink)
		} else {
			n = p.readResponse(b, atCall, sink)
		}
		b = b[n:]
		atCall = false
	}
}

// Gap implements protocol.Parser. What is inside a value is skipped, tail is read.
func (p *parser) Gap(dir protocol.Direction, n uint32, tail []byte, sink protocol.Sink) {
	if uint64(len(tail)) > uint64(n) {
		tail = tail[len(tail)-int(n):]
	}
	for left := uint64(n) - uint64(len(tail)); left > 0 && !p.isEnd; {
		if dir == protocol.ToServer {
			left -= p.skipRequest(left, sink)
		} else {
			left -= p.skipResponse(left, sink)
		}
	}
	p.data(dir, tail, n > 0 && int(n) == len(tail), sink)
}

// Close implements protocol.Parser.
func (p *parser) Close(sink protocol.Sink) {
	if p.isEnd {
		return
	}
	p.isEnd = true
	if r := &p.req; r.id != 0 {
		if !r.isAnnounced {
			p.queue.Remove(r.id)
		}
		sink.RequestEnd(r.id, protocol.End{BodyBytes: r.bytes, Partial: r.isPartial, Before: true, Cut: true})
	}
	for p.queue.Len() > 0 {
		e := p.queue.Front()
		switch {
		case e.Data.isBegun:
			sink.ResponseEnd(e.ID, protocol.End{BodyBytes: e.Data.bytes, Partial: e.Partial, Before: true, Cut: true})
			p.queue.Pop()
		case e.Data.isQuiet:
			p.endSilent(sink)
		default:
			if p.res.state == lost {
				p.queue.GiveUp(sink)
			}
			return
		}
	}
}

// endSilent ends the command in front: it was answered by silence.
func (p *parser) endSilent(sink protocol.Sink) {
	e := p.queue.Front()
	sink.ResponseHead(e.ID, protocol.Response{Status: e.Data.cmd.quiet})
	sink.ResponseEnd(e.ID, protocol.End{Partial: e.Partial || e.Data.isEither || p.queue.IsDoubtful()})
	p.queue.Pop()
}

// loseRequest is called where the bytes of a command make no sense or are missing.
func (p *parser) loseRequest(sink protocol.Sink) {
	r := &p.req
	if r.id != 0 {
		if !r.isAnnounced {
			p.queue.Remove(r.id)
			sink.Lost(signal.ParserGaveUp, 1)
		}
		r.isPartial = true
		p.endRequest(sink)
	}
	r.line.forget()
	r.state = lost
	p.queue.LoseRequests()
}

// loseResponse is called where the bytes of an answer make no sense or are missing.
func (p *parser) loseResponse(sink protocol.Sink) {
	r := &p.res
	if p.queue.Len() == 0 {
		sink.Lost(signal.ParserGaveUp, 1)
	}
	p.queue.LoseResponses(sink)
	r.line.forget()
	r.n, r.state = 0, lost
}
