package main

import "github.com/sonde-dev/sonde/agent/protocol"

// http has the names of HTTP's metrics.
type http struct{ protocol.Protocol }

func (http) Name() string { return "http" }

func (http) Semantics() *protocol.Semantics {
	return &protocol.Semantics{
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
	}
}

// protocols returns what the reference describes.
func protocols() []protocol.Protocol { return []protocol.Protocol{http{}} }
