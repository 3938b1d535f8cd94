// Package clickhouse reads ClickHouse's native protocol (https://clickhouse.com/docs/native-protocol), revisions 54032 to 54469.
//
// In: the bytes of one connection, some of them missing. Out: queries and their results, told to a protocol.Sink.
// It must not know sockets, processes, clocks or metrics stores.
package clickhouse

import (
	"github.com/sonde-dev/sonde/agent/protocol"
)

// Protocol is the native protocol for the registry. Its zero value is ready to use and safe for concurrent use.
//
// An exchange is a query with all that belongs to it: its settings, the blocks that are inserted, the blocks of the result until the
// end of the stream. Sizes are those of all of it on the wire.
type Protocol struct{}

var _ protocol.Protocol = Protocol{}

// Name returns the value of network.protocol.name.
func (Protocol) Name() string { return "clickhouse" }

// Recognize judges the first bytes of one socket call: a greeting, or a query of a connection that was joined.
func (Protocol) Recognize(b []byte) protocol.Verdict { return recognize(b) }

// NewParser starts a connection.
func (Protocol) NewParser(s protocol.Start) protocol.Parser { return newParser(s.Joined) }

// MayBeginResponse accepts the packets that a server sends first.
func (Protocol) MayBeginResponse(b []byte) bool {
	return len(b) > 0 && b[0] <= serverProfileEvents
}

// Copy asks for enough to see the headers of blocks: nothing else says where a result ends.
func (Protocol) Copy() protocol.Copy { return protocol.Copy{Request: 1 << 20, Response: 1 << 20} }

// Reads implements protocol.Reader.
func (Protocol) Reads() protocol.Reading {
	return protocol.Reading{
		Versions: []string{"native protocol, revisions 54032 to 54469 (ClickHouse 1.1 to 24.9)"},
		Read: []string{
			"queries: verb, statement without literals, error code, rows returned", "HELLO (connecting) and PING",
			"inserts, also compressed; results, compressed or of any type below", "connections older than Sonde",
		},
		NotRead: []string{
			"literals, settings, parameters, user names and passwords: never kept",
			"results with columns of the types AggregateFunction, Variant, Dynamic, JSON and with sparse serialization, unless compressed: counted, marked partial, over when the server falls silent",
			"revisions from 54470 (chunked packets), traffic between servers with a cluster secret", "the HTTP interface, which is HTTP",
		},
	}
}

// Semantics names the metrics and labels after OpenTelemetry's database conventions.
func (Protocol) Semantics() *protocol.Semantics { return &semantics }

var semantics = protocol.Database("clickhouse", "db_query_text", nil, // it is a template already; see sqltext
	protocol.ReturnedRows("Rows that statements returned."))
