package amqp

import (
	"strconv"

	"github.com/sonde-dev/sonde/agent/protocol"
	"github.com/sonde-dev/sonde/signal"
)

// fromServer takes a method of the server.
func (p *parser) fromServer(n uint16, c *channel, id uint32, m method, a args) {
	switch id {
	case basicDeliver:
		p.deliver(c, a)
	case basicReturn:
		p.returned(c, a)
	case basicAck, basicNack:
		p.confirm(c, id, a)
	case channelClose, connectionClose:
		p.closed(n, c, id, m, a)
	case connectionStart, connectionSecure, connectionTune:
		p.handshake(c)
	case basicGetOK:
		p.getOK(c, a)
	default:
		if !m.isReply {
			p.begin(c, protocol.FromServer, protocol.Request{Operation: m.name, NoResponse: true}, false)
			return
		}
		w, ok := p.answer(c, id)
		if !ok {
			return
		}
		r := protocol.Response{Status: "ok"}
		switch id {
		case basicGetEmpty:
			r.Status = "empty"
		case queueDeclareOK:
			c.lastQueue = p.names.String(a.text())
		case basicConsumeOK:
			if tag := a.text(); w.consumer != nil && c.consumers[string(tag)] == nil {
				c.subscribe(string(tag), w.consumer)
			}
		}
		p.respond(w.id, r, p.size)
		if id == channelCloseOK {
			p.drop(n, "")
		}
	}
}

// answer takes the method that is answered off the queue. Answers come in the order of the methods.
func (p *parser) answer(c *channel, id uint32) (pending, bool) {
	for i, w := range c.pending {
		m := methods[w.method]
		if reply := w.method&^0xffff | uint32(m.reply); reply != id && !(id == basicGetEmpty && w.method == basicGet) {
			continue
		}
		for _, before := range c.pending[:i] { // cannot be answered any more
			p.sink.ResponseEnd(before.id, protocol.End{Partial: true})
			p.sink.Lost(signal.ParserGaveUp, 1)
		}
		c.pending = c.pending[:copy(c.pending, c.pending[i+1:])]
		return w, true
	}
	p.sink.Lost(signal.OrphanResponse, 1)
	return pending{}, false
}

// handshake ends the step of the client that the server goes on from.
func (p *parser) handshake(c *channel) {
	if len(c.pending) == 0 {
		p.sink.Lost(signal.OrphanResponse, 1)
		return
	}
	w := c.pending[0]
	c.pending = c.pending[:copy(c.pending, c.pending[1:])]
	p.respond(w.id, protocol.Response{Status: "ok"}, p.size)
}

// deliver begins a message to a consumer.
func (p *parser) deliver(c *channel, a args) {
	s := c.consumer(a.text())
	tag := a.number(8)
	a.take(1) // redelivered
	exchange := a.text()
	r := protocol.Request{Operation: "deliver", Target: s.queue}
	if r.Target == "" {
		r.Target = p.destination(exchange, a.text())
	}
	isFull := len(c.unacked) >= maxTags
	r.NoResponse = s.acks != acksAlways || isFull
	id := p.begin(c, protocol.FromServer, r, true)
	switch s.acks {
	case acksAlways:
		if !isFull && !c.unacked.push(tagged{tag: tag, id: id, from: s}) {
			p.sink.ResponseEnd(id, protocol.End{Partial: true}) // tags that do not grow
		}
	case acksUnknown:
		if isFull {
			s.acks = acksNever // so many are not left unacknowledged
			c.unacked = nil
			return
		}
		c.unacked.push(tagged{tag: tag, from: s})
	}
}

// getOK answers basic.get with a message. Its acknowledgement is no part of the exchange.
func (p *parser) getOK(c *channel, a args) {
	w, ok := p.answer(c, basicGetOK)
	if !ok {
		return
	}
	p.sink.ResponseBegin(w.id)
	p.sink.ResponseHead(w.id, protocol.Response{Status: "ok"})
	c.contents[protocol.FromServer] = content{id: w.id, isResponse: true, bytes: p.size}
}

// returned tells of a message that could not be routed.
func (p *parser) returned(c *channel, a args) {
	code := status(a.number(2))
	a.text()
	exchange := a.text()
	r := protocol.Request{Operation: "return", Target: p.destination(exchange, a.text()), NoResponse: true}
	id := p.begin(c, protocol.FromServer, r, true)
	p.sink.ResponseHead(id, protocol.Response{Status: code, ClientError: code})
}

// confirm ends published messages. Numbers that are not known belong to messages that were counted without.
func (p *parser) confirm(c *channel, id uint32, a args) {
	tag := a.number(8)
	isMultiple := a.number(1)&1 != 0
	r, size := acknowledged(id), p.size
	c.unconfirmed.take(tag, isMultiple, func(e tagged) {
		p.respond(e.id, r, size)
		size = 0
	})
}

// closed ends a channel or the connection by the server's will: the method at fault, if it waits, and all others.
func (p *parser) closed(n uint16, c *channel, id uint32, m method, a args) {
	code := status(a.number(2))
	a.text()
	at := uint32(a.number(4))
	isTold := false
	for i, w := range c.pending {
		if w.method == at || id == connectionClose && i == 0 && at == 0 {
			p.respond(w.id, failed(code), p.size)
			c.pending = append(c.pending[:i], c.pending[i+1:]...)
			isTold = true
			break
		}
	}
	if id == connectionClose {
		for _, number := range p.numbers() {
			other := p.channels[number]
			for i, w := range other.pending {
				if w.method == at && !isTold {
					p.respond(w.id, failed(code), p.size)
					other.pending = append(other.pending[:i], other.pending[i+1:]...)
					isTold = true
					break
				}
			}
			if number != n {
				p.drop(number, "")
			}
		}
	}
	switch {
	case isTold:
	case methods[at].reply != 0: // the answer to a method that was not seen, or was given up
		p.sink.Lost(signal.OrphanResponse, 1)
	default:
		id := p.tell(m.name)
		p.sink.ResponseHead(id, failed(code))
		p.sink.RequestEnd(id, protocol.End{BodyBytes: p.size})
	}
	p.drop(n, "")
}

// tell begins a request of the server that has no answer of interest.
func (p *parser) tell(operation string) uint64 {
	p.nextID++
	p.sink.RequestBegin(p.nextID)
	p.sink.RequestHead(p.nextID, protocol.Request{Operation: operation, NoResponse: true})
	return p.nextID
}

// failed is the answer with a reply code. 5xx and 3xx that concern what the client asked for are its own faults too; only
// internal errors and a lack of resources are the server's.
func failed(code string) protocol.Response {
	r := protocol.Response{Status: code, ClientError: code}
	switch code {
	case "200":
		r.ClientError = ""
	case "320", "506", "540", "541": // connection forced, resource error, not implemented, internal error
		r.ServerError = code
	}
	return r
}

// status renders a reply code (AMQP 0-9-1 §1.6: three digits).
func status(code uint64) string {
	if code < 200 || code > 599 {
		return "other"
	}
	return codes[code-200]
}

var codes = func() (s [400]string) {
	for i := range s {
		s[i] = strconv.Itoa(200 + i)
	}
	return s
}()
