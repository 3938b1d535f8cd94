// Package http2 reads HTTP/2 (RFC 9113, RFC 7541) and what is spoken inside it: plain HTTP, gRPC, gRPC-Web, Connect, Twirp.
//
// In: the bytes of one connection, some of them missing. Out: requests and responses of its streams, told to a protocol.Sink.
// It must not know sockets, processes, clocks or metrics stores.
//
// A plain exchange bears the names of HTTP/1, so that a service looks the same whatever version it speaks. BodyBytes are the
// payload of DATA frames without padding.
//
// Not read: server push (RFC 9113 §8.4; its field blocks are, for the table), the streams inside CONNECT, the status inside a
// gRPC-Web body, compressed or encrypted contents. A gRPC deadline shows as the CANCELLED that its client sends. The request that
// upgraded a connection to h2c was told by HTTP/1 with the status 101; its response on stream 1 is not told again.
package http2

import (
	"math"

	"github.com/sonde-dev/sonde/agent/protocol"
	"github.com/sonde-dev/sonde/agent/protocol/http1"
)

// Protocol is HTTP/2 for the registry. Its zero value is ready to use and safe for concurrent use.
type Protocol struct{}

var (
	_ protocol.Protocol        = Protocol{}
	_ protocol.Copier          = Protocol{}
	_ protocol.ResponseGuesser = Protocol{}
	_ protocol.Reader          = Protocol{}
	_ protocol.Protocol        = GRPC{}
	_ protocol.Reader          = GRPC{}
)

// Name returns the value of network.protocol.name.
func (Protocol) Name() string { return "http" }

// Recognize judges the first bytes of one socket call: the preface of a client, or frames of a connection that was there before.
func (Protocol) Recognize(b []byte) protocol.Verdict { return recognize(b) }

// NewParser starts a connection.
func (Protocol) NewParser(s protocol.Start) protocol.Parser { return newParser(s.Joined) }

// Semantics are those of HTTP/1.
func (Protocol) Semantics() *protocol.Semantics { return http1.Protocol{}.Semantics() }

// Reads says what is read.
func (Protocol) Reads() protocol.Reading {
	return protocol.Reading{
		Versions: []string{"2"},
		Read: []string{
			"prior knowledge and Upgrade: h2c", "field blocks with CONTINUATION, padding, trailers", "streams to their end, both ways",
			"RST_STREAM and GOAWAY as errors", "gRPC-Web, Connect and Twirp as HTTP with the attributes of a call",
			"what is spoken inside, as in HTTP/1, unless fields are not known",
			"connections joined in the middle: fields that were indexed since",
		},
		NotRead: []string{
			"fields that were indexed before the connection was joined: method, path or status may be missing, the exchange is partial",
			"server push", "inside CONNECT", "the status inside a gRPC-Web body",
			"the response to the request that upgraded to h2c: it counts as 101",
		},
	}
}

// Copy asks for everything: nothing but its place says where a frame begins.
func (Protocol) Copy() protocol.Copy {
	return protocol.Copy{Request: math.MaxUint32, Response: math.MaxUint32}
}

// MayBeginResponse accepts the HEADERS frame of a stream that a client opened.
func (Protocol) MayBeginResponse(b []byte) bool {
	if len(b) < headerSize {
		return false
	}
	f := parseFrame(b)
	return f.kind == frameHeaders && f.isStrict()
}

// GRPC names what gRPC exchanges measure. It recognises nothing by itself: Protocol finds them among the streams of a connection.
type GRPC struct{}

// Name returns the value of network.protocol.name.
func (GRPC) Name() string { return "grpc" }

// Recognize never claims anything.
func (GRPC) Recognize([]byte) protocol.Verdict { return protocol.No }

// NewParser reads HTTP/2.
func (GRPC) NewParser(s protocol.Start) protocol.Parser { return Protocol{}.NewParser(s) }

// Reads says what is read.
func (GRPC) Reads() protocol.Reading {
	return protocol.Reading{
		Read: []string{
			"unary calls and streams, each to its end", "grpc-status, alone or in trailers", "what clients make of RST_STREAM and of HTTP errors",
		},
		NotRead: []string{
			"messages", "deadlines: a call that its client gave up is CANCELLED",
			"method and status that were indexed before the connection was joined: the exchange is partial",
		},
	}
}

// Semantics names the metrics and labels after OpenTelemetry's RPC conventions (1.43). The method is a target rather than an
// operation: it comes from the wire and must be bounded like a path.
func (GRPC) Semantics() *protocol.Semantics { return &grpcSemantics }

var grpcSemantics = protocol.RPC("grpc", nil)
