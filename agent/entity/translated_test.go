package entity

import (
	"fmt"
	"testing"

	"github.com/sonde-dev/sonde/agent/exchange"
	"github.com/sonde-dev/sonde/agent/probe/event"
)

const (
	podA    = "10.1.0.5:40001"
	podB    = "10.1.0.6:8080"
	service = "10.96.0.10:80"
)

func TestTranslatedServerAddress(t *testing.T) {
	for _, serverFirst := range []bool{false, true} {
		h := newHost(t, 1001, 1002)
		client := func() { h.announce(0, 1, 1001, event.RoleClient, podA, service, 1) }
		server := func() { h.announce(0, 2, 1002, event.RoleServer, podB, podA, 2) }
		if serverFirst {
			server()
			client()
		} else {
			client()
			server()
		}
		h.exchange(0, 1, 1, exchange.Client, "a")
		h.exchange(0, 1, 2, exchange.Server, "a")
		h.want("a p1001>p1002", "a p1002>p1001")
		h.closed(5, 1)
		h.closed(5, 2)
		h.Tick(ms(6000))
		if len(h.ends.nat) != 0 {
			t.Errorf("%d entries left", len(h.ends.nat))
		}
	}
}

// The client uses one port towards two servers, one of them elsewhere: which is which cannot be told.
func TestTranslatedAddressIsNotGuessed(t *testing.T) {
	h := newHost(t, 1001, 1002, 1003)
	h.announce(0, 1, 1001, event.RoleClient, podA, service, 1)
	h.announce(0, 2, 1001, event.RoleClient, podA, "198.51.100.7:80", 1)
	h.announce(0, 3, 1002, event.RoleServer, podB, podA, 2)
	h.exchange(0, 1, 1, exchange.Client, "a")
	h.exchange(0, 1, 2, exchange.Client, "b")
	h.want("a p1001>10.96.0.10:80", "b p1001>198.51.100.7:80")
}

// A pair that was inferred gives way to the exact one.
func TestExactPairReplacesTranslated(t *testing.T) {
	h := newHost(t, 1001, 1002, 1003)
	h.announce(0, 1, 1001, event.RoleClient, podA, podB, 1)
	h.announce(1, 2, 1002, event.RoleServer, "10.1.0.7:80", podA, 2)
	h.announce(2, 3, 1003, event.RoleServer, podB, podA, 3)
	h.exchange(0, 1, 1, exchange.Client, "a")
	h.exchange(0, 1, 3, exchange.Server, "a")
	h.want("a p1001>p1003", "a p1003>p1001")
}

// One port towards very many servers costs no more than towards a few, and joins nothing.
func TestManyServersOfOnePort(t *testing.T) {
	h := newHost(t, 1001, 1002)
	h.announce(0, 9999, 1002, event.RoleServer, podB, podA, 2)
	for i := range uint64(5000) {
		h.announce(0, i+1, 1001, event.RoleClient, podA, fmt.Sprintf("10.2.%d.%d:80", i/250, i%250), 1)
	}
	h.exchange(0, 1, 5000, exchange.Client, "a")
	h.want("a p1001>10.2.19.249:80")
	for id := range h.conns {
		h.closed(1, id)
	}
	h.Tick(ms(6000))
	if len(h.ends.nat) != 0 || len(h.ends.byTuple) != 0 {
		t.Errorf("%d and %d entries left", len(h.ends.nat), len(h.ends.byTuple))
	}
}
