package main

import (
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"log/slog"
	"net/netip"
	"strings"
	"testing"

	"github.com/sonde-dev/sonde/agent/entity"
	"github.com/sonde-dev/sonde/agent/probe"
	"github.com/sonde-dev/sonde/agent/probe/event"
	"github.com/sonde-dev/sonde/signal"
)

// What goes over one connection, again and again: as wrk and nginx write it, and as curl and a Go server do.
const (
	wrkRequest   = "GET / HTTP/1.1\r\nHost: 127.0.0.1:8080\r\n\r\n"
	nginxHead    = "HTTP/1.1 200 OK\r\nServer: nginx/1.22.1\r\nDate: Sat, 21 Nov 2026 12:00:00 GMT\r\nContent-Type: text/html\r\nContent-Length: 615\r\nLast-Modified: Sat, 21 Nov 2026 09:00:00 GMT\r\nConnection: keep-alive\r\nETag: \"6559f3b0-267\"\r\nAccept-Ranges: bytes\r\n\r\n"
	curlRequest  = "GET /api/orders/17?full=1 HTTP/1.1\r\nHost: shop.example:8080\r\nUser-Agent: curl/7.88.1\r\nAccept: */*\r\n\r\n"
	goHead       = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nDate: Sat, 21 Nov 2026 12:00:00 GMT\r\nContent-Length: 4000\r\n\r\n"
	responseSeen = 1024 // probe.DefaultConfig().ResponseBytes
)

// conversation is the records of one exchange on one connection as both its ends report them: four, in this order.
type conversation [4][]byte

// converse lays out the records as bpf/include/payload.h does, in a slot of the size that the kernel side would reserve.
func converse(conn int, request, response string) (c conversation) {
	client, server := uint64(2*conn+1), uint64(2*conn+2)
	c[0] = dataRecord(client, clientPID, event.Egress, request)
	c[1] = dataRecord(server, serverPID, event.Ingress, request)
	c[2] = dataRecord(server, serverPID, event.Egress, response)
	c[3] = dataRecord(client, clientPID, event.Ingress, response)
	return c
}

const clientPID, serverPID = 4001, 4002

func dataRecord(conn uint64, pid uint32, dir event.Direction, message string) []byte {
	const header, slack = 56, 8
	captured := len(message)
	if captured > responseSeen {
		captured = responseSeen
	}
	slot := 256
	if captured > slot {
		slot = 1024
	}
	b := make([]byte, header+slot+slack)
	b[0], b[1] = byte(event.Data), byte(dir)
	binary.LittleEndian.PutUint32(b[4:], uint32(captured))
	binary.LittleEndian.PutUint64(b[16:], conn)
	binary.LittleEndian.PutUint32(b[24:], pid)
	binary.LittleEndian.PutUint32(b[28:], pid)
	binary.LittleEndian.PutUint32(b[36:], uint32(len(message)))
	copy(b[header:], message[:captured])
	if captured < len(message) {
		b[2] = byte(copy(b[40:48], message[len(message)-8:]))
	}
	return b
}

// traffic is the records of all connections in the order in which an epoll server and an epoll client write them: the
// server reads and answers one connection after another, then the client reads the answers and asks again.
type traffic struct {
	opening [][]byte // the first request of each client
	records [][]byte // what follows, again and again
	at      int
	now     uint64
	sample  []byte // what ringbuf.Reader copies a record into
}

const connections = 16

func newTraffic(request, response string) *traffic {
	t := &traffic{now: 1e9}
	var answer, ask [][]byte
	for i := range connections {
		c := converse(i, request, response)
		t.opening = append(t.opening, c[0])
		answer, ask = append(answer, c[1], c[2]), append(ask, c[3], c[0])
	}
	t.records = append(answer, ask...)
	return t
}

// next is the next record.
func (t *traffic) next() []byte {
	if t.at == len(t.records) {
		t.at = 0
	}
	t.at++
	return t.emit(t.records[t.at-1])
}

// emit gives a record its time and its place in the stream, as the kernel side would, and copies it.
func (t *traffic) emit(record []byte) []byte {
	t.now += 5000
	binary.LittleEndian.PutUint64(record[8:], t.now)
	t.sample = append(t.sample[:0], record...)
	seq, n := binary.LittleEndian.Uint32(record[32:]), binary.LittleEndian.Uint32(record[36:])
	binary.LittleEndian.PutUint32(record[32:], seq+n)
	return t.sample
}

// nowhere takes samples.
type nowhere struct{}

func (nowhere) WriteSamples(context.Context, []signal.Sample) error { return nil }

