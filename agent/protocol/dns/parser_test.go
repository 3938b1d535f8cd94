package dns

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/net/dns/dnsmessage"

	"github.com/sonde-dev/sonde/agent/protocol"
	"github.com/sonde-dev/sonde/agent/protocol/parsertest"
	"github.com/sonde-dev/sonde/signal"
)

const (
	toServer   = protocol.ToServer
	fromServer = protocol.FromServer
)

// book is a Sink that writes down what it hears and checks the order of it.
type book struct {
	t     testing.TB
	lives []*life
	byID  map[uint64]*life
	lost  signal.Losses
	bytes uint64 // that the parser was given or told of
}

// life is one exchange.
type life struct {
	request                             protocol.Request
	response                            protocol.Response
	requestBytes, responseBytes         uint64
	began, hasHead, ended               bool
	answered, hasResponse, responseOver bool
	partial                             bool
}

func newBook(t testing.TB) *book { return &book{t: t, byID: map[uint64]*life{}, lost: signal.Losses{}} }

func (k *book) get(id uint64, what string) *life {
	l := k.byID[id]
	if l == nil {
		k.t.Fatalf("%s(%d) without RequestBegin", what, id)
	}
	return l
}

func (k *book) RequestBegin(id uint64) {
	if id == 0 || k.byID[id] != nil {
		k.t.Fatalf("RequestBegin(%d) is not new", id)
	}
	k.byID[id] = &life{began: true}
	k.lives = append(k.lives, k.byID[id])
}

func (k *book) RequestHead(id uint64, r protocol.Request) {
	l := k.get(id, "RequestHead")
	if l.hasHead || l.ended || r.Operation == "" || r.Target == "" || strings.ContainsAny(r.Target, " \x00\n") || len(r.Target) > 4*maxName {
		k.t.Fatalf("RequestHead(%d, %+v) with %+v", id, r, *l)
	}
	l.hasHead, l.request = true, r
}

func (k *book) RequestEnd(id uint64, e protocol.End) {
	l := k.get(id, "RequestEnd")
	if l.ended || e.BodyBytes > k.bytes {
		k.t.Fatalf("RequestEnd(%d, %+v) with %+v", id, e, *l)
	}
	l.ended, l.requestBytes = true, e.BodyBytes
	l.partial = l.partial || e.Partial
}

func (k *book) ResponseBegin(id uint64) {
	l := k.get(id, "ResponseBegin")
	if !l.hasHead || l.answered {
		k.t.Fatalf("ResponseBegin(%d) with %+v", id, *l)
	}
	l.answered = true
}

func (k *book) ResponseHead(id uint64, r protocol.Response) {
	l := k.get(id, "ResponseHead")
	if !l.answered || l.hasResponse || r.Status == "" {
		k.t.Fatalf("ResponseHead(%d, %+v) with %+v", id, r, *l)
	}
	l.hasResponse, l.response = true, r
}

func (k *book) ResponseEnd(id uint64, e protocol.End) {
	l := k.get(id, "ResponseEnd")
	if !l.hasResponse || l.responseOver || e.BodyBytes > k.bytes {
		k.t.Fatalf("ResponseEnd(%d, %+v) with %+v", id, e, *l)
	}
	l.responseOver, l.responseBytes = true, e.BodyBytes
	l.partial = l.partial || e.Partial
}

func (k *book) Opaque() { k.t.Fatal("Opaque") }

func (k *book) Lost(c signal.Cause, n uint64) { k.lost.Add(c, n) }

// lines are the exchanges in order of their requests.
func (k *book) lines() (out []string) {
	for _, l := range k.lives {
		if !l.hasHead {
			continue
		}
		s := fmt.Sprintf("%s %s %s req=%d res=%d", l.request.Operation, l.request.Target, l.response.Status, l.requestBytes, l.responseBytes)
		for _, e := range []struct{ name, value string }{{"client", l.response.ClientError}, {"server", l.response.ServerError}} {
			if e.value != "" {
				s += " " + e.name + "=" + e.value
			}
		}
		for _, a := range l.response.Attributes {
			s += " " + a.Key + "=" + a.Value
		}
		if l.partial {
			s += " partial"
		}
		if !l.ended || l.answered != l.responseOver {
			s += " open"
		}
		out = append(out, s)
	}
	return out
}

// call is what a parser is given: bytes, or a gap.
type call struct {
	dir protocol.Direction
	b   []byte
	gap uint32
}

