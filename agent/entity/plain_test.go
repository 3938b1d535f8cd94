package entity

import (
	"testing"

	"github.com/sonde-dev/sonde/agent/exchange"
	"github.com/sonde-dev/sonde/agent/probe/event"
)

// TestPlainTextKeepsToItself announces TLS connections: sockets, and their plain text with the same addresses.
func TestPlainTextKeepsToItself(t *testing.T) {
	const here, there = "127.0.0.1:40001", "127.0.0.1:443"
	const plain = event.PlainText
	t.Run("seen at both ends", func(t *testing.T) {
		h := newHost(t, 10, 20)
		h.client(0, 1, 10, here, there)
		h.server(1, 2, 20, there, here)
		h.client(2, 1|plain, 10, here, there)
		h.server(3, 2|plain, 20, there, here)
		h.exchange(2, 4, 1|plain, exchange.Client, "/")
		h.exchange(3, 4, 2|plain, exchange.Server, "/")
		h.exchange(0, 5, 1, exchange.Client, "tls")
		if len(h.got) != 3 {
			t.Fatalf("observed %q, want three exchanges at once", h.got)
		}
		for id, peer := range map[uint64]uint64{1: 2, 2: 1, 1 | plain: 2 | plain, 2 | plain: 1 | plain} {
			if e := h.ends.byID[id]; e == nil || e.peer == nil || e.peer.conn.ID != peer {
				t.Errorf("the peer of %x is not %x", id, peer)
			}
		}
	})
	t.Run("seen at one end", func(t *testing.T) {
		h := newHost(t, 10, 20)
		h.server(0, 2, 20, there, here)
		h.server(1, 2|plain, 20, there, here)
		h.exchange(1, 4, 2|plain, exchange.Server, "/")
		if len(h.got) != 0 {
			t.Fatalf("observed %q before the other end was known", h.got)
		}
		h.client(5, 1, 10, here, there) // a program whose TLS is not read
		if len(h.got) != 1 {
			t.Fatalf("observed %q, want the exchange that waited", h.got)
		}
		if e := h.ends.byID[2|plain]; e.peer == nil || e.peer.conn.PID != 10 {
			t.Error("the socket at the other end does not stand for its plain text")
		}
	})
}
