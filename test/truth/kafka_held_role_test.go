package truth

import (
	"context"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/sonde-dev/sonde/test/wire"
)

// topicHeld is one whose records the broker takes after kafkaHeld.
const (
	topicHeld = "held"
	kafkaHeld = 50 * time.Millisecond
)

// hold keeps a request back without keeping those of other connections.
func hold(c *kfake.Cluster) { c.SleepControl(func() { time.Sleep(kafkaHeld) }) }

// OnBrokerE2E implements a hook of kgo: it times what is answered, from before the request is written until its response is read.
func (a *kafkaAccount) OnBrokerE2E(_ kgo.BrokerMetadata, _ int16, e kgo.BrokerE2E) {
	if e.Err() != nil || e.BytesRead == 0 {
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.log.Durations = append(a.log.Durations, e.DurationE2E().Seconds())
}

// produceAccount times Produce alone.
type produceAccount struct{ *kafkaAccount }

func (p produceAccount) OnBrokerE2E(m kgo.BrokerMetadata, key int16, e kgo.BrokerE2E) {
	if key == kmsg.Produce.Int16() {
		p.kafkaAccount.OnBrokerE2E(m, key, e)
	}
}

// produceHeld produces a.Requests records one by one, and times them.
func produceHeld(ctx context.Context, a Args) (*wire.Log, error) {
	account := &kafkaAccount{}
	cl, err := kgo.NewClient(append(kafkaClient(a), kgo.WithHooks(produceAccount{account}), kgo.DisableClientMetrics())...)
	if err != nil {
		return nil, err
	}
	defer cl.Close()
	for range a.Requests {
		if err := cl.ProduceSync(ctx, &kgo.Record{Topic: topicHeld, Value: []byte("v")}).FirstErr(); err != nil {
			return nil, fmt.Errorf("produce: %w", err)
		}
		account.add("Produce", topicHeld, "answered", 1, 0)
	}
	return &account.log, nil
}
