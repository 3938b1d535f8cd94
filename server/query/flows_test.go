package query_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sonde-dev/sonde/server/query"
	"github.com/sonde-dev/sonde/signal"
)

// Connections of what nobody recognises are told beside the edges; the client's view counts where both ends were observed.
func TestFlows(t *testing.T) {
	w := newWorld(t)
	from := w.now
	count := func(metric string, n float64, client, server, side, protocol, serverExternal string) {
		w.add("sonde_connection_"+metric+"_total", n, "client", client, "server", server, "side", side,
			"network_protocol_name", protocol, "client_external", "", "server_external", serverExternal)
	}
	w.run(1, func(int) {
		for _, side := range []string{"client", "server"} {
			sent, received := 1000.0, 50.0
			if side == "server" {
				sent, received = 49, 990 // not confirmed yet
			}
			count("opened", 3, "worker", "ledger", side, "tcp", "")
			count("closed", 1, "worker", "ledger", side, "tcp", "")
			count("resets", 1, "worker", "ledger", side, "tcp", "")
			count("sent_bytes", sent, "worker", "ledger", side, "tcp", "")
			count("received_bytes", received, "worker", "ledger", side, "tcp", "")
		}
		count("sent_bytes", 7, "worker", "10.0.0.9:443", "client", "tls", "true")
		count("retransmits", 2, "worker", "10.0.0.9:443", "client", "tls", "true")
		w.series(signal.Gauge, "sonde_connection_round_trip_seconds", "client", "worker", "server", "ledger", "side", "client",
			"network_protocol_name", "tcp", "client_external", "", "server_external", "").Value = 0.012
		for i, name := range []string{"pay.example", "api.example", ""} {
			w.record("sonde_tls_client_handshake_duration_seconds", 0.1*float64(i+1), "service_name", "worker", "sonde_tls_operation", "handshake",
				"tls_client_server_name", name, "network_protocol_name", "tls", "peer_service", "10.0.0.9:443")
		}
		count("sent_bytes", 5, "elsewhere", "ledger", "server", "tcp", "")
	})
	var got query.TopologyReply
	w.get(ask("/api/topology", [2]time.Time{from, w.now}), &got)
	want := []query.Flow{
		{Client: "elsewhere", Server: "ledger", Protocol: "tcp", Seen: "server", ResponseBytes: 5, ServerNames: []string{}},
		{Client: "worker", Server: "10.0.0.9:443", Protocol: "tls", Seen: "client", ServerExternal: true, RequestBytes: 7, Retransmits: 2, ServerNames: []string{"api.example", "pay.example"}},
		{Client: "worker", Server: "ledger", Protocol: "tcp", Seen: "both", Opened: 3, Resets: 1, RequestBytes: 1000, ResponseBytes: 50, RoundTrip: 0.012, ServerNames: []string{}},
	}
	if diff := cmp.Diff(want, got.Flows); diff != "" {
		t.Errorf("flows (-want +got):\n%s", diff)
	}
	if len(got.Edges) != 0 {
		t.Errorf("edges = %+v, want none", got.Edges)
	}
}
