package cache

import (
	"bufio"
	"fmt"
	"net"
	"time"
)

// Client is one connection to a cache, for one goroutine at a time.
type Client struct {
	c       net.Conn
	r       *bufio.Reader
	timeout time.Duration
}

// Dial opens a connection. Each pipeline on it has timeout to be answered.
func Dial(addr string, timeout time.Duration) (*Client, error) {
	c, err := net.DialTimeout("tcp", addr, timeout)
	if err != nil {
		return nil, fmt.Errorf("dial the cache: %w", err)
	}
	return &Client{c: c, r: bufio.NewReader(c), timeout: timeout}, nil
}

// Do sends commands together and returns one reply for each. After an error the connection must be closed; the replies that
// came before it are returned.
func (c *Client) Do(commands ...[]string) ([]Reply, error) {
	if err := c.c.SetDeadline(time.Now().Add(c.timeout)); err != nil {
		return nil, fmt.Errorf("set the deadline: %w", err)
	}
	var b []byte
	for _, words := range commands {
		b = appendCommand(b, words)
	}
	if _, err := c.c.Write(b); err != nil {
		return nil, fmt.Errorf("write commands: %w", err)
	}
	var replies []Reply
	for range commands {
		r, err := readReply(c.r)
		if err != nil {
			return replies, fmt.Errorf("read a reply: %w", err)
		}
		replies = append(replies, r)
	}
	return replies, nil
}

// Close closes the connection.
func (c *Client) Close() error { return c.c.Close() }
