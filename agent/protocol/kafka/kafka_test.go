package kafka

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/sonde-dev/sonde/agent/protocol"
	"github.com/sonde-dev/sonde/agent/protocol/parsertest"
)

func produce(version, acks int16, records int, topics ...string) *kmsg.ProduceRequest {
	r := kmsg.NewPtrProduceRequest()
	r.Version, r.Acks, r.TimeoutMillis = version, acks, 1000
	for _, name := range topics {
		t := kmsg.NewProduceRequestTopic()
		t.Topic = name
		t.TopicID = idOf(name)
		p := kmsg.NewProduceRequestTopicPartition()
		p.Records = batchOf(0, records, 0)
		t.Partitions = append(t.Partitions, p)
		r.Topics = append(r.Topics, t)
	}
	return r
}

func produced(version int16, code int16, topics ...string) *kmsg.ProduceResponse {
	r := kmsg.NewPtrProduceResponse()
	r.Version = version
	for i, name := range topics {
		t := kmsg.NewProduceResponseTopic()
		t.Topic = name
		p := kmsg.NewProduceResponseTopicPartition()
		if i == len(topics)-1 {
			p.ErrorCode = code
		}
		t.Partitions = append(t.Partitions, p)
		r.Topics = append(r.Topics, t)
	}
	return r
}

// batchOf encodes one batch of n records from an offset on, 100 bytes each.
func batchOf(offset int64, n int, attributes int16) []byte {
	b := kmsg.RecordBatch{
		FirstOffset: offset, Magic: 2, LastOffsetDelta: int32(n - 1), NumRecords: int32(n), Attributes: attributes, Records: make([]byte, 100*n),
	}
	b.Length = int32(49 + len(b.Records))
	return b.AppendTo(nil)
}

func idOf(name string) (id [16]byte) {
	copy(id[:], "id-"+name)
	return id
}

// fetch asks for partition 0 of each topic in a session.
func fetch(version int16, session, epoch int32, topics ...string) *kmsg.FetchRequest {
	r := kmsg.NewPtrFetchRequest()
	r.Version, r.SessionID, r.SessionEpoch = version, session, epoch
	for _, name := range topics {
		t := kmsg.NewFetchRequestTopic()
		t.Topic, t.TopicID = name, idOf(name)
		t.Partitions = append(t.Partitions, kmsg.NewFetchRequestTopicPartition())
		r.Topics = append(r.Topics, t)
	}
	return r
}

func forget(r *kmsg.FetchRequest, topics ...string) *kmsg.FetchRequest {
	for _, name := range topics {
		f := kmsg.NewFetchRequestForgottenTopic()
		f.Topic, f.TopicID, f.Partitions = name, idOf(name), []int32{0}
		r.ForgottenTopics = append(r.ForgottenTopics, f)
	}
	return r
}

func fetched(version int16, records []byte, watermark int64, topics ...string) *kmsg.FetchResponse {
	r := kmsg.NewPtrFetchResponse()
	r.Version, r.SessionID = version, 77
	for _, name := range topics {
		t := kmsg.NewFetchResponseTopic()
		t.Topic, t.TopicID = name, idOf(name)
		p := kmsg.NewFetchResponseTopicPartition()
		p.HighWatermark, p.RecordBatches = watermark, records
		t.Partitions = append(t.Partitions, p)
		r.Topics = append(r.Topics, t)
	}
	return r
}

func metadata(topics ...string) (*kmsg.MetadataRequest, *kmsg.MetadataResponse) {
	q, r := kmsg.NewPtrMetadataRequest(), kmsg.NewPtrMetadataResponse()
	q.Version, r.Version = 12, 12
	for _, name := range topics {
		t := kmsg.NewMetadataResponseTopic()
		t.Topic, t.TopicID = kmsg.StringPtr(name), idOf(name)
		r.Topics = append(r.Topics, t)
	}
	return q, r
}

// talk plays steps: requests, responses (to the correlation id counted from 0 in their own order), gaps.
type talk struct {
	t      *testing.T
	p      *parser
	r      *parsertest.Recorder
	q, a   int32
	shared *topics
}

