package dubbo

import (
	"encoding/binary"
	"fmt"
	"strings"
	"testing"

	"github.com/sonde-dev/sonde/agent/protocol"
	"github.com/sonde-dev/sonde/agent/protocol/parsertest"
)

// The expectations were read from a hex dump (tshark -x; it has no dissector for Dubbo).
func TestCaptures(t *testing.T) {
	for _, tt := range []struct {
		file string
		port uint16
		want string
	}{
		{"dubbo_hessian2", 20880, "call my.demo.service.UserService/login OK req=264 res=207\n"},
		{"dubbo-kryo", 37312, "" +
			"call com.zznode.itms.api.OFOPServer/sendOfopMsg OK req=791 res=17\n" +
			"call com.zznode.itms.api.OFOPServer/sendOfopMsg OK req=798 res=17\n"},
	} {
		calls := parsertest.Capture(t, "testdata/"+tt.file+".pcap", tt.port)[0]
		parsertest.Claimed(t, Protocol{}, calls)
		if got := parsertest.Play(t, Protocol{}, false, calls).String(); got != tt.want {
			t.Errorf("%s: got\n%swant\n%s", tt.file, got, tt.want)
		}
		parsertest.AnySplit(t, Protocol{}, false, calls)
	}
}

func framed(flags, status byte, id uint64, body string) []byte {
	b := append([]byte{0xda, 0xbb, flags, status}, binary.BigEndian.AppendUint64(nil, id)...)
	return append(binary.BigEndian.AppendUint32(b, uint32(len(body))), body...)
}

// invoke encodes a call in Hessian 2.
func invoke(id uint64, flags byte, path, method string, args int) parsertest.Call {
	var b strings.Builder
	for _, s := range []string{"2.0.2", path, "0.0.0", method} {
		if len(s) < 32 {
			b.WriteByte(byte(len(s)))
		} else {
			b.WriteString("\x30" + string(rune(len(s))))
		}
		b.WriteString(s)
	}
	return parsertest.Call{Dir: protocol.ToServer, Data: framed(flags, 0, id, b.String()+strings.Repeat("a", args))}
}

func answer(id uint64, status byte, body string) parsertest.Call {
	return parsertest.Call{Dir: protocol.FromServer, Data: framed(2, status, id, body)}
}

const (
	twoWay = flagReq | flagTwoWay | serialHessian2
	oneWay = flagReq | serialHessian2
	long   = "com.example.a.very.long.name.of.a.Service"
)

func conversation() []parsertest.Call {
	push := invoke(77, twoWay, "callback", "changed", 5)
	push.Dir = protocol.FromServer
	beat := parsertest.Call{Dir: protocol.ToServer, Data: framed(twoWay|flagEvent, 0, 5, "N")}
	pulse := parsertest.Call{Dir: protocol.FromServer, Data: framed(flagEvent|2, 20, 5, "N")}
	json := parsertest.Call{Dir: protocol.ToServer, Data: framed(flagReq|flagTwoWay|serialFastjson, 0, 8, "\"2.0.2\"\n\"a.B\"\n\"1.0\"\n\"json\"\n\"\"\n")}
	proto := parsertest.Call{Dir: protocol.ToServer, Data: framed(flagReq|flagTwoWay|22, 0, 9, "\x05secret")}
	return []parsertest.Call{
		invoke(1, twoWay, long, "get", 2000), invoke(2, twoWay, "a.B", "put", 3), invoke(3, oneWay, "a.B", "log", 3),
		answer(2, 20, "\x94\x05value"), answer(1, 20, "\x93C\x1fjava.lang.IllegalStateException\x91\x07message"+strings.Repeat("x", 3000)),
		beat, pulse, push,
		{Dir: protocol.ToServer, Data: framed(2, 20, 77, "\x92")},
		invoke(6, twoWay, "a.B", "gone", 3), answer(6, 60, "\x07no such"), invoke(7, twoWay, "a.B", "full", 3), answer(7, 100, "\x04full"),
		json, proto, answer(9, 20, "\x92"), {Dir: protocol.FromServer, Data: framed(serialFastjson, 20, 8, "0\n{\"message\":\"no\"}\n")},
	}
}

