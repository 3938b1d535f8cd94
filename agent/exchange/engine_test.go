package exchange_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"

	"github.com/sonde-dev/sonde/agent/exchange"
	"github.com/sonde-dev/sonde/agent/probe/event"
	"github.com/sonde-dev/sonde/agent/protocol/all"
	"github.com/sonde-dev/sonde/signal"
)

const (
	get = "GET /x HTTP/1.1\r\nHost: h\r\n\r\n"
	ok  = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
)

// wire feeds an engine with whole calls of several connections, seen from the server.
type wire struct {
	engine *exchange.Engine
	got    []*exchange.Exchange
	now    uint64
	seq    map[[2]uint64]uint32
}

func newWire(cfg exchange.Config) *wire {
	w := &wire{now: 1e9, seq: map[[2]uint64]uint32{}}
	w.engine = exchange.New(cfg, all.Protocols(), func(x *exchange.Exchange) { w.got = append(w.got, new(*x)) }, nil)
	return w
}

func (w *wire) open(conn uint64, pid uint32, role event.Role) {
	w.engine.Handle(&event.Event{Kind: event.Open, Time: w.now, Conn: conn, PID: pid, Open: event.OpenInfo{Role: role, Seen: true}})
}

func (w *wire) call(conn uint64, dir event.Direction, text string) {
	w.now += 1e6
	at := [2]uint64{conn, uint64(dir)}
	w.engine.Handle(&event.Event{Kind: event.Data, Time: w.now, Conn: conn, PID: 7, TID: 8, Direction: dir,
		Seq: w.seq[at], Len: uint32(len(text)), Payload: []byte(text)})
	w.seq[at] += uint32(len(text))
}

func TestRoleFromContent(t *testing.T) {
	w := newWire(exchange.DefaultConfig)
	w.open(1, 7, event.RoleUnknown)
	w.call(1, event.Ingress, get)
	w.call(1, event.Egress, ok)
	w.open(2, 7, event.RoleUnknown)
	w.call(2, event.Egress, get)
	w.call(2, event.Ingress, ok)
	if len(w.got) != 2 || w.got[0].Side != exchange.Server || w.got[1].Side != exchange.Client {
		t.Errorf("got %+v, want one exchange of each side", w.got)
	}
}

// A source takes NATS's CONNECT for HTTP's, when it sees that first (inside TLS, where the greeting came before). It has to be told what to
// copy then; of HTTP it knows.
func TestCopyOfWhatBeginsLikeHTTP(t *testing.T) {
	for _, tt := range []struct {
		name, text string
		want       map[uint64][2]uint32
	}{
		{"NATS", "CONNECT {\"verbose\":false}\r\nPING\r\n", map[uint64][2]uint32{1: {1 << 31, 1 << 31}}},
		{"HTTP", "CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\n\r\n", map[uint64][2]uint32{}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := copier{}
			w := &wire{now: 1e9, seq: map[[2]uint64]uint32{}}
			w.engine = exchange.New(exchange.DefaultConfig, all.Protocols(), func(*exchange.Exchange) {}, got)
			w.engine.Handle(&event.Event{Kind: event.Open, Time: w.now, Conn: 1, PID: 7,
				Open: event.OpenInfo{Role: event.RoleServer, Seen: true, Protocol: event.ProtocolHTTP1}})
			w.call(1, event.Ingress, tt.text)
			if d := cmp.Diff(tt.want, map[uint64][2]uint32(got)); d != "" {
				t.Errorf("copies asked for (-want +got):\n%s", d)
			}
		})
	}
}

// copier notes what is asked for.
type copier map[uint64][2]uint32

func (c copier) Silence(uint64) {}

func (c copier) Copy(conn uint64, ingress, egress uint32, _ bool) {
	c[conn] = [2]uint32{ingress, egress}
}

func TestFacts(t *testing.T) {
	w := newWire(exchange.DefaultConfig)
	w.open(1, 41, event.RoleServer)
	w.call(1, event.Ingress, get)
	w.open(1, 42, event.RoleServer) // the socket was handed on
	w.call(1, event.Egress, ok)
	w.call(1, event.Ingress, get)
	w.call(1, event.Egress, ok)
	if len(w.got) != 2 {
		t.Fatalf("%d exchanges, want 2", len(w.got))
	}
	x := w.got[0]
	if x.Conn.PID != 41 || x.PID != 7 || x.TID != 8 || w.got[1].Conn.PID != 42 {
		t.Errorf("processes: %+v, then %+v", x, w.got[1].Conn)
	}
	if x.RequestStart != 1001e6 || x.RequestEnd != 1001e6 || x.ResponseStart != 1002e6 || x.ResponseEnd != 1002e6 {
		t.Errorf("times: %+v", x)
	}
	if got := fmt.Sprint(x.Attributes); got != "[{server.address h} {network.protocol.version 1.1}]" {
		t.Errorf("attributes: %s", got)
	}
}

