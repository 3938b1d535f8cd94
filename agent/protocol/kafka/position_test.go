package kafka

import (
	"fmt"
	"maps"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/sonde-dev/sonde/agent/protocol"
)

// fetchAt asks for one partition from an offset on.
func fetchAt(version int16, session, epoch int32, topic string, partition int32, offset int64) *kmsg.FetchRequest {
	r := fetch(version, session, epoch, topic)
	r.Topics[0].Partitions[0].Partition, r.Topics[0].Partitions[0].FetchOffset = partition, offset
	return r
}

// more adds a partition to the only topic of a response.
func more(r *kmsg.FetchResponse, partition int32, records []byte, watermark int64) *kmsg.FetchResponse {
	p := kmsg.NewFetchResponseTopicPartition()
	p.Partition, p.RecordBatches, p.HighWatermark = partition, records, watermark
	r.Topics[0].Partitions = append(r.Topics[0].Partitions, p)
	return r
}

// lags are those of the last response, by topic and partition.
func (k *talk) lags(want map[string]uint64) {
	k.t.Helper()
	got := map[string]uint64{}
	for _, l := range k.r.Exchanges[k.r.IDs[len(k.r.IDs)-1]].Response.Levels {
		if l.Gauge == gaugeLag {
			got[fmt.Sprint(l.Target, " ", l.Part)] = l.Value
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		k.t.Errorf("lags (-want +got):\n%s", diff)
	}
}

// The offsets are those of KIP-227 and the protocol guide: what a broker says of a partition whose end is known.
func TestLag(t *testing.T) {
	run := func(name string, f func(k *talk)) { t.Run(name, func(t *testing.T) { f(newTalk(t)) }) }
	one := func(lag uint64) map[string]uint64 { return map[string]uint64{"orders 0": lag} }

	run("records, and then the end", func(k *talk) {
		k.ask(fetchAt(11, 0, 0, "orders", 0, 40)).answer(fetched(11, batchOf(40, 10, 0), 100, "orders"))
		k.lags(one(50))
		k.ask(fetchAt(11, 77, 1, "orders", 0, 50)).answer(fetched(11, batchOf(50, 50, 0), 100, "orders"))
		k.lags(one(0))
		k.ask(fetchAt(11, 77, 2, "orders", 0, 100)).answer(fetched(11, nil, 0))
		k.lags(one(0))
	})
	run("an empty fetch at the end", func(k *talk) {
		k.ask(fetchAt(11, 0, 0, "orders", 0, 100)).answer(fetched(11, nil, 100, "orders"))
		k.lags(one(0))
	})
	run("no room for records of this partition", func(k *talk) {
		k.ask(fetchAt(11, 0, 0, "orders", 0, 30)).answer(fetched(11, nil, 100, "orders"))
		k.lags(one(70))
	})
	run("batches begin before the offset", func(k *talk) {
		k.ask(fetchAt(11, 0, 0, "orders", 0, 45)).answer(fetched(11, batchOf(40, 10, 0), 100, "orders"))
		k.lags(one(50))
	})
	run("each partition", func(k *talk) {
		q := fetchAt(11, 0, 0, "orders", 0, 0)
		p := kmsg.NewFetchRequestTopicPartition()
		p.Partition, p.FetchOffset = 3, 7
		q.Topics[0].Partitions = append(q.Topics[0].Partitions, p)
		k.ask(q).answer(more(fetched(11, batchOf(0, 10, 0), 10, "orders"), 3, nil, 9))
		k.lags(map[string]uint64{"orders 0": 0, "orders 3": 2})
		k.ask(fetch(11, 77, 1)).answer(fetched(11, batchOf(10, 5, 0), 20, "orders"))
		k.lags(map[string]uint64{"orders 0": 5, "orders 3": 2})
		k.ask(forget(fetch(11, 77, 2), "orders")).answer(fetched(11, nil, 0))
		k.lags(map[string]uint64{"orders 3": 2})
	})
	run("a new session", func(k *talk) {
		k.ask(fetch(11, 0, 0, "orders", "payments")).answer(fetched(11, nil, 4, "orders", "payments"))
		k.lags(map[string]uint64{"orders 0": 4, "payments 0": 4})
		k.ask(fetch(11, 0, 0, "orders")).answer(fetched(11, nil, 4, "orders"))
		k.lags(one(4))
	})
	run("without sessions, records not copied", func(k *talk) {
		in := responseBytes(fetched(4, append(batchOf(0, 10, 0), batchOf(10, 10, 0)...), 100, "orders"), 0)
		k.ask(fetchAt(4, 0, 0, "orders", 0, 0)).cut(protocol.FromServer, in, 600)
		k.lags(map[string]uint64{})
		k.a++
		k.ask(fetchAt(4, 0, 0, "orders", 0, 20)).answer(fetched(4, nil, 100, "orders"))
		k.lags(one(80))
	})
	run("an error", func(k *talk) {
		r := fetched(11, nil, -1, "orders")
		r.Topics[0].Partitions[0].ErrorCode = 1
		k.ask(fetchAt(11, 0, 0, "orders", 0, 1000)).answer(r)
		k.lags(map[string]uint64{})
	})
	run("topic ids", func(k *talk) {
		q, a := metadata("orders")
		k.ask(q).answer(a)
		k.ask(fetchAt(17, 0, 0, "orders", 0, 2)).answer(fetched(17, nil, 5, "orders"))
		k.lags(one(3))
	})
	run("joined", func(k *talk) {
		k.p = newParser(true, k.shared)
		k.ask(fetch(11, 5, 9)).answer(fetched(11, nil, 5, "orders"))
		k.lags(map[string]uint64{})
		k.ask(fetch(11, 5, 10)).answer(fetched(11, batchOf(5, 5, 0), 12, "orders"))
		k.lags(one(2))
	})
	run("a broker that follows", func(k *talk) {
		q := fetch(11, 0, 0, "orders")
		q.ReplicaID = 2
		k.ask(q).answer(fetched(11, nil, 5, "orders"))
		k.lags(map[string]uint64{})
	})
	run("a broker that follows, version 15", func(k *talk) {
		m, a := metadata("orders")
		k.ask(m).answer(a)
		q := fetch(15, 0, 0, "orders")
		q.ReplicaState.ID, q.ReplicaState.Epoch = 2, 9
		k.ask(q).answer(fetched(15, nil, 5, "orders"))
		k.lags(map[string]uint64{})
	})
}

// A connection follows so many partitions, and others once those are not fetched any more.
func TestPositionsAreBounded(t *testing.T) {
	var s fetchSession
	s.request(0, 0)
	for i := range int32(2 * maxPositions) {
		if has := s.position(partitionKey{name: "orders", partition: i}) != nil; has != (i < maxPositions) {
			t.Fatalf("partition %d is followed: %v", i, has)
		}
	}
	s.request(0, 0)
	s.position(partitionKey{name: "others"})
	if got := slices.Collect(maps.Keys(s.positions.of)); len(got) != 1 {
		t.Errorf("%d partitions are followed, want those of the new session alone", len(got))
	}
}
