// Package redis reads RESP2 and RESP3, the protocol of Redis, Valkey, KeyDB and others (https://redis.io/docs/latest/develop/reference/protocol-spec/).
//
// In: the bytes of one connection, some of them missing. Out: commands and replies, told to a protocol.Sink.
// It must not know sockets, processes, clocks or metrics stores.
package redis

import (
	"github.com/sonde-dev/sonde/agent/protocol"
	"github.com/sonde-dev/sonde/agent/protocol/keyspace"
)

// Protocol is RESP for the registry. Its zero value is ready to use and safe for concurrent use.
//
// Sizes of exchanges are those of the whole message on the wire. Replies have the status OK, NIL, QUEUED, or the first word of
// their error.
type Protocol struct{}

var _ protocol.Protocol = Protocol{}

// Name returns the value of network.protocol.name.
func (Protocol) Name() string { return "redis" }

// Recognize judges the first bytes of one socket call. A command counts only if it is a known one, since the reply to another
// may look the same.
func (Protocol) Recognize(b []byte) protocol.Verdict { return recognize(b) }

// NewParser starts a connection.
func (Protocol) NewParser(s protocol.Start) protocol.Parser { return newParser(s.Joined) }

// MayBeginResponse accepts the first bytes of any reply.
func (Protocol) MayBeginResponse(b []byte) bool { return startsReply(b) }

// Reads implements protocol.Reader.
func (Protocol) Reads() protocol.Reading {
	return protocol.Reading{
		Versions: []string{"RESP2", "RESP3"},
		Read: []string{
			"commands (CONFIG GET: with the subcommand), the key space of the first key, the first word of an error; pipelines, inline commands",
			"MULTI: QUEUED for each command, EXEC with the first error inside it", "subscriptions, and each message to a subscriber as one exchange",
			"commands that wait on purpose (BLPOP, XREAD BLOCK, WAIT), CLIENT REPLY OFF and SKIP", "MOVED and ASK: a status, no error",
		},
		NotRead: []string{
			"values and other arguments, passwords: never kept", "streams of replication, the output of MONITOR", "which commands a script runs",
			"a connection of nothing but inline commands, until a PING",
		},
	}
}

// Semantics names the metrics and labels after OpenTelemetry's database conventions.
func (Protocol) Semantics() *protocol.Semantics { return &semantics }

var semantics = protocol.Semantics{
	Kind:              protocol.KindCache,
	ServerDuration:    "db_server_operation_duration_seconds",
	ClientDuration:    "db_client_operation_duration_seconds",
	OperationLabel:    "db_operation_name",
	ServerTargetLabel: "db_collection_name",
	ClientTargetLabel: "db_collection_name",
	StatusLabel:       "db_response_status_code",
	Template:          keyspace.Template,
	Constant:          []protocol.Attribute{{Key: "db_system_name", Value: "redis"}},
}
