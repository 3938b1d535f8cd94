package truth

import (
	"bufio"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/sonde-dev/sonde/test/wire"
)

// Topics of the broker. It refuses what is sent to one of them.
const (
	topicOrders  = "orders"
	topicQuiet   = "quiet"
	topicRefused = "refused"
)

// kafkaAccount counts requests by name, and records by topic. Rows: the name of a request with the status "asked" or "answered", or
// "records", a topic and "sent" or "consumed".
type kafkaAccount struct {
	mu  sync.Mutex
	log wire.Log
}

func (a *kafkaAccount) add(what, topic, status string, n, bytes int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.log.AddRow(wire.Row{Key: wire.Key{Method: what, Route: topic, Status: status}, Sum: wire.Sum{N: int64(n), RequestBytes: int64(bytes)}})
}

// kafkaName is kmsg's name of a request as the protocol guide writes it.
func kafkaName(key int16) string {
	return strings.NewReplacer("ID", "Id", "SASL", "Sasl", "ISR", "Isr").Replace(kmsg.NameForKey(key))
}

// serveKafka is a broker, by kfake. Its account is of the requests that it read. It says when it is asked for metadata.
func serveKafka(ctx context.Context, a Args) (*wire.Log, error) {
	_, port, err := net.SplitHostPort(a.Addr)
	if err != nil {
		return nil, err
	}
	n, err := strconv.Atoi(port)
	if err != nil {
		return nil, err
	}
	o := []kfake.Opt{kfake.NumBrokers(1), kfake.Ports(n), kfake.SeedTopics(1, topicOrders, topicQuiet, topicRefused, topicHeld), kfake.SeedTopics(slowPartitions, topicSlow)}
	if a.TLS != "" {
		inside, err := serving(a.TLS)
		if err != nil {
			return nil, err
		}
		o = append(o, kfake.TLS(inside))
	}
	c, err := kfake.NewCluster(o...)
	if err != nil {
		return nil, fmt.Errorf("start broker: %w", err)
	}
	defer c.Close()
	var account kafkaAccount
	c.Control(func(r kmsg.Request) (kmsg.Response, error, bool) {
		c.KeepControl()
		account.add(kafkaName(r.Key()), "", "asked", 1, 0)
		if r.Key() == kmsg.Metadata.Int16() {
			fmt.Fprintln(os.Stderr, "metadata")
		}
		if p, ok := r.(*kmsg.ProduceRequest); ok {
			return account.produced(c, p)
		}
		return nil, nil, false
	})
	<-ctx.Done()
	return &account.log, nil
}

func (a *kafkaAccount) reset() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.log = wire.Log{}
}

// produced counts records, refuses those of one topic and keeps those of another back.
func (a *kafkaAccount) produced(c *kfake.Cluster, p *kmsg.ProduceRequest) (kmsg.Response, error, bool) {
	res := p.ResponseKind().(*kmsg.ProduceResponse)
	isRefused, isHeld := false, false
	for _, t := range p.Topics {
		name := t.Topic
		if name == "" {
			name = c.TopicIDInfo(t.TopicID).Topic
		}
		a.add("Produce", name, "asked", 1, 0)
		answer := kmsg.NewProduceResponseTopic()
		answer.Topic, answer.TopicID = t.Topic, t.TopicID
		for _, part := range t.Partitions {
			// One batch, whose head ends in the number of its records.
			a.add("records", name, "sent", int(binary.BigEndian.Uint32(part.Records[57:])), len(part.Records))
			x := kmsg.NewProduceResponseTopicPartition()
			x.Partition, x.ErrorCode = part.Partition, kerr.InvalidRecord.Code
			answer.Partitions = append(answer.Partitions, x)
		}
		res.Topics = append(res.Topics, answer)
		isRefused, isHeld = isRefused || name == topicRefused, isHeld || name == topicHeld
	}
	if isHeld {
		hold(c)
	}
	return res, nil, isRefused
}

// OnBrokerWrite and OnBrokerRead implement hooks of kgo: they are the client's account.
func (a *kafkaAccount) OnBrokerWrite(_ kgo.BrokerMetadata, key int16, n int, _, _ time.Duration, err error) {
	if err == nil {
		a.add(kafkaName(key), "", "asked", 1, n)
	}
}

func (a *kafkaAccount) OnBrokerRead(_ kgo.BrokerMetadata, key int16, n int, _, _ time.Duration, err error) {
	if err == nil {
		a.add(kafkaName(key), "", "answered", 1, n)
	}
}

