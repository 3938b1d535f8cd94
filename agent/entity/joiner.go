package entity

import (
	"log/slog"
	"maps"
	"sync"
	"sync/atomic"

	"github.com/sonde-dev/sonde/agent/exchange"
	"github.com/sonde-dev/sonde/agent/probe/event"
	"github.com/sonde-dev/sonde/signal"
)

// Observation is an exchange with the two ends it went between. The entities are never nil, shared, and not to be modified.
type Observation struct {
	X          *exchange.Exchange
	Self, Peer *signal.Entity
}

// Joiner finds out who is at the two ends of each exchange. HandleConn, Handle and Tick are for one goroutine, that of the
// Table's HandleProcess; Losses and Connections may be called from any.
type Joiner struct {
	cfg   Config
	log   *slog.Logger
	table *Table
	out   func(Observation)

	ends      ends
	sockets   sockets
	addresses addresses
	finder    *finder
	queue     []appointment // ends with waiting exchanges, by deadline
	waiting   int
	closed    []*end // by time of closing
	now       uint64
	refreshed uint64

	count  atomic.Int64
	mu     sync.Mutex // guards losses
	losses signal.Losses
}

// NewJoiner makes a Joiner that hands each observation to out, in the goroutine of Handle, HandleConn or Tick. The
// Observation's exchange is valid until out returns. cfg must be valid.
func NewJoiner(cfg Config, table *Table, out func(Observation)) *Joiner {
	j := &Joiner{
		cfg: cfg, log: table.log, table: table, out: out,
		ends: newEnds(), sockets: newSockets(), addresses: newAddresses(), finder: newFinder(table.fs), losses: make(signal.Losses),
	}
	j.refresh()
	return j
}

// HandleConn takes an event of kind Open or Close, before any exchange that follows from it; others are ignored. It keeps
// nothing of the event.
func (j *Joiner) HandleConn(ev *event.Event) {
	j.now = max(j.now, ev.Time)
	switch ev.Kind {
	case event.Open:
		o := &ev.Open
		if o.Datagrams {
			j.openSocket(ev)
			return
		}
		j.open(exchange.Conn{
			ID: ev.Conn, PID: ev.PID, StartTime: o.StartTime, Comm: o.Comm, Local: o.Local, Remote: o.Remote,
			Unix: o.Unix, UnixSelf: o.UnixSelf, UnixPeer: o.UnixPeer, Netns: o.Netns,
		}, o.Role, ev.Time)
	case event.Close:
		if e := j.ends.byID[ev.Conn]; e != nil && e.closed == 0 {
			e.closed = max(ev.Time, 1)
			j.closed = append(j.closed, e)
			if len(j.closed) > j.cfg.MaxConnections { // more than that in KeepClosed: the oldest goes early
				j.forget(j.closed[0])
				j.closed[0] = nil
				j.closed = j.closed[1:]
			}
		}
	}
}

// open enters a connection, or renews what is known of it.
func (j *Joiner) open(c exchange.Conn, role event.Role, now uint64) *end {
	e := j.ends.byID[c.ID]
	if e == nil {
		e = &end{conn: ownerOf(&c), tuple: tupleOf(&c), role: role, opened: now}
		j.makeRoom()
		j.ends.add(e)
		j.count.Store(int64(len(j.ends.byID)))
	} else {
		e.conn = ownerOf(&c)
		if role != event.RoleUnknown && role != e.role {
			j.ends.nat.remove(e)
			e.role = role
			j.ends.nat.add(e)
		}
		j.ends.touch(e)
	}
	j.identify(e)
	j.addresses.learn(e)
	if e.peer == nil || e.translated {
		j.pair(e)
	}
	return e
}

// pair joins an end with its other end if that is known, and lets go of what waited for it.
func (j *Joiner) pair(e *end) {
	if e.tuple.incomplete {
		return
	}
	if e.tuple == e.tuple.reversed() && !e.tuple.unix {
		e.peer = e // a socket connected to itself (RFC 9293 §3.5: simultaneous open)
		return
	}
	c := j.ends.match(e, uint64(j.cfg.KeepClosed))
	translated := false
	if c == nil {
		c, translated = j.ends.nat.match(e), true
	}
	if c != nil {
		e.peer, c.peer = c, e
		e.translated, c.translated = translated, translated
		j.release(e)
		j.release(c)
	}
	if c == nil || !e.tuple.plain {
		j.pairLayers(e)
	}
}

