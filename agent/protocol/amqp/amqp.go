// Package amqp reads AMQP 0-9-1 as RabbitMQ and its clients speak it (amqp0-9-1.xml and RabbitMQ's extensions).
//
// In: the bytes of one connection, some of them missing. Out: operations and deliveries, told to a protocol.Sink.
// It must not know sockets, processes, clocks or metrics stores.
//
// Sizes are those of all frames of a message, method, header and body, with the octets around them. A publish has a response where the
// channel confirms (confirm.select), a delivery where the consumer acknowledges; the others have none. Not read: AMQP 1.0 and 0-8,
// message properties, what a transaction holds. On a channel that was opened before Sonde looked, publishes are counted without their
// confirmations (the number of the first one is not known), and deliveries without their acknowledgement until the first is seen.
package amqp

import (
	"github.com/sonde-dev/sonde/agent/protocol"
	"github.com/sonde-dev/sonde/agent/protocol/internal/names"
)

// Protocol is AMQP 0-9-1 for the registry. Its zero value is ready to use and safe for concurrent use.
type Protocol struct{}

var (
	_ protocol.Protocol        = Protocol{}
	_ protocol.Copier          = Protocol{}
	_ protocol.ResponseGuesser = Protocol{}
)

// Name returns the value of network.protocol.name.
func (Protocol) Name() string { return "amqp" }

// Recognize judges the first bytes of one socket call: the protocol header, or whole method frames.
func (Protocol) Recognize(b []byte) protocol.Verdict { return recognize(b) }

// MayBeginResponse reports whether b begins with a method that answers a client's.
func (Protocol) MayBeginResponse(b []byte) bool {
	m, ok := methodOf(b)
	return ok && (m.isReply || m.role == either && m.reply == 0) && m.role != fromClient
}

// NewParser starts a connection.
func (Protocol) NewParser(protocol.Start) protocol.Parser { return newParser() }

// Copy asks for everything: a publisher's turn lasts as long as it publishes, and its frames begin anywhere in it.
func (Protocol) Copy() protocol.Copy { return protocol.Copy{Request: 1 << 31, Response: 1 << 31} }

// Semantics names the metrics and labels after OpenTelemetry's messaging conventions.
func (Protocol) Semantics() *protocol.Semantics { return &semantics }

var semantics = protocol.Messaging("rabbitmq", Template)

// Template makes a name of low cardinality of a queue, or of an exchange and a routing key.
func Template(target string) string { return names.Template(target, ".:/") }
