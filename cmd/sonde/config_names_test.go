package main

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sonde-dev/sonde/agent/protocol"
	"github.com/sonde-dev/sonde/server/query"
)

func TestQueryNames(t *testing.T) {
	got := queryNames("kafka", &protocol.Semantics{
		ClientDuration: "messaging_client_operation_duration_seconds", OperationLabel: "messaging_operation_name",
		ClientTargetLabel: "messaging_destination_name", StatusLabel: "error_code",
		Counts: []protocol.Count{
			{Client: "messaging_client_sent_messages_total", Server: "messaging_server_sent_messages_total"},
			{Server: "messaging_server_dropped_messages_total"},
		},
	})
	want := query.ProtocolMetrics{
		Protocol: "kafka", Kind: "messaging", OperationLabel: "messaging_operation_name", StatusLabel: "error_code",
		Server: query.SideMetrics{Counts: []query.CountMetric{
			{Metric: "messaging_server_sent_messages_total", Name: "sent_messages"},
			{Metric: "messaging_server_dropped_messages_total", Name: "dropped_messages"},
		}},
		Client: query.SideMetrics{
			Duration: "messaging_client_operation_duration_seconds", TargetLabel: "messaging_destination_name",
			Counts: []query.CountMetric{{Metric: "messaging_client_sent_messages_total", Name: "sent_messages"}},
		},
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("names (-want +got):\n%s", d)
	}
}

// Versions of one protocol share a name, and the server must read their series once.
func TestConfiguredProtocolsAreUnique(t *testing.T) {
	c := defaultConfig()
	if err := c.query().Validate(); err != nil {
		t.Error(err)
	}
}