func feed(p protocol.Parser, k *book, calls ...call) {
	for _, c := range calls {
		k.bytes += uint64(len(c.b)) + uint64(c.gap)
		if c.gap > 0 {
			p.Gap(c.dir, c.gap, nil, k)
		} else {
			p.Data(c.dir, c.b, k)
		}
	}
}

const (
	tA     = dnsmessage.TypeA
	tAAAA  = dnsmessage.TypeAAAA
	tAXFR  = dnsmessage.TypeAXFR
	shop   = "shop.example.com."
	orders = "orders.example.com."
)

func TestParse(t *testing.T) {
	badvers := dnsmessage.Message{
		Header: dnsmessage.Header{ID: 1, Response: true}, Questions: []dnsmessage.Question{{Name: dnsmessage.MustNewName(shop), Type: tA, Class: 1}},
		Additionals: []dnsmessage.Resource{{Header: dnsmessage.ResourceHeader{Name: dnsmessage.MustNewName("."), Type: dnsmessage.TypeOPT, TTL: 1 << 24}, Body: &dnsmessage.OPTResource{}}},
	}
	noQuestion := change(answer(1, shop, tA, dnsmessage.RCodeFormatError, 0)[:12], 5, 0)
	truncated := change(answer(1, shop, tA, 0, 0), 2, 0x83)
	for _, c := range []struct {
		name   string
		stream bool
		start  protocol.Start
		calls  []call
		want   []string
		lost   signal.Losses
	}{
		{name: "addresses", calls: []call{{b: ask(1, shop, tA)}, {dir: fromServer, b: answer(1, shop, tA, 0, 2)}},
			want: []string{"A shop.example.com NOERROR req=34 res=66 dns.answers=192.0.2.1,192.0.2.2 dns.ttl=299"}},
		{name: "no such name", calls: []call{{b: ask(1, shop, tAAAA)}, {dir: fromServer, b: answer(1, shop, tAAAA, 3, 0)}},
			want: []string{"AAAA shop.example.com NXDOMAIN req=34 res=34 client=NXDOMAIN"}},
		{name: "search list", calls: []call{{b: ask(1, "a.example.com.x.svc.cluster.local.", tA)}, {dir: fromServer, b: answer(1, "a.example.com.x.svc.cluster.local.", tA, 3, 0)}},
			want: []string{"A a.example.com.x.svc.cluster.local NXDOMAIN req=51 res=51 dns.search=true"}},
		{name: "failure", calls: []call{{b: ask(1, shop, tA)}, {dir: fromServer, b: answer(1, shop, tA, 2, 0)}},
			want: []string{"A shop.example.com SERVFAIL req=34 res=34 client=SERVFAIL server=SERVFAIL"}},
		{name: "refusal", calls: []call{{b: ask(1, shop, tA)}, {dir: fromServer, b: answer(1, shop, tA, 5, 0)}},
			want: []string{"A shop.example.com REFUSED req=34 res=34 client=REFUSED"}},
		{name: "code of EDNS", calls: []call{{b: ask(1, shop, tA)}, {dir: fromServer, b: pack(badvers)}},
			want: []string{"A shop.example.com BADVERS req=34 res=45 client=BADVERS"}},
		{name: "truncated", calls: []call{{b: ask(1, shop, tA)}, {dir: fromServer, b: truncated}},
			want: []string{"A shop.example.com NOERROR req=34 res=34 dns.truncated=true"}},
		{name: "answer without question", calls: []call{{b: ask(1, shop, tA)}, {dir: fromServer, b: noQuestion}},
			want: []string{"A shop.example.com FORMERR req=34 res=12 client=FORMERR"}},
		{name: "answer without question to one of two", calls: []call{{b: ask(1, shop, tA)}, {b: ask(1, orders, tA)}, {dir: fromServer, b: noQuestion}},
			want: []string{"A shop.example.com  req=34 res=0", "A orders.example.com  req=36 res=0"}, lost: signal.Losses{signal.OrphanResponse: 1}},
		{name: "several in flight, other order, same id", calls: []call{
			{b: ask(5, shop, tA)}, {b: ask(5, shop, tAAAA)}, {b: ask(6, orders, tA)},
			{dir: fromServer, b: answer(6, orders, tA, 0, 1)}, {dir: fromServer, b: answer(5, shop, tAAAA, 3, 0)}, {dir: fromServer, b: answer(5, "SHOP.example.com.", tA, 0, 1)}},
			want: []string{
				"A shop.example.com NOERROR req=34 res=50 dns.answers=192.0.2.1 dns.ttl=300", "AAAA shop.example.com NXDOMAIN req=34 res=34 client=NXDOMAIN",
				"A orders.example.com NOERROR req=36 res=52 dns.answers=192.0.2.1 dns.ttl=300"}},
		{name: "sent again", calls: []call{{b: ask(1, shop, tA)}, {b: ask(1, shop, tA)}, {b: ask(1, shop, tA)}, {dir: fromServer, b: answer(1, shop, tA, 0, 0)}, {dir: fromServer, b: answer(1, shop, tA, 0, 0)}},
			want: []string{"A shop.example.com NOERROR req=34 res=34 dns.resent=2"}, lost: signal.Losses{signal.OrphanResponse: 1}},
		{name: "same id again and again", calls: []call{{b: ask(1, shop, tA)}, {b: ask(1, shop, tA)}, {b: ask(1, shop, tA)}, {b: ask(1, shop, tA)}, {b: ask(1, shop, tA)}, {dir: fromServer, b: answer(1, shop, tA, 0, 0)}},
			want: []string{"A shop.example.com  req=34 res=0", "A shop.example.com NOERROR req=34 res=34"}},
		{name: "another question", calls: []call{{b: ask(1, shop, tA)}, {dir: fromServer, b: answer(1, orders, tA, 0, 1)}},
			want: []string{"A shop.example.com  req=34 res=0"}, lost: signal.Losses{signal.OrphanResponse: 1}},
		{name: "another type", calls: []call{{b: ask(1, shop, tA)}, {dir: fromServer, b: answer(1, shop, tAAAA, 0, 0)}},
			want: []string{"A shop.example.com  req=34 res=0"}, lost: signal.Losses{signal.OrphanResponse: 1}},
		{name: "garbage between", calls: []call{{b: ask(1, shop, tA)}, {b: []byte("hello")}, {dir: fromServer, b: []byte("world, hello world")}, {dir: fromServer, b: answer(1, shop, tA, 0, 0)}},
			want: []string{"A shop.example.com NOERROR req=34 res=34"}, lost: signal.Losses{signal.ParserGaveUp: 2}},
		{name: "datagram of which the end was not copied", calls: []call{{b: ask(1, shop, tA)}, {dir: fromServer, b: answer(1, shop, tA, 0, 2)[:55]}, {dir: fromServer, gap: 11}},
			want: []string{"A shop.example.com NOERROR req=34 res=66 dns.answers=192.0.2.1 dns.ttl=300 partial"}},
		{name: "odd name", calls: []call{{b: ask(1, "a\\b.x y.\x07.", tA)}},
			want: []string{`A a\\b.x\032y.\007  req=27 res=0`}},

		{name: "stream", stream: true, calls: []call{{b: framed(ask(1, shop, tA), ask(2, orders, tA))}, {dir: fromServer, b: framed(answer(2, orders, tA, 0, 1), answer(1, shop, tA, 0, 1))}},
			want: []string{"A shop.example.com NOERROR req=34 res=50 dns.answers=192.0.2.1 dns.ttl=300", "A orders.example.com NOERROR req=36 res=52 dns.answers=192.0.2.1 dns.ttl=300"}},
		{name: "gap within an answer", stream: true, calls: []call{{b: framed(ask(1, shop, tA))}, {dir: fromServer, b: framed(answer(1, shop, tA, 0, 2))[:57]}, {dir: fromServer, gap: 11},
			{b: framed(ask(2, shop, tA))}, {dir: fromServer, b: framed(answer(2, shop, tA, 0, 0))}},
			want: []string{"A shop.example.com NOERROR req=34 res=66 dns.answers=192.0.2.1 dns.ttl=300 partial", "A shop.example.com NOERROR req=34 res=34"}},
		{name: "gap over an answer", stream: true, calls: []call{{b: framed(ask(1, shop, tA))}, {dir: fromServer, gap: 68}, {b: framed(ask(2, shop, tA))}, {dir: fromServer, b: framed(answer(2, shop, tA, 0, 0))}},
			want: []string{"A shop.example.com  req=34 res=0", "A shop.example.com NOERROR req=34 res=34"}, lost: signal.Losses{signal.ParserGaveUp: 1}},
		{name: "gap over a query", stream: true, calls: []call{{gap: 36}, {dir: fromServer, b: framed(answer(1, shop, tA, 0, 0))}, {b: framed(ask(2, shop, tA))}, {dir: fromServer, b: framed(answer(2, shop, tA, 0, 0))}},
			want: []string{"A shop.example.com NOERROR req=34 res=34"}, lost: signal.Losses{signal.ParserGaveUp: 1, signal.OrphanResponse: 1}},
		{name: "joined in the middle of a message", stream: true, start: protocol.Start{Joined: true}, calls: []call{{dir: fromServer, b: framed(answer(1, shop, tA, 0, 2))[30:]}, {b: framed(ask(2, shop, tA))}, {dir: fromServer, b: framed(answer(2, shop, tA, 0, 0))}},
			want: []string{"A shop.example.com NOERROR req=34 res=34"}},
		{name: "length that cannot be", stream: true, calls: []call{{b: []byte{0, 3, 1, 2, 3}}, {b: framed(ask(2, shop, tA))}, {dir: fromServer, b: framed(answer(2, shop, tA, 0, 0))}},
			want: []string{"A shop.example.com NOERROR req=34 res=34"}, lost: signal.Losses{signal.ParserGaveUp: 1}},
		{name: "transfer", stream: true, calls: []call{{b: framed(ask(1, shop, tAXFR))}, {dir: fromServer, b: framed(answer(1, shop, tAXFR, 0, 40), answer(1, shop, tAXFR, 0, 40), answer(1, shop, tAXFR, 0, 1))}, {b: framed(ask(1, shop, tA))}, {dir: fromServer, b: framed(answer(1, shop, tA, 0, 0))}},
			want: []string{"AXFR shop.example.com NOERROR req=34 res=674 dns.answers=" + addresses(16) + " dns.ttl=261", "A shop.example.com NOERROR req=34 res=34"}},
		{name: "close within", stream: true, calls: []call{{b: framed(ask(1, shop, tA))[:20]}}, want: nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.start.Datagrams = !c.stream
			k := newBook(t)
			p := Protocol{}.NewParser(c.start)
			feed(p, k, c.calls...)
			p.Close(k)
			if diff := cmp.Diff(c.want, k.lines()); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
			if c.lost == nil {
				c.lost = signal.Losses{}
			}
			if diff := cmp.Diff(c.lost, k.lost); diff != "" {
				t.Errorf("lost: -want +got:\n%s", diff)
			}
		})
	}
}

