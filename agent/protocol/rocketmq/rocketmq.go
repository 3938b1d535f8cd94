// Package rocketmq reads the remoting protocol of Apache RocketMQ, between clients, name servers, brokers and controllers.
//
// In: the bytes of one connection, some of them missing. Out: requests and responses, told to a protocol.Sink.
// It must not know sockets, processes, clocks or metrics stores.
//
// Heads are JSON or RocketMQ's own binary form; responses are paired by opaque, in any order. Sizes are those of whole frames. The
// operation is the name of the request code, the status that of the response code. What the broker sends by itself
// (NOTIFY_CONSUMER_IDS_CHANGED, CHECK_TRANSACTION_STATE) is an exchange without response. The attribute
// messaging.rocketmq.consumer.lag says how many offsets a queue goes on behind a pull.
//
// Not read: bodies, other than to count messages; responses of clients to requests of the broker; heads above 60 KiB; the gRPC
// protocol of version 5, which is HTTP/2; replication between brokers.
package rocketmq

import "github.com/sonde-dev/sonde/agent/protocol"

// Protocol is RocketMQ for the registry. Its zero value is ready to use and safe for concurrent use.
type Protocol struct{}

var (
	_ protocol.Protocol        = Protocol{}
	_ protocol.ResponseGuesser = Protocol{}
	_ protocol.Reader          = Protocol{}
)

// Name returns the value of network.protocol.name.
func (Protocol) Name() string { return "rocketmq" }

// Recognize judges the first bytes of one socket call: a frame whose head is whole and well-formed.
func (Protocol) Recognize(b []byte) protocol.Verdict { return recognize(b) }

// MayBeginResponse accepts the start of any frame.
func (Protocol) MayBeginResponse(b []byte) bool {
	_, _, _, ok := sizes(b)
	return ok || len(b) > 0 && len(b) < frameHead
}

// NewParser starts a connection.
func (Protocol) NewParser(s protocol.Start) protocol.Parser { return newParser(s.Joined) }

// Reads says what is read, for docs/protocols.md.
func (Protocol) Reads() protocol.Reading {
	return protocol.Reading{
		Transports: []string{"TCP"},
		Versions:   []string{"remoting of RocketMQ 4 and 5, heads in JSON and binary"},
		Read: []string{
			"the operation is the request code's name (SEND_MESSAGE_V2, PULL_MESSAGE), the status the response code's",
			"the topic and the group",
			"messages sent and delivered, batches included, and the bytes of their bodies",
			"one-way requests, and what the broker sends by itself, as exchanges without response",
		},
		NotRead: []string{"responses of clients to requests of the broker", "heads above 60 KiB", "the gRPC protocol of version 5", "replication"},
	}
}

// Semantics names the metrics and labels after OpenTelemetry's messaging conventions.
func (Protocol) Semantics() *protocol.Semantics { return &semantics }

var semantics = protocol.Messaging("rocketmq", nil, protocol.MessageCounts()...)

// recognize claims a frame whose head is there as a whole. A JSON head may be waited for: its first name tells it from other JSON.
func recognize(b []byte) protocol.Verdict {
	if len(b) < frameHead {
		if len(b) > 0 && b[0] > maxFrame>>24 || len(b) > 4 && b[4] > headBinary {
			return protocol.No
		}
		return protocol.Maybe
	}
	size, n, kind, ok := sizes(b)
	if !ok || n > maxHead {
		return protocol.No
	}
	if uint64(len(b)) < frameHead+n {
		const start = `{"code":`
		have := b[frameHead:]
		if kind != headJSON || size > maxFrame || string(have[:min(len(have), len(start))]) != start[:min(len(have), len(start))] {
			return protocol.No
		}
		return protocol.Maybe
	}
	var h head
	if !h.parse(kind, b[frameHead:frameHead+n]) || h.flag&^(flagResponse|flagOneway) != 0 {
		return protocol.No
	}
	_, isKnown := requests[h.code]
	switch {
	case h.flag&flagResponse != 0:
		return protocol.IsResponse
	case !isKnown:
		return protocol.No
	}
	return protocol.IsRequest
}
