package redis

import (
	"github.com/sonde-dev/sonde/agent/protocol"
	"github.com/sonde-dev/sonde/agent/protocol/inorder"
	"github.com/sonde-dev/sonde/signal"
)

// waiting is what is remembered of a command until its reply is complete.
type waiting struct {
	kind     kind
	isBegun  bool   // some of its reply was there
	confirms uint32 // confirmations still to come, for subscribes and unsubscribes
	bytes    uint64 // of confirmations so far
}

// parser follows one connection.
//
// Commands are parsed as they come, argument by argument; only the name and the first key are looked at. A reply is followed
// header by header, values are skipped by their length, so that a hole inside a value costs nothing:
//
//	*3 CR LF  $3 CR LF SET CR LF  $4 CR LF key1 CR LF  $90000 CR LF ······· CR LF
//	header    header   name       header   key         header       skipped
type parser struct {
	queue inorder.Queue[waiting]
	req   requests
	res   replies

	isIgnored    bool // a replication stream, or the output of MONITOR
	isSubscribed bool // RESP2: what comes unasked is a message
	inMulti      bool
	noReply      bool // CLIENT REPLY OFF
	skipNext     bool // CLIENT REPLY SKIP
	hasReplied   bool // a reply was paired with a command
}

func newParser(joined bool) *parser {
	p := &parser{}
	if joined {
		p.queue.Join()
		p.req.state, p.res.state = requestLost, replyLost
	}
	return p
}

// Data implements protocol.Parser.
func (p *parser) Data(dir protocol.Direction, b []byte, sink protocol.Sink) {
	p.data(dir, b, true, sink)
}

// data reads b; atCall is true when it begins where a socket call began.
func (p *parser) data(dir protocol.Direction, b []byte, atCall bool, sink protocol.Sink) {
	for len(b) > 0 && !p.isIgnored {
		var n int
		if dir == protocol.ToServer {
			n = p.readRequest(b, atCall, sink)
		} else {
			n = p.readReply(b, atCall, sink)
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
	for left := uint64(n) - uint64(len(tail)); left > 0 && !p.isIgnored; {
		if dir == protocol.ToServer {
			left -= p.skipRequest(left, sink)
		} else {
			left -= p.skipReply(left, sink)
		}
	}
	p.data(dir, tail, n > 0 && int(n) == len(tail), sink)
}

// Close implements protocol.Parser.
func (p *parser) Close(sink protocol.Sink) {
	if p.isIgnored {
		return
	}
	p.isIgnored = true
	if p.req.id != 0 {
		if p.req.cmd != nil {
			p.announce(sink)
		} else {
			p.queue.Remove(p.req.id)
		}
		sink.RequestEnd(p.req.id, protocol.End{BodyBytes: p.req.bytes, Partial: p.req.isPartial, Before: true, Cut: true})
	}
	if p.res.pushID != 0 {
		sink.RequestEnd(p.res.pushID, protocol.End{BodyBytes: p.res.bytes, Before: true, Cut: true})
	}
	if p.queue.Len() > 0 && p.queue.Front().Data.isBegun {
		e := p.queue.Front()
		sink.ResponseEnd(e.ID, protocol.End{BodyBytes: e.Data.bytes + p.res.bytes, Partial: e.Partial, Before: true, Cut: true})
		p.queue.Pop()
	}
	if p.res.state == replyLost {
		p.queue.GiveUp(sink)
	}
}

// lost is called for what makes no sense.
func lost(sink protocol.Sink) { sink.Lost(signal.ParserGaveUp, 1) }

// lineBuffer holds a header line that is cut over several calls.
type lineBuffer struct {
	buf [maxLine]byte
	n   int
}

// take returns the line that b continues and how many bytes of b belong to it. complete is false while its end is missing; ok is
// false when it is too long for a header.
func (l *lineBuffer) take(b []byte) (line []byte, n int, complete, ok bool) {
	for n < len(b) {
		n++
		if b[n-1] == '\n' {
			complete = true
			break
		}
		if l.n+n >= maxLine {
			return nil, n, false, false
		}
	}
	if l.n == 0 && complete {
		return b[:n], n, true, true
	}
	if l.n+n > maxLine {
		return nil, n, false, false
	}
	l.n += copy(l.buf[l.n:], b[:n])
	if !complete {
		return nil, n, false, true
	}
	line = l.buf[:l.n]
	l.n = 0
	return line, n, true, true
}
