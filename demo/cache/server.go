package cache

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"sync"
	"time"
)

// maxKeys bounds the memory; any key gives way to a new one.
const maxKeys = 10_000

// Server keeps strings that may expire. Its methods are safe for concurrent use.
type Server struct {
	mu    sync.Mutex
	items map[string]item
}

type item struct {
	value   string
	expires time.Time // zero: never
}

// NewServer returns an empty cache.
func NewServer() *Server { return &Server{items: map[string]item{}} }

// ServeConn answers one client until it leaves; that is no error. Replies to a pipeline are sent together.
func (s *Server) ServeConn(c net.Conn) error {
	r := bufio.NewReader(c)
	var out []byte
	for {
		words, err := readCommand(r)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			c.Write(Reply{Kind: '-', Text: "ERR Protocol error"}.append(out))
			return fmt.Errorf("read a command: %w", err)
		}
		out = s.do(words, time.Now()).append(out)
		if r.Buffered() > 0 {
			continue
		}
		if _, err := c.Write(out); err != nil {
			return fmt.Errorf("write replies: %w", err)
		}
		out = out[:0]
	}
}

// do runs one command. Commands that it does not have it refuses as Redis does.
func (s *Server) do(words []string, now time.Time) Reply {
	s.mu.Lock()
	defer s.mu.Unlock()
	name := strings.ToUpper(words[0])
	args := words[1:]
	switch {
	case name == "PING" && len(args) == 0:
		return Reply{Kind: '+', Text: "PONG"}
	case name == "GET" && len(args) == 1:
		it, ok := s.get(args[0], now)
		return Reply{Kind: '$', Text: it.value, Nil: !ok}
	case name == "SET" && len(args) >= 2:
		return s.set(args, now)
	case name == "INCR" && len(args) == 1:
		return s.increment(args[0], now)
	case name == "EXPIRE" && len(args) == 2:
		return s.expire(args[0], args[1], now)
	case name == "DEL" && len(args) >= 1:
		n := 0
		for _, key := range args {
			if _, ok := s.get(key, now); ok {
				delete(s.items, key)
				n++
			}
		}
		return integer(n)
	case name == "GET" || name == "SET" || name == "INCR" || name == "EXPIRE" || name == "DEL":
		return refuse("wrong number of arguments for '%s' command", strings.ToLower(name))
	}
	return refuse("unknown command '%s'", words[0])
}

func (s *Server) get(key string, now time.Time) (item, bool) {
	it, ok := s.items[key]
	if ok && !it.expires.IsZero() && !now.Before(it.expires) {
		delete(s.items, key)
		return item{}, false
	}
	return it, ok
}

// set knows the option EX alone.
func (s *Server) set(args []string, now time.Time) Reply {
	it := item{value: args[1]}
	if len(args) > 2 {
		if len(args) != 4 || !strings.EqualFold(args[2], "EX") {
			return refuse("syntax error")
		}
		seconds, err := strconv.Atoi(args[3])
		if err != nil || seconds <= 0 {
			return refuse("invalid expire time in 'set' command")
		}
		it.expires = now.Add(time.Duration(seconds) * time.Second)
	}
	s.put(args[0], it)
	return Reply{Kind: '+', Text: "OK"}
}

func (s *Server) put(key string, it item) {
	if _, ok := s.items[key]; !ok && len(s.items) >= maxKeys {
		for other := range s.items {
			delete(s.items, other)
			break
		}
	}
	s.items[key] = it
}

func (s *Server) increment(key string, now time.Time) Reply {
	it, ok := s.get(key, now)
	n := 0
	if ok {
		var err error
		if n, err = strconv.Atoi(it.value); err != nil {
			return refuse("value is not an integer or out of range")
		}
	}
	it.value = strconv.Itoa(n + 1)
	s.put(key, it)
	return integer(n + 1)
}

func (s *Server) expire(key, seconds string, now time.Time) Reply {
	n, err := strconv.Atoi(seconds)
	if err != nil {
		return refuse("value is not an integer or out of range")
	}
	it, ok := s.get(key, now)
	if !ok {
		return integer(0)
	}
	it.expires = now.Add(time.Duration(n) * time.Second)
	s.items[key] = it
	return integer(1)
}

func integer(n int) Reply { return Reply{Kind: ':', Text: strconv.Itoa(n)} }

func refuse(format string, args ...any) Reply {
	return Reply{Kind: '-', Text: "ERR " + fmt.Sprintf(format, args...)}
}
