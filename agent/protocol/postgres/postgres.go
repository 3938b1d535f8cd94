// Package postgres reads PostgreSQL's protocol 3 (PostgreSQL documentation, "Frontend/Backend Protocol").
//
// In: the bytes of one connection, some of them missing. Out: statements and their outcome, told to a protocol.Sink.
// It must not know sockets, processes, clocks or metrics stores.
//
// What is one exchange:
//
//   - a Query message up to ReadyForQuery, however many statements it holds; the rows of all of them are added up;
//   - an Execute message, with the Parse, Bind and Describe messages before it, up to its CommandComplete; the last one before a
//     Sync lasts until ReadyForQuery, for the implicit transaction is committed then;
//   - messages before a Sync, Flush or second Parse that execute nothing: PREPARE, BIND, DESCRIBE, CLOSE, SYNC;
//   - a function call.
//
// After an error the server skips what comes before the next Sync. Those Executes are exchanges with the error "not_executed". Starting,
// authenticating and terminating are none. Sizes are those of whole messages; data of COPY does not count to the request.
//
// Not read: replication (the connection is given up when it begins), protocol 2, what follows TLS or GSS encryption. The
// rows of a response that is longer than what is copied are not known, the exchange is partial then.
package postgres

import (
	"github.com/sonde-dev/sonde/agent/protocol"
)

// Protocol is PostgreSQL for the registry. Its zero value is ready to use and safe for concurrent use.
type Protocol struct{}

var (
	_ protocol.Protocol        = Protocol{}
	_ protocol.Copier          = Protocol{}
	_ protocol.ResponseGuesser = Protocol{}
)

// Name returns the value of network.protocol.name.
func (Protocol) Name() string { return "postgresql" }

// Recognize judges the first bytes of one socket call: a start-up packet, or messages of a client that are complete and sound.
func (Protocol) Recognize(b []byte) protocol.Verdict { return recognize(b) }

// NewParser starts a connection.
func (Protocol) NewParser(protocol.Start) protocol.Parser { return newParser() }

// Copy asks for whole statements, and for enough of a response to count the rows of most: the outcome stands at its end.
func (Protocol) Copy() protocol.Copy { return protocol.Copy{Request: maxText, Response: 256 << 10} }

// MayBeginResponse implements protocol.ResponseGuesser. What the server sends unasked is not a response.
func (Protocol) MayBeginResponse(b []byte) bool { return mayBeginResponse(b) }

// Semantics names the metrics and labels after OpenTelemetry's database conventions.
func (Protocol) Semantics() *protocol.Semantics { return &semantics }

var semantics = protocol.Database("postgresql", "db_query_text", nil, // the parser tells templates only
	protocol.ReturnedRows("Rows that statements returned."), protocol.AffectedRows("Rows that statements inserted, updated, deleted or copied in."))
