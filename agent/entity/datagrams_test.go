package entity

import (
	"net/netip"
	"testing"

	"github.com/sonde-dev/sonde/agent/exchange"
	"github.com/sonde-dev/sonde/agent/probe/event"
	"github.com/sonde-dev/sonde/signal"
)

// udp announces a UDP socket.
func (h *host) udp(at, id uint64, pid uint32, local, remote string) {
	h.HandleConn(&event.Event{Kind: event.Open, Time: ms(at), Conn: id, PID: pid, Open: event.OpenInfo{
		Local: netip.MustParseAddrPort(local), Remote: netip.MustParseAddrPort(remote), StartTime: 1 * second, Datagrams: true, Netns: 1,
	}})
}

// asked is an exchange of a UDP socket with one of its peers.
func (h *host) asked(at, id uint64, side exchange.Side, local, remote, target string) {
	h.Handle(&exchange.Exchange{
		Conn: &exchange.Conn{ID: id, Local: netip.MustParseAddrPort(local), Remote: netip.MustParseAddrPort(remote), Netns: 1},
		Side: side, Target: target, RequestStart: ms(at), ResponseEnd: ms(at),
	})
}

func TestDatagrams(t *testing.T) {
	for _, c := range []struct{ name, server, bound string }{
		{"loopback", "127.0.0.1:53", "127.0.0.1:53"},
		{"own address", "192.0.2.2:53", "192.0.2.2:53"},
		{"any address", "127.0.0.1:53", "0.0.0.0:53"},
		{"any address of both families", "127.0.0.1:53", "[::]:53"},
		{"IPv6", "[::1]:53", "[::]:53"},
	} {
		t.Run(c.name, func(t *testing.T) {
			h := newHost(t, 1001, 1002, 1003)
			addr := netip.MustParseAddrPort(c.server).Addr()
			first, second := netip.AddrPortFrom(addr, 40001).String(), netip.AddrPortFrom(addr, 40002).String()
			h.udp(0, 2, 1002, first, c.server)
			h.udp(0, 3, 1003, second, c.server)
			h.udp(1, 1, 1001, c.bound, first) // it has answered the first
			h.asked(2, 1, exchange.Server, c.server, first, "a")
			h.asked(2, 2, exchange.Client, first, c.server, "a")
			h.asked(3, 1, exchange.Server, c.server, second, "b")
			h.asked(3, 3, exchange.Client, second, c.server, "b")
			h.want("a p1001>p1002", "a p1002>p1001", "b p1001>p1003", "b p1003>p1001")
			if len(h.Losses()) != 0 {
				t.Errorf("Losses = %v", h.Losses())
			}
		})
	}
}

// The kernel wakes the server inside the client's call, which is reported at its end.
func TestAnswerBeforeTheQuestionIsReported(t *testing.T) {
	h := newHost(t, 1001, 1002)
	h.udp(0, 1, 1001, "127.0.0.1:53", "127.0.0.1:40001")
	h.asked(1, 1, exchange.Server, "127.0.0.1:53", "127.0.0.1:40001", "a")
	h.asked(1, 1, exchange.Server, "127.0.0.1:53", "127.0.0.1:40002", "b") // its client is never announced
	h.asked(1, 1, exchange.Server, "127.0.0.1:53", "198.51.100.1:40003", "c")
	h.want("c p1001>198.51.100.1")
	h.udp(2, 2, 1002, "127.0.0.1:40001", "127.0.0.1:53")
	h.Tick(ms(100))
	h.want("a p1001>p1002")
	h.Tick(ms(1900))
	h.want()
	h.Tick(ms(2100))
	h.want("b p1001>127.0.0.1")
	if got := h.Losses()[signal.PendingPeerTimeout]; got != 1 || h.waiting != 0 {
		t.Errorf("%d exchanges lost their client, %d still wait", got, h.waiting)
	}
}

func TestDatagramsOfExternalPeers(t *testing.T) {
	h := newHost(t, 1001)
	h.udp(0, 1, 1001, "0.0.0.0:40001", "198.51.100.53:53")
	h.LearnName(netip.MustParseAddr("198.51.100.54"), "ns.example.com", ms(500))
	h.asked(1, 1, exchange.Client, "192.0.2.2:40001", "198.51.100.53:53", "a")
	h.asked(2, 1, exchange.Client, "192.0.2.2:40001", "198.51.100.54:53", "b")
	h.asked(3, 1, exchange.Client, "192.0.2.2:40001", "127.0.0.53:53", "c") // nobody that was seen
	h.want("a p1001>198.51.100.53:53", "b p1001>ns.example.com:53", "c p1001>127.0.0.53:53")
	if len(h.Losses()) != 0 {
		t.Errorf("Losses = %v", h.Losses())
	}
}

// A look-up takes a socket, and nothing says when that is over.
func TestSocketsAreForgotten(t *testing.T) {
	h := newHost(t, 1001)
	for i := range uint64(2 * maxSockets) {
		h.udp(i/1000, i+1, 1001, netip.AddrPortFrom(netip.MustParseAddr("192.0.2.2"), uint16(i)).String(), "198.51.100.53:53")
	}
	if n := len(h.sockets.byID); n != maxSockets {
		t.Errorf("%d sockets, want %d", n, maxSockets)
	}
	h.Tick(200 * second)
	if a, b, n := len(h.sockets.byID), len(h.sockets.byPlace), h.Connections(); a != 0 || b != 0 || n != 0 {
		t.Errorf("%d sockets, %d places and %d connections after their time", a, b, n)
	}
	if len(h.Losses()) != 0 {
		t.Errorf("Losses = %v", h.Losses())
	}
}