// testPipeline is an agent without a kernel, with both ends of some connections announced and content kept.
func testPipeline(b testing.TB, connections int) *agent {
	cfg := defaultConfig()
	a := &agent{cfg: cfg, log: slog.New(slog.NewTextHandler(io.Discard, nil)), own: newOwnTraffic(cfg.Listen)}
	who := entity.DefaultConfig
	who.ProcRoot, who.HostRoot = b.TempDir(), b.TempDir()
	a.join(who, nil)
	if err := a.keepContent(nowhere{}); err != nil {
		b.Fatal(err)
	}
	for pid, name := range map[uint32]string{clientPID: "wrk", serverPID: "nginx"} {
		a.onEvent(&event.Event{Kind: event.Exec, Time: 1, PID: pid, Process: event.ProcessInfo{
			StartTime: 1e9, Comm: name, Filename: "/usr/bin/" + name, Args: []string{name}}})
	}
	for i := range connections {
		client, server := netip.AddrPortFrom(loopback(), uint16(40000+i)), netip.AddrPortFrom(loopback(), 8080)
		a.onEvent(&event.Event{Kind: event.Open, Time: 2, PID: clientPID, Conn: uint64(2*i + 1), Open: event.OpenInfo{
			Local: client, Remote: server, Role: event.RoleClient, StartTime: 1e9, Comm: "wrk", Seen: true, HasPositions: true}})
		a.onEvent(&event.Event{Kind: event.Open, Time: 2, PID: serverPID, Conn: uint64(2*i + 2), Open: event.OpenInfo{
			Local: server, Remote: client, Role: event.RoleServer, StartTime: 1e9, Comm: "nginx", Seen: true, HasPositions: true}})
	}
	return a
}

func loopback() netip.Addr { return netip.AddrFrom4([4]byte{127, 0, 0, 1}) }

// BenchmarkPipeline is the user-space cost of an exchange from the ring buffer to the counters; one operation is one
// exchange, seen from one end.
func BenchmarkPipeline(b *testing.B) {
	for _, bench := range []struct {
		name, request, response string
		keep                    bool
	}{
		{"wrk-nginx", wrkRequest, nginxHead + strings.Repeat("x", 615), true},
		{"wrk-nginx-off", wrkRequest, nginxHead + strings.Repeat("x", 615), false},
		{"curl-go", curlRequest, goHead + strings.Repeat("x", 4000), true},
		{"curl-go-off", curlRequest, goHead + strings.Repeat("x", 4000), false},
	} {
		b.Run(bench.name, func(b *testing.B) {
			a := testPipeline(b, connections)
			if !bench.keep {
				a.engine.KeepContent(nil)
			}
			t := newTraffic(bench.request, bench.response)
			var d probe.Decoder
			for _, record := range t.opening {
				a.onEvent(d.Decode(t.emit(record)))
			}
			b.ReportAllocs()
			began := cpuTime()
			n := 0
			for b.Loop() {
				a.onEvent(d.Decode(t.next()))
				a.onEvent(d.Decode(t.next()))
				if n++; n%4096 == 0 {
					a.engine.Tick(t.now)
					a.joiner.Tick(t.now)
				}
			}
			b.ReportMetric(float64(cpuTime()-began)/float64(b.N), "cpu-ns/op")
			a.check(b, n)
		})
	}
}

// check holds the count of exchanges against that of pairs of records; one may be under way at each end.
func (a *agent) check(b *testing.B, pairs int) {
	if got := int(a.counted.exchanges); got > pairs || got < pairs-2*16 {
		b.Errorf("%d exchanges from %d pairs of records", got, pairs)
	}
	if lost := fmt.Sprint(a.engine.Losses(), a.joiner.Losses(), a.red.Losses()); lost != "map[] map[] map[]" {
		b.Errorf("lost %s, want nothing", lost)
	}
}

// Once everything was seen, an exchange costs no allocation on its whole way.
func TestPipelineDoesNotAllocate(t *testing.T) {
	a := testPipeline(t, connections)
	tr := newTraffic(wrkRequest, nginxHead+strings.Repeat("x", 615))
	var d probe.Decoder
	for _, record := range tr.opening {
		a.onEvent(d.Decode(tr.emit(record)))
	}
	round := func() {
		for range tr.records {
			a.onEvent(d.Decode(tr.next()))
		}
	}
	round()
	if n := testing.AllocsPerRun(100, round); n != 0 {
		t.Errorf("%v allocations for %d records, want none", n, len(tr.records))
	}
	if want := uint64(102 * len(tr.records) / 2); a.counted.exchanges != want {
		t.Errorf("%d exchanges, want %d", a.counted.exchanges, want)
	}
}
