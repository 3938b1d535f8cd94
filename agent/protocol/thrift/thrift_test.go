package thrift

import (
	"context"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/apache/thrift/lib/go/thrift"

	"github.com/sonde-dev/sonde/agent/protocol"
	"github.com/sonde-dev/sonde/agent/protocol/parsertest"
)

// The oracle is Apache's library for Go, which writes the messages.

var ctx = context.Background()

// style is a protocol over a transport.
type style struct{ isCompact, isFramed bool }

func (s style) String() string { return fmt.Sprintf("compact=%v framed=%v", s.isCompact, s.isFramed) }

var styles = []style{{false, false}, {false, true}, {true, false}, {true, true}}

// encode writes a message whose structure is written by f.
func (s style) encode(name string, kind thrift.TMessageType, seq int32, f func(p thrift.TProtocol)) []byte {
	buf := thrift.NewTMemoryBuffer()
	var p thrift.TProtocol = thrift.NewTBinaryProtocolConf(buf, &thrift.TConfiguration{TBinaryStrictWrite: thrift.BoolPtr(true)})
	if s.isCompact {
		p = thrift.NewTCompactProtocolConf(buf, nil)
	}
	must(p.WriteMessageBegin(ctx, name, kind, seq))
	must(p.WriteStructBegin(ctx, ""))
	f(p)
	must(p.WriteFieldStop(ctx))
	must(p.WriteStructEnd(ctx))
	must(p.WriteMessageEnd(ctx))
	must(p.Flush(ctx))
	b := buf.Bytes()
	if s.isFramed {
		b = append(binary.BigEndian.AppendUint32(nil, uint32(len(b))), b...)
	}
	return b
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}

// value writes one of any type.
func value(p thrift.TProtocol, t thrift.TType, r *rand.Rand, depth int) {
	switch t {
	case thrift.BOOL:
		must(p.WriteBool(ctx, r.IntN(2) == 0))
	case thrift.BYTE:
		must(p.WriteByte(ctx, int8(r.IntN(256)-128)))
	case thrift.DOUBLE:
		must(p.WriteDouble(ctx, r.Float64()))
	case thrift.I16:
		must(p.WriteI16(ctx, int16(r.Uint32())))
	case thrift.I32:
		must(p.WriteI32(ctx, int32(r.Uint32())>>r.IntN(32)))
	case thrift.I64:
		must(p.WriteI64(ctx, int64(r.Uint64())>>r.IntN(64)))
	case thrift.STRING:
		must(p.WriteString(ctx, strings.Repeat("s", r.IntN(300))))
	case thrift.UUID:
		must(p.WriteUUID(ctx, thrift.Tuuid{1, 2, 3}))
	case thrift.STRUCT:
		must(p.WriteStructBegin(ctx, ""))
		fields(p, r, depth+1, 1)
		must(p.WriteFieldStop(ctx))
		must(p.WriteStructEnd(ctx))
	case thrift.LIST, thrift.SET:
		e, n := anyType(r, depth), r.IntN(20)
		if t == thrift.LIST {
			must(p.WriteListBegin(ctx, e, n))
		} else {
			must(p.WriteSetBegin(ctx, e, n))
		}
		for range n {
			value(p, e, r, depth+1)
		}
	case thrift.MAP:
		k, v, n := anyType(r, depth), anyType(r, depth), r.IntN(4)
		must(p.WriteMapBegin(ctx, k, v, n))
		for range n {
			value(p, k, r, depth+1)
			value(p, v, r, depth+1)
		}
		must(p.WriteMapEnd(ctx))
	}
}

func anyType(r *rand.Rand, depth int) thrift.TType {
	all := []thrift.TType{thrift.BOOL, thrift.BYTE, thrift.DOUBLE, thrift.I16, thrift.I32, thrift.I64, thrift.STRING, thrift.UUID,
		thrift.STRUCT, thrift.LIST, thrift.SET, thrift.MAP}
	if depth > 2 {
		all = all[:8]
	}
	return all[r.IntN(len(all))]
}

