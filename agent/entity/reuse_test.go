package entity

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/sonde-dev/sonde/agent/exchange"
	"github.com/sonde-dev/sonde/agent/probe/event"
)

// Connections follow one another on a few tuples, each between processes of its own. Whatever is seen of them, an exchange
// must never be joined with the process of another connection; where both ends are seen and in time, with the right one.
// The oracle is the list of connections made.
func TestReuseNeverJoinsStrangers(t *testing.T) {
	modes := []struct {
		name                                      string
		clientsSeen, serversSeen, closesLost, odd int // percent
	}{
		{"all seen", 100, 100, 0, 20},
		{"closes lost", 100, 100, 40, 20},
		{"clients hidden", 50, 100, 0, 0},
		{"servers hidden", 100, 50, 0, 0},
	}
	for _, m := range modes {
		t.Run(m.name, func(t *testing.T) {
			s := &simulation{r: rand.New(rand.NewPCG(1, 2)), want: map[string]string{}}
			f := newFakeProc(t)
			for pid := uint32(1000); pid < 1040; pid++ {
				f.add(fake{pid: pid, start: 1, exe: fmt.Sprintf("/bin/p%d", pid), args: "x"})
			}
			tb := f.table()
			s.j = NewJoiner(f.config(), tb, s.check)
			defer s.j.Close()
			for range 3000 {
				s.connection(m.clientsSeen, m.serversSeen, m.closesLost, m.odd)
			}
			s.now += 10 * second
			s.j.Tick(s.now)
			if len(s.wrong) > 0 {
				t.Errorf("%d exchanges joined with strangers, first %s", len(s.wrong), s.wrong[0])
			}
			if s.exchanges != s.seen {
				t.Errorf("%d exchanges handed on, %d were made", s.seen, s.exchanges)
			}
			if m.clientsSeen == 100 && m.serversSeen == 100 && s.right != s.exchanges {
				t.Errorf("%d of %d exchanges joined with the right process", s.right, s.exchanges)
			}
		})
	}
}

type simulation struct {
	r                      *rand.Rand
	j                      *Joiner
	now, id                uint64
	want                   map[string]string // exchange → service at the other end
	wrong                  []string
	exchanges, seen, right int
}

func (s *simulation) check(o Observation) {
	s.seen++
	switch {
	case o.Peer.Service == s.want[o.X.Target]:
		s.right++
	case !o.Peer.External:
		s.wrong = append(s.wrong, fmt.Sprintf("%s: %s, want %s", o.X.Target, o.Peer.Service, s.want[o.X.Target]))
	}
}

// connection makes one connection from its announcement to its close.
func (s *simulation) connection(clientsSeen, serversSeen, closesLost, odd int) {
	percent := func(p int) bool { return s.r.IntN(100) < p }
	port := 40000 + s.r.IntN(4)
	type side struct {
		conn *exchange.Conn
		role event.Role
		seen bool
		peer string
	}
	cp, sp := uint32(1000+s.r.IntN(40)), uint32(1000+s.r.IntN(40))
	make := func(pid uint32, local, remote int) *exchange.Conn {
		s.id++
		return &exchange.Conn{ID: s.id, PID: pid, StartTime: second, Comm: fmt.Sprintf("p%d", pid), Netns: 1,
			Local: loopback(local), Remote: loopback(remote)}
	}
	sides := []side{
		{make(cp, port, 80), event.RoleClient, percent(clientsSeen), fmt.Sprintf("p%d", sp)},
		{make(sp, 80, port), event.RoleServer, percent(serversSeen), fmt.Sprintf("p%d", cp)},
	}
	if percent(odd) {
		sides[0], sides[1] = sides[1], sides[0]
	}
	start := s.now + 1e6
	for _, x := range sides {
		s.now += 1e6
		if x.seen {
			c := x.conn
			s.j.HandleConn(&event.Event{Kind: event.Open, Time: s.now, Conn: c.ID, PID: c.PID, Open: event.OpenInfo{
				Local: c.Local, Remote: c.Remote, Netns: 1, Role: x.role, StartTime: second, Comm: c.Comm}})
		}
	}
	for _, x := range sides {
		s.now += 1e6
		if !x.seen {
			continue
		}
		s.exchanges++
		name := fmt.Sprint("x", x.conn.ID)
		s.want[name] = x.peer
		s.j.Handle(&exchange.Exchange{Conn: x.conn, Side: exchange.Side(x.role - 1), Target: name, RequestStart: start, ResponseEnd: s.now})
	}
	for _, x := range sides {
		s.now += 1e6
		if x.seen && !percent(closesLost) {
			s.j.HandleConn(&event.Event{Kind: event.Close, Time: s.now, Conn: x.conn.ID})
		}
	}
	s.now += uint64(s.r.IntN(300)) * 1e6
	s.j.Tick(s.now)
}
