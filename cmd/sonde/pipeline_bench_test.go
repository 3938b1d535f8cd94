package main

import (
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
	const header, slack = 48, 8
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
	all    []conversation
	now    uint64
	n      int
	sample []byte // what ringbuf.Reader copies a record into
}

// first is the request that opens a connection.
func (t *traffic) first(conn int) []byte { return t.emit(t.all[conn][0]) }

// next is the record after that.
func (t *traffic) next() []byte {
	i := t.n % (4 * len(t.all))
	t.n++
	conn, step := i/2%len(t.all), i%2+1
	if i >= 2*len(t.all) {
		step += 2
	}
	return t.emit(t.all[conn][step%4])
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

// testPipeline is an agent without a kernel, with both ends of some connections announced.
func testPipeline(b *testing.B, connections int) *agent {
	cfg := defaultConfig()
	a := &agent{cfg: cfg, log: slog.New(slog.NewTextHandler(io.Discard, nil)), own: newOwnTraffic(cfg.Listen)}
	a.counted.events = map[event.Kind]uint64{}
	who := entity.DefaultConfig
	who.ProcRoot, who.HostRoot = b.TempDir(), b.TempDir()
	a.join(who, nil)
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
	const connections = 16
	for _, bench := range []struct{ name, request, response string }{
		{"wrk-nginx", wrkRequest, nginxHead + strings.Repeat("x", 615)},
		{"curl-go", curlRequest, goHead + strings.Repeat("x", 4000)},
	} {
		b.Run(bench.name, func(b *testing.B) {
			a := testPipeline(b, connections)
			t := &traffic{now: 1e9}
			for i := range connections {
				t.all = append(t.all, converse(i, bench.request, bench.response))
			}
			var d probe.Decoder
			for i := range connections {
				a.onEvent(d.Decode(t.first(i)))
			}
			b.ReportAllocs()
			began := cpuTime()
			for b.Loop() {
				a.onEvent(d.Decode(t.next()))
				a.onEvent(d.Decode(t.next()))
				if t.n%8192 == 0 {
					a.engine.Tick(t.now)
					a.joiner.Tick(t.now)
				}
			}
			b.ReportMetric(float64(cpuTime()-began)/float64(b.N), "cpu-ns/op")
			a.check(b, t.n)
		})
	}
}

// check holds the count of exchanges against that of records: two make an exchange, and one is under way at each end at most.
func (a *agent) check(b *testing.B, records int) {
	if got, most := int(a.counted.exchanges), records/2; got > most || got < most-2*16 {
		b.Errorf("%d exchanges from %d records, want %d", got, records, most)
	}
	if lost := fmt.Sprint(a.engine.Losses(), a.joiner.Losses(), a.red.Losses()); lost != "map[] map[] map[]" {
		b.Errorf("lost %s, want nothing", lost)
	}
}
