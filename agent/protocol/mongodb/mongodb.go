// Package mongodb reads the MongoDB wire protocol: OP_MSG, OP_COMPRESSED, and what came before them.
//
// In: the bytes of one connection, some of them missing. Out: commands and their replies, told to a protocol.Sink.
// It must not know sockets, processes, clocks or metrics stores.
//
// The operation is the first key of a command, the target the collection. Sizes are those of whole messages as they were on the wire. Of BSON only
// names, error codes and lengths are looked at; no value is kept, nor what saslStart and its like carry. Not read: the replies of
// an exhaust stream after the first, the documents counted in replies longer than 64 KiB, and the command of a compressed message whose first
// 64 KiB do not hold it (it is "other").
package mongodb

import "github.com/sonde-dev/sonde/agent/protocol"

// Protocol is the MongoDB wire protocol for the registry. Its zero value is ready to use and safe for concurrent use.
type Protocol struct{}

var (
	_ protocol.Protocol        = Protocol{}
	_ protocol.Copier          = Protocol{}
	_ protocol.ResponseGuesser = Protocol{}
)

// Name returns the value of network.protocol.name.
func (Protocol) Name() string { return "mongodb" }

// Recognize judges the first bytes of one socket call: a message header and the start of what such a message must hold.
func (Protocol) Recognize(b []byte) protocol.Verdict { return recognize(b) }

// MayBeginResponse reports whether b begins with the header of a reply.
func (Protocol) MayBeginResponse(b []byte) bool {
	h, ok := parseHeader(b)
	return ok && h.responseTo != 0
}

// NewParser starts a connection.
func (Protocol) NewParser(protocol.Start) protocol.Parser { return newParser() }

// Copy asks for what Message keeps, a few times over: several commands may be under way at once.
func (Protocol) Copy() protocol.Copy { return protocol.Copy{Request: 64 << 10, Response: 256 << 10} }

// Semantics names the metrics and labels after OpenTelemetry's database conventions.
func (Protocol) Semantics() *protocol.Semantics { return &semantics }

var semantics = protocol.Database("mongodb", "db_collection_name", Template,
	protocol.ReturnedRows("Documents returned in cursor batches and legacy replies of up to 64 KiB."))
