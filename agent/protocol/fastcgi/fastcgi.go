// Package fastcgi reads FastCGI 1.0 (https://fastcgi-archives.github.io/FastCGI_Specification.html), what web servers speak with PHP-FPM and others.
//
// In: the bytes of one connection, some of them missing. Out: requests and responses, told to a protocol.Sink.
// It must not know sockets, processes, clocks or metrics stores.
package fastcgi

import (
	"github.com/sonde-dev/sonde/agent/protocol"
	"github.com/sonde-dev/sonde/agent/protocol/http1"
)

// Protocol is FastCGI for the registry. Its zero value is ready to use and safe for concurrent use.
//
// It carries HTTP in other clothes, and is measured as HTTP: methods, routes, status codes, sizes of bodies (the contents of
// FCGI_STDIN, and of FCGI_STDOUT after the head).
type Protocol struct{}

var _ protocol.Protocol = Protocol{}

// Name returns the value of network.protocol.name.
func (Protocol) Name() string { return "fastcgi" }

// Recognize judges the first bytes of one socket call.
func (Protocol) Recognize(b []byte) protocol.Verdict { return recognize(b) }

// NewParser starts a connection.
func (Protocol) NewParser(s protocol.Start) protocol.Parser { return newParser(s.Joined) }

// MayBeginResponse accepts a record of an application.
func (Protocol) MayBeginResponse(b []byte) bool {
	return len(b) >= headerSize && isFromApplication(readHeader(b))
}

// Copy asks for the headers of records inside long bodies: nothing else says where they are.
func (Protocol) Copy() protocol.Copy { return protocol.Copy{Request: 256 << 10, Response: 256 << 10} }

// Reads implements protocol.Reader.
func (Protocol) Reads() protocol.Reading {
	return protocol.Reading{
		Versions: []string{"FastCGI 1.0"},
		Read: []string{
			"method, path, host, status (200 where the output has none), sizes of bodies", "kept connections, several requests at once, all three roles, OVERLOADED and the like",
		},
		NotRead: []string{
			"query strings, other variables, bodies, FCGI_STDERR: never kept", "management records",
			"the headers of records beyond the first 256 KiB of a body that do not begin a call: its size is then short and marked partial",
		},
	}
}

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
	Template:           http1.Template,
}
