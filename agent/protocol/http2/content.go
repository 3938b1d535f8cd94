package http2

import (
	"fmt"
	"strconv"

	"github.com/sonde-dev/sonde/agent/protocol"
)

// What people can read of a response that is an error is handed on as if HTTP/1 had carried it. Nothing is told of requests, and of other
// responses: values of fields are read only where they count.

// tellError hands on the start of a response.
func (s *stream) tellError(f *fields, sink protocol.Sink) {
	if f.grpcMessage != "" {
		s.tellMessage(f, sink)
		return
	}
	if s.id == 0 || s.isGRPC || s.code < 400 { // 0: it came before its request
		return
	}
	s.isTelling = true
	var room [32]byte
	protocol.Tell(sink, s.id, protocol.FromServer, protocol.FormHTTP, fmt.Appendf(room[:0], "HTTP/2 %d\r\n\r\n", s.code))
}

// tellMessage hands on how a gRPC call failed: a status that says more than its code has a message.
func (s *stream) tellMessage(f *fields, sink protocol.Sink) {
	if s.id == 0 || f.grpcMessage == "" {
		return
	}
	protocol.Tell(sink, s.id, protocol.FromServer, protocol.FormHTTP,
		fmt.Appendf(nil, "HTTP/2 %d\r\ngrpc-status: %s\r\ngrpc-message: %s\r\n\r\n", s.code, f.grpcStatus, grpcMessage(f.grpcMessage)))
}

// tellBody hands on bytes of the body of an error; b is nil where they are not known.
func (s *stream) tellBody(b []byte, sink protocol.Sink) {
	if !s.isTelling {
		return
	}
	if s.isTelling = b != nil; s.isTelling {
		protocol.Tell(sink, s.id, protocol.FromServer, protocol.FormHTTP, b)
	}
}

// grpcMessage decodes a status message. What is no code stands for itself (doc/PROTOCOL-HTTP2.md of gRPC, "Percent-Encoded").
func grpcMessage(s string) []byte {
	b := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		if s[i] == '%' && i+2 < len(s) {
			if c, err := strconv.ParseUint(s[i+1:i+3], 16, 8); err == nil {
				b = append(b, byte(c))
				i += 2
				continue
			}
		}
		b = append(b, s[i])
	}
	return b
}
