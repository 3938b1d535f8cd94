// Package mqtt reads MQTT 3.1, 3.1.1 and 5.0.
//
// In: the bytes of one connection, some of them missing. Out: operations and deliveries, told to a protocol.Sink.
// It must not know sockets, processes, clocks or metrics stores.
//
// A message is a publish when the client sends it and a delivery when the server does; with QoS 1 it has a response (PUBACK), with QoS 2 one
// that lasts from PUBREC to PUBCOMP, with QoS 0 none. Sizes are those of whole control packets. Section numbers are those of the
// OASIS standard 5.0. Not read: payloads, user names, passwords, wills, authentication data, MQTT over WebSocket, MQTT-SN.
// A connection joined in the middle is known as soon as a packet shows which end is the client: PUBLISH and its answers look the same both ways.
package mqtt

import (
	"github.com/sonde-dev/sonde/agent/protocol"
	"github.com/sonde-dev/sonde/agent/protocol/internal/names"
)

// Protocol is MQTT for the registry. Its zero value is ready to use and safe for concurrent use.
type Protocol struct{}

var (
	_ protocol.Protocol        = Protocol{}
	_ protocol.Copier          = Protocol{}
	_ protocol.ResponseGuesser = Protocol{}
)

// Name returns the value of network.protocol.name.
func (Protocol) Name() string { return "mqtt" }

// Recognize judges the first bytes of one socket call: CONNECT, or whole packets one of which only one end may send.
func (Protocol) Recognize(b []byte) protocol.Verdict { return recognize(b) }

// MayBeginResponse reports whether b begins with a packet that answers one of the client's.
func (Protocol) MayBeginResponse(b []byte) bool {
	if len(b) == 0 {
		return false
	}
	switch b[0] >> 4 {
	case connack, puback, pubrec, pubcomp, suback, unsuback, pingresp:
		return isHeader(b[0], protocol.FromServer)
	}
	return false
}

// NewParser starts a connection.
func (Protocol) NewParser(protocol.Start) protocol.Parser { return newParser() }

// Copy asks for everything: a publisher's turn lasts as long as it publishes, and its packets begin anywhere in it.
func (Protocol) Copy() protocol.Copy { return protocol.Copy{Request: 1 << 31, Response: 1 << 31} }

// Semantics names the metrics and labels after OpenTelemetry's messaging conventions.
func (Protocol) Semantics() *protocol.Semantics { return &semantics }

var semantics = protocol.Messaging("mqtt", Template)

// Template makes a name of low cardinality of a topic or a topic filter.
func Template(topic string) string { return names.Template(topic, "/") }