// fields writes some, the first of a number.
func fields(p thrift.TProtocol, r *rand.Rand, depth int, first int16) {
	for range r.IntN(5) {
		t := anyType(r, depth)
		must(p.WriteFieldBegin(ctx, "", t, first))
		value(p, t, r, depth)
		must(p.WriteFieldEnd(ctx))
		first += int16(1 + r.IntN(30))
	}
}

func to(b []byte) parsertest.Call {
	return parsertest.Call{Dir: protocol.ToServer, Data: b}
}
func from(b []byte) parsertest.Call {
	return parsertest.Call{Dir: protocol.FromServer, Data: b}
}

// result writes a reply: field 0 a result, others an exception, -1 nothing.
func result(r *rand.Rand, field int16) func(p thrift.TProtocol) {
	return func(p thrift.TProtocol) {
		if field >= 0 {
			must(p.WriteFieldBegin(ctx, "", thrift.STRUCT, field))
			value(p, thrift.STRUCT, r, 0)
			must(p.WriteFieldEnd(ctx))
		}
	}
}

func failure(kind int32) func(p thrift.TProtocol) {
	return func(p thrift.TProtocol) {
		must(p.WriteFieldBegin(ctx, "message", thrift.STRING, 1))
		must(p.WriteString(ctx, "a secret"))
		must(p.WriteFieldBegin(ctx, "type", thrift.I32, 2))
		must(p.WriteI32(ctx, kind))
	}
}

// conversation is random, with the lines that it must be told as.
func (s style) conversation(r *rand.Rand) (calls []parsertest.Call, want string) {
	add := func(seq int32, name, target string, kind thrift.TMessageType, f func(p thrift.TProtocol), status string) {
		if status == "silent" {
			q := s.encode(name, thrift.ONEWAY, seq, func(p thrift.TProtocol) { fields(p, r, 0, 1) })
			calls = append(calls, to(q))
			want += fmt.Sprintf("call %s - req=%d res=0 noresponse\n", target, len(q))
			return
		}
		q := s.encode(name, thrift.CALL, seq, func(p thrift.TProtocol) { fields(p, r, 0, 1) })
		a := s.encode(name, kind, seq, f)
		calls = append(calls, to(q), from(a))
		want += fmt.Sprintf("call %s %s req=%d res=%d\n", target, status, len(q), len(a))
	}
	for i := range int32(4) {
		add(i, "get", "get", thrift.REPLY, result(r, 0), "OK")
		add(i, "Users:put", "Users/put", thrift.REPLY, result(r, -1), "OK")
		add(0, "find", "find", thrift.REPLY, result(r, 2), "EXCEPTION")
		add(-5, "log", "log", 0, nil, "silent")
		add(1<<30, "gone", "gone", thrift.EXCEPTION, failure(1), "UNKNOWN_METHOD")
		add(i, "broken", "broken", thrift.EXCEPTION, failure(6), "INTERNAL_ERROR")
	}
	var b strings.Builder
	for line := range strings.Lines(want) {
		line = strings.TrimSuffix(line, "\n")
		switch f := strings.Fields(line); f[2] {
		case "EXCEPTION", "UNKNOWN_METHOD":
			line += " error=" + f[2]
		case "INTERNAL_ERROR":
			line += " servererror=" + f[2] + " error=" + f[2]
		}
		b.WriteString(line + "\n")
	}
	return calls, b.String()
}

