package clickhouse

import (
	"testing"

	"github.com/sonde-dev/sonde/agent/protocol"
	"github.com/sonde-dev/sonde/agent/protocol/parsertest"
)

func TestRecognize(t *testing.T) {
	hello := "\x00\x11ClickHouse client\x12\x10\x8c\xa9\x03\x07default\x07default\x00"
	for _, tt := range []struct {
		in   string
		want protocol.Verdict
	}{
		{"", protocol.Maybe},
		{"\x00", protocol.Maybe},
		{hello[:12], protocol.Maybe},
		{hello, protocol.IsRequest},
		{hello + "x", protocol.No},
		{"\x00\x11ClickHouse client\x12\x10\x8c\x09\x07default\x07default\x00", protocol.No}, // the revision
		{"\x00\x0aClickHouse\x12\x10\x8c\xa9\x03\x03UTC\x04host\x01", protocol.IsResponse},
		{"\x01\x00\x00\x00", protocol.No},
		{"\x04", protocol.Maybe}, // a ping
		{"\x04\x04", protocol.No},
	} {
		if got := recognize([]byte(tt.in)); got != tt.want {
			t.Errorf("recognize(%q) = %v, want %v", tt.in, got, tt.want)
		}
	}
	for _, b := range parsertest.Foreign {
		if v := recognize([]byte(b)); v >= protocol.IsRequest && b[1] != 0x11 {
			t.Errorf("recognize(%q) = %v", b, v)
		}
	}
	parsertest.Random(t, Protocol{})
	// A query of a connection that was joined tells by itself which revision it is of.
	for _, c := range parsertest.Capture(t, "testdata/clickhouse.pcap", 19000) {
		for _, s := range c {
			if isQuery := s.Dir == protocol.ToServer && s.Data[0] == clientQuery && len(s.Data) > 30; isQuery != (s.Data[0] == clientQuery && recognize(s.Data) == protocol.IsRequest) {
				t.Errorf("recognize(%q) = %v", s.Data[:min(len(s.Data), 60)], recognize(s.Data))
			}
		}
	}
}

func TestTypes(t *testing.T) {
	for _, tt := range []struct {
		in   string
		size uint64 // 0: known, but not of a fixed size; 99: unknown
	}{
		{"UInt64", 8}, {"DateTime('Europe/Berlin')", 4}, {"DateTime64(3, 'UTC')", 8}, {"Enum8('a, (b' = 1, 'c' = 2)", 1}, {"Decimal(18, 4)", 8}, {"Decimal(38, 4)", 16},
		{"FixedString(7)", 7}, {"IntervalDay", 8}, {"String", 0}, {"Array(Array(Nullable(String)))", 0}, {"Tuple(a UInt8, b Array(String))", 0}, {"Map(String, Tuple(x UInt8))", 0},
		{"LowCardinality(Nullable(String))", 0}, {"SimpleAggregateFunction(sum, Float64)", 8}, {"AggregateFunction(uniq, UInt64)", 99}, {"Variant(String)", 99}, {"Array(", 99},
	} {
		c := typeNamed(tt.in, 0)
		switch {
		case tt.size == 99 && c == nil:
		case c == nil || tt.size == 99 || c.shape == fixedSize && c.size != tt.size:
			t.Errorf("typeNamed(%q) = %+v", tt.in, c)
		}
	}
}

func TestConversations(t *testing.T) { parsertest.Conversations(t, Protocol{}, "testdata/*.txt") }

func FuzzParse(f *testing.F) {
	for _, c := range parsertest.Capture(f, "testdata/clickhouse.pcap", 19000) {
		orders, text := parsertest.Orders(c, 4096)
		f.Add(orders, text, false)
		f.Add(orders, text, true)
	}
	f.Fuzz(func(t *testing.T, orders, text []byte, joined bool) {
		r := parsertest.Script(t, newParser(joined), orders, text, nil)
		if r.MaxOpen > 2 {
			t.Fatalf("%d queries under way", r.MaxOpen)
		}
	})
}

func BenchmarkParseQuery(b *testing.B) {
	c := parsertest.Capture(b, "testdata/clickhouse.pcap", 19000)[0]
	p, s := newParser(false), parsertest.Discard{}
	for _, step := range c[:2] {
		p.Data(step.Dir, step.Data, s)
	}
	b.ReportAllocs()
	for b.Loop() { // a ping and a query
		for _, step := range c[2:] {
			p.Data(step.Dir, step.Data, s)
		}
	}
}