func TestUnknownConnection(t *testing.T) {
	w := newWire(exchange.DefaultConfig)
	w.call(9, event.Ingress, get)
	if n := w.engine.Losses()[signal.UnknownConnection]; n != 1 {
		t.Errorf("unknown_connection = %d, want 1", n)
	}
}

func TestConnectionLimit(t *testing.T) {
	cfg := exchange.DefaultConfig
	cfg.MaxConnections = 10
	w := newWire(cfg)
	for conn := range uint64(30) {
		w.open(conn, 1, event.RoleServer)
		w.call(conn, event.Ingress, get)
		w.now += 2e9
	}
	if n := w.engine.Connections(); n != 10 {
		t.Errorf("%d connections, want 10", n)
	}
	if n := w.engine.Losses()[signal.ConnectionLimit]; n != 20 || len(w.got) != 20 {
		t.Errorf("%d forgotten, %d exchanges ended, want 20 each", n, len(w.got))
	}
	for _, x := range w.got {
		if x.Error != exchange.ErrorTimeout {
			t.Errorf("error %q, want %q", x.Error, exchange.ErrorTimeout)
		}
	}
}

func TestIdleConnectionIsForgotten(t *testing.T) {
	w := newWire(exchange.DefaultConfig)
	w.open(1, 1, event.RoleServer)
	w.call(1, event.Ingress, get)
	w.call(1, event.Egress, "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n123")
	w.engine.Tick(w.now + uint64(6*time.Minute))
	if w.engine.Connections() != 0 || w.engine.InFlight() != 0 || len(w.got) != 1 {
		t.Fatalf("%d connections, %d in flight, %d exchanges", w.engine.Connections(), w.engine.InFlight(), len(w.got))
	}
	if x := w.got[0]; x.Status != "200" || !x.Partial || x.Error != "" {
		t.Errorf("got %+v, want a partial 200", x)
	}
}

func TestInFlightIsBounded(t *testing.T) {
	cfg := exchange.DefaultConfig
	cfg.MaxInFlight = 5
	w := newWire(cfg)
	w.open(1, 1, event.RoleServer)
	w.call(1, event.Ingress, strings.Repeat(get, 8))
	if w.engine.InFlight() != 5 || len(w.got) != 3 || !w.got[0].Partial {
		t.Errorf("%d in flight, %d ended, want 5 and 3 partial ones", w.engine.InFlight(), len(w.got))
	}
	w.call(1, event.Egress, strings.Repeat(ok, 8))
	if len(w.got) != 8 || w.got[7].Status != "200" || w.got[2].Status != "" {
		t.Errorf("%d exchanges, want 8", len(w.got))
	}
}

func TestFinIsNoLoss(t *testing.T) {
	w := newWire(exchange.DefaultConfig)
	w.open(1, 1, event.RoleServer)
	w.call(1, event.Ingress, get)
	w.call(1, event.Egress, ok)
	w.engine.Handle(&event.Event{Kind: event.Close, Time: w.now, Conn: 1, Close: event.CloseInfo{
		HasPositions: true, NextIngress: uint32(len(get)) + 1, NextEgress: uint32(len(ok)) + 1,
	}})
	if l := w.engine.Losses(); len(l) != 0 {
		t.Errorf("losses = %v, want none", l)
	}
}

func TestConfigValidate(t *testing.T) {
	if err := exchange.DefaultConfig.Validate(); err != nil {
		t.Errorf("default: %v", err)
	}
	if err := (exchange.Config{}).Validate(); err == nil {
		t.Error("zero Config is accepted")
	}
}

