package http2

import (
	"fmt"
	"strconv"

	"github.com/sonde-dev/sonde/agent/protocol"
)

// What people can read of an exchange is handed on as if HTTP/1 had carried it: of fields those that are known anyway. Messages of gRPC are
// not for people, but for the one that says how a call failed.

// tellRequest hands on the start of a request.
func (p *parser) tellRequest(s *stream, f *fields, sink protocol.Sink) {
	if s.isGRPC || f.method == "" || f.path == "" || !p.names.keepsText {
		return
	}
	b := append(p.text[:0], f.method...)
	b = append(append(append(b, ' '), f.path...), f.query...)
	b = append(b, " HTTP/2\r\n"...)
	if f.authority != "" {
		b = append(append(append(b, "host: "...), f.authority...), "\r\n"...)
	}
	p.text = append(b, "\r\n"...)
	s.isTelling[protocol.ToServer] = true
	protocol.Tell(sink, s.id, protocol.ToServer, protocol.FormHTTP, p.text)
}

// tellResponse hands on the start of a response.
func (p *parser) tellResponse(s *stream, f *fields, sink protocol.Sink) {
	if s.isGRPC || f.grpcMessage != "" {
		s.tellMessage(f, sink)
		return
	}
	if s.id == 0 || s.code == 0 || !p.names.keepsText { // 0: it came before its request; its status is not known
		return
	}
	p.text = append(append(append(p.text[:0], "HTTP/2 "...), f.status...), "\r\n\r\n"...)
	s.isTelling[protocol.FromServer] = true
	protocol.Tell(sink, s.id, protocol.FromServer, protocol.FormHTTP, p.text)
}

// tellMessage hands on how a gRPC call failed: a status that says more than its code has a message.
func (s *stream) tellMessage(f *fields, sink protocol.Sink) {
	if s.id == 0 || f.grpcMessage == "" {
		return
	}
	protocol.Tell(sink, s.id, protocol.FromServer, protocol.FormHTTP,
		fmt.Appendf(nil, "HTTP/2 %d\r\ngrpc-status: %s\r\ngrpc-message: %s\r\n\r\n", s.code, f.grpcStatus, grpcMessage(f.grpcMessage)))
}

// tellBody hands on bytes of a body; b is nil where they are not known.
func (s *stream) tellBody(dir protocol.Direction, b []byte, sink protocol.Sink) {
	if s.isTelling[dir] = s.isTelling[dir] && b != nil; s.isTelling[dir] {
		protocol.Tell(sink, s.id, dir, protocol.FormHTTP, b)
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