func TestConversations(t *testing.T) {
	for _, s := range styles {
		for seed := range uint64(20) {
			calls, want := s.conversation(rand.New(rand.NewPCG(seed, 1)))
			if got := parsertest.Play(t, Protocol{}, false, calls).String(); got != want {
				t.Fatalf("%v: got\n%swant\n%s", s, got, want)
			}
			if seed > 0 {
				continue
			}
			for _, c := range calls {
				want := protocol.IsRequest
				if c.Dir == protocol.FromServer {
					want = protocol.IsResponse
				}
				if v := recognize(c.Data); v != want {
					t.Errorf("%v: recognize(%q) = %v, want %v", s, c.Data, v, want)
				}
				for n := range c.Data {
					if v := recognize(c.Data[:n]); v == protocol.No || v != want && v != protocol.Maybe {
						t.Errorf("%v: recognize(%q) = %v", s, c.Data[:n], v)
					}
				}
			}
			parsertest.AnySplit(t, Protocol{}, false, calls)
			parsertest.AnyPartLost(t, Protocol{}, calls, func(x *parsertest.Exchange) string {
				return fmt.Sprint(x.Request.Target, x.Request.NoResponse, x.RequestEnd.BodyBytes, x.Response.Status, x.ResponseEnd.BodyBytes)
			})
		}
	}
}

func TestPipelined(t *testing.T) {
	for _, s := range styles {
		r := rand.New(rand.NewPCG(5, 5))
		p, got := newParser(false), parsertest.NewRecorder(t)
		var q, a []byte
		for i := range int32(3) { // one call, all of one sequence id
			q = append(q, s.encode(fmt.Sprint("m", i), thrift.CALL, 0, func(p thrift.TProtocol) { fields(p, r, 0, 1) })...)
			a = append(a, s.encode(fmt.Sprint("m", i), thrift.REPLY, 0, result(r, int16(i)))...)
		}
		p.Data(protocol.ToServer, q, got)
		p.Data(protocol.FromServer, a, got)
		for i, want := range []string{"OK", "EXCEPTION", "EXCEPTION"} {
			if x := got.Exchanges[got.IDs[i]]; x.Response.Status != want || x.Request.Target != fmt.Sprint("m", i) {
				t.Errorf("%v: %+v, want %s", s, x, want)
			}
		}
	}
}

// The library for Go sends one-way calls as if they were others.
func TestOvertaken(t *testing.T) {
	s := style{false, true}
	r := rand.New(rand.NewPCG(5, 5))
	p, got := newParser(false), parsertest.NewRecorder(t)
	ask := func(name string, seq int32) {
		p.Data(protocol.ToServer, s.encode(name, thrift.CALL, seq, func(thrift.TProtocol) {}), got)
	}
	answer := func(name string, seq int32) {
		p.Data(protocol.FromServer, s.encode(name, thrift.REPLY, seq, result(r, -1)), got)
	}
	ask("log", 1)
	ask("get", 2)
	answer("get", 2)
	ask("log", 3)
	ask("put", 4) // the last of the connection may be one, too
	answer("put", 4)
	ask("late", 5) // and here is a server that reorders
	ask("fast", 6)
	answer("fast", 6)
	answer("late", 5)
	ask("late", 7)
	ask("fast", 8)
	answer("fast", 8)
	answer("late", 7)
	want := "call log - req=20 res=0 partial\ncall get OK req=20 res=20\ncall log - req=20 res=0 noresponse\ncall put OK req=20 res=20\n" +
		"call late - req=21 res=0 partial\ncall fast OK req=21 res=21\ncall late OK req=21 res=21\ncall fast OK req=21 res=21\n"
	if got := got.String(); got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
}

func TestLosses(t *testing.T) {
	big := func(p thrift.TProtocol) {
		must(p.WriteFieldBegin(ctx, "", thrift.STRING, 0))
		must(p.WriteString(ctx, strings.Repeat("x", 5000)))
	}
	for _, s := range styles {
		q, a := s.encode("get", thrift.CALL, 1, big), s.encode("get", thrift.REPLY, 1, big)
		p, r := newParser(true), parsertest.NewRecorder(t)
		p.Data(protocol.ToServer, []byte("the middle of an argument"), r)
		p.Data(protocol.FromServer, []byte("the middle of a result"), r)
		p.Data(protocol.ToServer, q[:100], r)
		p.Gap(protocol.ToServer, uint32(len(q)-200), nil, r)
		p.Data(protocol.ToServer, q[len(q)-100:], r)
		p.Data(protocol.FromServer, a[:100], r)
		p.Gap(protocol.FromServer, uint32(len(a)-200), nil, r)
		p.Data(protocol.FromServer, a[len(a)-100:], r)
		// A response is lost as a whole.
		p.Data(protocol.ToServer, q, r)
		p.Gap(protocol.FromServer, uint32(len(a)), nil, r)
		p.Data(protocol.ToServer, q, r)
		p.Data(protocol.FromServer, a, r)
		want := fmt.Sprintf("call get OK req=%d res=%d\ncall get - req=%[1]d res=0 partial\ncall get OK req=%[1]d res=%[2]d\nloss parser_gave_up 1\n", len(q), len(a))
		got := r.String()
		if got != want {
			t.Errorf("%v: got\n%swant\n%s", s, got, want)
		}
	}
}

