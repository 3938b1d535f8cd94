package truth

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"strings"
	"time"

	"github.com/bradfitz/gomemcache/memcache"

	"github.com/sonde-dev/sonde/test/wire"
)

// useMemcached does a bit of everything, then pipelines on a connection of its own. With the plan "old" it connects and waits for the word,
// and then sets and gets. Its account is how long its gets took.
func useMemcached(a Args) (*wire.Log, error) {
	c := memcache.New(a.Addr)
	defer c.Close()
	dial := func() (net.Conn, error) { return net.Dial("tcp", a.Addr) }
	if a.TLS != "" {
		dial = func() (net.Conn, error) { return tls.Dial("tcp", a.Addr, trusting()) }
	}
	c.DialContext = func(context.Context, string, string) (net.Conn, error) { return dial() }
	c.Timeout = 10 * time.Second
	log := &wire.Log{}
	if a.Plan == "old" {
		return log, oldMemcached(c, a.Requests)
	}
	if err := playMemcached(c, a.Requests, log); err != nil {
		return nil, err
	}
	return log, pipelineMemcached(dial)
}

// playMemcached times what the library sends as gets.
func playMemcached(c *memcache.Client, rounds int, log *wire.Log) error {
	get := func(key string) (*memcache.Item, error) {
		begin := time.Now()
		item, err := c.Get(key)
		log.Durations = append(log.Durations, time.Since(begin).Seconds())
		return item, err
	}
	for i := range rounds {
		key := fmt.Sprintf("user:%d", i)
		if err := c.Set(&memcache.Item{Key: key, Value: []byte(strings.Repeat("v", i*50))}); err != nil {
			return err
		}
		item, err := get(key)
		if err != nil {
			return err
		}
		if err := c.CompareAndSwap(item); err != nil {
			return err
		}
		if err := c.CompareAndSwap(item); err != memcache.ErrCASConflict {
			return fmt.Errorf("a second swap: %w", err)
		}
		if _, err := get("none"); err != memcache.ErrCacheMiss {
			return fmt.Errorf("get of nothing: %w", err)
		}
		if err := c.Add(&memcache.Item{Key: key, Value: []byte("1")}); err != memcache.ErrNotStored {
			return fmt.Errorf("add of what is there: %w", err)
		}
		if err := c.Delete(key); err != nil {
			return err
		}
		if err := c.Delete(key); err != memcache.ErrCacheMiss {
			return fmt.Errorf("a second delete: %w", err)
		}
	}
	return nil
}

// oldMemcached keeps to the connection that it has before the word.
func oldMemcached(c *memcache.Client, n int) error {
	if err := c.Ping(); err != nil {
		return err
	}
	if err := awaitWord(); err != nil {
		return err
	}
	for i := range n {
		if err := c.Set(&memcache.Item{Key: fmt.Sprintf("k%d", i), Value: []byte("v")}); err != nil {
			return err
		}
		if _, err := c.Get(fmt.Sprintf("none%d", i)); err != memcache.ErrCacheMiss {
			return fmt.Errorf("get of nothing: %w", err)
		}
	}
	return nil
}

// pipelineMemcached sends 500 commands at once.
func pipelineMemcached(dial func() (net.Conn, error)) error {
	c, err := dial()
	if err != nil {
		return err
	}
	defer c.Close()
	var b strings.Builder
	for i := range 500 {
		switch i % 4 {
		case 0:
			fmt.Fprintf(&b, "set p%d 0 0 5 noreply\r\nhello\r\n", i)
		case 1:
			fmt.Fprintf(&b, "get p%d\r\n", i-1)
		case 2:
			fmt.Fprintf(&b, "mg p%d v q\r\n", i) // never there: answered by silence
		case 3:
			fmt.Fprintf(&b, "incr p%d 1\r\n", i)
		}
	}
	fmt.Fprint(&b, "mn\r\n")
	if _, err := c.Write([]byte(b.String())); err != nil {
		return err
	}
	for s := bufio.NewScanner(c); s.Scan(); {
		if s.Text() == "MN" {
			return nil
		}
	}
	return errors.New("the connection ended before the pipeline did")
}
