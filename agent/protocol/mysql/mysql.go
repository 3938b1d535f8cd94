// Package mysql reads the client/server protocol of MySQL and MariaDB (MySQL Internals, "Client/Server Protocol"; MariaDB
// Knowledge Base, "Clientserver Protocol").
//
// In: the bytes of one connection, some of them missing. Out: commands and their outcome, told to a protocol.Sink.
// It must not know sockets, processes, clocks or metrics stores.
//
// Each command is one exchange, with all its result sets; the operation of a statement is its verb, of other commands their
// name. COM_STMT_EXECUTE has the text of its COM_STMT_PREPARE. Logging in, COM_QUIT and the data of LOAD DATA LOCAL are none. Sizes are those of
// whole packets, headers included; of a compressed connection, before compression.
//
// What a response looks like depends on capabilities that were negotiated when the connection began. They are not needed:
//
//   - CLIENT_DEPRECATE_EOF: the packet after the column definitions is an EOF packet exactly if it is 0xFE with 5 bytes; the OK
//     packet that replaces EOF has 7 or more.
//   - CLIENT_OPTIONAL_RESULTSET_METADATA and MariaDB's metadata cache: a column count takes 1, 3, … bytes, never 2 or 4; a flag before it
//     is 0 or 1 and a flag after it too, and no count is 0.
//   - CLIENT_QUERY_ATTRIBUTES: the second byte is the number of sets, always 1, which is in no statement.
//
// Only the EOF packet behind the last definition of a COM_STMT_PREPARE cannot be foretold: if it is not known, the response ends without it.
//
// Not read: zstd compression and replication. When TLS begins the connection is given up; its plain text, where that is read, is a connection of
// its own that begins with the login. The rows of a
// response that is longer than what is copied are not known, the exchange is partial then.
package mysql

import "github.com/sonde-dev/sonde/agent/protocol"

// Protocol is MySQL for the registry. Its zero value is ready to use and safe for concurrent use.
type Protocol struct{}

var (
	_ protocol.Protocol        = Protocol{}
	_ protocol.Copier          = Protocol{}
	_ protocol.ResponseGuesser = Protocol{}
)

// Name returns the value of network.protocol.name.
func (Protocol) Name() string { return "mysql" }

// Recognize judges the first bytes of one socket call: a server's greeting, or commands that only this protocol has.
func (Protocol) Recognize(b []byte) protocol.Verdict { return recognize(b) }

// NewParser starts a connection.
func (Protocol) NewParser(protocol.Start) protocol.Parser { return newParser() }

// Copy asks for whole statements, and for enough of a response to count the rows of most: the outcome stands at its end.
func (Protocol) Copy() protocol.Copy {
	return protocol.Copy{Request: maxText + 64, Response: 256 << 10}
}

// MayBeginResponse implements protocol.ResponseGuesser: responses begin with the packet number 1.
func (Protocol) MayBeginResponse(b []byte) bool { return len(b) > headerSize && b[3] == 1 }

// Semantics names the metrics and labels after OpenTelemetry's database conventions.
func (Protocol) Semantics() *protocol.Semantics { return &semantics }

var semantics = protocol.Database("mysql", "db_query_text", nil, // the parser tells templates only
	protocol.ReturnedRows("Rows that statements returned."), protocol.AffectedRows("Rows that statements inserted, updated, deleted or copied in."))
