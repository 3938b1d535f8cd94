package redmetrics

import (
	"fmt"
	"testing"
	"time"

	"github.com/sonde-dev/sonde/agent/exchange"
	"github.com/sonde-dev/sonde/agent/protocol"
	"github.com/sonde-dev/sonde/signal"
)

// broker is a protocol with gauges that only clients have.
type broker struct{ protocol.Protocol }

var brokerSemantics = &protocol.Semantics{
	ClientDuration: "messaging_client_operation_duration_seconds", ServerDuration: "messaging_server_operation_duration_seconds",
	OperationLabel: "messaging_operation_name", ClientTargetLabel: "messaging_destination_name", ServerTargetLabel: "messaging_destination_name",
	Gauges: []protocol.Gauge{
		{Client: "messaging_consumer_lag", Unit: "{record}", Help: "Lag."},
		{Client: "messaging_consumer_lag_of_group", Unit: "{record}", Help: "Lag.", Label: "messaging_consumer_group_name"},
	},
}

func (broker) Name() string                   { return "broker" }
func (broker) Semantics() *protocol.Semantics { return brokerSemantics }

func lag(topic string, part int32, n uint64) protocol.Level {
	return protocol.Level{Target: topic, Part: part, Value: n}
}

// gauges plays consumers at a broker.
type gauges struct {
	t      *testing.T
	r      *Recorder
	broker *signal.Entity
	now    time.Time
}

func newGauges(t *testing.T, change func(*Config)) *gauges {
	return &gauges{t: t, r: testRecorder(change), broker: process("kafka", 1), now: start}
}

func (g *gauges) fetch(consumer *signal.Entity, levels ...protocol.Level) {
	x := &exchange.Exchange{Protocol: broker{}, Side: exchange.Client, Operation: "Fetch", Target: "(several)", Levels: levels, Waits: true}
	g.r.Observe(x, consumer, g.broker)
}

// want goes on in time and compares what is there then.
func (g *gauges) want(after time.Duration, want map[string]float64) {
	g.t.Helper()
	g.now = g.now.Add(after)
	got := values(g.t, g.r.Snapshot(g.now))
	for key, v := range got {
		if w, ok := want[key]; key[:len("messaging_consumer_lag")] == "messaging_consumer_lag" && (!ok || w != v) {
			g.t.Errorf("%s = %v, want %v (there: %v)", key, v, w, ok)
		}
	}
	for key, w := range want {
		if v, ok := got[key]; !ok {
			g.t.Errorf("%s is missing, want %v", key, w)
		} else if v != w {
			g.t.Errorf("%s = %v, want %v", key, v, w)
		}
	}
}

func lagOf(service, topic string) string {
	return fmt.Sprintf("messaging_consumer_lag{service_name=%s,messaging_destination_name=%s,network_protocol_name=broker,peer_service=kafka}", service, topic)
}

func TestGauge(t *testing.T) {
	g := newGauges(t, nil)
	one, two := process("billing", 10), process("billing", 11)
	g.fetch(one, lag("orders", 0, 5), lag("orders", 1, 7), lag("payments", 0, 1))
	g.want(time.Second, map[string]float64{lagOf("billing", "orders"): 12, lagOf("billing", "payments"): 1})
	g.fetch(one, lag("orders", 0, 2))
	g.want(time.Second, map[string]float64{lagOf("billing", "orders"): 9, lagOf("billing", "payments"): 1})
	g.fetch(two, lag("orders", 1, 3)) // the partition was given to another process of the service
	g.fetch(process("audit", 12), lag("orders", 0, 1000))
	g.want(time.Second, map[string]float64{lagOf("billing", "orders"): 5, lagOf("billing", "payments"): 1, lagOf("audit", "orders"): 1000})
}

func TestGaugeEnds(t *testing.T) {
	g := newGauges(t, func(c *Config) { c.LevelIdleAfter = time.Minute })
	c := process("billing", 10)
	g.fetch(c, lag("orders", 0, 5), lag("orders", 1, 7), lag("payments", 0, 1))
	g.want(time.Second, map[string]float64{lagOf("billing", "orders"): 12, lagOf("billing", "payments"): 1})
	for range 7 {
		g.fetch(c, lag("orders", 0, 6))
		g.now = g.now.Add(10 * time.Second)
		g.r.Snapshot(g.now)
	}
	g.fetch(c, lag("orders", 0, 6))
	g.want(time.Second, map[string]float64{lagOf("billing", "orders"): 6}) // the other partition, and the other topic, are over
	g.now = g.now.Add(2 * time.Minute)
	if b := g.r.Snapshot(g.now); len(b.Ended) != 1 {
		t.Errorf("%d series ended with the consumer, want its gauge alone", len(b.Ended))
	}
	g.want(time.Second, nil)
	g.fetch(c, lag("orders", 0, 9)) // and it comes back
	g.want(time.Second, map[string]float64{lagOf("billing", "orders"): 9})
}

func TestGaugesAreBounded(t *testing.T) {
	g := newGauges(t, func(c *Config) { c.Routes = 3 })
	c := process("billing", 10)
	want := map[string]float64{}
	for i := range 5 {
		topic := fmt.Sprint("topic", i)
		g.fetch(c, lag(topic, 0, 1))
		if i < 3 {
			want[lagOf("billing", topic)] = 1
		}
	}
	g.want(time.Second, want)
	if n := g.r.Losses()[signal.SeriesLimit]; n != 2 {
		t.Errorf("%d exchanges were counted as beyond the bound, want 2", n)
	}
	levels := make([]protocol.Level, partsPerGauge+10)
	for i := range levels {
		levels[i] = lag("topic0", int32(i), 1)
	}
	g.fetch(c, levels...)
	want[lagOf("billing", "topic0")] = partsPerGauge
	g.want(time.Second, want)
	if n := g.r.Losses()[signal.SeriesLimit]; n != 3 {
		t.Errorf("%d exchanges were counted as beyond the bound, want 3", n)
	}
}

// Servers have no such gauge.
func TestGaugeOfOtherSide(t *testing.T) {
	g := newGauges(t, nil)
	x := &exchange.Exchange{Protocol: broker{}, Side: exchange.Server, Operation: "Fetch", Levels: []protocol.Level{lag("orders", 0, 5)}}
	g.r.Observe(x, g.broker, process("billing", 10))
	g.want(time.Second, nil)
}