func newTalk(t *testing.T) *talk {
	shared := &topics{names: map[[16]byte]string{}}
	return &talk{t: t, p: newParser(false, shared), r: parsertest.NewRecorder(t), shared: shared}
}

func (k *talk) ask(reqs ...kmsg.Request) *talk {
	for _, q := range reqs {
		k.p.Data(protocol.ToServer, requestBytes(q, k.q), k.r)
		k.q++
	}
	return k
}

func (k *talk) answer(res ...kmsg.Response) *talk {
	for _, a := range res {
		k.answerTo(k.a, a)
		k.a++
	}
	return k
}

func (k *talk) answerTo(correlation int32, res kmsg.Response) *talk {
	k.p.Data(protocol.FromServer, responseBytes(res, correlation), k.r)
	return k
}

// cut hands over the first n bytes of a message and leaves out the rest.
func (k *talk) cut(dir protocol.Direction, b []byte, n int) *talk {
	k.p.Data(dir, b[:n], k.r)
	k.p.Gap(dir, uint32(len(b)-n), nil, k.r)
	return k
}

func (k *talk) gap(dir protocol.Direction, n int) *talk {
	k.p.Gap(dir, uint32(n), nil, k.r)
	return k
}

// want compares what was told, without sizes.
func (k *talk) want(lines ...string) {
	k.t.Helper()
	var got []string
	for line := range strings.Lines(k.r.String()) {
		var words []string
		for _, w := range strings.Fields(line) {
			if !strings.HasPrefix(w, "req=") && !strings.HasPrefix(w, "res=") && w != "messaging.client.id=tester" && !strings.HasPrefix(w, "count2=") && !strings.HasPrefix(w, "count3=") {
				words = append(words, w)
			}
		}
		got = append(got, strings.Join(words, " "))
	}
	if diff := cmp.Diff(lines, got); diff != "" {
		k.t.Errorf("exchanges (-want +got):\n%s", diff)
	}
}

