package truth

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/sonde-dev/sonde/test/sut"
	"github.com/sonde-dev/sonde/test/wire"
)

// TestKafka compares Kafka with the account of the broker (kfake), of franz-go and of librdkafka's kcat. Inside TLS the broker and franz-go use
// crypto/tls, librdkafka OpenSSL.
func TestKafka(t *testing.T) {
	t.Parallel()
	inAllWays(t, testKafka)
}

func testKafka(t *testing.T, w way) {
	id := w.id("kafka")
	oldOnes := startOldKafka(t, id, w)

	x := w.sonde(t)
	t.Run("franz-go", func(t *testing.T) {
		s := startHTTP2(t, id+"-go", "kafka-broker", Args{TLS: w.tls})
		l := startRole(t, id+"-go-client", "kafka-client", Args{Addr: s.addr, Requests: 200, TLS: w.tls}).log(t)
		s.stop()
		served := s.log(t)
		checkKafka(t, x, id+"-go-client", "client", "asked", l)
		checkKafka(t, x, id+"-go-client", "client", "answered", l)
		checkKafka(t, x, id+"-go", "server", "answered", l)
		checkKafka(t, x, id+"-go", "server", "asked", l) // the broker does not read the fetch that is under way when the client goes
		for side, service := range map[string]string{"client": id + "-go-client", "server": id + "-go"} {
			checkTimed(t, x, service, side, `messaging_response_status_code!=""`, 0, l.Durations)
		}
		checkKafkaTopics(t, x, id+"-go-client", "client", served)
		checkKafkaTopics(t, x, id+"-go", "server", served)
		for side, service := range map[string]string{"client": id + "-go-client", "server": id + "-go"} {
			sameSoon(t, x, side+" refused", fmt.Sprintf(`sum by (messaging_destination_name, messaging_response_status_code) (`+
				`histogram_count(messaging_%s_operation_duration_seconds{service_name=%q, messaging_operation_name="Produce"}))`, side, service),
				map[string]float64{
					"orders 0":               rowOf(served, "Produce", topicOrders, "asked"),
					"quiet -":                rowOf(served, "Produce", topicQuiet, "asked"),
					"refused INVALID_RECORD": rowOf(served, "Produce", topicRefused, "asked"),
				}, "messaging_destination_name", "messaging_response_status_code")
			consumed := map[string]string{"client": "messaging_client_consumed_messages_total", "server": "messaging_server_delivered_messages_total"}[side]
			sameSoon(t, x, side+" consumed", fmt.Sprintf(`sum by (messaging_destination_name) (%s{service_name=%q})`, consumed, service),
				map[string]float64{topicOrders: rowOf(l, "records", topicOrders, "consumed")}, "messaging_destination_name")
		}
	})
	t.Run("held", func(t *testing.T) {
		s := startHTTP2(t, id+"-held", "kafka-broker", Args{TLS: w.tls})
		l := startRole(t, id+"-held-client", "kafka-holder", Args{Addr: s.addr, Requests: 20, TLS: w.tls}).log(t)
		s.stop()
		served := s.log(t)
		if sent, taken := rowOf(l, "Produce", topicHeld, "answered"), rowOf(served, "Produce", topicHeld, "asked"); sent != taken {
			t.Fatalf("the oracles disagree: the client produced %v times, the broker was asked %v times", sent, taken)
		}
		for side, service := range map[string]string{"client": id + "-held-client", "server": id + "-held"} {
			checkKafka(t, x, service, side, "answered", l)
			checkTimed(t, x, service, side, fmt.Sprintf(`messaging_operation_name="Produce", messaging_destination_name=%q`, topicHeld), kafkaHeld.Seconds(), l.Durations)
		}
	})
	t.Run("lag", func(t *testing.T) {
		s := startHTTP2(t, id+"-lag", "kafka-broker", Args{TLS: w.tls})
		for _, plan := range []string{"some", "all"} {
			service := id + "-lag-" + plan
			l := startRole(t, service, "kafka-laggard", Args{Addr: s.addr, Plan: plan, Requests: 150, Connections: 20, TLS: w.tls}).log(t)
			want := rowOf(l, "lag", topicSlow, "")
			t.Logf("%s: the broker says that %v records are not consumed", plan, want)
			if (want > 0) != (plan == "some") {
				t.Fatalf("a lag of %v: the test is void", want)
			}
			checkLag(t, x, service, map[string]float64{topicSlow: want})
		}
		s.stop()
	})
	t.Run("kcat", func(t *testing.T) {
		s := startHTTP2(t, id+"-kcat-broker", "kafka-broker", Args{TLS: w.tls})
		for _, argv := range [][]string{
			{"-P", "-t", topicOrders, "-p", "0", "-X", "linger.ms=1"},
			{"-P", "-t", topicQuiet, "-p", "0", "-X", "acks=0"},
			{"-P", "-t", topicOrders, "-p", "0", "-z", "gzip"},
			{"-C", "-t", topicOrders, "-p", "0", "-o", "beginning", "-e"},
		} {
			p := start(t, id+"-kcat", nil, kcat(t, s.addr, w, argv...)...)
			for i := range 500 {
				fmt.Fprintf(p.stdin, "message %d %s\n", i, strings.Repeat("m", i%100))
			}
			p.stdin.Close()
			if <-p.done; p.err != nil {
				t.Fatalf("kcat %v: %v: %s", argv, p.err, p.said())
			}
			if argv[0] == "-C" && strings.Count(p.stdout.String(), "\n") != 1000 {
				t.Fatalf("kcat consumed %d messages of 1000", strings.Count(p.stdout.String(), "\n"))
			}
		}
		s.stop()
		served := s.log(t)
		for side, service := range map[string]string{"client": id + "-kcat", "server": id + "-kcat-broker"} {
			checkKafka(t, x, service, side, "asked", served, "Fetch") // as above
			checkKafkaTopics(t, x, service, side, served)
			consumed := map[string]string{"client": "messaging_client_consumed_messages_total", "server": "messaging_server_delivered_messages_total"}[side]
			sameSoon(t, x, side+" consumed", fmt.Sprintf(`sum by (messaging_destination_name) (%s{service_name=%q})`, consumed, service),
				map[string]float64{topicOrders: 1000}, "messaging_destination_name")
		}
		checkLag(t, x, id+"-kcat", map[string]float64{topicOrders: 0}) // -e: to the end
	})
	t.Run("joined", func(t *testing.T) { oldOnes.use(t, x) })
	if err := x.Stop(); err != nil {
		t.Error(err)
	}
}

