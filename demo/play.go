package demo

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"strings"
	"sync/atomic"
	"time"
)

// RunRole plays one Go service of a shop that Run started. It is what "sonde demo --role NAME" does, and blocks until ctx
// is cancelled. The role must agree with the plan that the environment names.
func RunRole(ctx context.Context, role string) error {
	file := os.Getenv(specEnv)
	if file == "" {
		return fmt.Errorf("play %s: %s is not set: roles are started by the demo itself, run it without --role", role, specEnv)
	}
	s, err := readSpec(file)
	if err != nil {
		return err
	}
	if s.service != role {
		return fmt.Errorf("play %s: the plan is that of %s", role, s.service)
	}
	p, err := newPlayer(s)
	if err != nil {
		return err
	}
	defer p.log.Close()
	if s.port == 0 {
		return p.load(ctx)
	}
	return p.serve(ctx)
}

// A player is one Go process of the shop.
type player struct {
	spec   *spec
	log    *os.File // one line for each call made: service, method, path, status
	client *http.Client
	next   atomic.Uint64 // round robin over the addresses of a service
}

func newPlayer(s *spec) (*player, error) {
	log, err := os.OpenFile(s.log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open the log of %s: %w", s.service, err)
	}
	tr := &http.Transport{DisableKeepAlives: !s.keepAlive, MaxIdleConnsPerHost: 32, IdleConnTimeout: 90 * time.Second, DisableCompression: true}
	return &player{spec: s, log: log, client: &http.Client{Transport: tr, Timeout: 10 * time.Second}}, nil
}

func (p *player) serve(ctx context.Context) error {
	l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", p.spec.port))
	if err != nil {
		return fmt.Errorf("open the shop's %s: %w", p.spec.service, err)
	}
	srv := &http.Server{Handler: http.HandlerFunc(p.handle), ReadHeaderTimeout: 10 * time.Second}
	stop := context.AfterFunc(ctx, func() { srv.Close() })
	defer stop()
	if err := srv.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serve %s: %w", p.spec.service, err)
	}
	return nil
}

func (p *player) handle(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	rt, star := p.spec.match(r.Method, r.URL.Path)
	if rt == nil {
		http.NotFound(w, r)
		return
	}
	status := rt.status
	for _, c := range rt.calls {
		size := c.bytes
		if p.spec.relay {
			size = len(body)
		}
		got := p.call(r.Context(), c, star, size)
		if p.spec.relay {
			status = got
		} else if got >= 500 {
			status = http.StatusBadGateway
			break
		}
	}
	time.Sleep(rt.work())
	if rand.IntN(100) < rt.failPercent {
		status = rt.failStatus
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	w.Write(filler(rt.bytes))
}

func (r *route) work() time.Duration {
	if rand.IntN(100) < r.slowPercent {
		return time.Duration(r.slowMs) * time.Millisecond
	}
	return time.Duration((0.5 + rand.Float64()) * float64(r.delayMs) * float64(time.Millisecond))
}

// call makes one request and logs it. A reply that does not come is status 599, and is logged as such.
func (p *player) call(ctx context.Context, c specCall, star string, size int) int {
	path := strings.ReplaceAll(c.path, "*", star)
	status := 599
	addr := c.addresses[p.next.Add(1)%uint64(len(c.addresses))]
	req, err := http.NewRequestWithContext(ctx, c.method, "http://"+addr+path, bytes.NewReader(filler(size)))
	if err == nil {
		if resp, derr := p.client.Do(req); derr == nil {
			io.Copy(io.Discard, resp.Body)
			resp.Body.Close()
			status = resp.StatusCode
		}
	}
	fmt.Fprintf(p.log, "%s\t%s\t%s\t%d\n", c.to, c.method, path, status)
	return status
}

// filler is a JSON string of exactly n bytes.
func filler(n int) []byte {
	if n < 2 {
		return bytes.Repeat([]byte("0"), n)
	}
	return []byte(`"` + strings.Repeat("x", n-2) + `"`)
}
