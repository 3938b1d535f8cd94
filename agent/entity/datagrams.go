package entity

import (
	"net/netip"

	"github.com/sonde-dev/sonde/agent/exchange"
	"github.com/sonde-dev/sonde/agent/probe/event"
	"github.com/sonde-dev/sonde/signal"
)

// Bounds of what is remembered of UDP sockets. Nothing reports their end: one that is in use is announced every ten seconds, and the engine
// gives out what it knows of one within half a minute of silence.
const (
	maxSockets  = 65_536
	socketsKept = 40e9
)

// socket is a UDP socket. It is nobody's other end for good: a server's has many peers, and a client's may have. So the process at the other
// end of an exchange is looked for by the address that it is reached by.
type socket struct {
	conn       connOwner
	self       identity
	generation uint64 // of the selection that self was judged by
	local      place
	seen       uint64
}

// place is an address and port in a network namespace. The namespace counts only for addresses that others have too: loopback, and
// "any" (the zero address) for a socket that is bound to none.
type place struct {
	addr  address
	port  uint16
	netns uint32
}

// early is an exchange of a server whose client, on this host, is not announced yet. The kernel wakes the server while the client's
// call still runs, and reports that call at its end: by then the server may have answered.
type early struct {
	socket   *socket
	exchange exchange.Exchange
	deadline uint64
}

// sockets is the table of UDP sockets: by id and by place, the youngest.
type sockets struct {
	byID    map[uint64]*socket
	byPlace map[place]*socket
	early   []early // by deadline
}

func newSockets() sockets {
	return sockets{byID: make(map[uint64]*socket), byPlace: make(map[place]*socket)}
}

func placeOf(ap netip.AddrPort, netns uint32) place {
	p := place{port: ap.Port()}
	switch a := ap.Addr().Unmap(); {
	case !ap.IsValid() || a.IsUnspecified():
		p.netns = netns
	case a.IsLoopback():
		p.addr, p.netns = a.As16(), netns
	default:
		p.addr = a.As16()
	}
	return p
}

// openSocket enters a UDP socket, or renews what is known of it.
func (j *Joiner) openSocket(ev *event.Event) {
	o := &ev.Open
	s := j.sockets.byID[ev.Conn]
	if s == nil {
		if len(j.sockets.byID) >= maxSockets {
			j.sockets.forgetOne()
		}
		s = &socket{}
		j.sockets.byID[ev.Conn] = s
	}
	s.conn = connOwner{ID: ev.Conn, PID: ev.PID, StartTime: o.StartTime, Comm: o.Comm, Netns: o.Netns}
	s.seen = max(s.seen, ev.Time)
	if p := placeOf(o.Local, o.Netns); p != s.local {
		j.sockets.leave(s)
		s.local = p
	}
	j.sockets.byPlace[s.local] = s
	j.identifySocket(s)
}

func (j *Joiner) identifySocket(s *socket) {
	s.generation = j.table.generation.Load()
	s.self = j.table.resolve(s.conn.PID, s.conn.StartTime, s.conn.Comm)
}

// handleDatagrams joins an exchange of a UDP socket. A client's never waits: who answered has been announced before the answer.
func (j *Joiner) handleDatagrams(s *socket, x *exchange.Exchange) {
	s.seen = max(s.seen, x.ResponseEnd)
	if s.self.weak || s.generation != j.table.generation.Load() {
		j.identifySocket(s)
	}
	isOwn := x.PID == 0 || x.PID == s.conn.PID
	if (isOwn && !s.self.observe) || !j.table.Selection().WantsPorts(x.Conn.Local.Port(), x.Conn.Remote.Port()) {
		return
	}
	p, isHere := j.peerSocket(s, x)
	switch {
	case p != nil || !isHere || x.Side != exchange.Server || j.cfg.PeerWait == 0:
	case j.waiting >= j.cfg.MaxWaiting:
		j.lose(signal.PendingPeerTimeout, 1)
	default:
		j.waiting++
		j.sockets.early = append(j.sockets.early, early{s, *x, j.now + uint64(j.cfg.PeerWait)})
		return
	}
	j.deliverDatagrams(s, p, x)
}

// deliverDatagrams hands an exchange of s on; p is the socket at its other end, nil if there is none to name.
func (j *Joiner) deliverDatagrams(s, p *socket, x *exchange.Exchange) {
	self := s.self
	if x.PID != 0 && x.PID != s.conn.PID { // the socket was handed on
		self = j.table.resolve(x.PID, 0, "")
	}
	if !self.observe {
		return
	}
	var peer *signal.Entity
	if p == nil {
		e := end{tuple: tupleOf(x.Conn), opened: x.RequestStart}
		peer = j.addresses.name(&e, x.Side)
	} else {
		if p.self.weak {
			j.identifySocket(p)
		}
		peer = p.self.entity
	}
	j.out(Observation{X: x, Self: self.entity, Peer: peer})
}

// settleDatagrams hands on the exchanges whose client has been announced since, or has not been for too long.
func (j *Joiner) settleDatagrams() {
	waiting := j.sockets.early
	kept := waiting[:0]
	for i := range waiting {
		w := &waiting[i]
		p, _ := j.peerSocket(w.socket, &w.exchange)
		if p == nil && w.deadline > j.now {
			kept = append(kept, *w)
			continue
		}
		if p == nil {
			j.lose(signal.PendingPeerTimeout, 1)
		}
		j.waiting--
		j.deliverDatagrams(w.socket, p, &w.exchange)
	}
	clear(waiting[len(kept):])
	j.sockets.early = kept
}

// peerSocket finds the socket at the other end of an exchange of s, and says whether that must be on this host.
func (j *Joiner) peerSocket(s *socket, x *exchange.Exchange) (p *socket, isHere bool) {
	remote := x.Conn.Remote
	netns, isHere := j.netnsOf(remote.Addr(), s.conn.Netns)
	p = j.sockets.byPlace[placeOf(remote, s.conn.Netns)]
	if p == nil && isHere {
		p = j.sockets.byPlace[place{port: remote.Port(), netns: netns}] // bound to any address
	}
	return p, isHere
}

// netnsOf returns the namespace that an address of this host belongs to, as seen from another.
func (j *Joiner) netnsOf(addr netip.Addr, from uint32) (netns uint32, isHere bool) {
	if !addr.IsValid() {
		return 0, false
	}
	a := address(addr.As16())
	switch o, ok := j.addresses.locals[a]; {
	case addr.Unmap().IsLoopback():
		return from, true
	case j.addresses.own[a]:
		return j.finder.netns, true
	case ok:
		return o.netns, o.seen+localKept > j.now
	}
	return 0, false
}

// leave takes a socket out of its place.
func (t *sockets) leave(s *socket) {
	if t.byPlace[s.local] == s {
		delete(t.byPlace, s.local)
	}
}

// forget drops sockets that were not used for long.
func (t *sockets) forget(now uint64) {
	for id, s := range t.byID {
		if s.seen+socketsKept <= now {
			t.leave(s)
			delete(t.byID, id)
		}
	}
}

// forgetOne drops any socket: one that is in use is announced again.
func (t *sockets) forgetOne() {
	for id, s := range t.byID {
		t.leave(s)
		delete(t.byID, id)
		return
	}
}
