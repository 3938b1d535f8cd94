package redmetrics

import (
	"fmt"
	"testing"
	"time"

	"github.com/sonde-dev/sonde/agent/exchange"
	"github.com/sonde-dev/sonde/agent/protocol"
	"github.com/sonde-dev/sonde/signal"
)

func endOf(topic string, part int32, n uint64) protocol.Level {
	return protocol.Level{Gauge: 1, Fact: protocol.LevelEnd, Target: topic, Part: part, Value: n}
}

func position(who, topic string, part int32, n uint64) protocol.Level {
	return protocol.Level{Gauge: 1, Fact: protocol.LevelPosition, Who: who, Target: topic, Part: part, Value: n}
}

func noPosition(who, topic string, part int32) protocol.Level {
	return protocol.Level{Gauge: 1, Fact: protocol.LevelNoPosition, Who: who, Target: topic, Part: part}
}

func groupLag(service, group, topic, peer string) string {
	return fmt.Sprintf("messaging_consumer_lag_of_group{service_name=%s,messaging_destination_name=%s,messaging_consumer_group_name=%s,network_protocol_name=broker,peer_service=%s}",
		service, topic, group, peer)
}

// tell is a response of a peer to a consumer.
func (g *gauges) tell(consumer, peer *signal.Entity, levels ...protocol.Level) {
	g.r.Observe(&exchange.Exchange{Protocol: broker{}, Side: exchange.Client, Operation: "any", Levels: levels}, consumer, peer)
}

func TestProgress(t *testing.T) {
	c, leader, coordinator := process("billing", 10), process("kafka-1", 1), process("kafka-2", 2)
	lagOf := func(n float64) map[string]float64 {
		return map[string]float64{groupLag("billing", "g", "orders", "kafka-2"): n}
	}
	run := func(name string, f func(g *gauges)) {
		t.Run(name, func(t *testing.T) { f(newGauges(t, func(c *Config) { c.LevelIdleAfter = time.Minute })) })
	}
	run("either first", func(g *gauges) {
		g.tell(c, leader, endOf("orders", 0, 100))
		g.want(time.Second, nil)
		g.tell(c, coordinator, position("g", "orders", 0, 60))
		g.want(time.Second, lagOf(40))
		g.tell(c, leader, endOf("orders", 0, 110), endOf("orders", 1, 7))
		g.want(time.Second, lagOf(50))
		g.tell(c, coordinator, position("g", "orders", 1, 5), position("g", "orders", 0, 110))
		g.want(time.Second, lagOf(2))
		g.tell(c, coordinator, position("g", "orders", 1, 9)) // the end that is known is older than the position
		g.want(time.Second, lagOf(0))
	})
	run("a position holds while the end is told", func(g *gauges) {
		g.tell(c, coordinator, position("g", "orders", 0, 60), position("g", "orders", 1, 1))
		for range 5 {
			g.tell(c, leader, endOf("orders", 0, 100))
			g.want(30*time.Second, lagOf(40))
		}
		g.now = g.now.Add(2 * time.Minute)
		g.r.Snapshot(g.now)
		g.want(time.Second, nil)
		g.tell(c, leader, endOf("orders", 0, 100)) // what was committed is forgotten
		g.want(time.Second, nil)
		if g.r.followed != 1 {
			t.Errorf("%d parts are followed, want 1", g.r.followed)
		}
	})
	run("an old end says nothing", func(g *gauges) {
		g.tell(c, leader, endOf("orders", 0, 100))
		for range 4 {
			g.now = g.now.Add(30 * time.Second)
			g.r.Snapshot(g.now)
			g.tell(c, coordinator, noPosition("other", "orders", 0)) // keeps the part
		}
		g.tell(c, coordinator, position("g", "orders", 0, 60))
		g.want(time.Second, nil)
	})
	run("taken back", func(g *gauges) {
		g.tell(c, leader, endOf("orders", 0, 100))
		g.tell(c, coordinator, position("g", "orders", 0, 60))
		g.tell(c, coordinator, noPosition("g", "orders", 0))
		g.want(time.Second, nil)
		g.tell(c, leader, endOf("orders", 0, 101))
		g.want(time.Second, nil)
	})
	run("groups, and another coordinator", func(g *gauges) {
		g.tell(c, leader, endOf("orders", 0, 100))
		g.tell(c, coordinator, position("g", "orders", 0, 60), position("h", "orders", 0, 99))
		g.want(time.Second, map[string]float64{groupLag("billing", "g", "orders", "kafka-2"): 40, groupLag("billing", "h", "orders", "kafka-2"): 1})
		g.tell(c, leader, position("g", "orders", 0, 70))
		g.want(time.Second, map[string]float64{groupLag("billing", "g", "orders", "kafka-1"): 30, groupLag("billing", "h", "orders", "kafka-2"): 1})
	})
	run("another process fetches for itself", func(g *gauges) {
		g.tell(c, leader, endOf("orders", 0, 100))
		g.tell(c, coordinator, position("g", "orders", 0, 60))
		g.want(time.Second, lagOf(40))
		g.tell(process("billing", 11), leader, endOf("orders", 0, 500)) // it may be the other's no more
		g.want(time.Second, lagOf(40))
	})
	run("two clusters", func(g *gauges) {
		g.tell(c, coordinator, position("g", "orders", 0, 60))
		g.tell(c, leader, endOf("orders", 0, 100))
		g.want(time.Second, lagOf(40))
		g.tell(c, coordinator, endOf("orders", 0, 101)) // the leader moved
		g.want(time.Second, lagOf(41))
		g.tell(c, leader, endOf("orders", 0, 900)) // no: both lead
		g.want(time.Second, nil)
		g.tell(c, coordinator, position("g", "orders", 0, 61))
		g.want(time.Second, nil)
	})
}

func TestProgressIsBounded(t *testing.T) {
	g := newGauges(t, func(c *Config) { c.Routes = 2 })
	c, b := process("billing", 10), process("kafka", 1)
	for i := range 4 {
		g.tell(c, b, endOf(fmt.Sprint("topic", i), 0, 1))
	}
	for i := range followersPerPart + 3 {
		g.tell(c, b, position(fmt.Sprint("group", i), "topic0", 0, 0))
	}
	// Two topics, three groups, and the gauges of all but two groups.
	if n := g.r.Losses()[signal.SeriesLimit]; n != 2+3+(followersPerPart-2) {
		t.Errorf("%d exchanges were counted as beyond the bounds", n)
	}
	for i := range followedInAll / partsPerGauge * 2 {
		levels := make([]protocol.Level, partsPerGauge)
		for n := range levels {
			levels[n] = endOf("topic1", int32(i*partsPerGauge+n), 1)
		}
		g.tell(c, b, levels...)
	}
	if g.r.followed != followedInAll {
		t.Errorf("%d parts are followed, want %d", g.r.followed, followedInAll)
	}
}
