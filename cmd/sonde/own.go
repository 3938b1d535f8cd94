package main

import (
	"net"
	"net/netip"
	"strconv"
	"time"
)

// ownTraffic recognises requests to Sonde's own page and API, as seen by their clients: Sonde does not observe itself.
// (Its own end is left out in the kernel.)
type ownTraffic struct {
	addr netip.Addr // unspecified: any address of this host
	port uint16

	local map[netip.Addr]bool // this host's, as of asked
	asked uint64              // CLOCK_MONOTONIC
}

// addressesAge is for how long the host's addresses are believed: an address that is new is seldom used sooner.
const addressesAge = 10 * time.Second

func newOwnTraffic(listen string) *ownTraffic {
	host, port, _ := net.SplitHostPort(listen) // validated
	n, _ := strconv.ParseUint(port, 10, 16)
	addr, err := netip.ParseAddr(host)
	if err != nil {
		addr = netip.IPv6Unspecified()
	}
	return &ownTraffic{addr: addr, port: uint16(n)}
}

// is reports whether a remote end is Sonde's own. now is the time of CLOCK_MONOTONIC. Only one goroutine may ask.
func (o *ownTraffic) is(remote netip.AddrPort, now uint64) bool {
	if remote.Port() != o.port || o.port == 0 {
		return false
	}
	return o.addr == remote.Addr() || o.addr.IsUnspecified() && (remote.Addr().IsLoopback() || o.isLocal(remote.Addr(), now))
}

// isLocal says whether an address is one of this host's.
func (o *ownTraffic) isLocal(a netip.Addr, now uint64) bool {
	if o.local == nil || now > o.asked+uint64(addressesAge) {
		o.local, o.asked = hostAddresses(), now
	}
	return o.local[a]
}

// hostAddresses lists the addresses of this host's interfaces; none where the kernel does not tell.
func hostAddresses() map[netip.Addr]bool {
	all := map[netip.Addr]bool{}
	addrs, err := net.InterfaceAddrs()
	if err != nil {
		return all
	}
	for _, ia := range addrs {
		if p, err := netip.ParsePrefix(ia.String()); err == nil {
			all[p.Addr()] = true
		}
	}
	return all
}
