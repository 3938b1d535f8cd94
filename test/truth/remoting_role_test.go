package truth

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/sonde-dev/sonde/test/wire"
)

// A remoting is a protocol whose requests and responses name each other by a number, as far as a stub has to know it: neither servers nor client
// libraries of Dubbo and RocketMQ are to be had, so that both ends are written by the protocols' descriptions.
type remoting struct {
	read   func(io.Reader) ([]byte, error)             // the next frame
	id     func(frame []byte) (id uint64, answer bool) // answer: of a request of this end
	answer func(frame []byte, a *account) (frames [][]byte)
	// calls makes the requests of a round, numbered from id on.
	calls func(id uint64) []remotingCall
}

// A remotingCall is one request of a client.
type remotingCall struct {
	frame    []byte
	isOneWay bool
	isTimed  bool
	isEarly  bool // the first of an old connection
	enter    func(answer []byte, a *account)
}

// remotingSlow is how long a slow call takes.
const remotingSlow = 50 * time.Millisecond

func remotingOf(plan string) remoting {
	if strings.Contains(plan, "dubbo") {
		return dubbo
	}
	return rocketMQ(strings.Contains(plan, "binary"))
}

// serveRemoting answers each request by a goroutine of its own, so that answers come in any order.
func serveRemoting(ctx context.Context, a Args) (*wire.Log, error) {
	l, err := stubListener(a)
	if err != nil {
		return nil, err
	}
	p, done, mu := remotingOf(a.Plan), &account{}, sync.Mutex{}
	go acceptEach(l, func(c net.Conn) {
		defer c.Close()
		r, writing := bufio.NewReader(c), sync.Mutex{}
		for f, err := p.read(r); err == nil; f, err = p.read(r) {
			go func() {
				entered := &account{}
				frames := p.answer(f, entered)
				mu.Lock()
				done.log.Merge(&entered.log)
				mu.Unlock()
				writing.Lock()
				defer writing.Unlock()
				for _, b := range frames {
					c.Write(b)
				}
			}()
		}
	})
	<-ctx.Done()
	mu.Lock()
	defer mu.Unlock()
	return &done.log, nil
}

// remotingConn is a connection of a client with what waits on it.
type remotingConn struct {
	net.Conn
	p       remoting
	mu      sync.Mutex
	nextID  uint64
	waiting map[uint64]chan []byte
}

func dialRemoting(a Args) (*remotingConn, error) {
	c, err := net.Dial("tcp", a.Addr)
	if err != nil {
		return nil, err
	}
	if a.TLS != "" {
		c = tls.Client(c, &tls.Config{InsecureSkipVerify: true})
	}
	r := &remotingConn{Conn: c, p: remotingOf(a.Plan), waiting: map[uint64]chan []byte{}}
	go func() {
		in := bufio.NewReader(c)
		for f, err := r.p.read(in); err == nil; f, err = r.p.read(in) {
			if id, isAnswer := r.p.id(f); isAnswer {
				r.mu.Lock()
				to := r.waiting[id]
				delete(r.waiting, id)
				r.mu.Unlock()
				to <- f
			}
		}
	}()
	return r, nil
}

// round makes each call once, and enters what came.
func (c *remotingConn) round(done *account, isEarly bool) error {
	const room = 16 // calls of a round
	c.mu.Lock()
	first := c.nextID + 1
	c.nextID += room
	c.mu.Unlock()
	for i, call := range c.p.calls(first) {
		if call.isEarly != isEarly {
			continue
		}
		to := make(chan []byte, 1)
		c.mu.Lock()
		if !call.isOneWay {
			c.waiting[first+uint64(i)] = to
		}
		begin := time.Now()
		_, err := c.Write(call.frame)
		c.mu.Unlock()
		if err != nil {
			return err
		}
		var answer []byte
		if !call.isOneWay {
			select {
			case answer = <-to:
			case <-time.After(20 * time.Second):
				return errors.New("no answer")
			}
		}
		took := time.Since(begin).Seconds()
		c.mu.Lock()
		call.enter(answer, done)
		if call.isTimed {
			done.log.Durations = append(done.log.Durations, took)
		}
		c.mu.Unlock()
	}
	return nil
}

// callRemoting has several users on each connection. With the plan "old" it counts what it does after a line on its standard input, and makes the
// first call after that alone.
func callRemoting(a Args) (*wire.Log, error) {
	total, totalMu := &account{}, sync.Mutex{}
	var conns []*remotingConn
	for range a.Connections {
		c, err := dialRemoting(a)
		if err != nil {
			return nil, err
		}
		defer c.Close()
		conns = append(conns, c)
	}
	if strings.Contains(a.Plan, "old") {
		for _, c := range conns {
			if err := c.round(&account{}, false); err != nil {
				return nil, err
			}
		}
		fmt.Fprintln(os.Stderr, "ready")
		if _, err := bufio.NewReader(os.Stdin).ReadString('\n'); err != nil {
			return nil, err
		}
		for _, c := range conns {
			if err := c.round(total, true); err != nil {
				return nil, err
			}
		}
	}
	const users = 4
	var all sync.WaitGroup
	errs := make(chan error, len(conns)*users)
	for _, c := range conns {
		done := &account{}
		var of sync.WaitGroup
		for range users {
			of.Go(func() {
				for range a.Requests {
					if err := c.round(done, false); err != nil {
						errs <- err
						return
					}
				}
			})
		}
		all.Go(func() {
			of.Wait()
			totalMu.Lock()
			defer totalMu.Unlock()
			total.log.Merge(&done.log)
		})
	}
	all.Wait()
	time.Sleep(200 * time.Millisecond) // one-way calls are counted by the server when they come
	select {
	case err := <-errs:
		return nil, err
	default:
		return &total.log, nil
	}
}
