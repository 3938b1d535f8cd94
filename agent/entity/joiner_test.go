package entity

import (
	"fmt"
	"net/netip"
	"testing"

	"github.com/sonde-dev/sonde/agent/exchange"
	"github.com/sonde-dev/sonde/agent/probe/event"
	"github.com/sonde-dev/sonde/signal"
)

// host drives a Joiner. Process n is /bin/p<n>, so its service is "p<n>".
type host struct {
	*Joiner
	t     *testing.T
	table *Table
	conns map[uint64]*exchange.Conn
	got   []string
}

func newHost(t *testing.T, pids ...uint32) *host {
	f := newFakeProc(t)
	for _, pid := range pids {
		f.add(fake{pid: pid, start: 1, exe: fmt.Sprintf("/bin/p%d", pid), args: "x"})
	}
	h := &host{t: t, table: f.table(), conns: map[uint64]*exchange.Conn{}}
	h.Joiner = NewJoiner(f.config(), h.table, func(o Observation) {
		h.got = append(h.got, fmt.Sprintf("%s %s>%s", o.X.Target, o.Self.Service, o.Peer.Service))
	})
	t.Cleanup(h.Close)
	return h
}

func ms(n uint64) uint64 { return 100*second + n*1e6 }

func (h *host) announce(at, id uint64, pid uint32, role event.Role, local, remote string, netns uint32) {
	h.t.Helper()
	o := event.OpenInfo{Local: netip.MustParseAddrPort(local), Remote: netip.MustParseAddrPort(remote), Netns: netns, Role: role,
		StartTime: second, Comm: fmt.Sprintf("p%d", pid)}
	h.send(at, id, pid, o)
}

func (h *host) send(at, id uint64, pid uint32, o event.OpenInfo) {
	h.conns[id] = &exchange.Conn{ID: id, PID: pid, StartTime: o.StartTime, Comm: o.Comm, Local: o.Local, Remote: o.Remote,
		Unix: o.Unix, UnixSelf: o.UnixSelf, UnixPeer: o.UnixPeer, Netns: o.Netns}
	h.HandleConn(&event.Event{Kind: event.Open, Time: ms(at), Conn: id, PID: pid, Open: o})
}

func (h *host) client(at, id uint64, pid uint32, local, remote string) {
	h.t.Helper()
	h.announce(at, id, pid, event.RoleClient, local, remote, 1)
}

func (h *host) server(at, id uint64, pid uint32, local, remote string) {
	h.t.Helper()
	h.announce(at, id, pid, event.RoleServer, local, remote, 1)
}

func (h *host) closed(at, id uint64) {
	h.HandleConn(&event.Event{Kind: event.Close, Time: ms(at), Conn: id})
}

func (h *host) exchange(from, to, id uint64, side exchange.Side, target string) {
	h.Handle(&exchange.Exchange{Conn: h.conns[id], Side: side, Target: target, RequestStart: ms(from), ResponseEnd: ms(to)})
}

func (h *host) want(want ...string) {
	h.t.Helper()
	if fmt.Sprint(h.got) != fmt.Sprint(want) {
		h.t.Errorf("observed %q, want %q", h.got, want)
	}
	h.got = nil
}

const (
	lo1 = "127.0.0.1:40001"
	lo2 = "127.0.0.1:80"
)

func TestBothEndsOfALocalConnection(t *testing.T) {
	h := newHost(t, 1001, 1002)
	h.client(0, 1, 1001, lo1, lo2)
	h.server(1, 2, 1002, "[::ffff:127.0.0.1]:80", "[::ffff:127.0.0.1]:40001")
	h.exchange(1, 2, 2, exchange.Server, "a")
	h.exchange(0, 3, 1, exchange.Client, "a")
	h.want("a p1002>p1001", "a p1001>p1002")
	if len(h.Losses()) != 0 {
		t.Errorf("Losses = %v", h.Losses())
	}
}

