package query_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sonde-dev/sonde/server/query"
	"github.com/sonde-dev/sonde/signal"
)

// What consumers lag behind is told as it was at the end of the range.
func TestLevels(t *testing.T) {
	w := newWorld(t)
	lag := func(consumer, topic string) *float64 {
		return &w.series(signal.Gauge, "messaging_kafka_consumer_lag", "service_name", consumer, "messaging_destination_name", topic,
			"network_protocol_name", "kafka", "peer_service", "broker").Value
	}
	groupLag := func(consumer, group string) *float64 {
		return &w.series(signal.Gauge, "messaging_kafka_consumer_group_lag", "service_name", consumer, "messaging_destination_name", "orders",
			"messaging_consumer_group_name", group, "network_protocol_name", "kafka", "peer_service", "broker").Value
	}
	w.run(20, func(i int) {
		*groupLag("billing", "invoices") = float64(10 * i)
		*groupLag("billing", "refunds") = 3
		*lag("billing", "orders") = float64(100 * i)
		*lag("audit", "orders") = 7
	})
	level := func(consumer string, n float64) query.Level {
		return query.Level{Service: "broker", Protocol: "kafka", Target: "orders", Name: "kafka_consumer_lag", Client: consumer, Value: n}
	}
	groupLevel := func(group string, n float64) query.Level {
		return query.Level{Service: "broker", Protocol: "kafka", Target: "orders", Name: "kafka_consumer_group_lag", Client: "billing", Group: group, Value: n}
	}
	for seconds, want := range map[int][]query.Level{
		2:   {},
		12:  {level("billing", 100), groupLevel("invoices", 10), level("audit", 7), groupLevel("refunds", 3)},
		100: {level("billing", 1900), groupLevel("invoices", 190), level("audit", 7), groupLevel("refunds", 3)},
	} {
		var got query.InterfacesReply
		if code := w.get(ask("/api/interfaces", [2]time.Time{t0.Add(-time.Minute), t0.Add(time.Duration(seconds) * time.Second)})+"&kind=messaging", &got); code != http.StatusOK {
			t.Fatalf("status %d", code)
		}
		if diff := cmp.Diff(want, got.Levels); diff != "" {
			t.Errorf("after %d s (-want +got):\n%s", seconds, diff)
		}
	}
	var got query.InterfacesReply
	w.get(ask("/api/interfaces", [2]time.Time{t0, t0.Add(time.Minute)})+"&kind=db", &got)
	if len(got.Levels) != 0 {
		t.Errorf("databases have levels: %v", got.Levels)
	}
}
