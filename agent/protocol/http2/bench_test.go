package http2

import (
	"testing"

	"github.com/sonde-dev/sonde/agent/protocol"
	"github.com/sonde-dev/sonde/agent/protocol/parsertest"
)

// silent counts the exchanges it hears of.
type silent struct {
	parsertest.Discard
	ended int
}

func (s *silent) ResponseEnd(uint64, protocol.End) { s.ended++ }

func benchmark(b *testing.B, say func(w *wire, stream uint32)) {
	const rounds = 1000
	w := newWire()
	w.preface()
	for i := range uint32(rounds) {
		say(w, 2*i+1)
	}
	b.ReportAllocs()
	sink := &silent{}
	for b.Loop() { // a connection of 1000 exchanges
		w.play(newParser(false), sink)
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(sink.ended), "ns/exchange")
}

func BenchmarkParsePlain(b *testing.B) {
	benchmark(b, func(w *wire, stream uint32) {
		w.get(stream, "/users/"+word(stream%20))
		w.ok(stream, false)
		w.data(s, stream, true, "hello, world")
	})
}

func BenchmarkParseGRPC(b *testing.B) {
	benchmark(b, func(w *wire, stream uint32) {
		w.rpc(stream, hello)
		w.data(c, stream, true, message)
		w.answer(stream)
		w.data(s, stream, false, message)
		w.trailers(stream, "0")
	})
}

func BenchmarkRecognize(b *testing.B) {
	request := []byte(latest(func(w *wire) { w.get(1, "/users/7") }))
	other := []byte("*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$1\r\nv\r\n")
	b.ReportAllocs()
	for b.Loop() {
		recognize(request)
		recognize(other)
	}
}