func TestExternalPeers(t *testing.T) {
	h := newHost(t, 1001)
	h.client(0, 1, 1001, "192.0.2.2:40001", "198.51.100.7:443")
	h.server(0, 2, 1001, "192.0.2.2:80", "198.51.100.8:51000")
	h.client(0, 3, 1001, "[fd00::2]:40001", "[fd00::9]:443")
	h.exchange(0, 1, 1, exchange.Client, "a")
	h.exchange(0, 1, 2, exchange.Server, "b")
	h.exchange(0, 1, 3, exchange.Client, "c")
	h.want("a p1001>198.51.100.7:443", "b p1001>198.51.100.8", "c p1001>[fd00::9]:443")
}

func TestSelfCall(t *testing.T) {
	h := newHost(t, 1001)
	h.client(0, 1, 1001, lo1, lo2)
	h.server(0, 2, 1001, lo2, lo1)
	h.exchange(0, 1, 1, exchange.Client, "a")
	h.exchange(0, 1, 2, exchange.Server, "a")
	h.want("a p1001>p1001", "a p1001>p1001")
}

func TestSocketConnectedToItself(t *testing.T) {
	h := newHost(t, 1001)
	h.client(0, 1, 1001, lo2, lo2)
	h.exchange(0, 1, 1, exchange.Client, "a")
	h.want("a p1001>p1001")
}

func TestUnixSockets(t *testing.T) {
	h := newHost(t, 1001, 1002)
	h.send(0, 1, 1001, event.OpenInfo{Unix: true, UnixSelf: 7, UnixPeer: 8, StartTime: second, Comm: "p1001"})
	h.send(0, 2, 1002, event.OpenInfo{Unix: true, UnixSelf: 8, UnixPeer: 7, StartTime: second, Comm: "p1002"})
	h.exchange(0, 1, 1, exchange.Client, "a")
	h.exchange(0, 1, 2, exchange.Server, "a")
	h.want("a p1001>p1002", "a p1002>p1001")
}

// What the kernel side could not tell must not look like the other end of something else that it could not tell.
func TestIncompleteConnections(t *testing.T) {
	h := newHost(t, 1001, 1002)
	for id, pid := range map[uint64]uint32{1: 1001, 2: 1002} {
		h.send(0, id, pid, event.OpenInfo{Unix: true, StartTime: second, Comm: fmt.Sprintf("p%d", pid)})
		h.send(0, id+2, pid, event.OpenInfo{StartTime: second, Comm: fmt.Sprintf("p%d", pid)})
	}
	h.exchange(0, 1, 1, exchange.Client, "a")
	h.exchange(0, 1, 2, exchange.Server, "b")
	h.exchange(0, 1, 3, exchange.Client, "c")
	h.exchange(0, 1, 4, exchange.Server, "d")
	h.want("a p1001>unix socket", "b p1002>unix socket", "c p1001>unknown address", "d p1002>unknown address")
}

func TestLoopbackStaysInItsNamespace(t *testing.T) {
	h := newHost(t, 1001, 1002, 1003, 1004)
	h.announce(0, 1, 1001, event.RoleClient, lo1, lo2, 1)
	h.announce(0, 2, 1002, event.RoleClient, lo1, lo2, 2)
	h.announce(0, 3, 1003, event.RoleServer, lo2, lo1, 2)
	h.announce(0, 4, 1004, event.RoleServer, lo2, lo1, 1)
	h.exchange(0, 1, 1, exchange.Client, "a")
	h.exchange(0, 1, 2, exchange.Client, "b")
	h.want("a p1001>p1004", "b p1002>p1003")
}

func TestLoopbackOfAnotherNamespaceIsNoPeer(t *testing.T) {
	h := newHost(t, 1001, 1002)
	h.announce(0, 1, 1001, event.RoleClient, lo1, lo2, 1)
	h.announce(0, 2, 1002, event.RoleServer, lo2, lo1, 2)
	h.exchange(0, 1, 1, exchange.Client, "a")
	h.Tick(ms(3000))
	h.want("a p1001>127.0.0.1:80")
}