func TestRecognize(t *testing.T) {
	for _, in := range []string{
		"GET / HTTP/1.1\r\n\r\n", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", "*1\r\n$4\r\nPING\r\n",
		"\x00\x00\x00\x12\x04\x00\x00\x00\x00\x00\x00\x03\x00\x00\x00\x80\x00\x04\x00\x01\x00\x00\x00\x05\x00\xff\xff",
		"\x00\x00\x00\x31\x00\x12\x00\x03\x00\x00\x00\x02\x00\x0dadminclient-1\x00\x12apache-kafka-java\x063.0.0\x00",
		"\x82\x21\x00\x0a\x00\x1csensors/kitchen/temperature\x00",                 // MQTT SUBSCRIBE
		"\x80\x01\x00\x05\x00\x00\x00\x03get\x00\x00\x00\x01\x00",                 // no such kind
		"\x80\x01\x00\x01\x00\x00\x00\x03g t\x00\x00\x00\x01\x00",                 // no name
		"\x80\x01\x00\x01\x00\x00\x00\x03get\x00\x00\x00\x01\x05\x00\x01",         // no such type
		"\x00\x00\x00\x12\x80\x01\x00\x01\x00\x00\x00\x03get\x00\x00\x00\x01\x00", // a frame that is too long for it: at its end
		"\x81\x80" + strings.Repeat("\x01", 20), strings.Repeat("\x00", 64),
	} {
		b := []byte(in)
		if strings.HasPrefix(in, "\x00\x00\x00\x12\x80") {
			b = append(b, 0, 0, 0, 0)
		}
		if v := recognize(b); v != protocol.No {
			t.Errorf("recognize(%q) = %v, want No", in, v)
		}
	}
	parsertest.Random(t, Protocol{})
}

func FuzzParse(f *testing.F) {
	for i, s := range styles {
		calls, _ := s.conversation(rand.New(rand.NewPCG(9, 9)))
		f.Add([]byte("\x00\xff\x00\xff\x01\xff\x02\x20\x01\x20"), parsertest.Text(calls), i%2 == 0)
	}
	f.Fuzz(func(t *testing.T, orders, text []byte, joined bool) {
		p := newParser(joined)
		parsertest.Script(t, p, orders, text, func() {
			if p.waiting.Len() > 1024 || len(p.in.pend) > 32 || len(p.out.pend) > 32 {
				t.Fatalf("not bounded: %d wait, %d kept", p.waiting.Len(), len(p.in.pend))
			}
		})
		recognize(text)
	})
}

func BenchmarkParseFramedBinary(b *testing.B)    { benchmark(b, style{false, true}) }
func BenchmarkParseUnframedCompact(b *testing.B) { benchmark(b, style{true, false}) }

func benchmark(b *testing.B, s style) {
	r := rand.New(rand.NewPCG(7, 7))
	q := s.encode("get", thrift.CALL, 1, func(p thrift.TProtocol) {
		must(p.WriteFieldBegin(ctx, "", thrift.STRING, 1))
		must(p.WriteString(ctx, "key"))
	})
	a := s.encode("get", thrift.REPLY, 1, result(r, 0))
	p := newParser(false)
	b.ReportAllocs()
	for b.Loop() {
		p.Data(protocol.ToServer, q, parsertest.Discard{})
		p.Data(protocol.FromServer, a, parsertest.Discard{})
	}
}
