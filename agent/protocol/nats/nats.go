// Package nats reads the NATS client protocol.
//
// In: the bytes of one connection, some of them missing. Out: operations and deliveries, told to a protocol.Sink.
// It must not know sockets, processes, clocks or metrics stores.
//
// A message published with a reply subject that leads back to the same connection (an inbox) is a request; the message that arrives there
// is its response. Everything else has a response only where the client asked for +OK (verbose). Sizes are those of the control line and the
// payload with the line ends. A message of JetStream is delivered like any other and its acknowledgement is an operation ack; a pull
// (CONSUMER.MSG.NEXT) has no response of its own. -ERR belongs to no operation that could be named, except for connecting and subscribing: it
// is an operation error of the server's. Not read: payloads, the connections between servers, MQTT and WebSocket gateways.
package nats

import (
	"strings"

	"github.com/sonde-dev/sonde/agent/protocol"
	"github.com/sonde-dev/sonde/agent/protocol/internal/names"
)

// Protocol is NATS for the registry. Its zero value is ready to use and safe for concurrent use.
type Protocol struct{}

var (
	_ protocol.Protocol        = Protocol{}
	_ protocol.Copier          = Protocol{}
	_ protocol.ResponseGuesser = Protocol{}
)

// Name returns the value of network.protocol.name.
func (Protocol) Name() string { return "nats" }

// Recognize judges the first bytes of one socket call: the greeting, CONNECT, or whole control lines of messages.
func (Protocol) Recognize(b []byte) protocol.Verdict { return recognize(b) }

// MayBeginResponse reports whether b begins with a line that answers the client.
func (Protocol) MayBeginResponse(b []byte) bool {
	for _, start := range []string{"+OK", "PONG", "MSG " + inbox, "HMSG " + inbox} {
		if n := min(len(b), len(start)); n > 0 && string(b[:n]) == start[:n] {
			return true
		}
	}
	return false
}

// NewParser starts a connection.
func (Protocol) NewParser(protocol.Start) protocol.Parser { return newParser() }

// Copy asks for everything: a publisher's turn lasts as long as it publishes, and its lines begin anywhere in it.
func (Protocol) Copy() protocol.Copy { return protocol.Copy{Request: 1 << 31, Response: 1 << 31} }

// Semantics names the metrics and labels after OpenTelemetry's messaging conventions.
func (Protocol) Semantics() *protocol.Semantics { return &semantics }

var semantics = protocol.Messaging("nats", Template)

// Subjects of NATS's own.
const (
	inbox   = "_INBOX."
	jsAck   = "$JS.ACK."
	jsPull  = "$JS.API.CONSUMER.MSG.NEXT."
	ackName = 4 // segments: $JS.ACK.stream.consumer
)

// Template makes a name of low cardinality of a subject: all inboxes are one, and so are the acknowledgements of one consumer.
func Template(subject string) string {
	switch {
	case strings.HasPrefix(subject, inbox):
		return strings.TrimSuffix(inbox, ".")
	case strings.HasPrefix(subject, jsAck):
		end := 0
		for range ackName {
			i := strings.IndexByte(subject[end:], '.')
			if i < 0 {
				end = len(subject) + 1
				break
			}
			end += i + 1
		}
		subject = subject[:end-1]
	}
	return names.Template(subject, ".")
}
