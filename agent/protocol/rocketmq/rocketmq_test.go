package rocketmq

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/sonde-dev/sonde/agent/protocol"
	"github.com/sonde-dev/sonde/agent/protocol/parsertest"
)

// The expectations were read from a hex dump (tshark -x; it has no dissector for RocketMQ).
func TestCaptures(t *testing.T) {
	const pull = "PULL_MESSAGE TopicTest "
	const group = " messaging.consumer.group.name=please_rename_unique_group_name_4"
	for _, tt := range []struct {
		file string
		port uint16
		want string
	}{
		{"rocketmq-send-message-v2", 10909, "" +
			"SEND_MESSAGE_V2 TopicTest SUCCESS req=385 res=242 count0=1 count2=16 messaging.consumer.group.name=please_rename_unique_group_name\n" +
			"SEND_MESSAGE_V2 TopicTest SUCCESS req=385 res=242 count0=1 count2=16 messaging.consumer.group.name=please_rename_unique_group_name\n"},
		{"rocketmq-producer-otel", 10911, strings.Repeat(
			"SEND_MESSAGE_V2 otel-demo-topic SUCCESS req=458 res=242 count0=1 count2=41 messaging.consumer.group.name=otel-producer-group\n", 3)},
		// The answer to opaque 247 is not in the capture; 250 is answered before 248.
		{"rocketmq-pull-message", 10911, "" +
			"PULL_MESSAGE %RETRY%please_rename_unique_group_name_4 PULL_NOT_FOUND req=389 res=232 waits" + group + " messaging.rocketmq.consumer.lag=0\n" +
			pull + "PULL_NOT_FOUND req=364 res=238 waits" + group + " messaging.rocketmq.consumer.lag=0\n" +
			"PULL_MESSAGE %RETRY%please_rename_unique_group_name_4 - req=389 res=0 waits unanswered" + group + "\n" +
			pull + "SUCCESS req=364 res=401 waits count1=1 count3=178" + group + " messaging.rocketmq.consumer.lag=0\n" +
			pull + "SUCCESS req=364 res=401 waits count1=1 count3=178" + group + " messaging.rocketmq.consumer.lag=0\n"},
	} {
		calls := messagesOf(t, tt.file, tt.port)
		parsertest.Claimed(t, Protocol{}, calls)
		if got := parsertest.Play(t, Protocol{}, false, calls).String(); got != tt.want {
			t.Errorf("%s: got\n%swant\n%s", tt.file, got, tt.want)
		}
		parsertest.AnySplit(t, Protocol{}, false, calls)
	}
}

// command is a head as encoding/json writes it.
type command struct {
	Code      int32             `json:"code"`
	ExtFields map[string]string `json:"extFields,omitempty"`
	Flag      int32             `json:"flag"`
	Language  string            `json:"language"`
	Opaque    int32             `json:"opaque"`
	Remark    any               `json:"remark,omitempty"`
	Version   int32             `json:"version"`
}

func (c command) json(body string) []byte {
	c.Language = "GO"
	head, err := json.Marshal(c)
	if err != nil {
		panic(err)
	}
	return framed(headJSON, head, body)
}

func (c command) binary(body string) []byte {
	b := binary.BigEndian.AppendUint16(nil, uint16(c.Code))
	b = append(b, 0, 1, 2)
	b = binary.BigEndian.AppendUint32(b, uint32(c.Opaque))
	b = binary.BigEndian.AppendUint32(b, uint32(c.Flag))
	b = append(binary.BigEndian.AppendUint32(b, 2), "ok"...)
	var fields []byte
	for k, v := range c.ExtFields {
		fields = append(binary.BigEndian.AppendUint16(fields, uint16(len(k))), k...)
		fields = append(binary.BigEndian.AppendUint32(fields, uint32(len(v))), v...)
	}
	b = append(binary.BigEndian.AppendUint32(b, uint32(len(fields))), fields...)
	return framed(headBinary, b, body)
}

func framed(kind byte, head []byte, body string) []byte {
	b := binary.BigEndian.AppendUint32(nil, uint32(4+len(head)+len(body)))
	b = binary.BigEndian.AppendUint32(b, uint32(kind)<<24|uint32(len(head)))
	return append(append(b, head...), body...)
}

// stored encodes n messages of a size as a broker keeps them.
func stored(n, size int) string {
	var b []byte
	for range n {
		m := binary.BigEndian.AppendUint32(nil, uint32(size))
		m = binary.BigEndian.AppendUint32(m, messageMagic)
		b = append(b, append(m, make([]byte, size-8)...)...)
	}
	return string(b)
}

func to(b []byte) parsertest.Call {
	return parsertest.Call{Dir: protocol.ToServer, Data: b}
}
func from(b []byte) parsertest.Call {
	return parsertest.Call{Dir: protocol.FromServer, Data: b}
}

