// Package tls reads the handshake of TLS 1.0 to 1.3, RFC 5246 and RFC 8446: who is asked for, what was agreed, how long it took.
//
// In: the bytes of one connection, some of them missing. Out: one exchange, the handshake, told to a protocol.Sink; what comes after it
// is encrypted. It must not know sockets, processes, clocks or metrics stores.
//
// Not read: DTLS and QUIC; the name in an encrypted ClientHello (its public name is); why a peer gave up once its alerts are encrypted.
package tls

import "github.com/sonde-dev/sonde/agent/protocol"

// Protocol is TLS for the registry. Its zero value is ready to use and safe for concurrent use.
type Protocol struct{}

var (
	_ protocol.Protocol = Protocol{}
	_ protocol.Envelope = Protocol{}
	_ protocol.Copier   = Protocol{}
)

// Name returns the value of network.protocol.name.
func (Protocol) Name() string { return "tls" }

// Recognize claims a ClientHello, and calls that consist of whole records of encrypted data.
func (Protocol) Recognize(b []byte) protocol.Verdict { return recognize(b) }

// NewParser starts a connection.
func (Protocol) NewParser(s protocol.Start) protocol.Parser { return &parser{isLost: s.Joined} }

// Envelops says that nothing that follows the handshake can be read here.
func (Protocol) Envelops() {}

// Copy asks for the handshake: a chain of certificates is seldom longer, and only the first of its records matters.
func (Protocol) Copy() protocol.Copy { return protocol.Copy{Request: 16 << 10, Response: 16 << 10} }

// Semantics names the metrics. OpenTelemetry has none for handshakes, but names for what they agree on.
func (Protocol) Semantics() *protocol.Semantics { return &semantics }

var semantics = protocol.Semantics{
	ServerDuration:    "sonde_tls_server_handshake_duration_seconds",
	ClientDuration:    "sonde_tls_client_handshake_duration_seconds",
	OperationLabel:    "sonde_tls_operation",
	ServerTargetLabel: "tls_client_server_name",
	ClientTargetLabel: "tls_client_server_name",
	StatusLabel:       "tls_protocol_version",
}

// handshake is the operation of the only exchange.
const handshake = "handshake"
