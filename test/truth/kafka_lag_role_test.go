package truth

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/sonde-dev/sonde/test/wire"
)

// topicSlow has several partitions.
const (
	topicSlow      = "slow"
	slowPartitions = 3
)

// lagBehind produces a.Requests records, consumes at least a.Connections of them in a group (all with the plan "all", and then fetches that
// find nothing), commits and stops. Its account is what the broker says: a row "lag" for each topic, the ends of the partitions less what
// was committed.
func lagBehind(ctx context.Context, a Args) (*wire.Log, error) {
	cl, err := kgo.NewClient(append(kafkaClient(a), kgo.DisableClientMetrics(), kgo.ConsumerGroup("laggards-"+a.Plan),
		kgo.ConsumeTopics(topicSlow), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()), kgo.DisableAutoCommit(),
		kgo.FetchMaxWait(200*time.Millisecond), kgo.FetchMaxPartitionBytes(1<<10),
		kgo.MaxConcurrentFetches(0), // fetch only while polling, so that it stops where it stops
		kgo.RecordPartitioner(kgo.RoundRobinPartitioner()))...)
	if err != nil {
		return nil, err
	}
	defer cl.Close()
	for i := range a.Requests {
		r := &kgo.Record{Topic: topicSlow, Value: []byte(strings.Repeat("v", 1+i%700))}
		if err := cl.ProduceSync(ctx, r).FirstErr(); err != nil {
			return nil, fmt.Errorf("produce: %w", err)
		}
	}
	for n := 0; a.Plan == "all" || n < a.Connections; {
		poll, cancel := context.WithTimeout(ctx, 2*time.Second)
		f := cl.PollFetches(poll)
		isOver := poll.Err() != nil
		cancel()
		if isOver && n > 0 {
			break // nothing more: the end
		}
		if err := f.Err(); err != nil {
			return nil, fmt.Errorf("consume: %w", err)
		}
		n += f.NumRecords()
	}
	if err := cl.CommitUncommittedOffsets(ctx); err != nil {
		return nil, fmt.Errorf("commit: %w", err)
	}
	lag, err := brokersLag(ctx, cl, "laggards-"+a.Plan)
	if err != nil {
		return nil, err
	}
	log := &wire.Log{}
	log.AddRow(wire.Row{Key: wire.Key{Method: "lag", Route: topicSlow}, Sum: wire.Sum{N: lag}})
	return log, nil
}

// brokersLag asks the broker where the partitions end and what a group has committed.
func brokersLag(ctx context.Context, cl *kgo.Client, group string) (lag int64, err error) {
	ends := kmsg.NewPtrListOffsetsRequest()
	ends.ReplicaID = -1
	t := kmsg.NewListOffsetsRequestTopic()
	t.Topic = topicSlow
	for n := range int32(slowPartitions) {
		p := kmsg.NewListOffsetsRequestTopicPartition()
		p.Partition, p.Timestamp = n, -1 // the end
		t.Partitions = append(t.Partitions, p)
	}
	ends.Topics = append(ends.Topics, t)
	res, err := ends.RequestWith(ctx, cl)
	if err != nil {
		return 0, fmt.Errorf("ask for the ends: %w", err)
	}
	var errs []error
	for _, t := range res.Topics {
		for _, p := range t.Partitions {
			errs = append(errs, kerr.ErrorForCode(p.ErrorCode))
			lag += p.Offset
		}
	}
	committed := kmsg.NewPtrOffsetFetchRequest()
	committed.Group = group
	g := kmsg.NewOffsetFetchRequestGroup()
	g.Group = group
	committed.Groups = append(committed.Groups, g)
	offsets, err := committed.RequestWith(ctx, cl)
	if err != nil {
		return 0, fmt.Errorf("ask what was committed: %w", err)
	}
	isCommitted := false
	for _, g := range offsets.Groups {
		for _, t := range g.Topics {
			for _, p := range t.Partitions {
				errs = append(errs, kerr.ErrorForCode(p.ErrorCode))
				lag -= p.Offset
				isCommitted = true
			}
		}
	}
	if !isCommitted {
		errs = append(errs, errors.New("the group committed nothing"))
	}
	return lag, errors.Join(errs...) // a partition of which nothing was committed lags by all that it has
}
