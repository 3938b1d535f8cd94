package broker

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"strconv"
	"strings"
	"sync"
	"time"
)

const (
	maxSubscriptions = 1024 // of all clients
	writeTimeout     = 5 * time.Second
)

// Server hands messages from those who publish to those who subscribed. Its methods are safe for concurrent use.
type Server struct {
	mu            sync.Mutex
	subscriptions []*subscription
}

type subscription struct {
	client              *serverConn
	pattern, queue, sid string
	left                int // messages until it ends; 0: without end
}

// NewServer returns a broker with no clients.
func NewServer() *Server { return &Server{} }

// serverConn is one client. Messages of others are written to it, hence the lock.
type serverConn struct {
	server  *Server
	r       *bufio.Reader
	verbose bool

	mu sync.Mutex
	c  net.Conn
}

// ServeConn serves one client until it leaves; that is no error.
func (s *Server) ServeConn(c net.Conn) error {
	k := &serverConn{server: s, c: c, r: bufio.NewReaderSize(c, maxLine), verbose: true}
	defer s.forget(k, "")
	err := k.write(fmt.Appendf(nil, `INFO {"server_id":"SHOP","version":"2.10.0","proto":1,"headers":false,"max_payload":%d}`+" \r\n", maxPayload))
	for err == nil {
		var words []string
		if words, err = readLine(k.r); err == nil {
			err = k.take(words)
		}
	}
	if errors.Is(err, errProtocol) {
		return errors.Join(err, k.write([]byte("-ERR 'Unknown Protocol Operation'\r\n")))
	}
	if errors.Is(err, io.EOF) {
		return nil
	}
	return err
}

func (k *serverConn) take(words []string) error {
	n := len(words)
	switch verb := words[0]; {
	case verb == "PING":
		return k.write([]byte("PONG\r\n"))
	case verb == "PONG":
		return nil
	case verb == "CONNECT" && n > 1:
		k.verbose = !strings.Contains(strings.Join(words[1:], ""), `"verbose":false`)
	case verb == "PUB" && (n == 3 || n == 4):
		reply := ""
		if n == 4 {
			reply = words[2]
		}
		payload, err := readPayload(k.r, words[n-1])
		if err != nil {
			return err
		}
		k.server.publish(words[1], reply, payload)
	case verb == "SUB" && (n == 3 || n == 4):
		sub := &subscription{client: k, pattern: words[1], sid: words[n-1]}
		if n == 4 {
			sub.queue = words[2]
		}
		if !k.server.subscribe(sub) {
			return k.write([]byte("-ERR 'Maximum Subscriptions Exceeded'\r\n"))
		}
	case verb == "UNSUB" && n == 2:
		k.server.forget(k, words[1])
	case verb == "UNSUB" && n == 3:
		left, err := strconv.Atoi(words[2])
		if err != nil {
			return errProtocol
		}
		k.server.limit(k, words[1], left)
	default:
		return errProtocol
	}
	if k.verbose {
		return k.write([]byte("+OK\r\n"))
	}
	return nil
}

func (k *serverConn) write(b []byte) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.c.SetWriteDeadline(time.Now().Add(writeTimeout))
	if _, err := k.c.Write(b); err != nil {
		return fmt.Errorf("write to a client: %w", err)
	}
	return nil
}

func (s *Server) subscribe(sub *subscription) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.subscriptions) >= maxSubscriptions {
		return false
	}
	s.subscriptions = append(s.subscriptions, sub)
	return true
}

// forget ends one subscription of a client, or all if sid is "".
func (s *Server) forget(k *serverConn, sid string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var kept []*subscription // a new slice: publish may be going through the old one
	for _, sub := range s.subscriptions {
		if sub.client != k || sid != "" && sub.sid != sid {
			kept = append(kept, sub)
		}
	}
	s.subscriptions = kept
}

// limit lets a subscription end after some more messages; messages that it had do not count.
func (s *Server) limit(k *serverConn, sid string, left int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, sub := range s.subscriptions {
		if sub.client == k && sub.sid == sid {
			sub.left = left
		}
	}
}

// publish hands a message to each subscription that wants it, and to one of each queue. A client that does not take it is
// cut off.
func (s *Server) publish(subject, reply string, payload []byte) {
	for _, sub := range s.chosen(subject) {
		if sub.client.write(appendMessage(nil, subject, sub.sid, reply, payload)) != nil {
			sub.client.c.Close()
		}
	}
}

func (s *Server) chosen(subject string) (all []*subscription) {
	s.mu.Lock()
	defer s.mu.Unlock()
	queues := map[string][]*subscription{}
	for _, sub := range s.subscriptions {
		switch {
		case !Matches(sub.pattern, subject):
		case sub.queue == "":
			all = append(all, sub)
		default:
			queues[sub.queue] = append(queues[sub.queue], sub)
		}
	}
	for _, members := range queues {
		all = append(all, members[rand.IntN(len(members))])
	}
	ended := map[*subscription]bool{}
	for _, sub := range all {
		if sub.left > 0 {
			sub.left--
			ended[sub] = sub.left == 0
		}
	}
	var kept []*subscription
	for _, sub := range s.subscriptions {
		if !ended[sub] {
			kept = append(kept, sub)
		}
	}
	s.subscriptions = kept
	return all
}
