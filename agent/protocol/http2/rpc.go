package http2

import (
	"bytes"
	"strings"

	"github.com/sonde-dev/sonde/agent/protocol"
)

// Media types that tell what is spoken inside HTTP.
const (
	mediaOther   = "other"
	mediaGRPC    = "grpc"
	mediaGRPCWeb = "grpc-web"
	mediaConnect = "connect"
	mediaUnary   = "unary" // protobuf or JSON: a call of Connect or Twirp
)

// mediaOf sorts a content-type.
func mediaOf(b []byte) string {
	if i := bytes.IndexByte(b, ';'); i >= 0 {
		b = bytes.TrimRight(b[:i], " \t")
	}
	const prefix = "application/"
	if len(b) < len(prefix) || !strings.EqualFold(string(b[:len(prefix)]), prefix) {
		return mediaOther
	}
	base, _, _ := bytes.Cut(b[len(prefix):], []byte("+"))
	switch string(base) {
	case "grpc":
		return mediaGRPC
	case "grpc-web", "grpc-web-text":
		return mediaGRPCWeb
	case "connect":
		return mediaConnect
	case "proto", "protobuf", "json":
		return mediaUnary
	}
	return mediaOther
}

// rpcAttributes names the call that a plain request makes, nil when it makes none.
func (f *fields) rpcAttributes() []protocol.Attribute {
	system, path := "", f.path
	switch {
	case f.content == mediaGRPCWeb:
		system = "grpc"
	case f.content == mediaConnect, f.content == mediaUnary && f.isConnect:
		system = "connectrpc"
	case f.content == mediaUnary && strings.HasPrefix(path, "/twirp/"):
		system, path = "twirp", path[len("/twirp"):]
	default:
		return nil
	}
	if strings.Count(path, "/") < 2 { // "/package.Service/Method", perhaps below a prefix
		return nil
	}
	return []protocol.Attribute{{Key: attrSystem, Value: system}, {Key: attrMethod, Value: path[1:]}}
}

// grpcNames are the status codes of gRPC (doc/statuscodes.md of its repository).
var grpcNames = [...]string{
	"OK", "CANCELLED", "UNKNOWN", "INVALID_ARGUMENT", "DEADLINE_EXCEEDED", "NOT_FOUND", "ALREADY_EXISTS", "PERMISSION_DENIED",
	"RESOURCE_EXHAUSTED", "FAILED_PRECONDITION", "ABORTED", "OUT_OF_RANGE", "UNIMPLEMENTED", "INTERNAL", "UNAVAILABLE", "DATA_LOSS",
	"UNAUTHENTICATED",
}

const (
	grpcOK              = "OK"
	grpcCancelled       = "CANCELLED"
	grpcUnknown         = "UNKNOWN"
	grpcInternal        = "INTERNAL"
	grpcUnavailable     = "UNAVAILABLE"
	grpcUnimplemented   = "UNIMPLEMENTED"
	grpcPermission      = "PERMISSION_DENIED"
	grpcExhausted       = "RESOURCE_EXHAUSTED"
	grpcUnauthenticated = "UNAUTHENTICATED"
)

// grpcStatus names the value of grpc-status; what is out of range is UNKNOWN to every client.
func grpcStatus(b []byte) string {
	n := 0
	for _, c := range b {
		if c < '0' || c > '9' || n >= len(grpcNames) {
			return grpcUnknown
		}
		n = n*10 + int(c-'0')
	}
	if len(b) == 0 || n >= len(grpcNames) {
		return grpcUnknown
	}
	return grpcNames[n]
}

// grpcFromHTTP is the status that a client makes of a response without one (doc/http-grpc-status-mapping.md).
func grpcFromHTTP(code int) string {
	switch code {
	case 400:
		return grpcInternal
	case 401:
		return grpcUnauthenticated
	case 403:
		return grpcPermission
	case 404:
		return grpcUnimplemented
	case 429, 502, 503, 504:
		return grpcUnavailable
	}
	return grpcUnknown
}

// grpcFromReset is the status that a client makes of RST_STREAM (doc/PROTOCOL-HTTP2.md, "Errors").
func grpcFromReset(code uint32) string {
	switch resetName(code) {
	case "refused_stream":
		return grpcUnavailable
	case "cancel":
		return grpcCancelled
	case "enhance_your_calm":
		return grpcExhausted
	case "inadequate_security":
		return grpcPermission
	case "stream_closed", "http_1_1_required": // no mapping
		return grpcUnknown
	}
	return grpcInternal
}

// grpcResponse says what a status means to each side (OpenTelemetry's gRPC conventions): anything but OK is an error for the
// client; for the server only what it is to blame for.
func grpcResponse(status string) protocol.Response {
	r := protocol.Response{Status: status}
	if status == "" || status == grpcOK {
		return r
	}
	r.ClientError = status
	switch status {
	case grpcUnknown, "DEADLINE_EXCEEDED", grpcUnimplemented, grpcInternal, grpcUnavailable, "DATA_LOSS":
		r.ServerError = status
	}
	return r
}
