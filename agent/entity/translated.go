package entity

import "github.com/sonde-dev/sonde/agent/probe/event"

// translations finds the two ends of connections whose server address was translated on this host (iptables DNAT, IPVS):
//
//	client  10.1.0.5:40001 → 10.96.0.10:80          the service's virtual address
//	server  10.1.0.5:40001 → 10.1.0.6:8080          where the packets really went
//
// The client's own address and port are the same at both ends. They are not unique, since one port may lead to several
// servers at a time, so a pair counts only if no other end could be meant.
type translations map[clientEnd]*end // the youngest; older ones follow by end.sharing

// clientEnd is the client's address and port, as seen from one of the two ends.
type clientEnd struct {
	addr address
	port uint16
	role event.Role // of the ends listed under it

	plain bool
}

// maxSharing bounds how many ends are listed together; beyond it there is no single pair anyway.
const maxSharing = 8

// keyOf returns where an end is listed; false for ends that cannot be translated connections.
func keyOf(e *end) (clientEnd, bool) {
	if e.tuple.unix || e.tuple.incomplete || e.tuple.isLoopback() {
		return clientEnd{}, false
	}
	switch e.role {
	case event.RoleClient:
		return clientEnd{e.tuple.local, e.tuple.localPort, e.role, e.tuple.plain}, true
	case event.RoleServer:
		return clientEnd{e.tuple.remote, e.tuple.remotePort, e.role, e.tuple.plain}, true
	}
	return clientEnd{}, false
}

func (t translations) add(e *end) {
	k, ok := keyOf(e)
	if !ok || length(t[k]) >= maxSharing {
		return
	}
	e.sharing = t[k]
	t[k] = e
}

func (t translations) remove(e *end) {
	k, ok := keyOf(e)
	if !ok {
		return
	}
	switch head := t[k]; {
	case head != e:
		for x := head; x != nil; x = x.sharing {
			if x.sharing == e {
				x.sharing = e.sharing
				break
			}
		}
	case e.sharing == nil:
		delete(t, k)
	default:
		t[k] = e.sharing
	}
	e.sharing = nil
}

// match returns the only open end without a peer that may be the other end of e, nil if there is none or a choice.
func (t translations) match(e *end) *end {
	k, ok := keyOf(e)
	if !ok || free(t[k]) != e {
		return nil
	}
	k.role = event.RoleClient + event.RoleServer - k.role // the other one
	c := free(t[k])
	if c == nil || c.tuple == e.tuple.reversed() {
		return nil
	}
	return c
}

// free returns the only open end of a list that has no peer.
func free(list *end) *end {
	var found *end
	if length(list) >= maxSharing {
		return nil // there may be more that are not listed
	}
	for x := list; x != nil; x = x.sharing {
		if x.peer != nil || x.closed != 0 || x.superseded {
			continue
		}
		if found != nil {
			return nil
		}
		found = x
	}
	return found
}

func length(list *end) int {
	n := 0
	for x := list; x != nil; x = x.sharing {
		n++
	}
	return n
}
