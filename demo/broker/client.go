package broker

import (
	"bufio"
	"fmt"
	"net"
	"strconv"
	"time"
)

// Client is one connection to a broker, for one goroutine at a time.
type Client struct {
	c       net.Conn
	r       *bufio.Reader
	timeout time.Duration
	subs    int
}

// Dial connects as name. Each question on the connection has timeout to be answered.
func Dial(addr, name string, timeout time.Duration) (*Client, error) {
	c, err := net.DialTimeout("tcp", addr, timeout)
	if err != nil {
		return nil, fmt.Errorf("dial the broker: %w", err)
	}
	k := &Client{c: c, r: bufio.NewReaderSize(c, maxLine), timeout: timeout}
	hello := fmt.Appendf(nil, `CONNECT {"verbose":false,"pedantic":false,"lang":"go","version":"1","name":%q}`+"\r\n", name)
	c.SetDeadline(time.Now().Add(timeout))
	if words, err := readLine(k.r); err != nil || words[0] != "INFO" {
		c.Close()
		return nil, fmt.Errorf("greet the broker: %v %w", words, err)
	}
	if err := k.flush(hello); err != nil {
		c.Close()
		return nil, err
	}
	return k, nil
}

// Publish sends a message and returns when the broker has it: the question that follows (PING) was answered. Not for a
// connection that has subscriptions. After an error the connection must be closed.
func (k *Client) Publish(subject string, payload []byte) error {
	b := fmt.Appendf(nil, "PUB %s %d\r\n", subject, len(payload))
	return k.flush(append(append(b, payload...), "\r\n"...))
}

// Subscribe asks for messages, in a queue unless that is "". Next receives them.
func (k *Client) Subscribe(pattern, queue string) error {
	k.subs++
	if queue != "" {
		pattern += " " + queue
	}
	return k.write(fmt.Appendf(nil, "SUB %s %d\r\n", pattern, k.subs))
}

// Stop ends all subscriptions. Messages that are under way still come; then Next says that there are no more.
func (k *Client) Stop() error {
	var b []byte
	for i := range k.subs {
		b = fmt.Appendf(b, "UNSUB %d\r\n", i+1)
	}
	return k.write(append(b, "PING\r\n"...))
}

// Next waits for a message. ok is false when Stop was called and all have come. It may run beside Stop, not beside itself.
func (k *Client) Next() (subject string, payload []byte, ok bool, err error) {
	k.c.SetReadDeadline(time.Time{}) // messages come when they come
	for {
		words, err := readLine(k.r)
		if err != nil {
			return "", nil, false, fmt.Errorf("wait for a message: %w", err)
		}
		switch {
		case words[0] == "MSG" && len(words) >= 4:
			payload, err := readPayload(k.r, words[len(words)-1])
			if err != nil {
				return "", nil, false, fmt.Errorf("read a message: %w", err)
			}
			return words[1], payload, true, nil
		case words[0] == "PING":
			if err := k.write([]byte("PONG\r\n")); err != nil {
				return "", nil, false, err
			}
		case words[0] == "PONG":
			return "", nil, false, nil
		default:
			return "", nil, false, fmt.Errorf("wait for a message: the broker says %s", strconv.Quote(words[0]))
		}
	}
}

// flush writes lines and waits until the broker has read them.
func (k *Client) flush(b []byte) error {
	if err := k.write(append(b, "PING\r\n"...)); err != nil {
		return err
	}
	k.c.SetReadDeadline(time.Now().Add(k.timeout))
	words, err := readLine(k.r)
	if err != nil {
		return fmt.Errorf("wait for the broker: %w", err)
	}
	if words[0] != "PONG" {
		return fmt.Errorf("wait for the broker: it says %v", words)
	}
	return nil
}

func (k *Client) write(b []byte) error {
	k.c.SetWriteDeadline(time.Now().Add(k.timeout))
	if _, err := k.c.Write(b); err != nil {
		return fmt.Errorf("write to the broker: %w", err)
	}
	return nil
}

// Close closes the connection.
func (k *Client) Close() error { return k.c.Close() }
