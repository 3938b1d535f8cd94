// Package cassandra reads Cassandra's native protocol (CQL), versions 3 to 5.
//
// In: the bytes of one connection, some of them missing. Out: requests and their responses, told to a protocol.Sink.
// It must not know sockets, processes, clocks or metrics stores.
//
// The operation is the first word of a statement or the name of the request, the target the statement. Sizes are those of frames with their
// headers; of version 5, those within the segments. A prepared statement is known by its id on all connections, because clients execute on
// others than they prepared on, and ids are hashes of the text. Not read: values, credentials, user-defined types in results of which the
// metadata is longer than 16 KiB (their rows are not counted), DSE's and ScyllaDB's extensions.
package cassandra

import "github.com/sonde-dev/sonde/agent/protocol"

// Protocol is CQL for the registry. Its zero value is ready to use and safe for concurrent use.
type Protocol struct{}

var (
	_ protocol.Protocol        = Protocol{}
	_ protocol.Copier          = Protocol{}
	_ protocol.ResponseGuesser = Protocol{}
)

// Name returns the value of network.protocol.name.
func (Protocol) Name() string { return "cql" }

// Recognize judges the first bytes of one socket call: a frame and the start of its body, or a segment with its checksum.
func (Protocol) Recognize(b []byte) protocol.Verdict { return recognize(b) }

// MayBeginResponse reports whether b begins with a response.
func (Protocol) MayBeginResponse(b []byte) bool { return recognize(b) == protocol.IsResponse }

// NewParser starts a connection.
func (Protocol) NewParser(protocol.Start) protocol.Parser { return newParser() }

// Copy asks for more than one message: many are under way at once, and their frames begin anywhere in a call.
func (Protocol) Copy() protocol.Copy { return protocol.Copy{Request: 1 << 20, Response: 1 << 20} }

// Semantics names the metrics and labels after OpenTelemetry's database conventions.
func (Protocol) Semantics() *protocol.Semantics { return &semantics }

var semantics = protocol.Database("cassandra", "db_query_text", Template, protocol.ReturnedRows("Rows returned."))