// pairLayers names the other end of plain text by the socket there, where its plain text is not seen: who has the one has the other.
func (j *Joiner) pairLayers(e *end) {
	other := e.tuple.reversed()
	other.plain = !other.plain
	c := j.ends.byTuple[other]
	if c == nil || c.superseded || c.closed != 0 {
		return
	}
	if c.tuple.plain {
		e, c = c, e
	}
	if e.peer == nil && (e.conn.Netns == c.conn.Netns || !e.tuple.isLoopback()) {
		e.peer = c // not the other way round: c has a peer of its own kind
		j.release(e)
	}
}

// Handle joins one exchange. It is handed on at once if its ends are known, otherwise from a later call, after copying.
// Exchanges of processes and ports that are not selected end here.
func (j *Joiner) Handle(x *exchange.Exchange) {
	j.now = max(j.now, x.ResponseEnd)
	e := j.ends.get(x.Conn.ID)
	if e == nil {
		if s := j.sockets.byID[x.Conn.ID]; s != nil {
			j.handleDatagrams(s, x)
			return
		}
		// forgotten, or never announced to us
		role := event.RoleClient
		if x.Side == exchange.Server {
			role = event.RoleServer
		}
		e = j.open(*x.Conn, role, x.RequestStart)
	} else {
		j.ends.touch(e)
	}
	if e.generation != j.table.generation.Load() {
		j.identify(e)
	}
	isOwn := x.PID == 0 || x.PID == e.conn.PID
	if !e.wanted || (isOwn && !e.self.observe) {
		return // before it waits, and counts as lost if it does so in vain
	}
	if len(e.waiting) == 0 && (e.peer != nil || !j.mustWait(e, x.Side)) {
		j.deliver(e, x)
		return
	}
	if j.waiting >= j.cfg.MaxWaiting {
		j.lose(signal.PendingPeerTimeout, 1)
		j.deliver(e, x)
		return
	}
	j.wait(e, x)
}

// deliver hands an exchange on with what is known of its ends now.
func (j *Joiner) deliver(e *end, x *exchange.Exchange) {
	if e.self.weak || e.generation != j.table.generation.Load() {
		j.identify(e)
	}
	self := e.self
	if x.PID != 0 && x.PID != e.conn.PID { // the socket was handed on
		self = j.table.resolve(x.PID, 0, "")
	}
	if !self.observe || !e.wanted {
		return
	}
	j.out(Observation{X: x, Self: self.entity, Peer: j.facing(e, x.Side)})
}

// facing is who is at the other end, as far as known now.
func (j *Joiner) facing(e *end, side exchange.Side) *signal.Entity {
	if e.peer != nil {
		return j.peerOf(e)
	}
	if e.address == nil || (e.address.External && e.addressFor != side) {
		e.address, e.addressFor = j.addresses.name(e, side), side
	}
	return e.address
}

// Ends names the two ends of a connection as far as known now, seen from the given side. They are nil for a connection that is
// not known, or not to be observed.
func (j *Joiner) Ends(conn uint64, side exchange.Side) (self, peer *signal.Entity) {
	e := j.ends.byID[conn]
	if e == nil {
		return nil, nil
	}
	if e.self.weak || e.generation != j.table.generation.Load() {
		j.identify(e)
	}
	if !e.wanted || !e.self.observe {
		return nil, nil
	}
	return e.self.entity, j.facing(e, side)
}

func (j *Joiner) peerOf(e *end) *signal.Entity {
	if e.peer.self.weak {
		j.identify(e.peer)
	}
	return e.peer.self.entity
}

// identify asks the table who has this end, and whether it is to be observed.
func (j *Joiner) identify(e *end) {
	e.generation = j.table.generation.Load()
	e.self = j.table.resolve(e.conn.PID, e.conn.StartTime, e.conn.Comm)
	e.wanted = e.tuple.unix || j.table.Selection().WantsPorts(e.tuple.localPort, e.tuple.remotePort)
}

// Tick settles what has waited long enough and forgets what closed long ago. now is CLOCK_MONOTONIC in nanoseconds; call
// it a few times a second.
func (j *Joiner) Tick(now uint64) {
	j.now = max(j.now, now)
	j.settle()
	j.settleDatagrams()
	if j.now-j.refreshed >= localRefresh {
		j.refresh()
		j.addresses.forget(j.now)
		j.sockets.forget(j.now)
	}
	j.sweep()
}

// Losses returns a copy of what was lost so far.
func (j *Joiner) Losses() signal.Losses {
	j.mu.Lock()
	defer j.mu.Unlock()
	return maps.Clone(j.losses)
}

// Connections returns the number of connection ends known.
func (j *Joiner) Connections() int { return int(j.count.Load()) }

// Close waits for a look-up that is under way. No other method may be called after it.
func (j *Joiner) Close() { j.finder.wait() }
