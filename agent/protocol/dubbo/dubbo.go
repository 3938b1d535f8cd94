// Package dubbo reads the protocol of Apache Dubbo 2, also spoken by Dubbo 3 under the name dubbo.
//
// In: the bytes of one connection, some of them missing. Out: requests and responses, told to a protocol.Sink.
// It must not know sockets, processes, clocks or metrics stores.
//
// Responses are paired by request id, in any order. Sizes are those of whole frames. The method is "path/method" where the
// serialization is Hessian 2, Kryo or Fastjson, "" for the others. An exception that the service threw has the status EXCEPTION, and
// its class as error where Hessian 2 says it. What a server calls in a client is an exchange without response; heartbeats are none.
//
// Not read: arguments, attachments and results; Triple, which is HTTP/2.
package dubbo

import "github.com/sonde-dev/sonde/agent/protocol"

// Protocol is Dubbo for the registry. Its zero value is ready to use and safe for concurrent use.
type Protocol struct{}

var (
	_ protocol.Protocol        = Protocol{}
	_ protocol.Copier          = Protocol{}
	_ protocol.ResponseGuesser = Protocol{}
	_ protocol.Reader          = Protocol{}
)

// Name returns the value of network.protocol.name.
func (Protocol) Name() string { return "dubbo" }

// Recognize judges the first bytes of one socket call.
func (Protocol) Recognize(b []byte) protocol.Verdict { return recognize(b) }

// MayBeginResponse accepts the start of a response.
func (Protocol) MayBeginResponse(b []byte) bool {
	v := resume(b)
	return v == protocol.IsResponse || v == protocol.Maybe && len(b) > 0
}

// NewParser starts a connection.
func (Protocol) NewParser(s protocol.Start) protocol.Parser { return newParser(s.Joined) }

// Copy asks for the heads of many frames: a consumer has one connection, on which all calls under way are answered in one turn, and a frame that
// begins amid a call beyond what is copied takes the status of all that wait with it.
func (Protocol) Copy() protocol.Copy { return protocol.Copy{Request: 1 << 20, Response: 1 << 20} }

// Reads says what is read, for docs/protocols.md.
func (Protocol) Reads() protocol.Reading {
	return protocol.Reading{
		Transports: []string{"TCP"},
		Versions:   []string{"dubbo (version 2 of the protocol)"},
		Read: []string{
			"path/method with Hessian 2, Kryo and Fastjson; no name with other serializations",
			"the status; EXCEPTION where the service threw one, with its class where Hessian 2 says it",
			"one-way calls, and calls of the server, as exchanges without response",
		},
		NotRead: []string{"arguments, attachments, results", "heartbeats: they are no exchanges", "Triple, which is HTTP/2"},
	}
}

// Semantics names the metrics and labels after OpenTelemetry's conventions for remote procedure calls.
func (Protocol) Semantics() *protocol.Semantics { return &semantics }

var semantics = protocol.RPC("dubbo", nil)
