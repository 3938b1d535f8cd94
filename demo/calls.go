package demo

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/sonde-dev/sonde/demo/broker"
	"github.com/sonde-dev/sonde/demo/cache"
	"github.com/sonde-dev/sonde/demo/database"
	"github.com/sonde-dev/sonde/demo/resolver"
	"github.com/sonde-dev/sonde/demo/rpc"
)

// callTimeout is how long a reply may take.
const callTimeout = 10 * time.Second

// What a log says of a call without a reply, and of one whose protocol has no status for what went well, or no reply.
const (
	noReply  = "599"
	noStatus = "-"
)

// call makes what a call stands for, which may be several operations, and logs each. It returns the status as HTTP has it.
func (p *player) call(ctx context.Context, c specCall, star string, size int) int {
	c.path = strings.ReplaceAll(c.path, "*", star)
	c.bytes = size
	switch c.protocol {
	case protocolCache:
		return p.callCache(c)
	case protocolDatabase:
		return p.callDatabase(c, star)
	case protocolBroker:
		return p.publish(c)
	case protocolDNS:
		return p.lookup(c)
	case protocolRPC:
		return p.callRPC(ctx, c)
	}
	return p.callHTTP(ctx, c)
}

// logged writes down one operation when its reply is there.
func (p *player) logged(to, operation, target, status string) {
	fmt.Fprintf(p.log, "%s\t%s\t%s\t%s\n", to, operation, target, status)
}

func (p *player) callHTTP(ctx context.Context, c specCall) int {
	status := 599
	addr := c.addresses[p.next.Add(1)%uint64(len(c.addresses))]
	req, err := http.NewRequestWithContext(ctx, c.method, "http://"+addr+c.path, bytes.NewReader(filler(c.bytes)))
	if err == nil {
		if resp, derr := p.client.Do(req); derr == nil {
			io.Copy(io.Discard, resp.Body)
			resp.Body.Close()
			status = resp.StatusCode
		}
	}
	p.logged(c.to, c.method, c.path, fmt.Sprint(status))
	return status
}

// expireSeconds is how long the cache keeps something: so short that there are misses.
const expireSeconds = "60"

// callCache sends one command, or one and then two more together.
func (p *player) callCache(c specCall) int {
	value := string(filler(c.bytes))
	batches := map[string][][][]string{
		"GET":   {{{"GET", c.path}}},
		"DEL":   {{{"DEL", c.path}}},
		"FETCH": {{{"GET", c.path}}, {{"SET", c.path, value}, {"EXPIRE", c.path, expireSeconds}}},
		"COUNT": {{{"INCR", c.path}, {"EXPIRE", c.path, expireSeconds}}},
	}[c.method]
	err := p.pools.cache.with(c.addresses[0], func(k *cache.Client) error {
		for _, batch := range batches {
			replies, err := k.Do(batch...)
			for i, words := range batch {
				status := noReply
				if i < len(replies) {
					status = replies[i].Status()
				}
				p.logged(c.to, words[0], words[1], status)
			}
			if err != nil || !replies[0].Nil {
				return err
			}
		}
		return nil
	})
	return statusOf(err)
}

// callDatabase runs a statement; star is what each of its parameters is.
func (p *player) callDatabase(c specCall, star string) int {
	verb, _, _ := strings.Cut(c.path, " ")
	err := p.pools.database.with(c.addresses[0], func(k *database.Client) (err error) {
		if c.method == "QUERY" {
			_, err = k.Query(c.path)
			p.logged(c.to, verb, c.path, sqlState(err))
			return err
		}
		if !k.IsPrepared(c.path) {
			err := k.Prepare(c.path)
			p.logged(c.to, "PREPARE", c.path, sqlState(err))
			if err != nil {
				return err
			}
		}
		args := make([]string, strings.Count(c.path, "$"))
		for i := range args {
			args[i] = star
		}
		_, err = k.Execute(c.path, args...)
		p.logged(c.to, verb, c.path, sqlState(err))
		return err
	})
	return statusOf(err)
}

func sqlState(err error) string {
	var state *database.StateError
	switch {
	case errors.As(err, &state):
		return state.Code
	case err != nil:
		return noReply
	}
	return noStatus
}

// publish sends a message and waits until the broker has it, by a PING behind it.
func (p *player) publish(c specCall) int {
	return statusOf(p.pools.broker.with(c.addresses[0], func(k *broker.Client) error {
		err := k.Publish(c.path, filler(c.bytes))
		p.logged(c.to, "publish", c.path, noStatus)
		p.logged(c.to, "ping", "", pongOr(err))
		return err
	}))
}

func pongOr(err error) string {
	if err != nil {
		return noReply
	}
	return "ok"
}

// lookup goes through the search list until a name is there.
func (p *player) lookup(c specCall) int {
	var failed error
	for _, name := range resolver.Search(c.path) {
		isThere := false
		for _, kind := range []string{"A", "AAAA"} {
			code, _, err := resolver.Ask(c.addresses[0], kind, name, callTimeout)
			if err != nil {
				code, failed = noReply, err
			}
			p.logged(c.to, kind, name, code)
			isThere = isThere || code == "NOERROR"
		}
		if isThere || failed != nil {
			break
		}
	}
	return statusOf(failed)
}

func (p *player) callRPC(ctx context.Context, c specCall) int {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	_, code, err := p.pools.rpc.Call(ctx, c.addresses[0], c.path, string(filler(c.bytes)))
	status := code.String()
	if err != nil {
		status = noReply
	}
	p.logged(c.to, c.path, "", status)
	if err == nil && code != rpc.OK {
		return http.StatusServiceUnavailable
	}
	return statusOf(err)
}

// statusOf says as HTTP does what came of a call. What was there before (SQLSTATE class 23) is a conflict, and no reason to give
// up.
func statusOf(err error) int {
	var state *database.StateError
	switch {
	case err == nil:
		return http.StatusOK
	case errors.As(err, &state) && strings.HasPrefix(state.Code, "23"):
		return http.StatusConflict
	}
	return http.StatusInternalServerError
}