// kcat is a command of it.
func kcat(t *testing.T, addr string, w way, argv ...string) []string {
	t.Helper()
	return w.withTLS(append([]string{program(t, "kcat", "kafkacat"), "-b", addr}, argv...), "-X security.protocol=ssl -X enable.ssl.certificate.verification=false")
}

// oldKafka is a broker and its clients, connected before Sonde: of franz-go one that produces and one that consumes, of librdkafka one that does both.
type oldKafka struct {
	broker                      server
	producer, follower, rdkafka *process
}

const oldRecords = 100 // of each

func startOldKafka(t *testing.T, id string, w way) oldKafka {
	t.Helper()
	s := startHTTP2(t, id+"-old", "kafka-broker", Args{TLS: w.tls})
	o := oldKafka{
		broker:   s,
		producer: startRole(t, id+"-old-client", "kafka-client", Args{Addr: s.addr, Plan: "old", Requests: oldRecords / 2, TLS: w.tls}),
		rdkafka: start(t, id+"-old-rdkafka", nil, program(t, "/usr/bin/python3", "python3"), filepath.Join("testdata", "kafka.py"),
			fmt.Sprint(portOf(s.addr)), topicQuiet, fmt.Sprint(oldRecords), w.pick("plain", "tls")),
	}
	waitSaid(t, o.producer, "ready")
	waitSaid(t, o.rdkafka, "ready")
	o.follower = startRole(t, id+"-follower", "kafka-follower", Args{Addr: s.addr, Connections: 10, Requests: oldRecords, TLS: w.tls})
	waitSaid(t, o.follower, "ready")
	return o
}

