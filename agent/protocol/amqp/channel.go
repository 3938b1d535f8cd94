package amqp

import (
	"maps"
	"slices"

	"github.com/sonde-dev/sonde/agent/protocol"
)

const (
	maxChannels  = 2048 // RabbitMQ offers 2047
	maxConsumers = 256  // of a channel
	maxPending   = 256  // methods of a channel that wait for their answer
)

// channel is what is known of one.
type channel struct {
	pending   []pending
	consumers map[string]*consumer
	unacked   tags       // deliveries
	contents  [2]content // being read, by direction
	lastQueue string     // that was declared: "" stands for it in later methods

	confirms    bool
	published   uint64 // while it confirms; the number of the last one
	unconfirmed tags
}

// pending is a method that waits for its answer.
type pending struct {
	id       uint64
	method   uint32
	consumer *consumer // that it makes
}

// consumer is a subscription.
type consumer struct {
	queue string // "" when it was made before Sonde looked
	acks  acks
}

// acks says whether deliveries of a consumer are acknowledged.
type acks uint8

const (
	acksUnknown acks = iota
	acksNever
	acksAlways
)

// content is a message being read: method, header, bodies.
type content struct {
	id         uint64 // 0 for none
	isResponse bool   // of basic.get
	hasHeader  bool
	rest       uint64 // of the body
	bytes      uint64
}

// channel returns the one with that number.
func (p *parser) channel(n uint16) *channel {
	if p.last != nil && p.lastNumber == n {
		return p.last
	}
	c := p.channels[n]
	if c == nil {
		if len(p.channels) >= maxChannels {
			p.forget()
		}
		c = &channel{}
		p.channels[n] = c
	}
	p.last, p.lastNumber = c, n
	return c
}

// drop forgets a channel; what waits on it ends with that status.
func (p *parser) drop(n uint16, status string) {
	c := p.channels[n]
	if c == nil {
		return
	}
	delete(p.channels, n)
	p.last = nil
	r := protocol.Response{Status: status, ServerError: status, ClientError: status}
	if status == "" {
		r.ClientError = "channel_closed"
	}
	end := func(id uint64) {
		if id != 0 {
			p.respond(id, r, 0)
		}
	}
	for i := range c.contents {
		p.endCut(protocol.Direction(i), &c.contents[i])
	}
	for _, w := range c.pending {
		end(w.id)
	}
	c.unconfirmed.take(0, true, func(e tagged) { end(e.id) })
	if status == "" || status[0] != '5' {
		r.ServerError = "" // deliveries are the server's requests: it is not at fault that they come back
	}
	r.Status, r.ClientError = "", "channel_closed"
	c.unacked.take(0, true, func(e tagged) { end(e.id) })
}

// forget ends everything in flight as partial: bytes are missing, and with them perhaps answers, subscriptions, whole channels.
// It returns how many.
func (p *parser) forget() (n int) {
	partial := protocol.End{Partial: true}
	for _, number := range p.numbers() {
		c := p.channels[number]
		for i := range c.contents {
			n += p.endCut(protocol.Direction(i), &c.contents[i])
		}
		for _, w := range c.pending {
			p.sink.ResponseEnd(w.id, partial)
			n++
		}
		for _, t := range []*tags{&c.unacked, &c.unconfirmed} {
			t.take(0, true, func(e tagged) {
				if e.id != 0 {
					p.sink.ResponseEnd(e.id, partial)
					n++
				}
			})
		}
	}
	clear(p.channels)
	p.last = nil
	return n
}

// numbers returns those of the channels in order, so that what ends at once ends in the same order each time.
func (p *parser) numbers() []uint16 { return slices.Sorted(maps.Keys(p.channels)) }

// endCut ends the message whose content will not come to its end.
func (p *parser) endCut(dir protocol.Direction, o *content) int {
	return p.endContent(o, protocol.End{Partial: true, BodyBytes: p.moved(dir, o)})
}

// moved returns the bytes of a content that were moved so far.
func (p *parser) moved(dir protocol.Direction, o *content) uint64 {
	if p.opens[dir] == o {
		return o.bytes - p.streams[dir].Rest()
	}
	return o.bytes
}

// endContent returns how many messages it ended.
func (p *parser) endContent(o *content, e protocol.End) int {
	switch {
	case o.id == 0:
		return 0
	case o.isResponse:
		p.sink.ResponseEnd(o.id, e)
	default:
		p.sink.RequestEnd(o.id, e)
	}
	*o = content{}
	return 1
}

// consumer returns the one with that tag, a new one if it was made before Sonde looked.
func (c *channel) consumer(tag []byte) *consumer {
	if s := c.consumers[string(tag)]; s != nil {
		return s
	}
	s := &consumer{}
	c.subscribe(string(tag), s)
	return s
}

func (c *channel) subscribe(tag string, s *consumer) {
	if c.consumers == nil {
		c.consumers = map[string]*consumer{}
	}
	if len(c.consumers) < maxConsumers {
		c.consumers[tag] = s
	}
}
