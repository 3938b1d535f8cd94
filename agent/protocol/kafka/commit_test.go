package kafka

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/sonde-dev/sonde/agent/protocol"
)

// facts are what the last response says of groups: "who topic partition value", "-" for nothing that is known, "|" for an end.
func (k *talk) facts(want ...string) {
	k.t.Helper()
	got := []string{}
	for _, l := range k.r.Exchanges[k.r.IDs[len(k.r.IDs)-1]].Response.Levels {
		switch {
		case l.Gauge != gaugeGroupLag:
		case l.Fact == protocol.LevelEnd:
			got = append(got, fmt.Sprint("| ", l.Target, " ", l.Part, " ", l.Value))
		case l.Fact == protocol.LevelPosition:
			got = append(got, fmt.Sprint(l.Who, " ", l.Target, " ", l.Part, " ", l.Value))
		case l.Fact == protocol.LevelNoPosition:
			got = append(got, fmt.Sprint(l.Who, " ", l.Target, " ", l.Part, " -"))
		}
	}
	if diff := cmp.Diff(append([]string{}, want...), got); diff != "" {
		k.t.Errorf("facts (-want +got):\n%s", diff)
	}
}

// offsetCommit commits 10 + n for partition n of each topic.
func offsetCommit(version int16, topics ...string) (*kmsg.OffsetCommitRequest, *kmsg.OffsetCommitResponse) {
	q, a := kmsg.NewPtrOffsetCommitRequest(), kmsg.NewPtrOffsetCommitResponse()
	q.Version, a.Version, q.Group, q.MemberID = version, version, "billing", "member-1"
	for _, name := range topics {
		t, u := kmsg.NewOffsetCommitRequestTopic(), kmsg.NewOffsetCommitResponseTopic()
		t.Topic, t.TopicID, u.Topic, u.TopicID = name, idOf(name), name, idOf(name)
		for n := range int32(2) {
			p, r := kmsg.NewOffsetCommitRequestTopicPartition(), kmsg.NewOffsetCommitResponseTopicPartition()
			p.Partition, p.Offset, r.Partition = n, int64(10+n), n
			p.Metadata = kmsg.StringPtr("note")
			t.Partitions, u.Partitions = append(t.Partitions, p), append(u.Partitions, r)
		}
		q.Topics, a.Topics = append(q.Topics, t), append(a.Topics, u)
	}
	return q, a
}

func TestCommits(t *testing.T) {
	both := []string{"billing orders 0 10", "billing orders 1 11", "billing returns 0 10", "billing returns 1 11"}
	for version := range int16(apis[keyOffsetCommit].newest + 1) {
		k := newTalk(t)
		m, names := metadata("orders", "returns")
		k.ask(m).answer(names)
		q, a := offsetCommit(version, "orders", "returns")
		k.ask(q).answer(a)
		k.facts(both...)

		q, a = offsetCommit(version, "orders", "returns")
		a.Topics[1].Partitions[0].ErrorCode = errRebalanceInProgress
		k.ask(q).answer(a)
		k.facts() // one was not committed

		k.ask(q, q)
		_, fine := offsetCommit(version, "orders", "returns")
		k.answer(a, fine) // each response is of its own request
		k.facts(both...)
	}
}

func TestCommittedOffsets(t *testing.T) {
	for version := range int16(apis[keyOffsetFetch].newest + 1) {
		k := newTalk(t)
		m, names := metadata("orders", "returns")
		k.ask(m).answer(names)
		q, a := kmsg.NewPtrOffsetFetchRequest(), kmsg.NewPtrOffsetFetchResponse()
		q.Version, a.Version, q.Group = version, version, "billing"
		for _, group := range []string{"billing", "audit"} {
			g, r := kmsg.NewOffsetFetchRequestGroup(), kmsg.NewOffsetFetchResponseGroup()
			g.Group, r.Group = group, group
			for i, name := range []string{"orders", "returns"} {
				u, old := kmsg.NewOffsetFetchResponseGroupTopic(), kmsg.NewOffsetFetchResponseTopic()
				u.Topic, u.TopicID, old.Topic = name, idOf(name), name
				for n := range int32(3) {
					p, o := kmsg.NewOffsetFetchResponseGroupTopicPartition(), kmsg.NewOffsetFetchResponseTopicPartition()
					p.Partition, p.Offset = n, int64(100*i+int(n))
					if n == 1 {
						p.Offset = -1 // nothing was committed
					}
					if n == 2 {
						p.ErrorCode = 16
					}
					o.Partition, o.Offset, o.ErrorCode = p.Partition, p.Offset, p.ErrorCode
					u.Partitions, old.Partitions = append(u.Partitions, p), append(old.Partitions, o)
				}
				r.Topics = append(r.Topics, u)
				if group == "billing" {
					a.Topics = append(a.Topics, old)
				}
			}
			q.Groups, a.Groups = append(q.Groups, g), append(a.Groups, r)
		}
		k.ask(q).answer(a)
		want := []string{"billing orders 0 0", "billing orders 1 -", "billing returns 0 100", "billing returns 1 -"}
		if version >= 8 {
			want = append(want, "audit orders 0 0", "audit orders 1 -", "audit returns 0 100", "audit returns 1 -")
		}
		k.facts(want...)
	}
}

// What a transaction commits is known to nobody but its coordinator.
func TestTransactionalCommits(t *testing.T) {
	for version := range kmsg.NewPtrTxnOffsetCommitRequest().MaxVersion() + 1 {
		k := newTalk(t)
		m, names := metadata("orders")
		k.ask(m).answer(names)
		q, a := kmsg.NewPtrTxnOffsetCommitRequest(), kmsg.NewPtrTxnOffsetCommitResponse()
		q.Version, a.Version, q.TransactionalID, q.Group = version, version, "tx", "billing"
		u := kmsg.NewTxnOffsetCommitRequestTopic()
		u.Topic, u.TopicID = "orders", idOf("orders")
		p := kmsg.NewTxnOffsetCommitRequestTopicPartition()
		p.Partition, p.Offset = 4, 99
		u.Partitions = append(u.Partitions, p)
		q.Topics = append(q.Topics, u)
		k.ask(q).answer(a)
		k.facts("billing orders 4 -")
	}
}

func TestEnds(t *testing.T) {
	k := newTalk(t)
	k.ask(fetchAt(11, 0, 0, "orders", 0, 40)).answer(fetched(11, batchOf(40, 10, 0), 100, "orders"))
	k.facts("| orders 0 100")
	k.ask(fetch(11, 77, 1)).answer(fetched(11, nil, 0)) // nothing has changed
	k.facts("| orders 0 100")
	k = newTalk(t)
	k.p = newParser(true, k.shared)
	k.ask(fetch(11, 5, 9)).answer(fetched(11, nil, 5, "orders")) // the offset is not known, the end is
	k.facts("| orders 0 5")
}

func TestCommitsAreBounded(t *testing.T) {
	var f found
	for range 2 * maxCommits {
		f.commit(1)
	}
	if len(f.commits) != maxCommits {
		t.Errorf("%d commits are kept, want %d", len(f.commits), maxCommits)
	}
}
