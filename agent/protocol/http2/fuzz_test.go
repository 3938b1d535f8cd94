package http2

import (
	"slices"
	"testing"

	"github.com/sonde-dev/sonde/agent/protocol"
)

// FuzzParse drives a parser with a script: each step takes a byte of orders and some of the text.
func FuzzParse(f *testing.F) {
	for _, tt := range slices.Concat(plainConversations, grpcConversations, lossConversations) {
		w := newWire()
		tt.say(w)
		var orders, text []byte
		for _, k := range w.calls {
			for b := k.b; len(b) > 0; {
				n := min(len(b), 255)
				orders = append(orders, byte(k.dir), byte(n))
				b = b[n:]
			}
			text = append(text, k.b...)
		}
		if len(text) < 4000 {
			f.Add(orders, text)
		}
	}
	f.Fuzz(func(t *testing.T, orders, text []byte) {
		p, r := newParser(false), newRecorder(t)
		r.bytes = 0
		for len(orders) >= 2 {
			dir := protocol.Direction(orders[0] & 1)
			if orders[0]&2 != 0 {
				size := uint32(orders[1]) << (orders[0] >> 4)
				r.bytes += uint64(size)
				p.Gap(dir, size, nil, r)
			} else {
				n := min(int(orders[1]), len(text))
				r.bytes += uint64(n)
				p.Data(dir, text[:n], r)
				text = text[n:]
			}
			orders = orders[2:]
			for _, h := range p.halves {
				if len(p.streams) > maxStreams || len(h.buf)+len(h.block) > 2*maxBlock || h.table.size > maxTable+entryOverhead+len(text) {
					t.Fatalf("not bounded: %d streams, %d and %d bytes of a block, %d in a table", len(p.streams), len(h.buf), len(h.block), h.table.size)
				}
			}
			if p.early > maxEarly || p.early < 0 {
				t.Fatalf("%d early responses", p.early)
			}
		}
		p.Close(r)
		for id, x := range r.exchanges {
			if x.resEnded && x.head && !x.ended && x.resEnd.Cut {
				t.Fatalf("exchange %d: the response is cut, the request goes on", id)
			}
		}
		_ = recognize(text)
	})
}
