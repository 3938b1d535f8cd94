package truth

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"time"

	"golang.org/x/net/dns/dnsmessage"

	"github.com/sonde-dev/sonde/test/wire"
)

// nameSlow is how long names take that begin with "slow". Clients time all of them.
const nameSlow = 60 * time.Millisecond

func isSlowName(name string) bool { return strings.HasPrefix(name, "slow") }

// A nameServer answers over UDP and TCP as the first label of a name says, and keeps account of each query.
type nameServer struct {
	mu  sync.Mutex
	log wire.Log
}

// serveNames runs until ctx ends.
func serveNames(ctx context.Context, a Args) (*wire.Log, error) {
	var s nameServer
	udp, err := net.ListenPacket("udp", a.Addr)
	if err != nil {
		return nil, err
	}
	tcp, err := stubListener(a) // inside TLS: RFC 7858
	if err != nil {
		return nil, err
	}
	go s.overUDP(udp)
	go acceptEach(tcp, s.overTCP)
	<-ctx.Done()
	s.mu.Lock()
	defer s.mu.Unlock()
	return &s.log, nil
}

func (s *nameServer) overUDP(c net.PacketConn) {
	for {
		b := make([]byte, 4096)
		n, from, err := c.ReadFrom(b)
		if err != nil {
			return
		}
		go func() {
			if reply := s.answer(b[:n], true); reply != nil {
				c.WriteTo(reply, from)
			}
		}()
	}
}

func (s *nameServer) overTCP(c net.Conn) {
	defer c.Close()
	for {
		b, err := readMessage(c)
		if err != nil {
			return
		}
		if reply := s.answer(b, false); reply != nil {
			c.Write(append(binary.BigEndian.AppendUint16(nil, uint16(len(reply))), reply...))
		}
	}
}

// readMessage reads a length and as many bytes.
func readMessage(r io.Reader) ([]byte, error) {
	var size [2]byte
	if _, err := io.ReadFull(r, size[:]); err != nil {
		return nil, err
	}
	b := make([]byte, binary.BigEndian.Uint16(size[:]))
	_, err := io.ReadFull(r, b)
	return b, err
}

// answer returns nil for a query that is to get none.
func (s *nameServer) answer(b []byte, overUDP bool) []byte {
	var m dnsmessage.Message
	if m.Unpack(b) != nil || len(m.Questions) != 1 {
		return nil
	}
	q := m.Questions[0]
	m.Response, m.RecursionAvailable, m.Additionals = true, true, nil
	switch first, _, _ := strings.Cut(q.Name.String(), "."); strings.TrimRight(first, "0123456789-") {
	case "servfail":
		m.RCode = dnsmessage.RCodeServerFailure
	case "refused":
		m.RCode = dnsmessage.RCodeRefused
	case "missing":
		m.RCode = dnsmessage.RCodeNameError
	case "silent":
		s.note(q, "-")
		return nil
	case "slow":
		time.Sleep(nameSlow)
	case "long":
		m.Truncated = overUDP
	}
	if m.RCode == dnsmessage.RCodeSuccess && !m.Truncated && q.Type == dnsmessage.TypeA {
		m.Answers = []dnsmessage.Resource{{
			Header: dnsmessage.ResourceHeader{Name: q.Name, Class: q.Class, TTL: 60},
			Body:   &dnsmessage.AResource{A: [4]byte{192, 0, 2, 77}},
		}}
	}
	s.note(q, codeNames[m.RCode])
	reply, err := m.Pack()
	if err != nil {
		return nil
	}
	return reply
}

// codeNames are those of the IANA registry.
var codeNames = map[dnsmessage.RCode]string{0: "NOERROR", 1: "FORMERR", 2: "SERVFAIL", 3: "NXDOMAIN", 5: "REFUSED"}

func (s *nameServer) note(q dnsmessage.Question, code string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.log.AddRow(queryRow(q, code))
}

