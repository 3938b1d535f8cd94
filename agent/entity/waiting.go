package entity

import (
	"github.com/sonde-dev/sonde/agent/exchange"
	"github.com/sonde-dev/sonde/signal"
)

// appointment is the time at which an end stops waiting for its peer.
type appointment struct {
	e        *end
	deadline uint64
}

// mustWait reports whether an exchange should wait for the process at its other end: it must be on this host, and nothing
// stands for it yet.
func (j *Joiner) mustWait(e *end, side exchange.Side) bool {
	return e.address == nil && j.cfg.PeerWait > 0 && j.addresses.isLocal(e, j.now)
}

// wait keeps a copy of an exchange until its peer is known. Those of one end stay in order.
func (j *Joiner) wait(e *end, x *exchange.Exchange) {
	if len(e.waiting) == 0 {
		j.queue = append(j.queue, appointment{e, j.now + uint64(j.cfg.PeerWait)})
	}
	e.waiting = append(e.waiting, *x)
	j.waiting++
}

// release hands on what waits at an end.
func (j *Joiner) release(e *end) {
	waiting := e.waiting
	e.waiting = nil
	j.waiting -= len(waiting)
	for i := range waiting {
		j.deliver(e, &waiting[i])
	}
}

// settle deals with the ends whose peer has not come: after half of the wait the kernel's tables of sockets are asked, at
// its end an address has to do.
func (j *Joiner) settle() {
	for _, a := range j.finder.answers() {
		if a.e.peer == nil && len(a.e.waiting) > 0 {
			a.e.address = j.table.Entity(a.pid, 0, "")
			j.release(a.e)
		}
	}
	var ask []question
	half := uint64(j.cfg.PeerWait) / 2
	passed := 0
	for _, a := range j.queue {
		if a.deadline > j.now+half {
			break
		}
		switch {
		case len(a.e.waiting) == 0: // its peer has come
		case a.deadline <= j.now:
			j.lose(signal.PendingPeerTimeout, uint64(len(a.e.waiting)))
			side := a.e.waiting[0].Side
			a.e.address, a.e.addressFor = j.addresses.name(a.e, side), side
			j.release(a.e)
		case !a.e.asked && !a.e.tuple.unix:
			ask = append(ask, j.question(a.e))
		}
		if a.deadline <= j.now {
			passed++
		}
	}
	clear(j.queue[:passed])
	j.queue = j.queue[passed:]
	if len(ask) > 0 && j.finder.ask(ask, j.now) {
		for _, q := range ask {
			q.e.asked = true
		}
	}
}

// question says what is to be looked for: the socket that is the other end of e, in the namespace that has its address.
func (j *Joiner) question(e *end) question {
	q := question{
		e: e, local: e.tuple.remoteAddrPort(), remote: e.tuple.reversed().remoteAddrPort(),
		netns: e.conn.Netns, pid: e.conn.PID, listening: e.waiting[0].Side == exchange.Client,
	}
	if e.tuple.isLoopback() {
		return q
	}
	if j.addresses.own[e.tuple.remote] {
		q.netns, q.pid = j.finder.netns, 0
	} else if o, ok := j.addresses.locals[e.tuple.remote]; ok {
		q.netns, q.pid = o.netns, o.pid
	}
	return q
}

// sweep forgets connections that closed long enough ago.
func (j *Joiner) sweep() {
	n := 0
	for n < len(j.closed) && j.closed[n].closed+uint64(j.cfg.KeepClosed) <= j.now {
		j.forget(j.closed[n])
		j.closed[n] = nil
		n++
	}
	j.closed = j.closed[n:]
}

// forget removes an end, after handing on what still waits there.
func (j *Joiner) forget(e *end) {
	if j.ends.byID[e.conn.ID] != e {
		return
	}
	if len(e.waiting) > 0 {
		j.lose(signal.PendingPeerTimeout, uint64(len(e.waiting)))
		j.release(e)
	}
	j.ends.remove(e)
	j.count.Store(int64(len(j.ends.byID)))
}

// makeRoom forgets the least recently used end if the table is full.
func (j *Joiner) makeRoom() {
	if len(j.ends.byID) >= j.cfg.MaxConnections {
		if e := j.ends.oldest; e.closed == 0 {
			j.lose(signal.ConnectionLimit, 1)
		}
		j.forget(j.ends.oldest)
	}
}

// refresh reads the addresses of the agent's own namespace.
func (j *Joiner) refresh() {
	j.refreshed = j.now
	list := j.cfg.LocalAddresses
	if list == nil {
		list = interfaceAddresses
	}
	addrs, err := list()
	if err != nil {
		j.log.Warn("refresh local addresses", "err", err)
		return
	}
	j.addresses.setOwn(addrs)
}

func (j *Joiner) lose(c signal.Cause, n uint64) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.losses.Add(c, n)
}
