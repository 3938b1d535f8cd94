package database

import (
	"bufio"
	"errors"
	"fmt"
	"net"
	"time"
)

// Client is one connection to a database, for one goroutine at a time.
type Client struct {
	c        net.Conn
	r        *bufio.Reader
	timeout  time.Duration
	prepared map[string]string // statement → its name here
}

// Dial connects and logs in as user without a password. Each statement has timeout to be answered.
func Dial(addr, user string, timeout time.Duration) (*Client, error) {
	c, err := net.DialTimeout("tcp", addr, timeout)
	if err != nil {
		return nil, fmt.Errorf("dial the database: %w", err)
	}
	cl := &Client{c: c, r: bufio.NewReader(c), timeout: timeout, prepared: map[string]string{}}
	if _, err := cl.ask(add(nil, 0, int32(version3), "user", user, "database", "shop", []byte{0})); err != nil {
		c.Close()
		return nil, fmt.Errorf("log in to the database: %w", err)
	}
	return cl, nil
}

// Query runs a statement as it is (simple query) and returns the number of rows. A *StateError leaves the connection
// usable; after any other it must be closed.
func (c *Client) Query(sql string) (rows int, err error) {
	return c.ask(add(nil, 'Q', sql))
}

// IsPrepared reports whether this connection knows a statement.
func (c *Client) IsPrepared(sql string) bool { return c.prepared[sql] != "" }

// Prepare makes a statement known to this connection. Errors are those of Query.
func (c *Client) Prepare(sql string) error {
	name := fmt.Sprintf("s%d", len(c.prepared)+1)
	b := add(nil, 'P', name, sql, int16(0))
	_, err := c.ask(add(b, 'S'))
	if err == nil {
		c.prepared[sql] = name
	}
	return err
}

// Execute runs a statement that was prepared, with its arguments as text. Result and errors are those of Query.
func (c *Client) Execute(sql string, args ...string) (rows int, err error) {
	parts := []any{"", c.prepared[sql], int16(0), int16(len(args))}
	for _, a := range args {
		parts = append(parts, int32(len(a)), []byte(a))
	}
	b := add(nil, 'B', append(parts, int16(0))...)
	b = add(b, 'E', "", int32(0))
	return c.ask(add(b, 'S'))
}

// ask sends messages and reads up to ReadyForQuery.
func (c *Client) ask(b []byte) (rows int, err error) {
	if err := c.c.SetDeadline(time.Now().Add(c.timeout)); err != nil {
		return 0, fmt.Errorf("set the deadline: %w", err)
	}
	if _, err := c.c.Write(b); err != nil {
		return 0, fmt.Errorf("write a statement: %w", err)
	}
	var state error
	for {
		m, err := readMessage(c.r)
		if err != nil {
			return rows, errors.Join(state, fmt.Errorf("read a reply: %w", err))
		}
		switch m.kind {
		case 'D':
			rows++
		case 'E':
			state = readError(m.body)
		case 'R':
			if in := (reader{b: m.body}); in.int32() != 0 {
				return 0, errors.New("the database wants a password")
			}
		case 'Z':
			return rows, state
		}
	}
}

// readError reads the fields of an ErrorResponse: a type and a text each.
func readError(b []byte) error {
	e := &StateError{}
	in := reader{b: b}
	for len(in.b) > 1 && in.err == nil {
		switch field := in.text(); field[:min(1, len(field))] {
		case "C":
			e.Code = field[1:]
		case "M":
			e.Message = field[1:]
		}
	}
	return e
}

// Close says good-bye and closes the connection.
func (c *Client) Close() error {
	_, err := c.c.Write(add(nil, 'X'))
	return errors.Join(err, c.c.Close())
}
