// Package servetest lets tests talk to a stand-in of the shop.
//
// In: what serves one connection. Out: an address that leads to it, until the test ends.
package servetest

import (
	"net"
	"testing"
)

// Serve returns the address of a loopback port whose connections are served, each by itself, and closed after.
func Serve(t *testing.T, serve func(net.Conn) error) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() { defer c.Close(); serve(c) }()
		}
	}()
	return l.Addr().String()
}
