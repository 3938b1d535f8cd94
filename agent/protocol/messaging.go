package protocol

// What messaging protocols that know the number of messages count, in the order of MessageCounts.
const (
	MessagesSent = iota
	MessagesConsumed
	MessageBytesSent
	MessageBytesConsumed
)

// MessageCounts are Semantics.Counts of such a protocol.
func MessageCounts() []Count {
	return []Count{
		MessagesSent: {Client: "messaging_client_sent_messages_total", Server: "messaging_server_received_messages_total",
			Unit: "{message}", Help: "Messages in requests that publish, whatever the answer."},
		MessagesConsumed: {Client: "messaging_client_consumed_messages_total", Server: "messaging_server_delivered_messages_total",
			Unit: "{message}", Help: "Messages in responses to requests that fetch."},
		MessageBytesSent: {Client: "messaging_client_sent_bytes_total", Server: "messaging_server_received_bytes_total",
			Unit: "By", Help: "Bytes of messages in requests that publish, compressed as they are."},
		MessageBytesConsumed: {Client: "messaging_client_consumed_bytes_total", Server: "messaging_server_delivered_bytes_total",
			Unit: "By", Help: "Bytes of messages in responses to requests that fetch, compressed as they are."},
	}
}

// Messaging returns the semantics of a protocol of brokers and queues, by OpenTelemetry's messaging conventions. system is the value of
// messaging.system; template makes a label of the name of a topic, nil where names are of low cardinality.
func Messaging(system string, template func(string) string, counts ...Count) Semantics {
	return Semantics{
		ServerDuration:    "messaging_server_operation_duration_seconds",
		ClientDuration:    "messaging_client_operation_duration_seconds",
		OperationLabel:    "messaging_operation_name",
		ServerTargetLabel: "messaging_destination_name",
		ClientTargetLabel: "messaging_destination_name",
		StatusLabel:       "messaging_response_status_code",
		Template:          template,
		Counts:            counts,
		Constant:          []Attribute{{Key: "messaging_system", Value: system}},
	}
}
