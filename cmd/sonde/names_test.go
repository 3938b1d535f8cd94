package main

import (
	"net/netip"
	"slices"
	"testing"
	"time"

	"golang.org/x/net/dns/dnsmessage"

	"github.com/sonde-dev/sonde/agent/probe/event"
	"github.com/sonde-dev/sonde/signal"
)

// A program asks for a name and connects to an address of the answer: the map shows the name.
func TestExternalServersAreNamedByTheirLookUps(t *testing.T) {
	a := testPipeline(t, 0)
	name := dnsmessage.MustNewName("api.example.com.")
	m := dnsmessage.Message{
		Header:    dnsmessage.Header{ID: 7, RecursionDesired: true},
		Questions: []dnsmessage.Question{{Name: name, Type: dnsmessage.TypeA, Class: dnsmessage.ClassINET}},
	}
	query, err := m.Pack()
	if err != nil {
		t.Fatal(err)
	}
	m.Response = true
	m.Answers = []dnsmessage.Resource{{
		Header: dnsmessage.ResourceHeader{Name: name, Class: dnsmessage.ClassINET, TTL: 60},
		Body:   &dnsmessage.AResource{A: [4]byte{198, 51, 100, 7}},
	}}
	answer, err := m.Pack()
	if err != nil {
		t.Fatal(err)
	}
	now := uint64(1e9)
	open := func(conn uint64, local, remote string, datagrams bool) {
		a.onEvent(&event.Event{Kind: event.Open, Time: now, PID: clientPID, Conn: conn, Open: event.OpenInfo{
			Local: netip.MustParseAddrPort(local), Remote: netip.MustParseAddrPort(remote), StartTime: 1e9, Comm: "wrk", Seen: true, Datagrams: datagrams,
		}})
	}
	var next [2]uint32 // positions, of all connections alike
	say := func(conn uint64, dir event.Direction, b []byte) {
		now += 1e6
		a.onEvent(&event.Event{Kind: event.Data, Time: now, PID: clientPID, Conn: conn, Direction: dir, Seq: next[dir], Len: uint32(len(b)), Payload: b})
		next[dir] += uint32(len(b))
	}
	open(101, "192.0.2.2:40001", "192.0.2.53:53", true)
	say(101, event.Egress, query)
	say(101, event.Ingress, answer)
	open(102, "192.0.2.2:40002", "198.51.100.7:80", false)
	say(102, event.Egress, []byte(wrkRequest))
	say(102, event.Ingress, []byte(nginxHead))
	say(102, event.Ingress, make([]byte, 615))
	var servers []string
	for _, s := range a.red.Snapshot(time.Now()).Series {
		if s.Desc == signal.EdgeDuration {
			servers = append(servers, s.LabelValues[slices.Index(s.Desc.Labels, "server")])
		}
	}
	slices.Sort(servers)
	if want := []string{"192.0.2.53:53", "api.example.com:80"}; !slices.Equal(servers, want) {
		t.Errorf("servers %q, want %q; lost %v", servers, want, a.engine.Losses())
	}
}