func conversation() []parsertest.Call {
	send := map[string]string{"b": "orders", "a": "shop", "m": "false"}
	batch := map[string]string{"b": "orders", "a": "shop", "m": "true"}
	pull := map[string]string{"topic": "orders", "consumerGroup": "billing"}
	return []parsertest.Call{
		to(command{Code: 310, ExtFields: send, Opaque: 1}.json("a secret")),
		from(command{Code: 0, Flag: 1, Opaque: 1}.json("")),
		to(command{Code: 310, ExtFields: send, Opaque: 2, Flag: 2}.binary("one way")),
		to(command{Code: 11, ExtFields: pull, Opaque: 3}.binary("")),
		to(command{Code: 310, ExtFields: send, Opaque: 4}.binary("x")),
		from(command{Code: 2, Flag: 1, Opaque: 4, Remark: "busy \" }"}.json("")),
		from(command{Code: 0, Flag: 1, Opaque: 3, ExtFields: map[string]string{"maxOffset": "50", "nextBeginOffset": "43"}}.binary(stored(5, 300))),
		from(command{Code: 40, Flag: 2, Opaque: 9, ExtFields: map[string]string{"consumerGroup": "billing"}}.json("")),
		to(command{Code: 320, ExtFields: batch, Opaque: 5}.json(stored(3, 100))),
		from(command{Code: 17, Flag: 1, Opaque: 5}.json("")),
		from(command{Code: 307, Opaque: 10, ExtFields: map[string]string{"consumerGroup": "billing"}}.json("")),
		to(command{Code: 0, Flag: 1, Opaque: 10}.json("running")),
		to(command{Code: 34, Opaque: 6}.json("{}")),
		from(command{Code: 0, Flag: 1, Opaque: 6}.json("")),
	}
}

// messagesOf returns the calls of a capture. Other packets of the connection were left out of it: they are no holes.
func messagesOf(t testing.TB, file string, port uint16) []parsertest.Call {
	calls := parsertest.Capture(t, "testdata/"+file+".pcap", port)[0]
	return slices.DeleteFunc(calls, func(c parsertest.Call) bool { return c.Skip > 0 })
}

func TestConversation(t *testing.T) {
	got := parsertest.Play(t, Protocol{}, false, conversation()).String()
	var lines []string
	for line := range strings.Lines(got) {
		f := strings.Fields(line)
		lines = append(lines, strings.Join(append(f[:3], f[5:]...), " "))
	}
	want := []string{
		"SEND_MESSAGE_V2 orders SUCCESS count0=1 count2=8 messaging.consumer.group.name=shop",
		"SEND_MESSAGE_V2 orders - noresponse count0=1 count2=7 messaging.consumer.group.name=shop",
		"PULL_MESSAGE orders SUCCESS waits count1=5 count3=1500 messaging.consumer.group.name=billing messaging.rocketmq.consumer.lag=7",
		"SEND_MESSAGE_V2 orders SYSTEM_BUSY servererror=SYSTEM_BUSY error=SYSTEM_BUSY count0=1 count2=1 messaging.consumer.group.name=shop",
		"NOTIFY_CONSUMER_IDS_CHANGED - - noresponse messaging.consumer.group.name=billing",
		"SEND_BATCH_MESSAGE orders TOPIC_NOT_EXIST error=TOPIC_NOT_EXIST count0=3 count2=300 messaging.consumer.group.name=shop",
		"GET_CONSUMER_RUNNING_INFO - - noresponse messaging.consumer.group.name=billing",
		"HEART_BEAT - SUCCESS",
	}
	if strings.Join(lines, "\n") != strings.Join(want, "\n") {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(lines, "\n"), strings.Join(want, "\n"))
	}
	if strings.Contains(got, "secret") {
		t.Error("a body is told")
	}
	parsertest.AnySplit(t, Protocol{}, false, conversation())
	parsertest.AnyPartLost(t, Protocol{}, conversation(), func(x *parsertest.Exchange) string {
		return fmt.Sprint(x.Request.Operation, x.Request.Target, x.Request.Counts, x.Request.NoResponse, x.RequestEnd.BodyBytes,
			x.Response.Status, x.Response.Counts, x.Response.Attributes, x.ResponseEnd.BodyBytes)
	})
}