func TestTalks(t *testing.T) {
	run := func(name string, f func(k *talk)) { t.Run(name, func(t *testing.T) { f(newTalk(t)) }) }

	run("produce", func(k *talk) {
		k.ask(produce(9, -1, 5, "orders")).answer(produced(9, 0, "orders"))
		k.want("Produce orders 0 count0=5")
	})
	run("several topics, one fails", func(k *talk) {
		k.ask(produce(7, 1, 5, "orders", "payments")).answer(produced(7, 6, "orders", "payments"))
		k.want("Produce (several) NOT_LEADER_OR_FOLLOWER error=NOT_LEADER_OR_FOLLOWER count0=10")
	})
	run("acks 0", func(k *talk) {
		k.ask(produce(9, 0, 5, "orders"), produce(9, 0, 2, "orders"), produce(9, 1, 1, "orders"))
		k.answerTo(2, produced(9, 0, "orders"))
		k.want("Produce orders - noresponse count0=5", "Produce orders - noresponse count0=2", "Produce orders 0 count0=1")
	})
	run("pipelined", func(k *talk) {
		k.ask(produce(9, 1, 1, "a"), produce(9, 1, 2, "b"), produce(9, 1, 3, "c"))
		k.answer(produced(9, 0, "a"), produced(9, 3, "b"), produced(9, 0, "c"))
		k.want("Produce a 0 count0=1", "Produce b UNKNOWN_TOPIC_OR_PARTITION error=UNKNOWN_TOPIC_OR_PARTITION count0=2", "Produce c 0 count0=3")
	})
	run("out of order", func(k *talk) {
		k.ask(produce(9, 1, 1, "a"), produce(9, 1, 2, "b"))
		k.answerTo(1, produced(9, 19, "b")).answerTo(0, produced(9, 0, "a"))
		k.want("Produce a 0 count0=1", "Produce b NOT_ENOUGH_REPLICAS servererror=NOT_ENOUGH_REPLICAS error=NOT_ENOUGH_REPLICAS count0=2")
	})
	run("topic ids", func(k *talk) {
		q, a := metadata("orders", "payments")
		k.ask(produce(13, 1, 1, "orders"), q, produce(13, 1, 1, "orders"))
		k.answer(produced(13, 0, "orders"), a, produced(13, 0, "orders"))
		k.ask(produce(13, 1, 1, "payments")).answer(produced(13, 0, "payments"))
		k.want("Produce - 0 count0=1", "Metadata - 0", "Produce - 0 count0=1", "Produce payments 0 count0=1")
	})
	for _, version := range []int16{11, 17} {
		run(fmt.Sprint("fetch session of version ", version), func(k *talk) {
			q, a := metadata("orders", "payments")
			k.ask(q).answer(a)
			k.ask(fetch(version, 0, 0, "orders")).answer(fetched(version, batchOf(0, 5, 0), 5, "orders"))
			k.ask(fetch(version, 77, 1)).answer(fetched(version, nil, 5))
			k.ask(fetch(version, 77, 2, "payments")).answer(fetched(version, batchOf(7, 3, 0), 20, "payments"))
			k.ask(forget(fetch(version, 77, 3), "orders")).answer(fetched(version, nil, 5))
			k.ask(fetch(version, 0, -1, "orders")).answer(fetched(version, nil, 5))
			k.want("Metadata - 0", "Fetch orders 0 waits count1=5 messaging.kafka.consumer.lag=0", "Fetch orders 0 waits messaging.kafka.consumer.lag=0", "Fetch payments 0 waits count1=3 messaging.kafka.consumer.lag=10",
				"Fetch payments 0 waits messaging.kafka.consumer.lag=10", "Fetch orders 0 waits messaging.kafka.consumer.lag=5")
		})
	}
	run("control batches and a batch that is cut off", func(k *talk) {
		records := append(batchOf(0, 5, 0), batchOf(5, 1, 0x20)...)
		records = append(records, batchOf(6, 9, 0)[:300]...)
		k.ask(fetch(11, 0, 0, "orders")).answer(fetched(11, records, 15, "orders"))
		k.want("Fetch orders 0 waits count1=5 messaging.kafka.consumer.lag=9")
	})
	run("unsupported version", func(k *talk) {
		q, a := kmsg.NewPtrApiVersionsRequest(), kmsg.NewPtrApiVersionsResponse()
		q.Version, a.ErrorCode = 4, 35
		k.ask(q).answer(a)
		k.want("ApiVersions - UNSUPPORTED_VERSION")
	})
	run("raw SASL", func(k *talk) {
		k.ask(kmsg.NewPtrSASLHandshakeRequest()).answer(kmsg.NewPtrSASLHandshakeResponse())
		k.p.Data(protocol.ToServer, []byte("\x00\x00\x00\x0d\x00user\x00secret!"), k.r)
		k.p.Data(protocol.FromServer, []byte("\x00\x00\x00\x00"), k.r)
		k.ask(produce(9, 1, 1, "a")).answer(produced(9, 0, "a"))
		k.want("SaslHandshake - 0", "Produce a 0 count0=1")
	})
	run("records not copied", func(k *talk) {
		b := requestBytes(produce(9, 1, 1000, "orders"), 0)
		k.q++
		k.cut(protocol.ToServer, b, 500).answer(produced(9, 0, "orders"))
		in := responseBytes(fetched(11, batchOf(0, 1000, 0), 1000, "orders"), 1)
		k.ask(fetch(11, 0, 0, "orders")).cut(protocol.FromServer, in, 500)
		k.want("Produce orders 0 count0=1000", "Fetch orders 0 waits count1=1000 messaging.kafka.consumer.lag=0")
	})
	run("a batch not copied", func(k *talk) {
		in := responseBytes(fetched(11, append(batchOf(0, 10, 0), batchOf(10, 10, 0)...), 20, "orders"), 0)
		k.ask(fetch(11, 0, 0, "orders")).cut(protocol.FromServer, in, 600)
		k.want("Fetch orders 0 waits partial count1=10")
	})
	run("partitions not copied", func(k *talk) {
		b := requestBytes(produce(9, 1, 10, "a", "b"), 0)
		k.q++
		k.cut(protocol.ToServer, b, 200).answer(produced(9, 0, "a", "b"))
		k.ask(produce(9, 1, 1, "c")).answer(produced(9, 0, "c"))
		k.want("Produce - 0 partial count0=10", "Produce c 0 count0=1")
	})
	run("requests lost", func(k *talk) {
		k.ask(produce(9, 1, 1, "a")).gap(protocol.ToServer, 100)
		k.q++
		k.ask(produce(9, 1, 2, "b")).answer(produced(9, 0, "a"), produced(9, 0, "?"), produced(9, 0, "b"))
		k.want("Produce a 0 count0=1", "Produce b 0 count0=2", "loss parser_gave_up 1", "loss orphan_response 1")
	})
	run("responses lost", func(k *talk) {
		k.ask(produce(9, 1, 1, "a"), produce(9, 1, 2, "b"), produce(9, 1, 3, "c"))
		k.answer(produced(9, 0, "a")).gap(protocol.FromServer, 100).answerTo(2, produced(9, 0, "c"))
		k.ask(produce(9, 1, 4, "d")).answerTo(3, produced(9, 0, "d"))
		k.want("Produce a 0 count0=1", "Produce b - partial count0=2", "Produce c 0 count0=3", "Produce d 0 count0=4", "loss parser_gave_up 2")
	})
	run("joined", func(k *talk) {
		k.p = newParser(true, k.shared)
		k.p.Data(protocol.FromServer, []byte("the middle of records"), k.r)
		k.p.Data(protocol.ToServer, []byte("the middle of records"), k.r)
		k.ask(fetch(11, 5, 9)).answer(fetched(11, nil, 5))
		k.ask(fetch(11, 5, 10)).answer(fetched(11, batchOf(0, 5, 0), 5, "orders"))
		k.ask(produce(9, 1, 4, "d")).answer(produced(9, 0, "d"))
		k.want("Fetch - 0 waits", "Fetch orders 0 waits count1=5 messaging.kafka.consumer.lag=0", "Produce d 0 count0=4")
	})
	run("records of several topics", func(k *talk) {
		k.ask(fetch(11, 0, -1, "a", "b")).answer(fetched(11, batchOf(0, 5, 0), 5, "a", "b"))
		k.ask(fetch(11, 0, -1, "a", "b")).answer(fetched(11, nil, 5, "a", "b"))
		k.ask(fetch(17, 0, -1, "unknown")).answer(fetched(17, batchOf(0, 5, 0), 5, "unknown"))
		k.want("Fetch (several) 0 waits count1=10 messaging.kafka.consumer.lag=0", "Fetch (several) 0 waits messaging.kafka.consumer.lag=10", "Fetch - 0 waits count1=5")
	})
	run("joined, and a response in the middle", func(k *talk) {
		k.ask(fetch(11, 5, 9))
		k.p.Data(protocol.FromServer, []byte("the middle of records"), k.r)
		k.answer(fetched(11, nil, 5))
		k.want("Fetch - 0 waits")
	})
	run("newer than known", func(k *talk) {
		b := requestBytes(fetch(18, 0, 0, "a"), 0)
		binary.BigEndian.PutUint16(b[6:], 30)
		k.p.Data(protocol.ToServer, b, k.r)
		k.answerTo(0, fetched(18, nil, 0))
		k.want("Fetch - - waits")
	})
	run("closed in the middle", func(k *talk) {
		in := responseBytes(fetched(11, batchOf(0, 1000, 0), 1000, "orders"), 0)
		k.ask(fetch(11, 0, 0, "orders"))
		k.p.Data(protocol.FromServer, in[:500], k.r)
		k.p.Data(protocol.ToServer, requestBytes(produce(9, 1, 1, "a"), 1)[:60], k.r)
		k.p.Close(k.r)
		k.want("Fetch orders - waits cut", "Produce - - cut unanswered")
	})
}

