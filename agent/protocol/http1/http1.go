// Package http1 reads HTTP/1.0 and HTTP/1.1 as RFC 9110 and RFC 9112 define them.
//
// In: the bytes of one connection, some of them missing. Out: requests and responses, told to a protocol.Sink.
// It must not know sockets, processes, clocks or metrics stores.
package http1

import "github.com/sonde-dev/sonde/agent/protocol"

// Protocol is HTTP/1.x for the registry. Its zero value is ready to use and safe for concurrent use.
type Protocol struct{}

var (
	_ protocol.Protocol = Protocol{}
	_ protocol.Reader   = Protocol{}
	_ protocol.Followed = Protocol{}
)

// Name returns the value of network.protocol.name.
func (Protocol) Name() string { return "http" }

// Recognize judges the first bytes of one socket call. Only the methods of RFC 9110, PATCH and those of WebDAV begin a
// request here: an unknown method is accepted only inside a connection already known to speak HTTP.
func (Protocol) Recognize(b []byte) protocol.Verdict { return recognize(b) }

// FollowedByKernel implements protocol.Followed.
func (Protocol) FollowedByKernel() {}

// NewParser starts a connection.
func (Protocol) NewParser(s protocol.Start) protocol.Parser { return newParser(s.Joined) }

// Semantics names the metrics and labels after OpenTelemetry's HTTP conventions.
func (Protocol) Semantics() *protocol.Semantics { return &semantics }

var semantics = protocol.Semantics{
	ServerDuration:     "http_server_request_duration_seconds",
	ClientDuration:     "http_client_request_duration_seconds",
	ServerRequestSize:  "http_server_request_body_size_bytes",
	ClientRequestSize:  "http_client_request_body_size_bytes",
	ServerResponseSize: "http_server_response_body_size_bytes",
	ClientResponseSize: "http_client_response_body_size_bytes",
	OperationLabel:     "http_request_method",
	ServerTargetLabel:  "http_route",
	ClientTargetLabel:  "url_template",
	StatusLabel:        "http_response_status_code",
	Template:           Template,
}

// Reads says what is read, for the documentation.
func (Protocol) Reads() protocol.Reading {
	return protocol.Reading{
		Versions: []string{"HTTP/1.0", "HTTP/1.1"},
		Read: []string{
			"method, path, status", "bodies with Content-Length, chunked, or ended by the connection: their size on the wire",
			"keep-alive, pipelining, 1xx responses, HEAD, 204 and 304", "Unix sockets, connections older than Sonde",
			"what is spoken inside: elasticsearch, opensearch, graphql, openai, anthropic, ollama, s3",
		},
		NotRead: []string{
			"the query string, header fields but those that frame the message, and bodies are in no metric; of slow and failed requests their start is kept, redacted",
			"HTTP/0.9", "what follows an upgrade (WebSocket) or CONNECT",
		},
	}
}
