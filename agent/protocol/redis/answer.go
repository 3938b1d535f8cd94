package redis

import (
	"github.com/sonde-dev/sonde/agent/protocol"
	"github.com/sonde-dev/sonde/signal"
)

// message says what a reply is that nobody asked for.
type message uint8

const (
	notMessage   message = iota
	delivery             // message, smessage, pmessage: what somebody published
	confirmation         // subscribe, unsubscribe and the like: the answer to such a command
	notice               // invalidate, and other pushes of RESP3
)

// Operations of what a server sends unasked.
const (
	opMessage    = "message"
	opInvalidate = "invalidate"
	opPush       = "push"
)

// openReply is called at the first byte of a top-level reply.
func (p *parser) openReply(mark byte, sink protocol.Sink) {
	r := &p.res
	r.isOpen, r.isTold, r.isMine, r.isAlone = true, false, false, false
	r.bytes, r.element, r.levels, r.message, r.pushID, r.status = 0, 0, r.levels[:0], notMessage, 0, ""
	if mark == '$' && p.queue.Len() > 0 && p.queue.Front().Data.kind == replicates { // a snapshot
		p.tell(sink)
		p.head(statusOK, sink)
		p.ignore(sink)
		return
	}
	r.isPush = mark == '>'
	r.isMaybe = r.isPush || mark == '*' && p.mayBeMessage()
	if !r.isMaybe {
		p.tell(sink)
	}
}

// mayBeMessage reports whether an array can be a message. In RESP2 only a subscriber gets any. The first one is looked at in any case: it
// may be REPLCONF ACK, which shows that the ends are those of a stream of replication and the wrong way round.
func (p *parser) mayBeMessage() bool {
	return !p.hasReplied || p.isListening()
}

// isListening reports whether a message in the form of RESP2 may come.
func (p *parser) isListening() bool {
	if p.isSubscribed || p.queue.Len() == 0 {
		return true
	}
	k := p.queue.Front().Data.kind
	return k == subscribes || k == unsubscribes
}

// tell tells the command in front that its reply begins.
func (p *parser) tell(sink protocol.Sink) {
	p.res.isTold = true
	if p.queue.Len() == 0 {
		p.res.isAlone = true
		return
	}
	p.queue.Answer()
	if e := p.queue.Front(); !e.Data.isBegun {
		e.Data.isBegun = true
		sink.ResponseBegin(e.ID)
	}
}

// isExec reports whether the reply being read is that of EXEC.
func (p *parser) isExec() bool {
	return p.res.isTold && !p.res.isAlone && p.queue.Len() > 0 && p.queue.Front().Data.kind == executes
}

// takeStatus takes a top-level reply of one line.
func (p *parser) takeStatus(mark byte, text []byte, sink protocol.Sink) {
	switch {
	case mark == '-':
		p.head(errorWord(text), sink)
	case mark == '_':
		p.head(statusNil, sink)
	case mark == '+' && string(text) == statusQueued:
		p.head(statusQueued, sink)
	default:
		p.head(statusOK, sink)
	}
}

// head notes the status of the reply being read and reports it, except that of EXEC, which its elements decide.
func (p *parser) head(status string, sink protocol.Sink) {
	r := &p.res
	if r.status != "" {
		return
	}
	r.status = status
	if r.isTold && !p.isExec() {
		p.report(sink)
	}
}

// report reports the status to the command in front.
func (p *parser) report(sink protocol.Sink) {
	if p.queue.Len() == 0 || p.res.isAlone {
		return
	}
	status := p.res.status
	if p.queue.IsGuess() {
		sink.ResponseHead(p.queue.Front().ID, protocol.Response{})
		return
	}
	res := protocol.Response{Status: status}
	if status != statusOK && status != statusNil && status != statusQueued && !isRedirect(status) {
		res.ServerError, res.ClientError = status, status
	}
	sink.ResponseHead(p.queue.Front().ID, res)
}

