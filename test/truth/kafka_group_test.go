package truth

import (
	"context"
	"fmt"
	"io"
	"os"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/sonde-dev/sonde/test/sut"
)

// TestKafkaGroups compares how far groups are behind with what the broker says to a client of its own: the ends of the partitions less the
// offsets that were committed. The members fetch everything at once, so that what they have not fetched says nothing of it.
func TestKafkaGroups(t *testing.T) {
	t.Parallel()
	id := fmt.Sprintf("t%d-kg", os.Getpid()%1000)
	x := startSonde(t, sut.Options{})
	s := startHTTP2(t, id+"-broker", "kafka-broker", Args{})
	admin, err := kgo.NewClient(kgo.SeedBrokers(s.addr), kgo.DisableClientMetrics())
	if err != nil {
		t.Fatal(err)
	}
	defer admin.Close()
	tell := func(p *process, word string) {
		t.Helper()
		io.WriteString(p.stdin, word+"\n")
		waitSaid(t, p, "committed "+word)
	}
	compare := func(what, service, group string, isBehind bool) {
		t.Helper()
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		want, err := brokersLag(ctx, admin, group)
		if err != nil {
			t.Fatal(err)
		}
		t.Logf("%s: the broker says that %d records are not committed", what, want)
		if (want > 0) != isBehind {
			t.Fatalf("%s: a lag of %d: the test is void", what, want)
		}
		sameSoon(t, x, what, fmt.Sprintf(`sum by (messaging_consumer_group_name, messaging_destination_name) (messaging_kafka_consumer_group_lag{service_name=%q, messaging_system="kafka"})`, service),
			map[string]float64{group + " " + topicSlow: float64(want)}, "messaging_consumer_group_name", "messaging_destination_name")
	}
	for _, group := range []string{"invoices", "invoices-848"} {
		t.Run(group, func(t *testing.T) {
			service := id + "-" + group
			one := startRole(t, service, "kafka-member", Args{Addr: s.addr, Plan: group, Requests: 150, Connections: 150})
			waitSaid(t, one, "ready")
			tell(one, "part")
			compare("a part committed", service, group, true)
			checkLag(t, x, service, map[string]float64{topicSlow: 0}) // all was fetched

			// Another process gets some of the partitions, and there are more records.
			two := startRole(t, service, "kafka-member", Args{Addr: s.addr, Plan: group, Requests: 60, Connections: 1})
			waitSaid(t, two, "ready")
			compare("two members", service, group, true)
			tell(one, "all")
			tell(two, "all")
			compare("all committed", service, group, false)
			for _, p := range []*process{one, two} {
				p.stdin.Close()
				if <-p.done; p.err != nil {
					t.Errorf("%s: %v: %s", p.service, p.err, p.said())
				}
			}
		})
	}
	s.stop()
	served := s.log(t)
	if rowOf(served, "ConsumerGroupHeartbeat", "", "asked") == 0 || rowOf(served, "Heartbeat", "", "asked") == 0 {
		t.Error("the broker did not see both protocols of groups: the test is void")
	}
	if err := x.Stop(); err != nil {
		t.Error(err)
	}
}
