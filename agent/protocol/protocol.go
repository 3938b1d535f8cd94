// Package protocol says what a protocol must offer to be observed.
//
// In: the bytes of one connection, both directions, in order, some of them missing. Out: messages, told to a Sink.
// Parsers are pure: no I/O, no clock, no goroutine. They must not know sockets, processes or metrics stores.
package protocol

import (
	"strings"

	"github.com/sonde-dev/sonde/signal"
)

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
	// Recognize judges the first bytes of one socket call on a connection of which nothing is known. It claims them only
	// if no other protocol can begin like that: check lengths, versions and reserved bits, not a magic byte alone.
	Recognize(b []byte) Verdict
	// NewParser starts a connection.
	NewParser(s Start) Parser
	// Semantics names the metrics and labels of this protocol's exchanges. It returns the same pointer each time.
	Semantics() *Semantics
}

// Start is what is known of a connection when its parser is made.
type Start struct {
	// Joined is true when the connection was joined in the middle: its first bytes may belong to anything.
	Joined bool
	// Datagrams is true when each call carries one datagram rather than part of a stream.
	Datagrams bool
}

// A Protocol may have these abilities besides; the engine looks for them by type assertion.
type (
	// DatagramRecognizer is a protocol that also runs over datagrams. Only such protocols are asked about them.
	DatagramRecognizer interface {
		// RecognizeDatagram is Recognize for one whole datagram.
		RecognizeDatagram(b []byte) Verdict
	}
	// Copier says how many bytes of each turn the parser needs, where DefaultCopy does not suit it.
	Copier interface {
		Copy() Copy
	}
	// Followed is a protocol whose messages the kernel side finds by itself (event.Protocol). It looks at a few bytes: what begins like one may be
	// another protocol, which then has to say how much to copy.
	Followed interface {
		FollowedByKernel()
	}
	// Envelope is a protocol that only wraps another one, which nobody can read on this connection once the parser has called
	// Opaque. Where what is inside is seen as a connection of its own (event.PlainText), the exchanges of the envelope are no
	// requests.
	Envelope interface {
		Envelops()
	}
	// ResponseGuesser tells the start of a response among the bytes of a connection that is known to speak the protocol,
	// where Recognize, which knows nothing, cannot. It is asked while no request waits, to find responses that were reported
	// before their requests.
	ResponseGuesser interface {
		MayBeginResponse(b []byte) bool
	}
	// Reader says what is read of the protocol, for docs/protocols.md.
	Reader interface {
		Reads() Reading
	}
)

// Reading is what is read of a protocol, each line a short phrase for people ("prepared statements", "HTTP/1.0").
type Reading struct {
	Transports []string // "TCP", "UDP", "Unix sockets"; none means TCP and Unix sockets
	Versions   []string // of the protocol
	Read       []string // what becomes an exchange, an operation, a target, a status, a count
	NotRead    []string // what is passed over, and what then is missing
}

// Copy says how much of a turn is copied for the parser. A turn is a run of calls in one direction. What is beyond comes
// as gaps, but each call still shows its first 256 bytes, so that a message that begins a call is found.
type Copy struct {
	Request, Response uint32 // bytes, for turns to and from the server
}

// DefaultCopy suits protocols that pipeline small messages: what lies beyond may hold the start of one.
var DefaultCopy = Copy{Request: 1 << 20, Response: 1 << 20}

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
	// ResponseHead may come again until the end, when trailers say more: the last one counts.
	ResponseHead(id uint64, r Response)
	ResponseEnd(id uint64, e End)
	// Opaque says that from here on the connection carries something else (an upgrade, a tunnel, or it was never this
	// protocol). The parser gets nothing more; other protocols may claim what follows.
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
	// Protocol is the one spoken inside the connection's, where it carries several: gRPC in HTTP/2. nil is the connection's own.
	Protocol   Protocol
	Operation  string // of low cardinality: the HTTP method
	Target     string // raw: the path. It becomes a label only through Semantics.Template
	Attributes []Attribute
	// Counts are further numbers of this message, in the order of Semantics.Counts: records, rows.
	Counts [MaxCounts]uint64
	// NoResponse is true when the protocol sends none.
	NoResponse bool
	// Waits is true when the server answers late on purpose (a blocking pop, a long poll): the duration is not service time.
	Waits bool
}

// Response is what the head of a response says.
type Response struct {
	Status string // of low cardinality: the HTTP status code
	// Target takes the place of the request's, where only the answer says what it was about; "" leaves that.
	Target string
	// ServerError and ClientError are the values of error.type as each side sees it, "" for none: HTTP 404 is an error for
	// the client and not for the server.
	ServerError, ClientError string
	// Counts are further numbers of this message, in the order of Semantics.Counts; they add to the request's.
	Counts [MaxCounts]uint64
	// Levels are what the message says of gauges, for any targets.
	Levels []Level
	// Unbounded is true when nothing says where the response ends, because its head was cut: silence may end it.
	Unbounded  bool
	Attributes []Attribute
}

