package main

import (
	"net"
	"net/netip"
	"strconv"
)

// ownTraffic recognises requests to Sonde's own page and API, as seen by their clients: Sonde does not observe itself.
// (Its own end is left out in the kernel.)
type ownTraffic struct {
	addr netip.Addr // unspecified: any address of this host
	port uint16
}

func newOwnTraffic(listen string) ownTraffic {
	host, port, _ := net.SplitHostPort(listen) // validated
	n, _ := strconv.ParseUint(port, 10, 16)
	addr, err := netip.ParseAddr(host)
	if err != nil {
		addr = netip.IPv6Unspecified()
	}
	return ownTraffic{addr: addr, port: uint16(n)}
}

func (o ownTraffic) is(remote netip.AddrPort) bool {
	if remote.Port() != o.port || o.port == 0 {
		return false
	}
	return o.addr == remote.Addr() || o.addr.IsUnspecified() && isLocal(remote.Addr())
}

// isLocal says whether an address is one of this host's.
func isLocal(a netip.Addr) bool {
	if a.IsLoopback() {
		return true
	}
	addrs, err := net.InterfaceAddrs()
	if err != nil {
		return false
	}
	for _, ia := range addrs {
		if p, err := netip.ParsePrefix(ia.String()); err == nil && p.Addr() == a {
			return true
		}
	}
	return false
}