func TestAcrossNamespaces(t *testing.T) {
	h := newHost(t, 1001, 1002)
	h.announce(0, 1, 1001, event.RoleClient, "10.1.0.1:40001", "10.1.0.2:80", 1)
	h.announce(0, 2, 1002, event.RoleServer, "10.1.0.2:80", "10.1.0.1:40001", 2)
	h.exchange(0, 1, 1, exchange.Client, "a")
	h.want("a p1001>p1002")
}

func TestWaitsForThePeersAnnouncement(t *testing.T) {
	h := newHost(t, 1001, 1002)
	h.client(0, 1, 1001, lo1, lo2)
	h.exchange(0, 1, 1, exchange.Client, "a")
	h.exchange(1, 2, 1, exchange.Client, "b")
	h.want()
	h.server(3, 2, 1002, lo2, lo1)
	h.want("a p1001>p1002", "b p1001>p1002")
	h.Tick(ms(10_000))
	if len(h.Losses()) != 0 || h.waiting != 0 {
		t.Errorf("Losses = %v, %d waiting", h.Losses(), h.waiting)
	}
}

func TestPeerNeverComes(t *testing.T) {
	h := newHost(t, 1001)
	h.client(0, 1, 1001, lo1, lo2)
	h.server(0, 2, 1001, "127.0.0.1:8080", "127.0.0.1:40002")
	h.exchange(0, 1, 1, exchange.Client, "a")
	h.exchange(0, 1, 2, exchange.Server, "b")
	h.Tick(ms(1900))
	h.want()
	h.Tick(ms(2002))
	h.want("a p1001>127.0.0.1:80", "b p1001>127.0.0.1")
	h.exchange(2100, 2200, 1, exchange.Client, "c") // does not wait again
	h.want("c p1001>127.0.0.1:80")
	if n := h.Losses()[signal.PendingPeerTimeout]; n != 2 {
		t.Errorf("PendingPeerTimeout = %d, want 2", n)
	}
}

func TestWaitingIsBounded(t *testing.T) {
	h := newHost(t, 1001)
	h.cfg.MaxWaiting = 2
	h.client(0, 1, 1001, lo1, lo2)
	h.client(0, 2, 1001, "127.0.0.1:40002", lo2)
	for i := range uint64(3) {
		h.exchange(0, i, 1, exchange.Client, fmt.Sprint(i))
	}
	h.want("2 p1001>127.0.0.1:80")
	h.Tick(ms(5000))
	h.want("0 p1001>127.0.0.1:80", "1 p1001>127.0.0.1:80")
}

// The same four numbers are used by one connection after the other, from different processes.
func TestPortReuse(t *testing.T) {
	h := newHost(t, 1001, 1002, 1003, 1004)
	h.client(0, 1, 1001, lo1, lo2)
	h.server(1, 2, 1002, lo2, lo1)
	h.closed(10, 1)
	h.closed(11, 2)
	h.client(20, 3, 1003, lo1, lo2)
	h.exchange(20, 21, 3, exchange.Client, "new client first") // must not find the old server
	h.exchange(0, 9, 1, exchange.Client, "late")               // must find the old server
	h.want("late p1001>p1002")
	h.server(22, 4, 1004, lo2, lo1)
	h.exchange(20, 22, 4, exchange.Server, "new")
	h.exchange(1, 8, 2, exchange.Server, "late")
	h.want("new client first p1003>p1004", "new p1004>p1003", "late p1002>p1001")
	h.closed(30, 3)
	h.closed(30, 4)
	h.Tick(ms(6000))
	if h.Connections() != 0 || len(h.ends.byTuple) != 0 || h.ends.newest != nil || h.ends.oldest != nil {
		t.Errorf("%d connections remembered 5 s after closing", h.Connections())
	}
}