func addresses(n int) string {
	var out []string
	for i := range n {
		out = append(out, fmt.Sprintf("192.0.2.%d", i+1))
	}
	return strings.Join(out, ",")
}

// dialogue writes a stream of queries and answers in random order.
func dialogue(r *rand.Rand) (said [2][]byte) {
	type open struct {
		id uint16
		i  int
	}
	var waiting []open
	name := func(i int) string { return fmt.Sprintf("n%d.%s.example.com.", i, strings.Repeat("x", i%40+1)) }
	for i := range 3 + r.IntN(10) {
		id := uint16(r.Uint32())
		said[0] = append(said[0], framed(ask(id, name(i), tA))...)
		waiting = append(waiting, open{id, i})
	}
	r.Shuffle(len(waiting), func(i, j int) { waiting[i], waiting[j] = waiting[j], waiting[i] })
	for _, w := range waiting {
		said[1] = append(said[1], framed(answer(w.id, name(w.i), tA, dnsmessage.RCode(r.IntN(6)), r.IntN(30)))...)
	}
	return said
}

// Any cut of the bytes gives the same exchanges.
func TestAnySplit(t *testing.T) {
	for seed := range uint64(300) {
		r := rand.New(rand.NewPCG(seed, 4))
		said := dialogue(r)
		whole, parts := newBook(t), newBook(t)
		feed(Protocol{}.NewParser(protocol.Start{}), whole, call{b: said[0]}, call{dir: fromServer, b: said[1]})
		p := Protocol{}.NewParser(protocol.Start{})
		for dir, b := range said {
			for len(b) > 0 {
				n := 1 + r.IntN(min(len(b), []int{1, 5, 200}[seed%3]))
				feed(p, parts, call{dir: protocol.Direction(dir), b: b[:n]})
				b = b[n:]
			}
		}
		if diff := cmp.Diff(whole.lines(), parts.lines()); diff != "" || len(parts.lost) > 0 {
			t.Fatalf("seed %d: lost %v, -whole +parts:\n%s", seed, parts.lost, diff)
		}
	}
}