func queryRow(q dnsmessage.Question, code string) wire.Row {
	name := strings.ToLower(strings.TrimSuffix(q.Name.String(), "."))
	return wire.Row{Key: wire.Key{Method: strings.TrimPrefix(q.Type.String(), "Type"), Route: name, Status: code}, Sum: wire.Sum{N: 1}}
}

// resolveNames asks by Go's own resolver, and keeps account of what goes over its sockets.
func resolveNames(ctx context.Context, a Args) (*wire.Log, error) {
	var account resolverAccount
	r := &net.Resolver{PreferGo: true, StrictErrors: true, Dial: func(ctx context.Context, network, _ string) (net.Conn, error) {
		var d net.Dialer
		c, err := d.DialContext(ctx, network, a.Addr)
		if err != nil {
			return nil, err
		}
		return account.record(c), nil
	}}
	for range a.Requests {
		for _, name := range a.Paths {
			_, err := r.LookupNetIP(ctx, "ip", name)
			if e := (*net.DNSError)(nil); err != nil && !errors.As(err, &e) {
				return nil, fmt.Errorf("look up %s: %w", name, err)
			}
		}
	}
	return account.close(), nil
}

// A resolverAccount records the conversations of a resolver.
type resolverAccount struct {
	mu    sync.Mutex
	conns []*resolverConn
}

type resolverConn struct {
	asked    []dnsmessage.Question
	answered []dnsmessage.RCode
	begin    time.Time // of the last question
	took     []float64 // seconds, of each answer
}

func (a *resolverAccount) record(c net.Conn) net.Conn {
	a.mu.Lock()
	defer a.mu.Unlock()
	rc := &resolverConn{}
	a.conns = append(a.conns, rc)
	if u, ok := c.(*net.UDPConn); ok { // Go's resolver tells by the type whether messages have a length
		return &recordedUDP{u, a, rc}
	}
	return &recordedTCP{c, a, rc, nil}
}

type recordedUDP struct {
	*net.UDPConn
	account *resolverAccount
	rc      *resolverConn
}

func (c *recordedUDP) Write(b []byte) (int, error) {
	c.account.note(c.rc, b)
	return c.UDPConn.Write(b)
}

func (c *recordedUDP) Read(b []byte) (int, error) {
	n, err := c.UDPConn.Read(b)
	c.account.note(c.rc, b[:n])
	return n, err
}

type recordedTCP struct {
	net.Conn
	account *resolverAccount
	rc      *resolverConn
	got     []byte
}

func (c *recordedTCP) Write(b []byte) (int, error) {
	c.account.note(c.rc, b[2:])
	return c.Conn.Write(b)
}

func (c *recordedTCP) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	if c.got = append(c.got, b[:n]...); len(c.got) > 2 && len(c.got) == 2+int(binary.BigEndian.Uint16(c.got)) {
		c.account.note(c.rc, c.got[2:])
		c.got = nil
	}
	return n, err
}

func (a *resolverAccount) note(rc *resolverConn, b []byte) {
	a.mu.Lock()
	defer a.mu.Unlock()
	var p dnsmessage.Parser
	h, err := p.Start(b)
	if err != nil {
		return
	}
	if h.Response {
		rc.answered, rc.took = append(rc.answered, h.RCode), append(rc.took, time.Since(rc.begin).Seconds())
	} else if q, err := p.Question(); err == nil {
		rc.asked, rc.begin = append(rc.asked, q), time.Now()
	}
}

func (a *resolverAccount) close() *wire.Log {
	a.mu.Lock()
	defer a.mu.Unlock()
	l := &wire.Log{}
	for _, rc := range a.conns { // Go asks once on each
		for i, q := range rc.asked {
			code := "-"
			if i < len(rc.answered) {
				code = codeNames[rc.answered[i]]
			}
			r := queryRow(q, code)
			l.AddRow(r)
			if isSlowName(r.Route) && i < len(rc.took) {
				l.Durations = append(l.Durations, rc.took[i])
			}
		}
	}
	return l
}
