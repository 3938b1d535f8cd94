// Package resolver speaks DNS (RFC 1035) at both ends, over UDP: a resolver that gives canned answers, and a client that goes
// through a search list as pods of Kubernetes do.
//
// In: a type and a name. Out: addresses and the code of the answer. It must not know the shop, nor who watches.
package resolver

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/netip"
	"strings"
	"sync"
	"time"

	"golang.org/x/net/dns/dnsmessage"
)

const (
	maxDatagram = 1232 // what DNS flag day 2020 recommends; no answer here is longer
	maxAtOnce   = 256  // questions being answered; more are refused
	ttlSeconds  = 30   // what CoreDNS gives for cluster names by default is 5 to 30
)

// Lookup answers a question for a name (lower case, no final dot), as long as it takes. known is false for names that are not
// there (NXDOMAIN); a name may be there and have no such address (RFC 2308 §2.2). It must be safe for concurrent use.
type Lookup func(kind, name string) (addresses []netip.Addr, known bool)

// Serve answers questions that come to c until ctx is cancelled, and closes c.
func Serve(ctx context.Context, c net.PacketConn, look Lookup) error {
	stop := context.AfterFunc(ctx, func() { c.Close() })
	defer stop()
	var wg sync.WaitGroup
	defer wg.Wait()
	slots := make(chan struct{}, maxAtOnce)
	buf := make([]byte, maxDatagram)
	for {
		n, from, err := c.ReadFrom(buf)
		if ctx.Err() != nil {
			return nil
		}
		if err != nil {
			return fmt.Errorf("receive a question: %w", err)
		}
		q, ok := parse(buf[:n])
		if !ok {
			continue // not a question: silence
		}
		select {
		case slots <- struct{}{}:
		default:
			c.WriteTo(q.answer(dnsmessage.RCodeRefused, nil), from)
			continue
		}
		wg.Go(func() {
			defer func() { <-slots }()
			name := strings.ToLower(strings.TrimSuffix(q.Name.String(), "."))
			addresses, known := look(typeName(q.Type), name)
			code := dnsmessage.RCodeSuccess
			if !known {
				code = dnsmessage.RCodeNameError
			}
			c.WriteTo(q.answer(code, addresses), from)
		})
	}
}

type question struct {
	dnsmessage.Question
	id      uint16
	desired bool // recursion
}

func parse(b []byte) (q question, ok bool) {
	var p dnsmessage.Parser
	h, err := p.Start(b)
	if err != nil || h.Response || h.OpCode != 0 {
		return q, false
	}
	q.Question, err = p.Question()
	q.id, q.desired = h.ID, h.RecursionDesired
	return q, err == nil
}

// answer packs an answer. Addresses that are not of the type asked for are left out.
func (q question) answer(code dnsmessage.RCode, addresses []netip.Addr) []byte {
	m := dnsmessage.Message{
		Header: dnsmessage.Header{ID: q.id, Response: true, RecursionDesired: q.desired, RecursionAvailable: true, RCode: code},
	}
	m.Questions = []dnsmessage.Question{q.Question}
	for _, a := range addresses {
		h := dnsmessage.ResourceHeader{Name: q.Name, Class: dnsmessage.ClassINET, TTL: ttlSeconds}
		switch {
		case a.Is4() && q.Type == dnsmessage.TypeA:
			m.Answers = append(m.Answers, dnsmessage.Resource{Header: h, Body: &dnsmessage.AResource{A: a.As4()}})
		case a.Is6() && q.Type == dnsmessage.TypeAAAA:
			m.Answers = append(m.Answers, dnsmessage.Resource{Header: h, Body: &dnsmessage.AAAAResource{AAAA: a.As16()}})
		}
	}
	b, _ := m.Pack() // fails only for names that could not have been parsed
	return b
}

func typeName(t dnsmessage.Type) string { return strings.TrimPrefix(t.String(), "Type") }

// codeNames are the codes of answers that occur here, as IANA's "DNS RCODEs" has them.
func codeName(c dnsmessage.RCode) string {
	switch c {
	case dnsmessage.RCodeSuccess:
		return "NOERROR"
	case dnsmessage.RCodeNameError:
		return "NXDOMAIN"
	case dnsmessage.RCodeServerFailure:
		return "SERVFAIL"
	case dnsmessage.RCodeRefused:
		return "REFUSED"
	}
	return fmt.Sprint(uint16(c))
}

// errMismatch: the answer is to another question.
var errMismatch = errors.New("an answer to another question")

// Ask sends one question from a port of its own and waits for the answer. It does not ask again. It returns the code of the
// answer ("NOERROR", "NXDOMAIN") and the number of addresses.
func Ask(server, kind, name string, timeout time.Duration) (code string, addresses int, err error) {
	c, err := net.DialTimeout("udp", server, timeout)
	if err != nil {
		return "", 0, fmt.Errorf("dial the resolver: %w", err)
	}
	defer c.Close()
	c.SetDeadline(time.Now().Add(timeout))
	t := map[string]dnsmessage.Type{"A": dnsmessage.TypeA, "AAAA": dnsmessage.TypeAAAA}[kind]
	n, err := dnsmessage.NewName(name + ".")
	if err != nil || t == 0 {
		return "", 0, fmt.Errorf("ask for %s %s: not a question", kind, name)
	}
	id := uint16(rand.Uint32())
	m := dnsmessage.Message{Header: dnsmessage.Header{ID: id, RecursionDesired: true},
		Questions: []dnsmessage.Question{{Name: n, Type: t, Class: dnsmessage.ClassINET}}}
	b, err := m.Pack()
	if err != nil {
		return "", 0, fmt.Errorf("pack a question: %w", err)
	}
	if _, err := c.Write(b); err != nil {
		return "", 0, fmt.Errorf("send a question: %w", err)
	}
	buf := make([]byte, maxDatagram)
	size, err := c.Read(buf)
	if err != nil {
		return "", 0, fmt.Errorf("wait for an answer: %w", err)
	}
	var reply dnsmessage.Message
	if err := reply.Unpack(buf[:size]); err != nil {
		return "", 0, fmt.Errorf("read an answer: %w", err)
	}
	if reply.ID != id {
		return "", 0, errMismatch
	}
	return codeName(reply.RCode), len(reply.Answers), nil
}

// Search lists the names that a resolver tries for a name with fewer than five dots in a pod of namespace "shop": the domains
// that Kubernetes writes into resolv.conf, then the name itself (resolv.conf(5), options ndots:5).
func Search(name string) []string {
	var names []string
	for _, domain := range []string{".shop.svc.cluster.local", ".svc.cluster.local", ".cluster.local", ""} {
		names = append(names, name+domain)
	}
	return names
}
