package entity

import (
	"encoding/binary"
	"net/netip"

	"github.com/sonde-dev/sonde/agent/exchange"
	"github.com/sonde-dev/sonde/agent/probe/event"
)

// address is an IP address in 16 bytes; IPv4 is mapped into IPv6, so that both forms of it are equal.
type address [16]byte

// tuple is a connection as one of its ends sees it. It holds no pointers, which keeps large maps of it cheap.
type tuple struct {
	local, remote         address
	localPort, remotePort uint16
	unix                  bool
	plain                 bool   // the plain text of a TLS connection, whose socket is another end with the same addresses
	incomplete            bool   // the kernel side could not tell both ends: the tuple is the end's own, and matches none
	netns                 uint32 // only for loopback addresses: others may be reached from other namespaces
}

// reversed returns the tuple as the other end sees it.
func (t tuple) reversed() tuple {
	t.local, t.remote = t.remote, t.local
	t.localPort, t.remotePort = t.remotePort, t.localPort
	return t
}

// tupleOf returns the tuple of a connection. A Unix socket's two identities stand in for addresses.
func tupleOf(c *exchange.Conn) tuple {
	t := tuple{plain: c.ID&event.PlainText != 0}
	if (c.Unix && (c.UnixSelf == 0 || c.UnixPeer == 0)) || (!c.Unix && !(c.Local.IsValid() && c.Remote.IsValid())) {
		t.unix, t.incomplete = c.Unix, true
		binary.LittleEndian.PutUint64(t.local[:], c.ID)
		t.remote, t.remotePort = addressOf(c.Remote), c.Remote.Port()
		return t
	}
	if c.Unix {
		t.unix = true
		binary.LittleEndian.PutUint64(t.local[:], c.UnixSelf)
		binary.LittleEndian.PutUint64(t.remote[:], c.UnixPeer)
		return t
	}
	t.local, t.localPort = addressOf(c.Local), c.Local.Port()
	t.remote, t.remotePort = addressOf(c.Remote), c.Remote.Port()
	if t.isLoopback() {
		t.netns = c.Netns
	}
	return t
}

func addressOf(ap netip.AddrPort) address {
	if !ap.IsValid() {
		return address{}
	}
	return ap.Addr().As16()
}

// isLoopback reports whether the connection cannot leave its network namespace.
func (t tuple) isLoopback() bool {
	return netip.AddrFrom16(t.remote).Unmap().IsLoopback() || netip.AddrFrom16(t.local).Unmap().IsLoopback()
}

// remoteAddrPort returns the remote address in its usual form: IPv4 unmapped, no zone.
func (t tuple) remoteAddrPort() netip.AddrPort {
	return netip.AddrPortFrom(netip.AddrFrom16(t.remote).Unmap(), t.remotePort)
}
