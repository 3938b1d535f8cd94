// Package wire keeps what crossed a connection and counts the HTTP exchanges in it.
//
// In: a connection that a load generator uses. Out: the exchanges on it, read by net/http from the bytes themselves, body
// sizes as on the wire (chunk framing included). It is an oracle of truth tests, so it must not know Sonde.
package wire

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync"
)

// Conn is a connection that remembers all bytes of both directions. Not for endless use: memory grows with them.
type Conn struct {
	net.Conn
	mu             sync.Mutex
	sent, received []byte
}

// Record wraps a connection. Bytes moved before are not known.
func Record(c net.Conn) *Conn { return &Conn{Conn: c} }

func (c *Conn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	c.mu.Lock()
	c.received = append(c.received, p[:n]...)
	c.mu.Unlock()
	return n, err
}

// Write records first: the answer may be there, and be read back, before the call that sends returns.
func (c *Conn) Write(p []byte) (int, error) {
	c.mu.Lock()
	c.sent = append(c.sent, p...)
	c.mu.Unlock()
	n, err := c.Conn.Write(p)
	if n < len(p) {
		c.mu.Lock()
		c.sent = c.sent[:max(0, len(c.sent)-(len(p)-n))]
		c.mu.Unlock()
	}
	return n, err
}

// Forget drops what was recorded, so that only what follows counts. No exchange may be under way.
func (c *Conn) Forget() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.sent, c.received = nil, nil
}

// Exchange is one request and its response.
type Exchange struct {
	Method, Path                string
	Status                      int
	RequestBytes, ResponseBytes int64 // bodies as on the wire
}

// Exchanges reads back what was recorded at the client's end. Every request must have its full response; anything else is
// an error.
func (c *Conn) Exchanges() ([]Exchange, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return readBack(c.sent, c.received)
}

// Served is Exchanges for a connection recorded at the server's end.
func (c *Conn) Served() ([]Exchange, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return readBack(c.received, c.sent)
}

func readBack(toServer, fromServer []byte) ([]Exchange, error) {
	requests, responses := newStream(toServer), newStream(fromServer)
	var out []Exchange
	for requests.left() > 0 {
		x, err := next(requests, responses)
		if err != nil {
			return out, fmt.Errorf("read back exchange %d of a connection: %w", len(out), err)
		}
		out = append(out, x)
	}
	if responses.left() > 0 {
		return out, fmt.Errorf("read back a connection: %d bytes after the last response", responses.left())
	}
	return out, nil
}

// next reads one exchange. Empty lines before a request line belong to nothing (RFC 9112 §2.2).
func next(requests, responses *stream) (Exchange, error) {
	for b, _ := requests.r.Peek(2); string(b) == "\r\n"; b, _ = requests.r.Peek(2) {
		requests.r.Discard(2)
	}
	head := requests.headEnd()
	req, err := http.ReadRequest(requests.r)
	if err != nil {
		return Exchange{}, fmt.Errorf("request: %w", err)
	}
	if _, err := io.Copy(io.Discard, req.Body); err != nil {
		return Exchange{}, fmt.Errorf("request body: %w", err)
	}
	x := Exchange{Method: req.Method, Path: req.URL.Path, RequestBytes: requests.position() - head}
	for {
		head = responses.headEnd()
		resp, err := http.ReadResponse(responses.r, req)
		if err != nil {
			return x, fmt.Errorf("response to %s %s: %w", x.Method, x.Path, err)
		}
		if resp.StatusCode >= 100 && resp.StatusCode < 200 && resp.StatusCode != http.StatusSwitchingProtocols {
			continue // RFC 9110 §15.2: informational, the final response follows
		}
		// A body that lasts until the connection closes ends with the record.
		if _, err := io.Copy(io.Discard, resp.Body); err != nil {
			return x, fmt.Errorf("response body of %s %s: %w", x.Method, x.Path, err)
		}
		x.Status, x.ResponseBytes = resp.StatusCode, responses.position()-head
		return x, nil
	}
}

// A stream knows how far it was read.
type stream struct {
	all []byte
	src *bytes.Reader
	r   *bufio.Reader
}

func newStream(b []byte) *stream {
	s := &stream{all: b, src: bytes.NewReader(b)}
	s.r = bufio.NewReader(s.src)
	return s
}

func (s *stream) left() int { return s.src.Len() + s.r.Buffered() }

func (s *stream) position() int64 { return int64(len(s.all) - s.left()) }

// headEnd is the position after the head that begins here.
func (s *stream) headEnd() int64 {
	const blank = "\r\n\r\n"
	i := bytes.Index(s.all[s.position():], []byte(blank))
	if i < 0 {
		return int64(len(s.all))
	}
	return s.position() + int64(i) + int64(len(blank))
}