// Attribute is a further fact under its OpenTelemetry name ("server.address").
type Attribute struct{ Key, Value string }

// Kind is what people know a protocol as. The page has a view for each.
type Kind string

// The kinds.
const (
	KindHTTP      Kind = "http"
	KindRPC       Kind = "rpc"
	KindDatabase  Kind = "db"
	KindCache     Kind = "cache"
	KindMessaging Kind = "messaging"
	KindDNS       Kind = "dns"
	KindOther     Kind = "other"
)

// Semantics names what a protocol measures, by OpenTelemetry's conventions under their Prometheus names.
//
// Protocols that measure the same thing share its metric names (db_client_operation_duration_seconds); they differ in
// network_protocol_name. Protocols with the same Protocol.Name (versions of one protocol) share their series too, so they
// must have the same names here.
type Semantics struct {
	// Kind is the protocol's kind; "" leaves it to KindOf.
	Kind                                   Kind
	ServerDuration, ClientDuration         string // "http_server_request_duration_seconds"; "" for none
	ServerRequestSize, ClientRequestSize   string // "http_server_request_body_size_bytes"; "" for none
	ServerResponseSize, ClientResponseSize string
	OperationLabel                         string // "http_request_method"
	ServerTargetLabel, ClientTargetLabel   string // "http_route", "url_template"
	StatusLabel                            string // "http_response_status_code"
	// Template turns a raw target into one of low cardinality: ids, hashes, dates and numbers become placeholders.
	// nil where it is one already.
	Template func(target string) string
	// Counts are what is added up for each interface besides; at most MaxCounts.
	Counts []Count
	// Gauges are what goes up and down, for each target.
	Gauges []Gauge
	// Constant labels of every interface: db_system_name="mysql".
	Constant []Attribute
}

// TemplateOf returns the label of a raw target.
func (s *Semantics) TemplateOf(target string) string {
	if s.Template == nil || target == "" {
		return target
	}
	return s.Template(target)
}

// KindOf returns Kind, or what the name of a duration metric says (db_…, rpc_…).
func (s *Semantics) KindOf() Kind {
	if s.Kind != "" {
		return s.Kind
	}
	name := s.ServerDuration
	if name == "" {
		name = s.ClientDuration
	}
	prefix, _, _ := strings.Cut(name, "_")
	switch k := Kind(prefix); k {
	case KindHTTP, KindRPC, KindDatabase, KindMessaging, KindDNS:
		return k
	}
	return KindOther
}

// MaxCounts bounds the numbers that a protocol counts besides requests and bytes.
const MaxCounts = 4

// Count is one such number, summed over the exchanges of an interface.
type Count struct {
	Server, Client string // names of the metrics: "messaging_client_sent_messages_total"; "" for none
	Unit, Help     string
	// IsHistogram is true where the convention wants the distribution over exchanges too: those with 0 are none of it.
	IsHistogram bool
	// Label tells this number from others under the same name: gen_ai_token_type="input". No Key, no label.
	Label Attribute
}

// Gauge is a number that goes up and down: how far a consumer is behind. It is kept for each target, not for each operation.
type Gauge struct {
	Server, Client string // names of the metrics: "messaging_kafka_consumer_lag"; "" for none
	Unit, Help     string
	// Label is one more label, "" for none. A gauge that has one says how far somebody, its value, is behind the ends of the parts; see Fact.
	Label string
}

// Level is the present value of one part of a gauge: of a partition of a topic. The gauge of a target is the sum over its parts, each as
// it was told last. A part that is not told of any more goes after some time, so tell what is still true again.
type Level struct {
	Gauge  int    // in the order of Semantics.Gauges
	Target string // raw, as Request.Target; it may be another one than the request's
	Part   int32
	Value  uint64
	Fact   Fact   // what Value is
	Who    string // value of Gauge.Label, with LevelPosition and LevelNoPosition
}

// Fact says what a level tells. The ends of parts and the positions of those who follow them may be told by different connections of one
// process: the consumers of Kafka fetch from one broker and commit to another. The gauge is the sum over the parts of which both are known.
type Fact uint8

// The facts.
const (
	LevelAmount     Fact = iota // the value of the part; gauges without label have nothing else
	LevelEnd                    // where the part ends now
	LevelPosition               // how far Who has come in it
	LevelNoPosition             // what was told of Who there does not hold any more; no Value
)