// FuzzEngine drives an engine with any events: it must neither panic, nor lie about its own books.
func FuzzEngine(f *testing.F) {
	f.Add([]byte{0, 0, 1, 1, 2, 60, 3, 60, 9, 0}, []byte(get+ok+get+ok))
	f.Add([]byte{0, 0, 1, 30, 17, 9, 1, 30, 40, 80, 3, 20, 200, 1, 8, 1}, []byte("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"+ok))
	f.Fuzz(func(t *testing.T, orders, text []byte) {
		begun, ended := 0, 0
		cfg := exchange.DefaultConfig
		cfg.MaxConnections, cfg.MaxInFlight = 3, 20
		e := exchange.New(cfg, all.Protocols(), func(x *exchange.Exchange) {
			ended++
			if x.Operation == "" || x.RequestStart > x.RequestEnd || x.ResponseStart > x.ResponseEnd || x.Conn == nil {
				t.Fatalf("exchange %+v", x)
			}
			if x.Status == "" && x.Error == "" && !x.Partial {
				t.Fatalf("neither status nor reason: %+v", x)
			}
		}, nil)
		var seq [4][2]uint32
		now := uint64(1e9)
		for ; len(orders) >= 2; orders = orders[2:] {
			what, arg := orders[0], orders[1]
			conn, dir := uint64(what>>4&3), event.Direction(what&1)
			now += uint64(arg) * 1e6
			ev := event.Event{Time: now, Conn: conn, PID: 1, TID: 2, Direction: dir}
			switch what >> 1 & 7 {
			case 0:
				ev.Kind = event.Open
				ev.Open = event.OpenInfo{Role: event.Role(arg % 3), Seen: arg&4 != 0, HasPositions: arg&8 != 0, NextIngress: seq[conn][0], NextEgress: seq[conn][1]}
			case 1, 2, 3, 4:
				n := min(int(arg), len(text))
				ev.Kind, ev.Payload, ev.Len, ev.Seq = event.Data, text[:n], uint32(n), seq[conn][dir]
				text = text[n:]
				seq[conn][dir] += uint32(n)
				if what&0x40 != 0 { // more than was captured
					ev.Len += uint32(arg) * 7
					ev.Tail = text[:min(8, len(text))]
					seq[conn][dir] += uint32(arg) * 7
				}
				if what&0x80 != 0 { // out of order, repeated, or lost before
					ev.Seq += uint32(int8(arg)) * 3
				}
			case 5:
				ev.Kind, ev.Close.Reset = event.Close, arg&1 != 0
			case 6:
				e.Tick(now)
				continue
			case 7:
				now += uint64(arg) * 1e9
				e.Tick(now)
				continue
			}
			e.Handle(&ev)
			if e.Connections() > 3 || e.InFlight() > 20 {
				t.Fatalf("%d connections, %d in flight", e.Connections(), e.InFlight())
			}
		}
		begun = ended + e.InFlight()
		for conn := range uint64(4) {
			e.Handle(&event.Event{Kind: event.Close, Time: now, Conn: conn})
		}
		if e.Connections() != 0 || e.InFlight() != 0 || ended > begun {
			t.Fatalf("after all closed: %d connections, %d in flight, %d ended of %d", e.Connections(), e.InFlight(), ended, begun)
		}
	})
}

// cpuTime returns the nanoseconds of CPU that the process has used, collector included.
func cpuTime(b *testing.B) int64 {
	var u unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return u.Utime.Nano() + u.Stime.Nano()
}

func BenchmarkKeepAlive(b *testing.B) {
	request := "GET /api/v1/users/settings HTTP/1.1\r\nHost: shop.example\r\nUser-Agent: bench\r\nAccept: */*\r\nConnection: keep-alive\r\n\r\n"
	request = strings.Replace(request, "bench", "bench"+strings.Repeat("x", 120-len(request)), 1)
	head := "HTTP/1.1 200 OK\r\nServer: nginx/1.22.1\r\nDate: Sat, 21 Nov 2026 10:00:00 GMT\r\nContent-Type: text/html\r\nContent-Length: 612\r\n" +
		"Last-Modified: Sat, 21 Nov 2026 09:00:00 GMT\r\nConnection: keep-alive\r\nETag: \"637b2f1c-264\"\r\nAccept-Ranges: bytes\r\n\r\n"
	response := []byte(head + strings.Repeat("b", 612))
	n := 0
	e := exchange.New(exchange.DefaultConfig, all.Protocols(), func(x *exchange.Exchange) {
		if x.Status == "200" && x.ResponseBytes == 612 && !x.Partial {
			n++
		}
	}, nil)
	e.Handle(&event.Event{Kind: event.Open, Conn: 1, PID: 1, Open: event.OpenInfo{Role: event.RoleServer, Seen: true}})
	in := event.Event{Kind: event.Data, Conn: 1, Direction: event.Ingress, Len: uint32(len(request)), Payload: []byte(request)}
	out := event.Event{Kind: event.Data, Conn: 1, Direction: event.Egress, Len: uint32(len(response)), Payload: response}
	b.ReportAllocs()
	b.ResetTimer()
	before := cpuTime(b)
	for i := 0; i < b.N; i++ {
		in.Time += 1000
		out.Time = in.Time + 500
		e.Handle(&in)
		e.Handle(&out)
		in.Seq += in.Len
		out.Seq += out.Len
	}
	b.ReportMetric(float64(cpuTime(b)-before)/float64(b.N), "cpu-ns/op") // on a shared machine the wall says little
	if n != b.N {
		b.Fatalf("%d exchanges, want %d; losses %v", n, b.N, e.Losses())
	}
}