func TestLosses(t *testing.T) {
	pull := map[string]string{"topic": "orders"}
	big := command{Code: 0, Flag: 1, Opaque: 1}.binary(stored(3, 1000))
	for _, tt := range []struct {
		name string
		play func(p *parser, r *parsertest.Recorder)
		want string
	}{
		{"the end of the last message is not copied", func(p *parser, r *parsertest.Recorder) {
			p.Data(protocol.ToServer, command{Code: 11, ExtFields: pull, Opaque: 1}.binary(""), r)
			p.Data(protocol.FromServer, big[:len(big)-900], r)
			p.Gap(protocol.FromServer, 900, nil, r)
		}, "PULL_MESSAGE orders SUCCESS req=48 res=3031 waits count1=3 count3=3000\n"},
		{"messages are not copied", func(p *parser, r *parsertest.Recorder) {
			p.Data(protocol.ToServer, command{Code: 11, ExtFields: pull, Opaque: 1}.binary(""), r)
			p.Data(protocol.FromServer, big[:500], r)
			p.Gap(protocol.FromServer, uint32(len(big)-500), nil, r)
		}, "PULL_MESSAGE orders SUCCESS req=48 res=3031 waits partial count1=1 count3=3000\n"},
		{"responses are lost", func(p *parser, r *parsertest.Recorder) {
			p.Data(protocol.ToServer, command{Code: 34, Opaque: 1}.binary(""), r)
			p.Gap(protocol.FromServer, 40, nil, r)
			p.Data(protocol.ToServer, command{Code: 34, Opaque: 2}.binary(""), r)
			p.Data(protocol.FromServer, command{Code: 0, Flag: 1, Opaque: 2}.binary(""), r)
		}, "HEART_BEAT - - req=31 res=0 partial\nHEART_BEAT - SUCCESS req=31 res=31\nloss parser_gave_up 1\n"},
		{"joined", func(p *parser, r *parsertest.Recorder) {
			*p = *newParser(true)
			p.Data(protocol.ToServer, []byte("the middle of a message"), r)
			p.Data(protocol.FromServer, command{Code: 0, Flag: 1, Opaque: 1}.binary(""), r)
			p.Data(protocol.ToServer, command{Code: 34, Opaque: 2}.binary(""), r)
			p.Data(protocol.FromServer, command{Code: 0, Flag: 1, Opaque: 2}.binary(""), r)
		}, "HEART_BEAT - SUCCESS req=31 res=31\nloss orphan_response 1\n"},
	} {
		p, r := newParser(false), parsertest.NewRecorder(t)
		tt.play(p, r)
		if got := r.String(); got != tt.want {
			t.Errorf("%s: got\n%swant\n%s", tt.name, got, tt.want)
		}
	}
}

func TestRecognize(t *testing.T) {
	for _, in := range []string{
		"GET / HTTP/1.1\r\n\r\n", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", "*1\r\n$4\r\nPING\r\n",
		"\x00\x00\x00\x12\x04\x00\x00\x00\x00\x00\x00\x03\x00\x00\x00\x80\x00\x04\x00\x01\x00\x00\x00\x05\x00\xff\xff",
		"\x00\x00\x00\x54\x00\x03\x00\x00user\x00postgres\x00database\x00shop\x00application_name\x00psql\x00client_encoding\x00UTF8\x00\x00",
		"\x00\x00\x00\x1f\x80\x01\x00\x01\x00\x00\x00\x04ping\x00\x00\x00\x01\x00",
		"\x00\x00\x00\x31\x00\x12\x00\x03\x00\x00\x00\x02\x00\x0dadminclient-1\x00\x12apache-kafka-java\x063.0.0\x00",
		"\x00\x00\x00\x20\x00\x00\x00\x1c{\"code\":10,\"opaque\":1,\"x\":123}", "\x00\x00\x00\x20\x00\x00\x00\x1c{\"id\":1,\"method\":\"eth_call\"}  ",
		strings.Repeat("\x00", 64),
	} {
		if v := recognize([]byte(in)); v != protocol.No {
			t.Errorf("recognize(%q) = %v, want No", in, v)
		}
	}
	b := command{Code: 310, Opaque: 1}.json("x")
	for n := range b[:len(b)-1] {
		if v := recognize(b[:n]); v != protocol.Maybe {
			t.Errorf("recognize(%q) = %v, want Maybe", b[:n], v)
		}
	}
	parsertest.Random(t, Protocol{})
}

func FuzzParse(f *testing.F) {
	text := parsertest.Text(conversation())
	f.Add([]byte("\x00\xff\x00\xff\x01\xff\x02\x20\x01\x20"), text, false)
	f.Add([]byte("\x00\xff\x01\xff\x02\x20\x01\x20"), text[300:], true)
	f.Fuzz(func(t *testing.T, orders, text []byte, joined bool) {
		p := newParser(joined)
		parsertest.Script(t, p, orders, text, func() {
			if p.waiting.Len() > 1024 {
				t.Fatalf("%d wait", p.waiting.Len())
			}
		})
		recognize(text)
	})
}

func BenchmarkParseSend(b *testing.B) {
	calls := parsertest.Capture(b, "testdata/rocketmq-send-message-v2.pcap", 10909)[0]
	p := newParser(false)
	b.ReportAllocs()
	for b.Loop() {
		p.Data(protocol.ToServer, calls[0].Data, parsertest.Discard{})
		p.Data(protocol.FromServer, calls[1].Data, parsertest.Discard{})
	}
}
