package replay

import (
	"context"
	"fmt"
	"net/netip"
	"os"

	"github.com/sonde-dev/sonde/agent/probe/event"
)

// Conversation is what the two ends of one connection sent each other, for tests of parsers.
type Conversation struct {
	// Client sent the SYN; without one, and with datagrams, it is who was seen first and may be the server.
	Client, Server netip.AddrPort
	Seen           bool // from the SYN on
	Datagrams      bool
	Calls          []Call
	Closed, Reset  bool // the end was seen; by RST
}

// Call is the payload of one packet, in order and without repetitions.
type Call struct {
	FromClient bool
	Time       uint64 // nanoseconds since 1970
	// Missing bytes of this direction lie before it that the capture lacks. If they are its last ones, the call has no more.
	Missing uint32
	// Len bytes were sent; Payload has those captured.
	Len     uint32
	Payload []byte
}

// Conversations reads all connections of a capture, in order of their first bytes.
func Conversations(path string) ([]*Conversation, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	s, err := New(f)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	var all []*Conversation
	type end struct {
		*Conversation
		next [2]uint32 // by event.Direction
	}
	ends := map[uint64]*end{}
	err = s.Run(context.Background(), func(ev *event.Event) {
		e := ends[ev.Conn]
		switch o := &ev.Open; {
		case ev.Kind == event.Open && e == nil:
			// The first end announced speaks for both: the client's where it is known.
			if o.Role == event.RoleServer || o.Role == event.RoleUnknown && ends[ev.Conn^1] != nil {
				return
			}
			c := &Conversation{Client: o.Local, Server: o.Remote, Seen: o.Seen && !o.Datagrams, Datagrams: o.Datagrams}
			all = append(all, c)
			ends[ev.Conn] = &end{c, [2]uint32{event.Ingress: o.NextIngress, event.Egress: o.NextEgress}}
		case e == nil:
		case ev.Kind == event.Data:
			e.Calls = append(e.Calls, Call{
				FromClient: ev.Direction == event.Egress, Time: ev.Time, Missing: ev.Seq - e.next[ev.Direction],
				Len: ev.Len, Payload: append([]byte(nil), ev.Payload...),
			})
			e.next[ev.Direction] = ev.Seq + ev.Len
		case ev.Kind == event.Close:
			e.Closed, e.Reset = true, ev.Close.Reset
			for dir, end := range [2]uint32{event.Ingress: ev.Close.NextIngress, event.Egress: ev.Close.NextEgress} {
				if n := end - e.next[dir]; ev.Close.HasPositions && n > 0 {
					e.Calls = append(e.Calls, Call{FromClient: dir == int(event.Egress), Time: ev.Time, Missing: n})
				}
			}
		}
	}, func(uint64) {})
	if err != nil {
		return all, fmt.Errorf("%s: %w", path, err)
	}
	return all, nil
}
