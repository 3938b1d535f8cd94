package entity

import (
	"github.com/sonde-dev/sonde/agent/exchange"
	"github.com/sonde-dev/sonde/agent/probe/event"
	"github.com/sonde-dev/sonde/signal"
)

// end is one end of a connection, as announced.
type end struct {
	conn  connOwner
	tuple tuple
	role  event.Role

	self       identity
	wanted     bool           // its ports are selected
	generation uint64         // of the selection that self and wanted were judged by
	peer       *end           // the other end, once it has been announced
	address    *signal.Entity // what stands for the other end while there is no peer
	addressFor exchange.Side  // the side address was made for

	opened, closed uint64 // closed is 0 while it is open
	superseded     bool   // a younger connection has the same tuple

	waiting []exchange.Exchange // in order of arrival
	asked   bool                // the kernel's tables are being, or have been, asked

	translated   bool // peer was found by the client's address alone
	older        *end // with the same tuple
	sharing      *end // with the same client's address and port, see translations
	newer, elder *end // neighbours by last use
}

// connOwner says whose a connection is; the rest of exchange.Conn is in the tuple.
type connOwner struct {
	ID        uint64
	StartTime uint64
	Comm      string
	PID       uint32
	Netns     uint32
}

func ownerOf(c *exchange.Conn) connOwner {
	return connOwner{ID: c.ID, StartTime: c.StartTime, Comm: c.Comm, PID: c.PID, Netns: c.Netns}
}

// ends is the table of connection ends: by id, by tuple, by last use.
type ends struct {
	byID    map[uint64]*end
	byTuple map[tuple]*end // the youngest; older ones follow by end.older
	nat     translations
	newest  *end // most recently used
	oldest  *end
}

func newEnds() ends {
	return ends{byID: make(map[uint64]*end), byTuple: make(map[tuple]*end), nat: make(translations)}
}

// get returns the end of an id, nil when there is none. Exchanges of one connection often follow one another.
func (s *ends) get(id uint64) *end {
	if s.newest != nil && s.newest.conn.ID == id {
		return s.newest
	}
	return s.byID[id]
}

// add enters a new end and marks older ones of the same tuple: two connections cannot have it at a time.
func (s *ends) add(e *end) {
	s.byID[e.conn.ID] = e
	for o := s.byTuple[e.tuple]; o != nil; o = o.older {
		if o.conn.Netns == e.conn.Netns {
			o.superseded = true
		}
	}
	e.older = s.byTuple[e.tuple]
	s.byTuple[e.tuple] = e
	s.pushFront(e)
	s.nat.add(e)
}

// remove forgets an end. Its peer keeps what it knows of it.
func (s *ends) remove(e *end) {
	delete(s.byID, e.conn.ID)
	s.nat.remove(e)
	if head := s.byTuple[e.tuple]; head == e {
		if e.older == nil {
			delete(s.byTuple, e.tuple)
		} else {
			s.byTuple[e.tuple] = e.older
		}
	} else {
		for o := head; o != nil; o = o.older {
			if o.older == e {
				o.older = e.older
				break
			}
		}
	}
	e.older = nil
	s.unlink(e)
}

// touch notes that an end was used.
func (s *ends) touch(e *end) {
	if s.newest != e {
		s.unlink(e)
		s.pushFront(e)
	}
}

func (s *ends) pushFront(e *end) {
	e.newer, e.elder = nil, s.newest
	if s.newest != nil {
		s.newest.newer = e
	}
	s.newest = e
	if s.oldest == nil {
		s.oldest = e
	}
}

func (s *ends) unlink(e *end) {
	if e.newer != nil {
		e.newer.elder = e.elder
	} else {
		s.newest = e.elder
	}
	if e.elder != nil {
		e.elder.newer = e.newer
	} else {
		s.oldest = e.newer
	}
	e.newer, e.elder = nil, nil
}

// match finds the other end of e: the youngest end of the reversed tuple that is still to have one.
//
//	client  ──open──────────────close                 the same four numbers used again within
//	server     open─────────────────close             seconds are another connection: an end has
//	client                         ──open──────       one peer for life, and a younger end on a
//	server                             open────       tuple ends all claims of the older ones
//
// A client may have closed before its server reads (and is announced), not the other way round.
func (s *ends) match(e *end, keepClosed uint64) *end {
	var best *end
	for c := s.byTuple[e.tuple.reversed()]; c != nil; c = c.older {
		switch {
		case c == e, c.superseded:
			continue
		case c.peer != nil && c.peer.conn.ID != e.conn.ID && c.peer.tuple.plain == e.tuple.plain && !c.translated && (!c.peer.superseded || c.closed != 0):
			continue
		case c.closed != 0 && (e.role == event.RoleClient || c.role == event.RoleServer || c.closed+keepClosed < e.opened):
			continue
		case best != nil && c.conn.Netns != e.conn.Netns:
			continue // best is younger, or in the same namespace
		case best != nil && best.conn.Netns == e.conn.Netns:
			continue
		}
		best = c
	}
	return best
}
