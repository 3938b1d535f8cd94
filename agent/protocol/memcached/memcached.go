// Package memcached reads the text, meta and binary protocols of memcached (doc/protocol.txt and the wiki page BinaryProtocolRevamped of its source).
//
// In: the bytes of one connection, some of them missing. Out: commands and their results, told to a protocol.Sink.
// It must not know sockets, processes, clocks or metrics stores.
package memcached

import (
	"github.com/sonde-dev/sonde/agent/protocol"
	"github.com/sonde-dev/sonde/agent/protocol/keyspace"
)

// Protocol is memcached for the registry. Its zero value is ready to use and safe for concurrent use.
//
// Sizes of exchanges are those of the whole message on the wire. The three protocols have one set of statuses: HIT, MISS, STORED and so on; a
// miss is no error.
type Protocol struct{}

var _ protocol.Protocol = Protocol{}

// Name returns the value of network.protocol.name.
func (Protocol) Name() string { return "memcached" }

// Recognize judges the first bytes of one socket call.
func (Protocol) Recognize(b []byte) protocol.Verdict { return recognize(b) }

// NewParser starts a connection.
func (Protocol) NewParser(s protocol.Start) protocol.Parser { return newParser(s.Joined) }

// MayBeginResponse accepts the first bytes of any response.
func (Protocol) MayBeginResponse(b []byte) bool { return startsResponse(b) }

// Reads implements protocol.Reader.
func (Protocol) Reads() protocol.Reading {
	return protocol.Reading{
		Versions: []string{"text protocol", "meta commands", "binary protocol"},
		Read: []string{
			"commands, the key space of the first key, one set of statuses (HIT, MISS, STORED and so on); a miss is no error",
			"pipelines, gets of many keys, noreply; quiet commands, answered by silence as soon as one behind them is answered",
		},
		NotRead: []string{"values: never kept", "all keys of a get but the first", "UDP", "the output of watch", "commands of Couchbase"},
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
	Constant:          []protocol.Attribute{{Key: "db_system_name", Value: "memcached"}},
}