// useKafka produces a.Requests records one by one and as many at once, some without acknowledgement and some that are refused, and consumes
// them in a group. With the plan "old" it produces alone, and counts only what it does after a line on its standard input.
func useKafka(ctx context.Context, a Args) (*wire.Log, error) {
	account := &kafkaAccount{}
	opts := func(more ...kgo.Opt) []kgo.Opt {
		return append(kafkaClient(a), append(more, kgo.WithHooks(account), kgo.ClientID("truth"))...)
	}
	cl, err := kgo.NewClient(opts(kgo.DisableClientMetrics(), refresh(a.Plan))...)
	if err != nil {
		return nil, err
	}
	if a.Plan == "old" {
		if err := account.produce(ctx, cl, topicOrders, 5); err != nil {
			return nil, err
		}
		if err := account.waitOld(); err != nil {
			return nil, err
		}
	}
	if err := account.produce(ctx, cl, topicOrders, a.Requests); err != nil {
		return nil, err
	}
	cl.Close()
	if a.Plan == "old" {
		return &account.log, nil
	}
	quiet, err := kgo.NewClient(opts(kgo.RequiredAcks(kgo.NoAck()), kgo.DisableIdempotentWrite())...)
	if err != nil {
		return nil, err
	}
	if err := account.produce(ctx, quiet, topicQuiet, a.Requests); err != nil {
		return nil, err
	}
	quiet.Close()
	if err := account.refused(ctx, opts); err != nil {
		return nil, err
	}
	group, err := kgo.NewClient(opts(kgo.ConsumerGroup("billing"), kgo.ConsumeTopics(topicOrders), kgo.FetchMaxWait(200*time.Millisecond))...)
	if err != nil {
		return nil, err
	}
	for n := 0; n < 2*a.Requests; {
		f := group.PollFetches(ctx)
		if err := f.Err(); err != nil {
			return nil, fmt.Errorf("consume: %w", err)
		}
		n += f.NumRecords()
		account.add("records", topicOrders, "consumed", f.NumRecords(), 0)
	}
	time.Sleep(500 * time.Millisecond) // some fetches that find nothing
	if err := group.CommitUncommittedOffsets(ctx); err != nil {
		return nil, err
	}
	group.LeaveGroup()
	group.Close()
	return &account.log, nil
}

// waitOld waits for the word and begins the account anew.
func (a *kafkaAccount) waitOld() error {
	fmt.Fprintln(os.Stderr, "ready")
	words := bufio.NewReader(os.Stdin)
	if _, err := words.ReadString('\n'); err != nil {
		return fmt.Errorf("wait for the word: %w", err)
	}
	a.reset()
	return nil
}

// kafkaClient are the options of all clients. They keep connections that are idle, which otherwise end after 20 seconds.
func kafkaClient(a Args) []kgo.Opt {
	o := []kgo.Opt{kgo.SeedBrokers(a.Addr), kgo.ConnIdleTimeout(10 * time.Minute)}
	if a.TLS != "" {
		o = append(o, kgo.DialTLSConfig(trusting()))
	}
	return o
}

// followKafka consumes in a group, says so when it has the first records, and after a line on its standard input counts until it has
// a.Requests more.
func followKafka(ctx context.Context, a Args) (*wire.Log, error) {
	group, err := kgo.NewClient(append(kafkaClient(a), kgo.ConsumerGroup("followers"), kgo.ConsumeTopics(topicOrders),
		kgo.FetchMaxWait(200*time.Millisecond), kgo.DisableClientMetrics(), refresh("old"))...)
	if err != nil {
		return nil, err
	}
	defer group.Close()
	if f := group.PollFetches(ctx); f.Err() != nil || f.NumRecords() != a.Connections {
		return nil, fmt.Errorf("first fetch: %d records, %w", f.NumRecords(), f.Err())
	}
	fmt.Fprintln(os.Stderr, "ready")
	if _, err := bufio.NewReader(os.Stdin).ReadString('\n'); err != nil {
		return nil, fmt.Errorf("wait for the word: %w", err)
	}
	fmt.Fprintln(os.Stderr, "following")
	account := &kafkaAccount{}
	for n := 0; n < a.Requests; {
		f := group.PollFetches(ctx)
		if err := f.Err(); err != nil {
			return nil, fmt.Errorf("consume: %w", err)
		}
		n += f.NumRecords()
		account.add("records", topicOrders, "consumed", f.NumRecords(), 0)
	}
	return &account.log, nil
}

// refresh makes clients that were there before Sonde ask for metadata every five seconds, as they all do every five minutes: only that names
// topics that they know by their ids.
func refresh(plan string) kgo.Opt {
	if plan == "old" {
		return kgo.MetadataMaxAge(5 * time.Second)
	}
	return kgo.MetadataMaxAge(time.Hour)
}

// produce sends n records one by one, and n more at once.
func (a *kafkaAccount) produce(ctx context.Context, cl *kgo.Client, topic string, n int) error {
	r := func(i int) *kgo.Record { return &kgo.Record{Topic: topic, Value: []byte(strings.Repeat("v", 1+i%700))} }
	for i := range n {
		if err := cl.ProduceSync(ctx, r(i)).FirstErr(); err != nil {
			return fmt.Errorf("produce: %w", err)
		}
	}
	var mu sync.Mutex
	var first error
	for i := range n {
		cl.Produce(ctx, r(i), func(_ *kgo.Record, err error) {
			mu.Lock()
			defer mu.Unlock()
			if first == nil {
				first = err
			}
		})
	}
	if err := cl.Flush(ctx); err != nil {
		return err
	}
	a.add("records", topic, "sent", 2*n, 0)
	return first
}

// refused sends three records that the broker does not take.
func (a *kafkaAccount) refused(ctx context.Context, opts func(...kgo.Opt) []kgo.Opt) error {
	cl, err := kgo.NewClient(opts(kgo.RecordRetries(0), kgo.DisableIdempotentWrite())...)
	if err != nil {
		return err
	}
	defer cl.Close()
	for range 3 {
		if err := cl.ProduceSync(ctx, &kgo.Record{Topic: topicRefused, Value: []byte("x")}).FirstErr(); !errors.Is(err, kerr.InvalidRecord) {
			return fmt.Errorf("produce to %s: %v, want it refused", topicRefused, err)
		}
		a.add("records", topicRefused, "sent", 1, 0)
	}
	return nil
}
