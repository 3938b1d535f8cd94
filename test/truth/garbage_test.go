package truth

import (
	"context"
	"io"
	"math/rand/v2"
	"net"
	"time"
)

// garbageServer answers whatever comes with bytes that mean nothing.
func garbageServer(ctx context.Context, a Args) error {
	l, err := net.Listen(a.Network, a.Addr)
	if err != nil {
		return err
	}
	context.AfterFunc(ctx, func() { l.Close() })
	for seed := a.Seed; ; seed++ {
		c, err := l.Accept()
		if err != nil {
			return nil // told to end
		}
		go func() {
			defer c.Close()
			r := rand.New(rand.NewPCG(seed, 1))
			buf := make([]byte, 32<<10)
			for {
				c.SetReadDeadline(time.Now().Add(time.Second))
				if _, err := c.Read(buf); err != nil || r.IntN(5) == 0 {
					return
				}
				c.Write(garbage(r))
			}
		}()
	}
}

// garbageClient sends garbage over one short connection after another, many at once.
func garbageClient(a Args) error {
	end := time.Now().Add(time.Duration(a.Seconds * float64(time.Second)))
	done := make(chan struct{})
	for i := range a.Connections {
		go func() {
			defer func() { done <- struct{}{} }()
			r := rand.New(rand.NewPCG(a.Seed, uint64(i)))
			for time.Now().Before(end) {
				insult(r, a.Network, a.Addr)
			}
		}()
	}
	for range a.Connections {
		<-done
	}
	return nil
}

func insult(r *rand.Rand, network, addr string) {
	c, err := net.Dial(network, addr)
	if err != nil {
		time.Sleep(time.Millisecond)
		return
	}
	defer c.Close()
	if r.IntN(3) == 0 { // end by RST
		c.(*net.TCPConn).SetLinger(0)
	}
	for range 1 + r.IntN(4) {
		if _, err := c.Write(garbage(r)); err != nil {
			return
		}
		if r.IntN(2) == 0 {
			c.SetReadDeadline(time.Now().Add(20 * time.Millisecond))
			io.CopyN(io.Discard, c, int64(r.IntN(4096)))
		}
	}
}

// garbage is random bytes, or something that resembles HTTP and is none: no request line and no status line of it is
// valid by RFC 9112 §3 and §4.
func garbage(r *rand.Rand) []byte {
	almost := []string{
		"GET\x00/ HTTP/1.1\r\nHost: x\r\n\r\n", "GTE / HTTP/1.1\r\n\r\n", "GET / HTP/1.1\r\nHost: x\r\n\r\n", "get / http/1.1\r\n\r\n",
		"POST\r\n\r\n", "HTTP/1.1 2x0 OK\r\n\r\n", "HTTP/9 200\r\n\r\n", "HTTP/1.1\r\n\r\n", "GET", "GET \r\n\r\n", "HTTP/", "PUTT /x HTTP/1.1\r\n\r\n",
		"\r\n\r\n\r\n", "Content-Length: 5\r\n\r\nhello", "5\r\nhello\r\n0\r\n\r\n", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
	}
	b := make([]byte, r.IntN(3000))
	for i := range b {
		b[i] = byte(r.Uint32())
	}
	switch r.IntN(3) {
	case 0:
		return b
	case 1:
		return []byte(almost[r.IntN(len(almost))])
	default: // HTTP-like in the middle of noise, and noise in the middle of HTTP-like
		a := almost[r.IntN(len(almost))]
		return append(append(b, a...), b[:len(b)/2]...)
	}
}