func TestConversation(t *testing.T) {
	want := "" +
		"call " + long + "/get EXCEPTION req=2075 res=3059 servererror=java.lang.IllegalStateException error=java.lang.IllegalStateException\n" +
		"call a.B/put OK req=39 res=23\ncall a.B/log - req=39 res=0 noresponse\n" +
		"call callback/changed - req=50 res=0 noresponse\n" +
		"call a.B/gone SERVICE_NOT_FOUND req=40 res=24 error=SERVICE_NOT_FOUND\n" +
		"call a.B/full SERVER_THREADPOOL_EXHAUSTED_ERROR req=40 res=21 servererror=SERVER_THREADPOOL_EXHAUSTED_ERROR error=SERVER_THREADPOOL_EXHAUSTED_ERROR\n" +
		"call a.B/json EXCEPTION req=46 res=35 servererror=EXCEPTION error=EXCEPTION\ncall - OK req=23 res=17\n"
	if got := parsertest.Play(t, Protocol{}, false, conversation()).String(); got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
	parsertest.AnySplit(t, Protocol{}, false, conversation())
	parsertest.AnyPartLost(t, Protocol{}, conversation(), func(x *parsertest.Exchange) string {
		return fmt.Sprint(x.Request.Target, x.Request.NoResponse, x.RequestEnd.BodyBytes, x.Response.Status, x.ResponseEnd.BodyBytes)
	})
}

func TestLosses(t *testing.T) {
	for _, tt := range []struct {
		name string
		play func(p *parser, r *parsertest.Recorder)
		want string
	}{
		{"bodies are not copied", func(p *parser, r *parsertest.Recorder) {
			p.Data(protocol.ToServer, invoke(1, twoWay, "a.B", "get", 5000).Data[:100], r)
			p.Gap(protocol.ToServer, 5036-100, nil, r)
			p.Data(protocol.FromServer, answer(1, 20, "\x94"+strings.Repeat("x", 4999)).Data[:50], r)
			p.Gap(protocol.FromServer, 5016-50, nil, r)
		}, "call a.B/get OK req=5036 res=5016\n"},
		{"responses are lost", func(p *parser, r *parsertest.Recorder) {
			p.Data(protocol.ToServer, invoke(1, twoWay, "a.B", "get", 0).Data, r)
			p.Gap(protocol.FromServer, 17, nil, r)
			p.Data(protocol.ToServer, invoke(2, twoWay, "a.B", "put", 0).Data, r)
			p.Data(protocol.FromServer, answer(2, 20, "\x92").Data, r)
		}, "call a.B/get - req=36 res=0 partial\ncall a.B/put OK req=36 res=17\nloss parser_gave_up 1\n"},
		{"joined", func(p *parser, r *parsertest.Recorder) {
			*p = *newParser(true)
			p.Data(protocol.ToServer, []byte("arguments"), r)
			p.Data(protocol.FromServer, answer(1, 20, "\x92").Data, r)
			p.Data(protocol.ToServer, invoke(2, twoWay, "a.B", "put", 0).Data, r)
			p.Data(protocol.FromServer, answer(2, 20, "\x92").Data, r)
		}, "call a.B/put OK req=36 res=17\nloss orphan_response 1\n"},
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
		"GET / HTTP/1.1\r\n\r\n", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\x00\x00\x00", "*1\r\n$4\r\nPING\r\n          ",
		"\xda\xbb\xc0\x00\x00\x00\x00\x00\x00\x00\x00\x01\x00\x00\x00\x05", // no serialization
		"\xda\xbb\xc2\x07\x00\x00\x00\x00\x00\x00\x00\x01\x00\x00\x00\x05", // a request with a status
		"\xda\xbb\x02\x15\x00\x00\x00\x00\x00\x00\x00\x01\x00\x00\x00\x05", // no status
		"\xda\xbb\xc2\x00\x00\x00\x00\x00\x00\x00\x00\x01\x7f\x00\x00\x05", // too long
		"\xda\xbc", strings.Repeat("\x00", 64),
	} {
		if v := recognize([]byte(in)); v != protocol.No {
			t.Errorf("recognize(%q) = %v, want No", in, v)
		}
	}
	if v := recognize([]byte("\xda\xbb\xc2")); v != protocol.Maybe {
		t.Errorf("recognize of three bytes = %v, want Maybe", v)
	}
	parsertest.Random(t, Protocol{})
}

func FuzzParse(f *testing.F) {
	text := parsertest.Text(conversation())
	f.Add([]byte("\x00\xff\x00\xff\x01\xff\x02\x20\x01\x20"), text[2000:], false)
	f.Add([]byte("\x00\xff\x01\xff\x02\x20\x01\x20"), text[2300:], true)
	f.Fuzz(func(t *testing.T, orders, text []byte, joined bool) {
		p := newParser(joined)
		parsertest.Script(t, p, orders, text, func() {
			if p.waiting.Len() > 1024 || len(p.path) > 2*maxName+1 {
				t.Fatalf("%d wait", p.waiting.Len())
			}
		})
	})
}

func BenchmarkParseCall(b *testing.B) {
	calls := parsertest.Capture(b, "testdata/dubbo_hessian2.pcap", 20880)[0]
	p := newParser(false)
	b.ReportAllocs()
	for b.Loop() {
		p.Data(protocol.ToServer, calls[0].Data, parsertest.Discard{})
		p.Data(protocol.FromServer, calls[1].Data, parsertest.Discard{})
	}
}
