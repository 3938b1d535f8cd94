package cache

import (
	"errors"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/redis/go-redis/v9"

	"github.com/sonde-dev/sonde/demo/servetest"
)

func serve(t *testing.T) string { return servetest.Serve(t, NewServer().ServeConn) }

// TestServerAnswersGoRedis has the usual Go client as its judge.
func TestServerAnswersGoRedis(t *testing.T) {
	ctx := t.Context()
	c := redis.NewClient(&redis.Options{Addr: serve(t), Protocol: 2})
	defer c.Close()
	if _, err := c.Get(ctx, "none").Result(); !errors.Is(err, redis.Nil) {
		t.Errorf("GET of nothing: %v, want Nil", err)
	}
	if err := c.Set(ctx, "a", "b\r\nc", time.Minute).Err(); err != nil {
		t.Error(err)
	}
	if v, err := c.Get(ctx, "a").Result(); v != "b\r\nc" || err != nil {
		t.Errorf("GET = %q, %v", v, err)
	}
	if err := c.Incr(ctx, "a").Err(); err == nil || !strings.HasPrefix(err.Error(), "ERR ") {
		t.Errorf("INCR of text: %v, want ERR", err)
	}
	var incr *redis.IntCmd
	var expire *redis.BoolCmd
	if _, err := c.Pipelined(ctx, func(p redis.Pipeliner) error {
		p.Incr(ctx, "n")
		incr, expire = p.Incr(ctx, "n"), p.Expire(ctx, "n", -time.Second)
		return nil
	}); err != nil || incr.Val() != 2 || !expire.Val() {
		t.Errorf("pipeline: %v, %v, %v", err, incr, expire)
	}
	if _, err := c.Get(ctx, "n").Result(); !errors.Is(err, redis.Nil) {
		t.Errorf("GET of what expired: %v, want Nil", err)
	}
	if n, err := c.Del(ctx, "a", "none").Result(); n != 1 || err != nil {
		t.Errorf("DEL = %d, %v", n, err)
	}
	if err := c.LPush(ctx, "l", "x").Err(); err == nil || !strings.Contains(err.Error(), "unknown command") {
		t.Errorf("LPUSH: %v, want unknown command", err)
	}
}

func TestClient(t *testing.T) {
	c, err := Dial(serve(t), time.Second)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	replies, err := c.Do([]string{"GET", "k"}, []string{"SET", "k", "v"}, []string{"GET", "k"}, []string{"INCR", "k"}, []string{"DEL", "k"})
	if err != nil {
		t.Fatal(err)
	}
	var statuses []string
	for _, r := range replies {
		statuses = append(statuses, r.Status())
	}
	if d := cmp.Diff([]string{"NIL", "OK", "OK", "ERR", "OK"}, statuses); d != "" {
		t.Errorf("statuses (-want +got):\n%s", d)
	}
	if replies[2].Text != "v" {
		t.Errorf("GET = %q", replies[2].Text)
	}
}

func TestServerBoundsKeys(t *testing.T) {
	s := NewServer()
	for i := range maxKeys + 10 {
		s.do([]string{"SET", string(rune(i)) + "k", "v"}, time.Time{})
	}
	if len(s.items) > maxKeys {
		t.Errorf("%d keys, want at most %d", len(s.items), maxKeys)
	}
}

func TestServerRefusesNonsense(t *testing.T) {
	for _, in := range []string{"GET a\r\n", "*1\r\n$99999999\r\n", "*1000\r\n", "*1\r\n:1\r\n", "*1\r\n$1\r\nabc"} {
		client, server := net.Pipe()
		go func() { client.Write([]byte(in)); client.Read(make([]byte, 100)); client.Close() }()
		if err := NewServer().ServeConn(server); err == nil {
			t.Errorf("ServeConn(%q): no error", in)
		}
		server.Close()
	}
}
