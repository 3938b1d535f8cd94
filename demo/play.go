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
	"strconv"
	"strings"
	"sync"
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
	switch {
	case s.speaks != protocolHTTP:
		return p.standIn(ctx)
	case s.port == 0 && len(p.subscriptions()) == 0:
		return p.load(ctx)
	}
	var wg sync.WaitGroup
	var consumed, served error
	if len(p.subscriptions()) > 0 {
		wg.Go(func() { consumed = p.consume(ctx) })
	}
	if s.port != 0 {
		served = p.serve(ctx)
	}
	wg.Wait()
	return errors.Join(consumed, served)
}

// A player is one Go process of the shop.
type player struct {
	spec   *spec
	log    *os.File // one line for each call made: service, method, path, status
	client *http.Client
	pools  pools         // connections to what does not speak HTTP
	next   atomic.Uint64 // round robin over the addresses of a service
}

func newPlayer(s *spec) (*player, error) {
	log, err := os.OpenFile(s.log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open the log of %s: %w", s.service, err)
	}
	tr := &http.Transport{DisableKeepAlives: !s.keepAlive, MaxIdleConnsPerHost: 32, IdleConnTimeout: 90 * time.Second, DisableCompression: true}
	p := &player{spec: s, log: log, client: &http.Client{Transport: tr, Timeout: callTimeout}}
	p.pools = p.newPools()
	return p, nil
}

func (p *player) serve(ctx context.Context) error {
	l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", p.spec.port))
	if err != nil {
		return fmt.Errorf("open the shop's %s: %w", p.spec.service, err)
	}
	return serveHTTP(ctx, &http.Server{Handler: http.HandlerFunc(p.handle), ReadHeaderTimeout: callTimeout}, l)
}

func (p *player) handle(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	rt, star := p.spec.match(r.Method, r.URL.Path)
	if rt == nil {
		http.NotFound(w, r)
		return
	}
	status := p.perform(r.Context(), rt, rt.calls, star, len(body))
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	w.Write(filler(rt.bytes))
}

// perform makes the calls of a route and its own work, and returns the status. body is the size of the request's body.
func (p *player) perform(ctx context.Context, rt *specRoute, calls []specCall, star string, body int) int {
	status := rt.status
	if star == "" {
		star = someNumber()
	}
	for _, c := range calls {
		size := c.bytes
		if p.spec.relay {
			size = body
		}
		got := p.call(ctx, c, star, size)
		if p.spec.relay {
			status = got
		} else if got >= 500 {
			status = http.StatusBadGateway
			break
		}
	}
	time.Sleep(rt.work())
	if rt.fails() {
		status = rt.failStatus
	}
	return status
}

// someNumber stands for a customer, a product, an order: some are asked for much more often than others.
func someNumber() string { return strconv.Itoa(1000 + min(int(rand.ExpFloat64()*popular), 8999)) }

// popular is about how many of the numbers get most of the requests.
const popular = 50

func (r *route) fails() bool { return rand.IntN(100) < r.failPercent }

func (r *route) work() time.Duration {
	if rand.IntN(100) < r.slowPercent {
		return time.Duration(r.slowMs) * time.Millisecond
	}
	return time.Duration((0.5 + rand.Float64()) * float64(r.delayMs) * float64(time.Millisecond))
}

// filler is a JSON string of exactly n bytes.
func filler(n int) []byte {
	if n < 2 {
		return bytes.Repeat([]byte("0"), n)
	}
	return []byte(`"` + strings.Repeat("x", n-2) + `"`)
}
