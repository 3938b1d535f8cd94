package truth

import (
	"context"
	"io"
	"math/rand/v2"
	"net"
	"time"

	"github.com/sonde-dev/sonde/test/garbage"
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
				c.Write(mess(r))
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
		if _, err := c.Write(mess(r)); err != nil {
			return
		}
		if r.IntN(2) == 0 {
			c.SetReadDeadline(time.Now().Add(20 * time.Millisecond))
			io.CopyN(io.Discard, c, int64(r.IntN(4096)))
		}
	}
}

// mess is random bytes, or something that resembles HTTP and is none.
func mess(r *rand.Rand) []byte {
	b := garbage.Noise(r)
	switch r.IntN(3) {
	case 0:
		return b
	case 1:
		return []byte(garbage.Almost(r))
	default:
		return garbage.Around(b, garbage.Almost(r))
	}
}