// use moves records on the old connections.
func (o oldKafka) use(t *testing.T, x *sut.Sonde) {
	t.Helper()
	// Only metadata names topics that are known by their ids: both clients of franz-go ask every five seconds.
	asked := func() int { return strings.Count(o.broker.said(), "metadata") }
	before, rounds := asked(), 2
	for range 30 * time.Second / (25 * time.Millisecond) {
		if asked() >= before+2*rounds {
			break
		}
		pause()
	}
	fmt.Fprintln(o.follower.stdin, "go")
	waitSaid(t, o.follower, "following")
	fmt.Fprintln(o.producer.stdin, "go")
	fmt.Fprintln(o.rdkafka.stdin, "go")
	l, ofRdkafka, followed := o.producer.log(t), o.rdkafka.log(t), o.follower.log(t)
	o.broker.stop()
	served := o.broker.log(t)
	if n := rowOf(l, "ApiVersions", "", "asked"); n > 0 {
		t.Fatalf("%v connections were opened anew: the old ones are to be used", n)
	}

	checkKafka(t, x, o.producer.service, "client", "asked", l, "Metadata")
	checkKafka(t, x, o.producer.service, "client", "answered", l, "Metadata")
	sent, sentRdkafka := rowOf(l, "records", topicOrders, "sent"), rowOf(ofRdkafka, "records", topicQuiet, "sent")
	if got := rowOf(served, "records", topicQuiet, "sent"); got != sentRdkafka+1 { // the one before Sonde too
		t.Fatalf("the oracles disagree: the broker got %v records of librdkafka, which sent %v", got, sentRdkafka)
	}
	for _, c := range []struct {
		what, service, metric string
		want                  map[string]float64
	}{
		{"franz-go consumed, in a session that began before Sonde", o.follower.service, "messaging_client_consumed_messages_total",
			map[string]float64{topicOrders: rowOf(followed, "records", topicOrders, "consumed")}},
		{"librdkafka consumed", o.rdkafka.service, "messaging_client_consumed_messages_total",
			map[string]float64{topicQuiet: rowOf(ofRdkafka, "records", topicQuiet, "consumed")}},
		{"librdkafka produced", o.rdkafka.service, "messaging_client_sent_messages_total", map[string]float64{topicQuiet: sentRdkafka}},
		{"produced", o.broker.service, "messaging_server_received_messages_total", map[string]float64{topicOrders: sent, topicQuiet: sentRdkafka}},
	} {
		sameSoon(t, x, c.what, fmt.Sprintf(`sum by (messaging_destination_name) (%s{service_name=%q})`, c.metric, c.service), c.want, "messaging_destination_name")
	}
}

// checkLag compares the lag of a consumer in each topic.
func checkLag(t *testing.T, x *sut.Sonde, service string, want map[string]float64) {
	t.Helper()
	sameSoon(t, x, service+"'s lag", fmt.Sprintf(`sum by (messaging_destination_name) (messaging_kafka_consumer_lag{service_name=%q, messaging_system="kafka"})`, service),
		want, "messaging_destination_name")
}

func rowOf(l *wire.Log, method, route, status string) (n float64) {
	for _, r := range l.Rows {
		if r.Method == method && r.Route == route && r.Status == status {
			n += float64(r.N)
		}
	}
	return n
}

// checkKafka compares the number of requests of each kind but some: those that were asked, or answered.
func checkKafka(t *testing.T, x *sut.Sonde, service, side, what string, l *wire.Log, except ...string) {
	t.Helper()
	want := map[string]float64{}
	for _, r := range l.Rows {
		if r.Route == "" && r.Status == what && !slices.Contains(except, r.Method) {
			want[r.Method] += float64(r.N)
		}
	}
	if len(want) == 0 {
		t.Fatal("no requests: the test is void")
	}
	query := fmt.Sprintf(`sum by (messaging_operation_name) (histogram_count(messaging_%s_operation_duration_seconds{service_name=%q, messaging_system="kafka", messaging_operation_name!~%q, messaging_response_status_code!~%q}))`,
		side, service, strings.Join(except, "|"), map[string]string{"answered": "", "asked": "none"}[what])
	sameSoon(t, x, service+" as "+side+", "+what, query, want, "messaging_operation_name")
}

// checkKafkaTopics compares the number of records and their bytes.
func checkKafkaTopics(t *testing.T, x *sut.Sonde, service, side string, served *wire.Log) {
	t.Helper()
	verb := map[string]string{"client": "sent", "server": "received"}[side]
	records, bytes := map[string]float64{}, map[string]float64{}
	for _, r := range served.Rows {
		if r.Method == "records" && r.Status == "sent" {
			records[r.Route] += float64(r.N)
			bytes[r.Route] += float64(r.RequestBytes)
		}
	}
	sameSoon(t, x, service+" records", fmt.Sprintf(`sum by (messaging_destination_name) (messaging_%s_%s_messages_total{service_name=%q})`, side, verb, service),
		records, "messaging_destination_name")
	sameSoon(t, x, service+" bytes", fmt.Sprintf(`sum by (messaging_destination_name) (messaging_%s_%s_bytes_total{service_name=%q})`, side, verb, service),
		bytes, "messaging_destination_name")
}
