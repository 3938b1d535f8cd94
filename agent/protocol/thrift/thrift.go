// Package thrift reads the binary (strict) and the compact protocol of Apache Thrift, over the framed and the buffered transport.
//
// In: the bytes of one connection, some of them missing. Out: requests and responses, told to a protocol.Sink.
// It must not know sockets, processes, clocks or metrics stores.
//
// Responses are paired by sequence id; where a client gives all calls the same one, by order. Sizes are those of whole messages, the
// length of a frame included. The method is the name on the wire, "Service/method" where services are multiplexed: no other says its
// service. The status is OK, EXCEPTION for an exception that the interface declares (an error for the client alone), or the kind
// of TApplicationException. A call that an answer to a later one overtakes has none, hence no status, and is partial; further calls of its
// method on that connection are one-way, for the library for Go sends such without saying so.
//
// Not read: arguments and results, other than to find their end; the old binary protocol without version; THeader, JSON, and what
// is compressed or encrypted. Over the buffered transport, where nothing says how long a message is, lost bytes lose the place
// until a call begins with a message.
package thrift

import "github.com/sonde-dev/sonde/agent/protocol"

// Protocol is Thrift for the registry. Its zero value is ready to use and safe for concurrent use.
type Protocol struct{}

var (
	_ protocol.Protocol        = Protocol{}
	_ protocol.ResponseGuesser = Protocol{}
	_ protocol.Reader          = Protocol{}
)

// Name returns the value of network.protocol.name.
func (Protocol) Name() string { return "thrift" }

// Recognize judges the first bytes of one socket call.
func (Protocol) Recognize(b []byte) protocol.Verdict { return recognize(b) }

// MayBeginResponse accepts the start of a reply.
func (Protocol) MayBeginResponse(b []byte) bool {
	v := resume(b)
	return v == protocol.IsResponse || v == protocol.Maybe && len(b) > 0
}

// NewParser starts a connection.
func (Protocol) NewParser(s protocol.Start) protocol.Parser { return newParser(s.Joined) }

// Reads says what is read, for docs/protocols.md.
func (Protocol) Reads() protocol.Reading {
	return protocol.Reading{
		Versions: []string{"binary (strict) and compact, framed and buffered"},
		Read: []string{
			"the method, Service/method where services are multiplexed",
			"OK, EXCEPTION for an exception that the interface declares, or the kind of TApplicationException",
			"one-way calls as exchanges without response; pipelined calls, also with one sequence id for all",
		},
		NotRead: []string{"the old binary protocol without version", "THeader, JSON, compressed or encrypted transports", "messages nested deeper than 32"},
	}
}

// Semantics names the metrics and labels after OpenTelemetry's conventions for remote procedure calls.
func (Protocol) Semantics() *protocol.Semantics { return &semantics }

var semantics = protocol.RPC("thrift", nil)