// judge looks at the first two elements of what may be a message.
func (p *parser) judge(sink protocol.Sink) {
	r := &p.res
	switch {
	case r.element == 0 && r.isMaybe:
		r.isMaybe = false
		if string(r.word[:r.n]) == "REPLCONF" && !p.hasReplied {
			p.ignore(sink)
			return
		}
		r.message = p.messageOf(r.word[:r.n], r.isCut)
		switch {
		case r.message == notMessage:
			p.tell(sink)
			if !p.isExec() {
				p.report(sink)
			}
		case r.message == delivery, r.message == notice:
			r.pushID = p.queue.NewID()
			sink.RequestBegin(r.pushID)
			if r.message == notice {
				op := opPush
				if string(r.word[:r.n]) == opInvalidate {
					op = opInvalidate
				}
				sink.RequestHead(r.pushID, protocol.Request{Operation: op, NoResponse: true})
			}
		default:
			k := plain
			if p.queue.Len() > 0 {
				k = p.queue.Front().Data.kind
			}
			if k == subscribes || k == unsubscribes {
				p.tell(sink)
			} else {
				r.isMine = true
			}
		}
	case r.element == 1 && r.message == delivery:
		target := ""
		if !r.isCut {
			target = p.req.intern(r.word[:r.n])
		}
		sink.RequestHead(r.pushID, protocol.Request{Operation: opMessage, Target: target, NoResponse: true})
	}
}

func (p *parser) messageOf(word []byte, isCut bool) message {
	if !p.res.isPush && !p.isListening() {
		return notMessage
	}
	if !isCut {
		switch string(word) {
		case "message", "pmessage", "smessage":
			return delivery
		case "subscribe", "psubscribe", "ssubscribe", "unsubscribe", "punsubscribe", "sunsubscribe":
			return confirmation
		}
	}
	if p.res.isPush {
		return notice
	}
	return notMessage
}

// endReply is called after the last byte of a top-level reply.
func (p *parser) endReply(sink protocol.Sink) {
	r := &p.res
	r.isOpen = false
	e := protocol.End{BodyBytes: r.bytes}
	switch {
	case r.pushID != 0:
		sink.RequestEnd(r.pushID, e)
		r.pushID = 0
		return
	case r.isMine:
		return
	case r.isMaybe: // too short for a message
		r.isMaybe = false
		p.tell(sink)
		if !p.isExec() {
			p.report(sink)
		}
	}
	if p.queue.Len() == 0 || r.isAlone {
		sink.Lost(signal.OrphanResponse, 1)
		return
	}
	f := p.queue.Front()
	if r.message == confirmation {
		f.Data.bytes += r.bytes
		if f.Data.confirms > 1 {
			f.Data.confirms--
			return
		}
		e.BodyBytes = f.Data.bytes
		p.report(sink)
	} else if p.isExec() {
		p.report(sink)
	}
	p.hasReplied = true
	id, k := f.ID, f.Data.kind
	e.Partial = f.Partial
	p.queue.Pop()
	isFine := r.status == statusOK
	sink.ResponseEnd(id, e)
	p.leave(k, isFine, sink)
}

// leave acts on commands after which the connection carries something else.
func (p *parser) leave(k kind, isFine bool, sink protocol.Sink) {
	switch {
	case !isFine:
	case k == monitors:
		p.isIgnored = true
		sink.Opaque()
	case k == replicates:
		p.ignore(sink)
	}
}

// loseReply is called where the bytes of a reply make no sense or are missing.
func (p *parser) loseReply(sink protocol.Sink) {
	r := &p.res
	if r.pushID != 0 {
		lost(sink)
		sink.RequestEnd(r.pushID, protocol.End{BodyBytes: r.bytes, Partial: true})
		r.pushID = 0
	} else if p.queue.Len() == 0 {
		lost(sink)
	}
	p.queue.LoseResponses(sink)
	r.isOpen, r.isMaybe, r.levels, r.state, r.line.n = false, false, r.levels[:0], replyLost, 0
}

// endStaleReply is called when a command begins. After a loss a reply may have been misread as one that goes on; if the connection does not
// pipeline, it is over.
func (p *parser) endStaleReply(atCall bool, sink protocol.Sink) {
	if atCall && p.res.isOpen && p.queue.IsDoubtful() && !p.queue.IsPipelined {
		p.loseReply(sink)
		p.queue.GiveUp(sink)
	}
}