// An end whose other end was never seen, and whose close was lost, is still in the table when its tuple is used again.
func TestPortReuseAfterLostClose(t *testing.T) {
	for _, serverFirst := range []bool{false, true} {
		h := newHost(t, 1001, 1002, 1003)
		h.server(0, 1, 1001, lo2, lo1)
		if serverFirst {
			h.server(20, 3, 1003, lo2, lo1)
			h.client(20, 2, 1002, lo1, lo2)
		} else {
			h.client(20, 2, 1002, lo1, lo2)
			h.server(20, 3, 1003, lo2, lo1)
		}
		h.exchange(20, 21, 2, exchange.Client, "a")
		h.exchange(20, 21, 3, exchange.Server, "a")
		h.want("a p1002>p1003", "a p1003>p1002")
	}
}

// A client may send, close and be gone before the server reads.
func TestClientClosedBeforeServerReads(t *testing.T) {
	h := newHost(t, 1001, 1002)
	h.client(0, 1, 1001, lo1, lo2)
	h.closed(1, 1)
	h.table.HandleProcess(&event.Event{Kind: event.Exit, PID: 1001, Time: ms(2), Process: event.ProcessInfo{StartTime: second}})
	h.server(100, 2, 1002, lo2, lo1)
	h.exchange(100, 101, 2, exchange.Server, "a")
	h.want("a p1002>p1001")
}

func TestServerThatClosedIsNoNewClientsPeer(t *testing.T) {
	h := newHost(t, 1001, 1002)
	h.server(0, 1, 1001, lo2, lo1)
	h.closed(1, 1)
	h.client(5, 2, 1002, lo1, lo2)
	h.exchange(5, 6, 2, exchange.Client, "a")
	h.Tick(ms(3000))
	h.want("a p1002>127.0.0.1:80")
}

func TestUnannouncedConnection(t *testing.T) {
	h := newHost(t, 1001, 1002)
	h.conns[1] = &exchange.Conn{ID: 1, PID: 1001, StartTime: second, Comm: "p1001", Netns: 1,
		Local: netip.MustParseAddrPort(lo1), Remote: netip.MustParseAddrPort(lo2)}
	h.exchange(0, 1, 1, exchange.Client, "a")
	h.server(3, 2, 1002, lo2, lo1)
	h.want("a p1001>p1002")
}

func TestSocketHandedOn(t *testing.T) {
	h := newHost(t, 1001, 1002, 1003)
	h.client(0, 1, 1001, lo1, lo2)
	h.server(0, 2, 1002, lo2, lo1)
	h.Handle(&exchange.Exchange{Conn: h.conns[2], PID: 1003, Side: exchange.Server, Target: "a"})
	h.want("a p1003>p1001")
}

func TestExecChangesWhoAnnouncesNext(t *testing.T) {
	h := newHost(t, 1001, 1002)
	h.client(0, 1, 1001, lo1, lo2)
	h.server(0, 2, 1002, lo2, lo1)
	h.table.HandleProcess(&event.Event{Kind: event.Exec, PID: 1001, Time: ms(1), Process: event.ProcessInfo{
		StartTime: second, Comm: "curl", Filename: "/bin/curl", Args: []string{"curl"}}})
	h.send(2, 3, 1001, event.OpenInfo{Local: netip.MustParseAddrPort("192.0.2.2:5"), Remote: netip.MustParseAddrPort("198.51.100.7:80"),
		StartTime: second, Comm: "curl"})
	h.exchange(0, 1, 1, exchange.Client, "before")
	h.exchange(2, 3, 3, exchange.Client, "after")
	h.want("before p1001>p1002", "after curl>198.51.100.7:80")
}

func TestConnectionsAreBounded(t *testing.T) {
	h := newHost(t, 1001)
	h.cfg.MaxConnections = 100
	for i := range uint64(1000) {
		h.client(i, i+1, 1001, fmt.Sprintf("192.0.2.2:%d", 1000+i), "198.51.100.7:80")
		h.exchange(i, i, i+1, exchange.Client, "x")
		h.exchange(i, i, 1, exchange.Client, "x") // in use all the time
	}
	if h.Connections() != 100 || len(h.ends.byTuple) != 100 {
		t.Errorf("%d connections, %d tuples, want 100", h.Connections(), len(h.ends.byTuple))
	}
	if h.ends.byID[1] == nil {
		t.Error("the connection in use was forgotten")
	}
	if n := h.Losses()[signal.ConnectionLimit]; n != 900 {
		t.Errorf("ConnectionLimit = %d, want 900", n)
	}
	if len(h.got) != 2000 {
		t.Errorf("%d exchanges handed on, want 2000", len(h.got))
	}
}

