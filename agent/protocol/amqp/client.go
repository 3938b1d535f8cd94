package amqp

import (
	"github.com/sonde-dev/sonde/agent/protocol"
	"github.com/sonde-dev/sonde/signal"
)

// toServer takes a method of the client.
func (p *parser) toServer(n uint16, c *channel, id uint32, m method, a args) {
	switch id {
	case basicAck, basicNack, basicReject:
		p.acknowledge(c, id, a)
		return
	case basicPublish:
		p.publish(c, a)
		return
	case channelOpen:
		p.drop(n, "") // a close that was not seen
		c = p.channel(n)
	case channelCloseOK:
		p.drop(n, "")
		return
	case connectionTuneOK:
		return
	}
	if m.isReply {
		return // to what the server has closed or paused, which was counted when it did
	}
	w := pending{method: id}
	target := p.named(c, id, a)
	r := protocol.Request{Operation: m.name, Target: target}
	isStart := id == connectionStartOK || id == connectionSecureOK
	r.NoResponse = m.reply == 0 && !isStart || m.wait >= 0 && p.noWait(id, a)>>m.wait&1 != 0
	w.id = p.begin(c, protocol.ToServer, r, false)
	switch id {
	case confirmSelect: // messages may follow at once, without waiting for the answer
		c.confirms = true
	case basicConsume:
		w.consumer = c.consume(a, target)
	}
	if !r.NoResponse {
		p.await(c, w)
	}
}

// await puts a method in the queue of those that wait.
func (p *parser) await(c *channel, w pending) {
	if len(c.pending) >= maxPending {
		p.sink.ResponseEnd(c.pending[0].id, protocol.End{Partial: true})
		p.sink.Lost(signal.ParserGaveUp, 1)
		c.pending = c.pending[:copy(c.pending, c.pending[1:])]
	}
	c.await(w)
}

func (c *channel) await(w pending) { c.pending = append(c.pending, w) }

// named reads the name that a method is about. All but those of connection, channel, confirm and tx begin with a reserved
// number and the name of a queue or an exchange.
func (p *parser) named(c *channel, id uint32, a args) string {
	switch id >> 16 {
	case classExchange:
		a.take(2)
		return p.names.String(a.text())
	case classQueue:
		a.take(2)
	case classBasic:
		switch id {
		case basicConsume, basicGet:
			a.take(2)
		case basicCancel:
			return c.consumer(a.text()).queue
		default:
			return ""
		}
	default:
		return ""
	}
	queue := p.names.String(a.text())
	if queue == "" && id != queueDeclare {
		return c.lastQueue
	}
	return queue
}

// noWait returns the octet of flags of a method that may be told not to wait for.
func (p *parser) noWait(id uint32, a args) uint64 {
	strings := 1 // before the flags
	switch id {
	case exchangeDeclare, basicConsume:
		strings = 2
	case exchangeBind, exchangeUnbind, queueBind:
		strings = 3
	case confirmSelect:
		strings = 0
	}
	if id>>16 != classConfirm && id != basicCancel {
		a.take(2) // reserved
	}
	for range strings {
		a.text()
	}
	return a.number(1)
}

// consume returns the consumer of a basic.consume. Without a tag of its own it gets one with the answer.
func (c *channel) consume(a args, queue string) *consumer {
	const noAck = 1 << 1
	a.take(2)
	a.text()
	tag := a.text()
	s := &consumer{queue: queue, acks: acksAlways}
	if a.number(1)&noAck != 0 {
		s.acks = acksNever
	}
	if len(tag) > 0 {
		delete(c.consumers, string(tag))
		c.subscribe(string(tag), s)
	}
	return s
}

// publish begins a message to the server.
func (p *parser) publish(c *channel, a args) {
	a.take(2)
	exchange := a.text()
	r := protocol.Request{Operation: "publish", Target: p.destination(exchange, a.text()), NoResponse: true}
	if !c.confirms {
		p.begin(c, protocol.ToServer, r, true)
		return
	}
	c.published++
	r.NoResponse = len(c.unconfirmed) >= maxTags
	if id := p.begin(c, protocol.ToServer, r, true); !r.NoResponse {
		c.unconfirmed.push(tagged{tag: c.published, id: id})
	}
}

// destination joins exchange and routing key as OpenTelemetry does; the default exchange has no name.
func (p *parser) destination(exchange, key []byte) string {
	const longest = 255 + 1 + 255
	var buf [longest]byte
	b := append(buf[:0], exchange...)
	if len(exchange) > 0 && len(key) > 0 {
		b = append(b, ':')
	}
	return p.names.String(append(b, key...))
}

// acknowledge ends deliveries.
func (p *parser) acknowledge(c *channel, id uint32, a args) {
	tag := a.number(8)
	r := acknowledged(id)
	r.ServerError = "" // the consumer refuses: no fault of the server's
	isMultiple := a.number(1)&1 != 0 && id != basicReject
	size := p.size
	c.unacked.take(tag, isMultiple, func(e tagged) {
		if e.id != 0 {
			p.respond(e.id, r, size)
			size = 0 // one acknowledgement, told once
		} else if e.from != nil {
			e.from.acks = acksAlways
		}
	})
}

// acknowledged is the answer that a basic.ack, nack or reject is.
func acknowledged(id uint32) protocol.Response {
	switch id {
	case basicAck:
		return protocol.Response{Status: "ack"}
	case basicNack:
		return protocol.Response{Status: "nack", ServerError: "nack", ClientError: "nack"}
	}
	return protocol.Response{Status: "reject", ServerError: "reject", ClientError: "reject"}
}
