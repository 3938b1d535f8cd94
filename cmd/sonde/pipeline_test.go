package main

import (
	"context"
	"encoding/binary"
	"io"
	"log/slog"
	"net/netip"
	"testing"

	"github.com/sonde-dev/sonde/agent/entity"
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
	opening [][]byte // what comes before: the first request of each client at least
	records [][]byte // what follows, again and again
	at      int
	now     uint64
	sample  []byte // what ringbuf.Reader copies a record into
}

const connections = 16

// newTraffic repeats one exchange; what comes before it on each connection may be empty.
func newTraffic(request, response string, before ...string) *traffic {
	t := &traffic{now: 1e9}
	var answer, ask [][]byte
	for i := range connections {
		c := converse(i, request, response)
		if len(before) == 2 {
			first := converse(i, before[0], before[1])
			t.opening = append(t.opening, first[:]...)
			for k, n := range [4]int{len(before[0]), len(before[0]), len(before[1]), len(before[1])} {
				binary.LittleEndian.PutUint32(c[k][32:], uint32(n))
			}
		}
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
