package truth

import (
	"context"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/sonde-dev/sonde/test/wire"
)

// freshStacks makes each request from a goroutine that has just begun and has used its stack up to various depths, so that some find
// it too small inside crypto/tls: the runtime moves it and enters the function again.
func freshStacks(a Args) (*wire.Log, error) {
	d := &dialer{network: a.Network, addr: a.Addr, tls: a.TLS != ""}
	for range a.Connections {
		c, err := d.dial(context.Background(), "", "")
		if err != nil {
			return nil, err
		}
		for i := range a.Requests {
			request := fmt.Appendf(nil, "GET /items/%d HTTP/1.1\r\nHost: truth\r\n\r\n", i)
			done := make(chan error)
			go func() { done <- writeAtDepth(i, c, request) }() // nothing on its way needs more of the stack than writing does
			if err := <-done; err != nil {
				return nil, err
			}
			if err := awaitItem(c); err != nil {
				return nil, fmt.Errorf("request %d: %w", i, err)
			}
		}
		c.Close()
	}
	return d.log()
}

// writeAtDepth writes below n frames.
//
//go:noinline
func writeAtDepth(n int, c net.Conn, b []byte) error {
	if n > 0 {
		return writeAtDepth(n-1, c, b)
	}
	_, err := c.Write(b)
	return err
}

func awaitItem(c net.Conn) error {
	c.SetReadDeadline(time.Now().Add(10 * time.Second))
	b := make([]byte, 4096)
	for said := ""; !strings.HasSuffix(said, `{"ok": true}`); {
		n, err := c.Read(b)
		if said += string(b[:n]); err != nil && err != io.EOF || n == 0 {
			return fmt.Errorf("read after %q: %w", said, err)
		}
	}
	return nil
}

// testFreshStacks compares what a Go client writes from stacks that are moved while it writes.
func (x *tier) testFreshStacks(t *testing.T, folder string) {
	service, client := x.service(t, "server"), x.service(t, "client")
	s := startServerTLS(t, "go", service, folder)
	l := startRole(t, client, "fresh", Args{Network: "tcp", Addr: s.addr, Connections: 3, Requests: 200, TLS: folder}).log(t)
	x.talk(t, client, service, l)
}