// Whatever is missing, what is told without "partial" is true, and each loss of a message is counted.
func TestAnyLoss(t *testing.T) {
	for seed := range uint64(1000) {
		r := rand.New(rand.NewPCG(seed, 6))
		said := dialogue(r)
		whole, k := newBook(t), newBook(t)
		feed(Protocol{}.NewParser(protocol.Start{}), whole, call{b: said[0]}, call{dir: fromServer, b: said[1]})
		p := Protocol{}.NewParser(protocol.Start{})
		for dir, b := range said {
			for len(b) > 0 {
				n := min(len(b), 1+r.IntN(150))
				c := call{dir: protocol.Direction(dir), b: b[:n]}
				if r.IntN(6) == 0 {
					c = call{dir: protocol.Direction(dir), gap: uint32(n)}
				}
				feed(p, k, c)
				b = b[n:]
			}
		}
		p.Close(k)
		want := whole.lines()
		for _, l := range k.lines() {
			if isWhole := !strings.Contains(l, "partial") && !strings.Contains(l, " res=0"); isWhole && !slices.Contains(want, l) {
				t.Fatalf("seed %d: told %s, which is not true", seed, l)
			}
		}
		if len(k.lines()) < len(want) && len(k.lost) == 0 {
			t.Fatalf("seed %d: %d of %d, nothing counted as lost", seed, len(k.lines()), len(want))
		}
	}
}

