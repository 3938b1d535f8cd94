package entity

import (
	"encoding/binary"
	"net/netip"
	"testing"

	"github.com/sonde-dev/sonde/agent/exchange"
)

func TestLearnedNames(t *testing.T) {
	h := newHost(t, 1001, 1002)
	learn := func(addr, name string, until uint64) { h.LearnName(netip.MustParseAddr(addr), name, ms(until)) }
	learn("198.51.100.7", "old.example.com", 500)
	learn("198.51.100.7", "api.example.com", 500)
	learn("fd00::9", "db.example.com", 500)
	learn("198.51.100.8", "two\nlines", 500)
	learn("198.51.100.8", "<b>.example.com", 500)
	learn("198.51.100.8", "198.51.100.99", 500)
	learn("198.51.100.8", "", 500)
	learn("127.0.0.1", "localhost.example.com", 500)
	learn("192.0.2.2", "this.example.com", 500)

	h.client(0, 1, 1001, "192.0.2.2:40001", "198.51.100.7:443")
	h.client(0, 2, 1001, "192.0.2.2:40002", "[::ffff:198.51.100.7]:80")
	h.client(0, 3, 1001, "[fd00::2]:40001", "[fd00::9]:5432")
	h.client(0, 4, 1001, "192.0.2.2:40003", "198.51.100.8:443")
	h.server(0, 5, 1001, "192.0.2.2:80", "198.51.100.7:51000")
	for id := range uint64(4) {
		h.exchange(0, 1, id+1, exchange.Client, "a")
	}
	h.exchange(0, 1, 5, exchange.Server, "b")
	h.want("a p1001>api.example.com:443", "a p1001>api.example.com:80", "a p1001>db.example.com:5432",
		"a p1001>198.51.100.8:443", "b p1001>198.51.100.7")

	// A name is that of the connection's beginning, and ends with its time.
	learn("198.51.100.7", "new.example.com", 500)
	h.exchange(10, 11, 1, exchange.Client, "later")
	h.client(501, 6, 1001, "192.0.2.2:40009", "198.51.100.7:443")
	h.exchange(501, 502, 6, exchange.Client, "too late")
	h.want("later p1001>api.example.com:443", "too late p1001>198.51.100.7:443")

	// What has a process here keeps the name of that.
	h.client(3, 7, 1001, "192.0.2.2:40010", "192.0.2.2:8080")
	h.server(3, 8, 1002, "192.0.2.2:8080", "192.0.2.2:40010")
	h.exchange(4, 5, 7, exchange.Client, "here")
	h.want("here p1001>p1002")
}

func TestLearnedNamesAreBounded(t *testing.T) {
	h := newHost(t)
	for i := range uint32(2 * maxLearned) {
		var a [4]byte
		binary.BigEndian.PutUint32(a[:], 0x0b000000+i)
		h.LearnName(netip.AddrFrom4(a), "x.example.com", 1000*second)
	}
	if n := len(h.addresses.learned); n != maxLearned {
		t.Errorf("%d names, want %d", n, maxLearned)
	}
	h.addresses.forget(1001 * second)
	if n := len(h.addresses.learned); n != 0 {
		t.Errorf("%d names after their time", n)
	}
}