// The expectations are what tshark -d tcp.port==36333,kafka -V says of these captures. It does not know Fetch 12, which was read from a
// hex dump.
func TestCaptures(t *testing.T) {
	for file, want := range map[string]string{
		"00-produce-v7-sw8":  "Produce quickstart-events 0 req=312 res=69 count0=1 count2=232 messaging.client.id=kafka-python-producer-1\n",
		"01-fetch-v12-ok":    "Fetch - 0 req=120 res=21 waits messaging.client.id=consumer-console-consumer-8919-1\n", // a session that began before
		"11-join-group-v7":   "JoinGroup - UNKNOWN_SERVER_ERROR req=145 res=79 waits servererror=UNKNOWN_SERVER_ERROR error=UNKNOWN_SERVER_ERROR messaging.client.id=consumer-zzzz12-1 messaging.consumer.group.name=zzzz12\n",
		"18-api-versions-v3": "ApiVersions - 0 req=53 res=439 messaging.client.id=adminclient-1\n",
	} {
		port := uint16(36333)
		if strings.HasPrefix(file, "18") {
			port = 9092
		}
		calls := parsertest.Capture(t, "testdata/"+file+".pcap", port)[0]
		if v := recognize(calls[0].Data); v != protocol.IsRequest {
			t.Errorf("%s: recognize = %v", file, v)
		}
		if got := parsertest.Play(t, alone{}, false, calls).String(); got != want {
			t.Errorf("%s: got\n%swant\n%s", file, got, want)
		}
		parsertest.AnySplit(t, alone{}, false, calls)
	}
}