func TestBounds(t *testing.T) {
	k := newBook(t)
	p := Protocol{}.NewParser(protocol.Start{Datagrams: true}).(*parser)
	for i := range 5 * maxLookups {
		feed(p, k, call{b: ask(uint16(i), shop, tA)})
	}
	if n := len(p.waiting.lookups); n != maxLookups {
		t.Errorf("%d queries wait, want %d", n, maxLookups)
	}
	s := Protocol{}.NewParser(protocol.Start{}).(*parser)
	big := make([]byte, 65535)
	copy(big, answer(1, shop, tA, 0, 0))
	feed(s, k, call{dir: fromServer, b: framed(big)[:60000]})
	if n := cap(s.streams[fromServer].buf); n > 2*maxKept {
		t.Errorf("%d bytes kept of a message", n)
	}
}

// FuzzParse drives a parser with a script: each step takes two bytes of orders and some of the text.
func FuzzParse(f *testing.F) {
	query, reply := ask(1, shop, tA), answer(1, shop, tA, 0, 3)
	f.Add([]byte("\x00\xff\x01\xff"), append(framed(query), framed(reply)...), false, false)
	f.Add([]byte("\x00\x22\x01\x52"), append(query, reply...), false, true)
	f.Add([]byte("\x00\x10\x02\x14\x01\x20\x03\x34"), append(framed(query), framed(reply)...), true, false)
	f.Fuzz(func(t *testing.T, orders, text []byte, joined, datagrams bool) {
		p := Protocol{}.NewParser(protocol.Start{Joined: joined, Datagrams: datagrams}).(*parser)
		k := newBook(t)
		for len(orders) >= 2 {
			dir, n := protocol.Direction(orders[0]&1), min(int(orders[1]), len(text))
			if orders[0]&2 != 0 {
				feed(p, k, call{dir: dir, gap: uint32(orders[1])<<(orders[0]>>4) + 1})
			} else {
				feed(p, k, call{dir: dir, b: text[:n]})
				text = text[n:]
			}
			orders = orders[2:]
			if len(p.waiting.lookups) > maxLookups || len(p.streams[0].buf) > maxKept || len(p.streams[1].buf) > maxKept {
				t.Fatal("not bounded")
			}
		}
		p.Close(k)
	})
}

// BenchmarkParse is one look-up: a query and its answer with two addresses.
func BenchmarkParse(b *testing.B) {
	query, reply := ask(1, shop, tA), answer(1, shop, tA, 0, 2)
	b.Run("datagrams", func(b *testing.B) {
		p := Protocol{}.NewParser(protocol.Start{Datagrams: true})
		b.ReportAllocs()
		for b.Loop() {
			p.Data(toServer, query, parsertest.Discard{})
			p.Data(fromServer, reply, parsertest.Discard{})
		}
	})
	b.Run("stream", func(b *testing.B) {
		p := Protocol{}.NewParser(protocol.Start{})
		query, reply := framed(query), framed(reply)
		b.ReportAllocs()
		for b.Loop() {
			p.Data(toServer, query, parsertest.Discard{})
			p.Data(fromServer, reply, parsertest.Discard{})
		}
	})
}
