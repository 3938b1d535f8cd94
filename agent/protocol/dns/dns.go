// Package dns reads look-ups: DNS over UDP and TCP as RFC 1035, 6891 (EDNS) and 7766 (TCP) define them.
//
// In: datagrams, or the bytes of one connection, some of them missing. Out: queries and answers, told to a protocol.Sink.
// It must not know sockets, processes, clocks or metrics stores.
//
// A query is told as Operation "A" (the type asked for) and Target "api.example.com" (lower case, no final dot), its answer as Status
// "NOERROR". Sizes are those of messages, without TCP's length. A query that is sent again while it waits is the same look-up; one that is
// asked again over TCP because the answer was truncated, or under another name of a search list, is another, as it is for the server.
//
// Not read: multicast DNS, DNS over HTTPS and QUIC; the messages of a zone transfer after the first.
package dns

import "github.com/sonde-dev/sonde/agent/protocol"

// Protocol is DNS for the registry. Its zero value is ready to use and safe for concurrent use.
type Protocol struct{}

var (
	_ protocol.Protocol           = Protocol{}
	_ protocol.DatagramRecognizer = Protocol{}
	_ protocol.ResponseGuesser    = Protocol{}
	_ protocol.Reader             = Protocol{}
)

// Name returns the value of network.protocol.name.
func (Protocol) Name() string { return "dns" }

// Recognize judges the first bytes of one call on a TCP connection.
func (Protocol) Recognize(b []byte) protocol.Verdict { return recognizeStream(b) }

// RecognizeDatagram judges one datagram.
func (Protocol) RecognizeDatagram(b []byte) protocol.Verdict { return recognizeMessage(b, len(b)) }

// MayBeginResponse tells an answer from other bytes.
func (Protocol) MayBeginResponse(b []byte) bool {
	return recognizeMessage(b, len(b)) == protocol.IsResponse || recognizeStream(b) == protocol.IsResponse
}

// Reads says what becomes an exchange.
func (Protocol) Reads() protocol.Reading {
	return protocol.Reading{
		Transports: []string{"UDP", "TCP"},
		Versions:   []string{"RFC 1035", "EDNS (RFC 6891)"},
		Read: []string{
			"each query as the type it asks for, the name, and the code of its answer", "several in flight, in any order", "queries sent again",
			"truncated answers", "names of a search list told apart", "addresses of A and AAAA", "DNS over TLS (RFC 7858), where the plain text is seen",
		},
		NotRead: []string{"multicast DNS", "DNS over HTTPS and QUIC", "the messages of a zone transfer after the first"},
	}
}

// NewParser starts a connection, or the traffic of two UDP ports.
func (Protocol) NewParser(s protocol.Start) protocol.Parser {
	p := &parser{isDatagrams: s.Datagrams}
	p.streams[protocol.ToServer].isLost, p.streams[protocol.FromServer].isLost = s.Joined, s.Joined
	return p
}

// Semantics names the metrics and labels. OpenTelemetry has dns.lookup.duration and dns.question.name; the rest is named after
// them, and type and code as the Elastic Common Schema has them.
func (Protocol) Semantics() *protocol.Semantics { return &semantics }

var semantics = protocol.Semantics{
	ServerDuration:    "dns_server_lookup_duration_seconds",
	ClientDuration:    "dns_lookup_duration_seconds",
	OperationLabel:    "dns_question_type",
	ServerTargetLabel: "dns_question_name",
	ClientTargetLabel: "dns_question_name",
	StatusLabel:       "dns_response_code",
	Template:          Template,
}

// Attributes of exchanges.
const (
	// AttrAnswers are the addresses of an answer to A or AAAA, separated by commas (OpenTelemetry's dns.answers).
	AttrAnswers = "dns.answers"
	// AttrTTL is the least time to live of the answer's records, in seconds.
	AttrTTL = "dns.ttl"
	// AttrTruncated is "true" when the answer did not fit and the client is expected to ask again over TCP.
	AttrTruncated = "dns.truncated"
	// AttrSearch is "true" when the name exists only because a resolver went through its search list.
	AttrSearch = "dns.search"
	// AttrResent is how often the query was sent again before the answer.
	AttrResent = "dns.resent"
)
