package nats

import (
	"bytes"

	"github.com/sonde-dev/sonde/agent/protocol"
)

// Status of a message's headers: "NATS/1.0 503" is the server's (nobody answers), Nats-Service-Error-Code that of a service (ADR-4, ADR-32).
const (
	headerStart = "NATS/1.0 "
	serviceCode = "\r\nNats-Service-Error-Code:"
)

// responseOf reads the headers of an answer.
func responseOf(headers []byte) protocol.Response {
	r := protocol.Response{Status: "ok"}
	code := codeAt(headers, headerStart, true)
	if code == "" {
		if code = codeAt(headers, serviceCode, false); code == "" {
			return r
		}
	}
	r.Status, r.ClientError = code, code
	if code[0] == '5' {
		r.ServerError = code
	}
	switch code[0] {
	case '1', '2', '3':
		r.ClientError = ""
	}
	return r
}

// codeAt reads the three digits behind a name.
func codeAt(b []byte, name string, isFirst bool) string {
	i := bytes.Index(b, []byte(name))
	if i < 0 || isFirst && i > 0 {
		return ""
	}
	b = bytes.TrimLeft(b[i+len(name):], " ")
	const digits = 3
	if len(b) < digits {
		return ""
	}
	if n, ok := number(b[:digits]); !ok || n < 100 || n > 599 {
		return ""
	}
	return string(b[:digits])
}

// errors are the messages of -ERR (nats-server: errors.go) and what they are called here.
var errors = []struct{ text, name string }{
	{"unknown protocol operation", "unknown_protocol_operation"}, {"authorization violation", "authorization_violation"},
	{"authentication timeout", "authentication_timeout"}, {"authentication expired", "authentication_expired"},
	{"account authentication expired", "authentication_expired"}, {"user authentication expired", "authentication_expired"},
	{"user authentication revoked", "authentication_revoked"}, {"invalid client protocol", "invalid_client_protocol"},
	{"maximum control line exceeded", "maximum_control_line_exceeded"}, {"parser error", "parser_error"},
	{"secure connection - tls required", "tls_required"}, {"stale connection", "stale_connection"},
	{"maximum connections exceeded", "maximum_connections_exceeded"}, {"maximum account active connections exceeded", "maximum_connections_exceeded"},
	{"slow consumer", "slow_consumer"}, {"maximum payload violation", "maximum_payload_violation"}, {"invalid subject", "invalid_subject"},
	{"invalid publish subject", "invalid_subject"}, {"maximum subscriptions exceeded", "maximum_subscriptions_exceeded"},
	{permissionSub, "subscription_not_permitted"}, {"permissions violation for publish", "publish_not_permitted"},
	{"attempted to connect to route port", "route_port"}, {"no responders requires headers support", "no_headers"},
}

const permissionSub = "permissions violation for subscription"

// failed is -ERR. It comes besides +OK, except for subscriptions that are refused, and for a connection.
func (p *parser) failed(b []byte) {
	text := bytes.ToLower(bytes.Trim(b[len("-ERR"):], " \t'\"\r\n"))
	r := protocol.Response{Status: "other"}
	for _, e := range errors {
		if bytes.HasPrefix(text, []byte(e.text)) {
			r.Status = e.name
			break
		}
	}
	r.ClientError = r.Status
	if r.Status == "slow_consumer" || r.Status == "maximum_connections_exceeded" {
		r.ServerError = r.Status
	}
	for i, w := range p.waiting {
		if w.id != 0 && (w.verb == connect || w.verb == sub && bytes.HasPrefix(text, []byte(permissionSub))) {
			p.waiting = append(p.waiting[:i], p.waiting[i+1:]...)
			p.respond(protocol.FromServer, w.id, r)
			return
		}
	}
	id := p.begin(protocol.FromServer, protocol.Request{Operation: "error", NoResponse: true})
	p.sink.ResponseHead(id, r)
}