func TestSelectionEndsExchanges(t *testing.T) {
	h := newHost(t, 1001, 1002)
	h.client(0, 1, 1001, lo1, lo2)
	h.server(0, 2, 1002, lo2, lo1)
	both := func() {
		h.exchange(0, 1, 1, exchange.Client, "a")
		h.exchange(0, 1, 2, exchange.Server, "a")
	}
	h.table.SetSelection(Selection{Include: []Rule{{Process: "p1002"}}})
	both()
	h.want("a p1002>p1001") // a peer is named though it is not observed itself
	h.table.SetSelection(Selection{Exclude: []Rule{{Port: 80}}})
	both()
	h.want()
	h.client(0, 3, 1001, "127.0.0.1:40003", lo2)
	h.exchange(0, 1, 3, exchange.Client, "not even waited for")
	if h.waiting != 0 {
		t.Errorf("%d exchanges wait that will not be observed", h.waiting)
	}
	h.table.SetSelection(Selection{Include: []Rule{{Port: 80}}})
	both()
	h.want("a p1001>p1002", "a p1002>p1001")
}

func BenchmarkHandle(b *testing.B) {
	f := newFakeProc(b)
	f.add(fake{pid: 1, start: 1, exe: "/bin/a", args: "a"})
	n := 0
	j := NewJoiner(f.config(), f.table(), func(Observation) { n++ })
	var xs []*exchange.Exchange
	for i := range 1000 {
		client := netip.AddrPortFrom(netip.MustParseAddr("127.0.0.1"), uint16(20000+i))
		server := netip.MustParseAddrPort("127.0.0.1:80")
		for side, ends := range [][2]netip.AddrPort{{client, server}, {server, client}} {
			c := &exchange.Conn{ID: uint64(2*i + side), PID: 1, StartTime: second, Comm: "a", Local: ends[0], Remote: ends[1]}
			j.HandleConn(&event.Event{Kind: event.Open, Time: 1, Conn: c.ID, PID: 1, Open: event.OpenInfo{
				Local: c.Local, Remote: c.Remote, StartTime: second, Comm: "a", Role: event.Role(side + 1)}})
			xs = append(xs, &exchange.Exchange{Conn: c, PID: 1, Side: exchange.Side(side), RequestStart: 1, ResponseEnd: 2})
		}
	}
	b.ReportAllocs()
	i := 0
	for b.Loop() {
		j.Handle(xs[i%len(xs)])
		i++
	}
	if n != i {
		b.Fatalf("%d of %d handed on", n, i)
	}
}

// A full table of connections is the largest thing in this room.
func TestMemoryOfAFullTable(t *testing.T) {
	f := newFakeProc(t)
	f.add(fake{pid: 1, start: 1, exe: "/bin/a", args: "a"})
	tb := f.table()
	tb.Entity(1, second, "a")
	before := heap()
	j := NewJoiner(f.config(), tb, func(Observation) {})
	remote := netip.MustParseAddrPort("198.51.100.7:80")
	for i := range uint64(DefaultConfig.MaxConnections + 1000) {
		local := netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, 0, byte(i >> 24), byte(i >> 16)}), uint16(i))
		j.HandleConn(&event.Event{Kind: event.Open, Time: 1, Conn: i, PID: 1, Open: event.OpenInfo{
			Local: local, Remote: remote, StartTime: second, Comm: "a", Role: event.RoleClient}})
	}
	per := (heap() - before) / uint64(j.Connections())
	if j.Connections() != DefaultConfig.MaxConnections || per > 1024 {
		t.Errorf("%d connections of %d bytes", j.Connections(), per)
	}
	t.Logf("%d bytes for each of %d connections", per, j.Connections())
}