// alone is Kafka on a host without other connections: names of topics are learned from all of them.
type alone struct{ Protocol }

func (alone) NewParser(s protocol.Start) protocol.Parser {
	return newParser(s.Joined, &topics{names: map[[16]byte]string{}})
}

// conversation is one of many requests, answered in order.
func conversation() []parsertest.Call {
	var calls []parsertest.Call
	add := func(i int32, q kmsg.Request, a kmsg.Response) {
		calls = append(calls, parsertest.Call{Dir: protocol.ToServer, Data: requestBytes(q, i)})
		if a != nil {
			calls = append(calls, parsertest.Call{Dir: protocol.FromServer, Data: responseBytes(a, i)})
		}
	}
	for i := range int32(20) {
		topic := fmt.Sprint("t", i)
		switch i % 4 {
		case 0:
			add(i, produce(9, 1, int(i)+1, topic), produced(9, int16(i), topic))
		case 1:
			add(i, fetch(12, 0, -1, topic), fetched(12, append(batchOf(0, int(i), 0), batchOf(int64(i), 3, 0)...), 40, topic))
		case 2:
			add(i, produce(7, 0, int(i)+1, topic), nil)
		case 3:
			q, a := metadata(topic)
			add(i, q, a)
		}
	}
	return calls
}

func describe(x *parsertest.Exchange) string {
	return fmt.Sprint(x.Request.Operation, x.Request.Target, x.Request.Counts, x.Request.NoResponse, x.RequestEnd.BodyBytes,
		x.Response.Status, x.Response.Counts, x.Response.Attributes, x.ResponseEnd.BodyBytes)
}

func TestSplitsAndLosses(t *testing.T) {
	parsertest.AnySplit(t, alone{}, false, conversation())
	parsertest.AnyPartLost(t, alone{}, conversation(), describe)
}

