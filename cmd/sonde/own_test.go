package main

import (
	"net/netip"
	"testing"
	"time"
)

// The host's addresses are asked for once in a while, not for each request.
func TestOwnTraffic(t *testing.T) {
	o := newOwnTraffic(":9090")
	here := netip.MustParseAddr("192.0.2.7") // TEST-NET-1 (RFC 5737): no interface has it
	for _, tt := range []struct {
		name   string
		remote netip.AddrPort
		want   bool
	}{
		{"loopback", netip.MustParseAddrPort("127.0.0.1:9090"), true},
		{"another port", netip.MustParseAddrPort("127.0.0.1:9091"), false},
		{"another host", netip.AddrPortFrom(here, 9090), false},
	} {
		if got := o.is(tt.remote, 1); got != tt.want {
			t.Errorf("%s: is(%v) = %v, want %v", tt.name, tt.remote, got, tt.want)
		}
	}
	o.local[here] = true // as if it had been there when asked
	for _, tt := range []struct {
		now  time.Duration
		want bool
	}{{addressesAge, true}, {addressesAge + 2, false}} {
		if got := o.is(netip.AddrPortFrom(here, 9090), uint64(tt.now)); got != tt.want {
			t.Errorf("after %v: %v, want %v", tt.now, got, tt.want)
		}
	}
	if o := newOwnTraffic("192.0.2.7:9090"); !o.is(netip.AddrPortFrom(here, 9090), 1) || o.is(netip.MustParseAddrPort("127.0.0.1:9090"), 1) {
		t.Error("an address to listen on is not the only one")
	}
}
