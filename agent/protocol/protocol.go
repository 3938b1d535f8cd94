// Package protocol says what a protocol must offer to be observed.
//
// In: the bytes of one connection, both directions, in order, some of them missing. Out: messages, told to a Sink.
// Parsers are pure: no I/O, no clock, no goroutine. They must not know sockets, processes or metrics stores.
package protocol

import "github.com/sonde-dev/sonde/signal"

// Direction is seen from the conversation: requests flow to the server, responses from it.
type Direction uint8

// The two directions.
const (
	ToServer Direction = iota
	FromServer
)

// Protocol is one entry of the registry (package all).
type Protocol interface {
	// Name is the value of network.protocol.name: "http".
	Name() string
	// Recognize judges the first bytes of one socket call.
	Recognize(b []byte) Verdict
	// NewParser starts a connection. joined is true when it was joined in the middle: its first bytes may belong to
	// anything.
	NewParser(joined bool) Parser
	// Semantics names the metrics and labels of this protocol's exchanges. It returns the same pointer each time.
	Semantics() *Semantics
}

// Verdict is what a few bytes look like.
type Verdict uint8

// The verdicts of Recognize.
const (
	No         Verdict = iota // not this protocol, or not the start of a message
	Maybe                     // too short to tell
	IsRequest                 // the start of a request
	IsResponse                // the start of a response
)

// Parser follows one connection. It keeps what it needs between calls, never the slices it is given, and its memory is
// bounded. It survives anything: random bytes, cuts at any place, missing parts.
type Parser interface {
	// Data hands over the next bytes of one direction. Each call begins where a socket call began, or directly after the
	// bytes of the one before.
	Data(dir Direction, b []byte, sink Sink)
	// Gap says that the next n bytes of a direction were moved but not captured. tail holds the last of them where known.
	Gap(dir Direction, n uint32, tail []byte, sink Sink)
	// Close says that no more bytes will come in either direction.
	Close(sink Sink)
}

// Sink hears what a parser finds. Ids pair a response with its request: a parser gives each request a new id, and its
// response the same one. The caller knows the time: a message begins and ends with the socket call being parsed, except
// where End says that it ended before.
type Sink interface {
	RequestBegin(id uint64)
	RequestHead(id uint64, r Request)
	RequestEnd(id uint64, e End)
	ResponseBegin(id uint64)
	ResponseHead(id uint64, r Response)
	ResponseEnd(id uint64, e End)
	// Opaque says that from here on the connection carries something else (an upgrade, a tunnel): nothing more will be parsed.
	Opaque()
	// Lost counts what could not be understood.
	Lost(c signal.Cause, n uint64)
}

// End describes the end of a message.
type End struct {
	// BodyBytes are the bytes after the head as they were on the wire (transfer coding included).
	BodyBytes uint64
	// Partial is true when some of what is reported of the message may be short: bytes were lost where they mattered.
	Partial bool
	// Before is true when the message ended with the last call of its direction *before* the one being parsed: its end
	// shows only by what follows.
	Before bool
	// Cut is true when the connection ended in the middle of the message: BodyBytes is what came of it.
	Cut bool
}

// Request is what the head of a request says.
type Request struct {
	Operation  string // of low cardinality: the HTTP method
	Target     string // raw: the path. It becomes a label only through Semantics.Template
	Attributes []Attribute
	// NoResponse is true when the protocol sends none.
	NoResponse bool
}

// Response is what the head of a response says.
type Response struct {
	Status string // of low cardinality: the HTTP status code
	// ServerError and ClientError are the values of error.type as each side sees it, "" for none: HTTP 404 is an error for
	// the client and not for the server.
	ServerError, ClientError string
	// Unbounded is true when nothing says where the response ends, because its head was cut: silence may end it.
	Unbounded  bool
	Attributes []Attribute
}

// Attribute is a further fact under its OpenTelemetry name ("server.address").
type Attribute struct{ Key, Value string }

// Semantics names what a protocol measures, by OpenTelemetry's conventions under their Prometheus names.
type Semantics struct {
	ServerDuration, ClientDuration         string // "http_server_request_duration_seconds"
	ServerRequestSize, ClientRequestSize   string // "http_server_request_body_size_bytes"; "" for none
	ServerResponseSize, ClientResponseSize string
	OperationLabel                         string // "http_request_method"
	ServerTargetLabel, ClientTargetLabel   string // "http_route", "url_template"
	StatusLabel                            string // "http_response_status_code"
	// Template turns a raw target into one of low cardinality: ids, hashes, dates and numbers become placeholders.
	Template func(target string) string
}
