package truth

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// joinGroup is a member of the group a.Plan; one whose name ends in "-848" is one of the new protocol (KIP-848). It produces a.Requests
// records and says so when it has consumed a.Connections; it goes on fetching. Each line on its standard input tells it to commit: to a part of every partition
// that it has ("part"), or to the end ("all"). It commits nothing by itself.
func joinGroup(ctx context.Context, a Args) error {
	opts := []kgo.Opt{kgo.SeedBrokers(a.Addr), kgo.DisableClientMetrics(), kgo.ConsumerGroup(a.Plan), kgo.ConsumeTopics(topicSlow),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()), kgo.DisableAutoCommit(), kgo.FetchMaxWait(200 * time.Millisecond),
		kgo.HeartbeatInterval(500 * time.Millisecond), kgo.RecordPartitioner(kgo.RoundRobinPartitioner())}
	if strings.HasSuffix(a.Plan, "-848") {
		opts = append(opts, kgo.ServerSideBalancer(), kgo.Balancers(kgo.StickyBalancer()))
	}
	cl, err := kgo.NewClient(opts...)
	if err != nil {
		return err
	}
	defer cl.CloseAllowingRebalance()
	for i := range a.Requests {
		if err := cl.ProduceSync(ctx, &kgo.Record{Topic: topicSlow, Value: []byte(strings.Repeat("v", 1+i%300))}).FirstErr(); err != nil {
			return fmt.Errorf("produce: %w", err)
		}
	}
	words := make(chan string)
	go func() {
		defer close(words)
		for s := bufio.NewScanner(os.Stdin); s.Scan(); {
			words <- s.Text()
		}
	}()
	for n, isReady := 0, false; ctx.Err() == nil; {
		poll, cancel := context.WithTimeout(ctx, 300*time.Millisecond)
		f := cl.PollFetches(poll)
		cancel()
		n += f.NumRecords()
		if !isReady && n >= a.Connections {
			isReady = true
			fmt.Fprintln(os.Stderr, "ready")
		}
		select {
		case word, isOpen := <-words:
			if !isOpen {
				return nil
			}
			if err := commit(ctx, cl, word); err != nil {
				return err
			}
			fmt.Fprintln(os.Stderr, "committed", word)
		default:
		}
	}
	return nil
}

// commit commits a part, a different one of each partition, or all of what was consumed.
func commit(ctx context.Context, cl *kgo.Client, word string) error {
	offsets := cl.UncommittedOffsets()
	if word == "part" {
		for _, partitions := range offsets {
			for n, o := range partitions {
				o.Offset /= int64(n) + 2
				partitions[n] = o
			}
		}
	}
	var failure error
	cl.CommitOffsetsSync(ctx, offsets, func(_ *kgo.Client, _ *kmsg.OffsetCommitRequest, res *kmsg.OffsetCommitResponse, err error) {
		failure = err
		for _, t := range res.Topics {
			for _, p := range t.Partitions {
				if err := kerr.ErrorForCode(p.ErrorCode); err != nil {
					failure = err
				}
			}
		}
	})
	if failure != nil {
		return fmt.Errorf("commit %s: %w", word, failure)
	}
	return nil
}