func TestRecognize(t *testing.T) {
	each(t, func(t *testing.T, req kmsg.Request, res kmsg.Response, r *rand.Rand) {
		b := requestBytes(req, 5)
		if v := recognize(b); v != protocol.IsRequest {
			t.Fatalf("recognize(%q) = %v", b, v)
		}
		for n := range b {
			if v := recognize(b[:n]); v == protocol.IsResponse || v == protocol.No && n < 40 {
				t.Fatalf("recognize(%q) = %v", b[:n], v)
			}
		}
		if v := recognize(responseBytes(res, 1<<24+5)); v != protocol.No {
			t.Fatalf("a response is taken for a request: %v", v)
		}
	})
	for _, in := range []string{
		"GET / HTTP/1.1\r\n\r\n", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", "*1\r\n$4\r\nPING\r\n",
		"\x00\x00\x00\x12\x04\x00\x00\x00\x00\x00\x00\x03\x00\x00\x00\x80\x00\x04\x00\x01\x00\x00\x00\x05\x00\xff\xff", // HTTP/2 SETTINGS
		"\x00\x00\x00\x54\x00\x03\x00\x00user\x00postgres\x00database\x00shop\x00application_name\x00psql\x00client_encoding\x00UTF8\x00\x00",
		"\x00\x00\x00\x08\x04\xd2\x16\x2f", // PostgreSQL SSLRequest
		"\x4a\x00\x00\x00\x0a8.0.36\x00\x08\x00\x00\x00", "AMQP\x00\x00\x09\x01", "\x10\x20\x00\x04MQTT\x04\x02\x00\x3c",
		"\x3a\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00\x00\xd4\x07\x00\x00", "\x04\x00\x00\x00\x07\x00\x00\x00\x2eselect",
		"\x00\x00\x00\x1f\x80\x01\x00\x01\x00\x00\x00\x04ping\x00\x00\x00\x01\x00", // Thrift, framed
		"\x00\x00\x00\x2c\x00\x00\x00\x28{\"code\":10,\"flag\":0,\"opaque\":1,\"version\":1}",
		"\x00\x1d\x00\x01\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\x07example\x03com\x00\x00\x01\x00\x01",                                              // DNS over TCP
		"\x00\x00\b\x00\x00\x00\x00\x00\x01\x00\x00\x00\x00\x03abc" + strings.Repeat("\x00\x00\b\x00\x00\x00\x00\x00\x01\x00\x00\x00\x00\x03abc", 60), // gRPC
		strings.Repeat("\x00", 64), strings.Repeat("\x00", 14), "INFO {\"server_id\":\"x\"}\r\n",
	} {
		if v := recognize([]byte(in)); v != protocol.No {
			t.Errorf("recognize(%q) = %v, want No", in, v)
		}
	}
	parsertest.Random(t, Protocol{})
}

func FuzzParse(f *testing.F) {
	text := parsertest.Text(conversation())
	f.Add([]byte("\x00\xff\x00\xff\x01\xff\x02\x20\x01\x20"), text, false)
	f.Add([]byte("\x00\xff\x01\xff\x02\x20\x01\x20"), text[300:], true)
	for _, file := range []string{"00-produce-v7-sw8", "01-fetch-v12-ok", "11-join-group-v7"} {
		calls := parsertest.Capture(f, "testdata/"+file+".pcap", 36333)[0]
		f.Add([]byte("\x00\xff\x01\xff\x00\xff\x01\xff"), parsertest.Text(calls), false)
	}
	f.Fuzz(func(t *testing.T, orders, text []byte, joined bool) {
		p := newParser(joined, &topics{names: map[[16]byte]string{}})
		parsertest.Script(t, p, orders, text, func() {
			if len(p.waiting) > maxWaiting || len(p.request.walk.pend) > maxText+5 || len(p.response.walk.pend) > maxText+5 || len(p.session.topics) > maxSession || len(p.session.positions.of) > maxPositions {
				t.Fatalf("not bounded: %d wait, %d topics, %d partitions", len(p.waiting), len(p.session.topics), len(p.session.positions.of))
			}
		})
		recognize(text)
	})
}

func BenchmarkParseProduce(b *testing.B) {
	benchmark(b, produce(9, -1, 10, "orders"), produced(9, 0, "orders"))
}

func BenchmarkParseFetch(b *testing.B) {
	benchmark(b, fetch(12, 0, -1, "orders"), fetched(12, batchOf(0, 10, 0), 10, "orders"))
}

// benchmark measures one exchange.
func benchmark(b *testing.B, req kmsg.Request, res kmsg.Response) {
	q, a := requestBytes(req, 7), responseBytes(res, 7)
	p := newParser(false, &topics{})
	b.ReportAllocs()
	for b.Loop() {
		p.Data(protocol.ToServer, q, parsertest.Discard{})
		p.Data(protocol.FromServer, a, parsertest.Discard{})
	}
}
