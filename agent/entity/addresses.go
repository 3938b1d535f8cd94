package entity

import (
	"net/netip"
	"strconv"

	"github.com/sonde-dev/sonde/agent/exchange"
	"github.com/sonde-dev/sonde/signal"
)

// Bounds of what is remembered of addresses. An address that no connection of this host has used for localKept may by now
// belong to a pod of another one.
const (
	maxLocals    = 16_384
	maxExternals = 65_536
	localKept    = 10 * 60e9
	localRefresh = 10e9
)

// owner says whose an address of this host is.
type owner struct {
	netns uint32
	pid   uint32 // a process in that namespace, 0 for the agent's own namespace
	seen  uint64
}

// addresses knows which addresses belong to this host, and names those that do not.
type addresses struct {
	own      map[address]bool // of the agent's namespace
	locals   map[address]owner
	external map[externalKey]*signal.Entity
	learned  learned
}

type externalKey struct {
	addr address
	port uint16 // 0 for clients
	name string // in place of addr
}

func newAddresses() addresses {
	return addresses{
		own: make(map[address]bool), locals: make(map[address]owner), external: make(map[externalKey]*signal.Entity),
		learned: make(learned),
	}
}

// setOwn replaces the addresses of the agent's namespace.
func (a *addresses) setOwn(list []netip.Addr) {
	clear(a.own)
	for _, x := range list {
		a.own[x.As16()] = true
	}
}

// learn notes the local address of a connection.
func (a *addresses) learn(e *end) {
	if e.tuple.unix || e.tuple.incomplete || e.tuple.isLoopback() {
		return
	}
	if _, ok := a.locals[e.tuple.local]; !ok && len(a.locals) >= maxLocals {
		return
	}
	a.locals[e.tuple.local] = owner{netns: e.conn.Netns, pid: e.conn.PID, seen: e.opened}
}

// isLocal reports whether the other end of e must be on this host.
func (a *addresses) isLocal(e *end, now uint64) bool {
	if e.tuple.incomplete {
		return false // nobody could be found
	}
	if e.tuple.unix || e.tuple.isLoopback() || a.own[e.tuple.remote] {
		return true
	}
	o, ok := a.locals[e.tuple.remote]
	return ok && o.seen+localKept > now
}

// forget drops local addresses that were not used for long.
func (a *addresses) forget(now uint64) {
	for k, o := range a.locals {
		if o.seen+localKept <= now {
			delete(a.locals, k)
		}
	}
	a.learned.forget(now)
}

// name returns the entity that stands for the remote address of e: "name:port" or "ip:port" for a server, "ip" for a client, whose
// port says nothing and would make each connection a node of its own.
func (a *addresses) name(e *end, side exchange.Side) *signal.Entity {
	if e.tuple.unix {
		return a.intern(externalKey{port: 1}, "unix socket")
	}
	if e.tuple.remote == (address{}) {
		return a.intern(externalKey{}, "unknown address")
	}
	remote := e.tuple.remoteAddrPort()
	if side == exchange.Server {
		return a.intern(externalKey{addr: e.tuple.remote}, remote.Addr().String())
	}
	if name := a.learned.nameOf(e.tuple.remote, e.opened); name != "" {
		return a.intern(externalKey{port: remote.Port(), name: name}, name+":"+strconv.Itoa(int(remote.Port())))
	}
	return a.intern(externalKey{addr: e.tuple.remote, port: remote.Port()}, remote.String())
}

func (a *addresses) intern(k externalKey, name string) *signal.Entity {
	if e := a.external[k]; e != nil {
		return e
	}
	if len(a.external) >= maxExternals {
		clear(a.external) // those in use live on with their connections
	}
	e := &signal.Entity{Service: name, External: true}
	a.external[k] = e
	return e
}
