// Package kafka reads the protocol of Apache Kafka (kafka.apache.org/protocol), request by request.
//
// In: the bytes of one connection, some of them missing. Out: requests and responses, told to a protocol.Sink.
// It must not know sockets, processes, clocks or metrics stores.
//
// One request is one exchange, also when it names several topics: its target is then "(several)", and its counts belong to all of
// them. A fetch is about the topics whose records it brought, if it brought any, else about those that were asked for. Sizes are those of whole messages, the length before them included. The status is "0" or the name of the first error code
// in the response, wherever in it. Records are counted from the heads of the batches that were moved, so that nothing is
// decompressed: what a consumer skips (aborted transactions, records before its offset) counts, transaction markers do not.
//
// The lag of a consumer is, for each partition that its connection fetches, the end of the partition (the high watermark of the last
// response that named it) less the offset behind the last record that it was sent, or less the offset it asks for where nothing came or not
// all was copied. So it is exact as of the last response, in offsets: transaction markers and records that were compacted away count. It is
// what was not fetched; what the client holds and its program has not handled yet is none. See position.go.
//
// The lag of a group is the end of each partition less the offset that the group has committed. Commits go to the coordinator of the group,
// over another connection than fetches: this package tells ends and positions as it reads them, and who knows the processes puts them together.
// See commit.go.
//
// Not read: the values of records, their headers, secrets of any kind (SASL tokens are passed over); the number of records inside
// compressed messages of the formats before 0.11; errors of a few requests that only brokers send to each other; topics of share
// fetches. Topics given by id are named once a Metadata response on any connection has named them, "" before.
package kafka

import "github.com/sonde-dev/sonde/agent/protocol"

// Protocol is Kafka for the registry. Its zero value is ready to use and safe for concurrent use.
type Protocol struct{}

var (
	_ protocol.Protocol        = Protocol{}
	_ protocol.Copier          = Protocol{}
	_ protocol.ResponseGuesser = Protocol{}
	_ protocol.Reader          = Protocol{}
)

// Name returns the value of network.protocol.name.
func (Protocol) Name() string { return "kafka" }

// Recognize judges the first bytes of one socket call. Only requests are claimed: a response begins with two numbers.
func (Protocol) Recognize(b []byte) protocol.Verdict { return recognize(b) }

// MayBeginResponse accepts a length that a response may have, and a correlation id.
func (Protocol) MayBeginResponse(b []byte) bool {
	size, ok := messageSize(b)
	return ok && size >= minResponse
}

// NewParser starts a connection.
func (Protocol) NewParser(s protocol.Start) protocol.Parser { return newParser(s.Joined, &allTopics) }

// Copy asks for enough to see the head of each record batch of most messages: brokers and clients batch 16 KiB to 1 MiB.
func (Protocol) Copy() protocol.Copy { return protocol.Copy{Request: 256 << 10, Response: 256 << 10} }

// Reads says what is read, for docs/protocols.md.
func (Protocol) Reads() protocol.Reading {
	return protocol.Reading{
		Transports: []string{"TCP"},
		Versions:   []string{"every request and version of Kafka 0.8 to 4.1; newer ones are counted without topic, status and records"},
		Read: []string{
			"one exchange for each request; the operation is its name (Produce, Fetch, JoinGroup)",
			"the topic, or (several); by its id once a Metadata response on any connection named it",
			"fetch sessions: the topics that the client does not repeat",
			"the first error code of the response, of any topic or partition in it",
			"records and their bytes, from the heads of batches: without transaction markers, with records that the consumer then skips",
			"how far a consumer is behind in each topic: the end of its partitions less what it was sent, as of its last fetch",
			"how far a consumer group is behind in each topic: the end of its partitions less the offsets committed, or found committed when a " +
				"consumer begins, as of the last fetch and commit of each process; under the broker that coordinates the group",
			"acks=0: an exchange without response",
			"the consumer group and the client's id",
		},
		NotRead: []string{
			"the values, keys and headers of records; SASL tokens",
			"the number of records inside compressed messages of the formats before 0.11",
			"batches beyond the first 256 KiB of a turn: the exchange is partial, its records are short",
			"the topic of a fetch that brings nothing, in a session that began before Sonde; the lag until it brings something",
			"what a consumer was sent and has not handled; the lag of a consumer that does not fetch",
			"the lag of a group in a partition of which nobody has committed anything yet, or only within a transaction; in one that the process " +
				"which commits does not fetch itself; in topics of one name that one service consumes from two clusters, or by turns from a leader and " +
				"a follower (KIP-392): nobody could say which end is meant",
			"that a partition went to a member on another host, while another group of the same process still fetches it: the lag told here is " +
				"then that of the last commit seen",
			"the lag of consumers and groups that only their broker's host sees",
			"topics of share fetches, errors of a few requests between brokers",
		},
	}
}

// Semantics names the metrics and labels after OpenTelemetry's messaging conventions. The operation is the name of the request in
// Kafka's protocol guide.
func (Protocol) Semantics() *protocol.Semantics { return &semantics }

// The gauges.
const (
	gaugeLag = iota
	gaugeGroupLag
)

var semantics = withLag(protocol.Messaging("kafka", nil, protocol.MessageCounts()...))

func withLag(s protocol.Semantics) protocol.Semantics {
	s.Gauges = []protocol.Gauge{
		gaugeLag: {Client: "messaging_kafka_consumer_lag", Unit: "{record}",
			Help: "Records behind the last one fetched, over the partitions of a topic that this service fetches: as of the last fetch of each."},
		gaugeGroupLag: {Client: "messaging_kafka_consumer_group_lag", Unit: "{record}", Label: labelGroup,
			Help: "Records behind the offset that the group has committed, over the partitions of a topic that this service consumes: as of the last fetch and commit of each."},
	}
	return s
}
