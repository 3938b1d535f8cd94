package probe

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/sonde-dev/sonde/agent/probe/event"
)

// expectation says what the events of a report's sockets must be like.
type expectation struct {
	tier Tier
	// before is how much each socket had moved in and out before the Probe could see it, by name.
	before map[string][2]int
	// isSilent is true when no socket may be reported at all.
	isSilent bool
	// isJoined is true when the connections were in use before the Probe was there.
	isJoined bool
}

// check compares the events of a child with its report: for every socket and direction, each byte in exactly one event,
// in order, what was captured equal to what was moved, and the connection announced before.
func (x expectation) check(t *testing.T, rep report, events []event.Event) {
	t.Helper()
	if x.isSilent {
		if i := slices.IndexFunc(events, func(e event.Event) bool { return e.Kind == event.Data }); i >= 0 {
			t.Fatalf("data is reported: %s", showOne(events[i]))
		}
		return
	}
	conns := connsOf(t, rep, events)
	first := map[[2]int]uint32{} // the position of the first byte, by socket and direction
	for i, s := range rep.Socks {
		before := x.before[s.Name]
		for d, moves := range [][]moved{event.Ingress: s.In, event.Egress: s.Out} {
			if len(moves) == 0 {
				continue
			}
			st := streamOf(x.tier, s.IsUnix, moves, before[d])
			name := fmt.Sprintf("%s %v", s.Name, []string{"in", "out"}[d])
			first[[2]int{i, d}] = st.check(t, name, dataOf(events, conns[i], event.Direction(d))) - uint32(before[d])
		}
		checkAnnounced(t, s.Name, conns[i], events)
		for _, e := range events {
			if e.Kind == event.Open && e.Conn == conns[i] && !s.IsUnix && e.Open.Seen == x.isJoined {
				t.Errorf("%s: seen from its first byte is %t, want %t", s.Name, e.Open.Seen, !x.isJoined)
			}
		}
	}
	for i := 0; i+1 < len(rep.Socks); i += 2 { // both ends of a connection count alike
		for d := range 2 {
			a, okA := first[[2]int{i, d}]
			b, okB := first[[2]int{i + 1, 1 - d}]
			if okA && okB && a != b {
				t.Errorf("%s %d begins at %d, the other end at %d", rep.Socks[i].Name, d, a, b)
			}
		}
	}
}

// connsOf finds the connection of each socket: by its addresses; for Unix sockets, which have none, by what it is of the
// two, as the kernel side found out, or by order. (A receive may be reported before the send that it answers.)
func connsOf(t *testing.T, rep report, events []event.Event) []uint64 {
	t.Helper()
	conns := make([]uint64, len(rep.Socks))
	var order []uint64
	for _, e := range events {
		if e.Kind == event.Open && !slices.Contains(order, e.Conn) {
			order = append(order, e.Conn)
		}
	}
	for i, s := range rep.Socks {
		if s.IsUnix {
			if i < len(order) {
				conns[i] = order[i]
			}
			role := map[string]event.Role{"client": event.RoleClient, "server": event.RoleServer}[s.Name]
			for _, e := range events {
				if e.Kind == event.Open && role != event.RoleUnknown && e.Open.Role == role && len(order) == len(rep.Socks) {
					conns[i] = e.Conn
				}
			}
			continue
		}
		for _, e := range events {
			// an IPv4 address in an IPv6 socket is an IPv4 address
			if e.Kind == event.Open && e.Open.Local == unmapped(s.Local) && e.Open.Remote == unmapped(s.Remote) {
				conns[i] = e.Conn
			}
		}
	}
	if i := slices.Index(conns, 0); i >= 0 {
		t.Fatalf("no connection %s %s-%s among the events:\n%s", rep.Socks[i].Name, rep.Socks[i].Local, rep.Socks[i].Remote, show(events))
	}
	return conns
}

// checkAnnounced holds the events of a connection to their order: open, data, and nothing after close.
func checkAnnounced(t *testing.T, name string, conn uint64, events []event.Event) {
	t.Helper()
	isOpen, isClosed := false, false
	for _, e := range events {
		if e.Conn != conn {
			continue
		}
		if isClosed {
			t.Fatalf("%s: %s after the connection closed:\n%s", name, e.Kind, show(events))
		}
		if !isOpen && e.Kind != event.Open {
			t.Fatalf("%s: %s before the connection was announced:\n%s", name, e.Kind, show(events))
		}
		isOpen = true
		isClosed = e.Kind == event.Close
	}
}

func dataOf(events []event.Event, conn uint64, d event.Direction) (of []event.Event) {
	for _, e := range events {
		if e.Kind == event.Data && e.Conn == conn && e.Direction == d {
			of = append(of, e)
		}
	}
	return of
}

// stream is one direction of a socket as the child knows it.
type stream struct {
	bytes        []byte
	tails        map[int]int // how many bytes the tail of a call has to have, by the end of the call
	must, unseen []bool
	from         int
}

func streamOf(tier Tier, isUnix bool, moves []moved, from int) stream {
	st := stream{from: from, tails: map[int]int{}}
	for _, m := range moves {
		isGap := m.Gap && tier == TierSocket || m.Uring && tier == TierSyscall
		if isGap && isUnix {
			continue // positions of a Unix socket count what is seen: nothing shows that bytes are missing
		}
		st.bytes = append(st.bytes, m.Data...)
		st.tails[len(st.bytes)] = m.Tail
		st.must = append(st.must, slices.Repeat([]bool{true}, m.Must)...)
		st.must = append(st.must, make([]bool, len(m.Data)-m.Must)...)
		st.unseen = append(st.unseen, slices.Repeat([]bool{isGap}, len(m.Data))...)
	}
	return st
}

// skip returns the next position from pos on that an event speaks of.
func (s stream) skip(pos int) int {
	for pos < len(s.bytes) && s.unseen[pos] {
		pos++
	}
	return pos
}

// check returns the sequence number of the first event.
func (s stream) check(t *testing.T, name string, events []event.Event) (first uint32) {
	t.Helper()
	pos := s.skip(s.from)
	if len(events) == 0 {
		if pos < len(s.bytes) {
			t.Errorf("%s: no events, want %d bytes", name, len(s.bytes)-s.from)
		}
		return 0
	}
	first = events[0].Seq - uint32(pos-s.from)
	for _, e := range events {
		at := s.from + int(e.Seq-first)
		if at != pos {
			t.Fatalf("%s: an event begins at byte %d, want %d; events:\n%s", name, at, pos, show(events))
		}
		end := at + int(e.Len)
		if end > len(s.bytes) {
			t.Fatalf("%s: an event ends at byte %d of %d; events:\n%s", name, end, len(s.bytes), show(events))
		}
		if want := s.bytes[at : at+min(len(e.Payload), int(e.Len))]; !bytes.Equal(e.Payload, want) {
			t.Errorf("%s: payload at %d of %d bytes is %.60q, want %.60q", name, at, len(e.Payload), e.Payload, want)
		}
		if want := s.bytes[end-min(len(e.Tail), int(e.Len)) : end]; !bytes.Equal(e.Tail, want) {
			t.Errorf("%s: tail before %d is %q, want %q", name, end, e.Tail, want)
		}
		if want := s.tails[end]; len(e.Payload) < int(e.Len) && len(e.Tail) < want {
			t.Errorf("%s: tail before %d is %q, want %d bytes", name, end, e.Tail, want)
		}
		if i := slices.Index(s.must[at+len(e.Payload):end], true); i >= 0 {
			t.Fatalf("%s: byte %d is not in a payload: %s", name, at+len(e.Payload)+i, showOne(e))
		}
		pos = s.skip(end)
	}
	if pos != len(s.bytes) {
		t.Errorf("%s: the events end at byte %d of %d:\n%s", name, pos, len(s.bytes), show(events))
	}
	return first
}

func show(events []event.Event) string {
	var b strings.Builder
	for i, e := range events {
		if i == 60 {
			fmt.Fprintf(&b, "  … %d more\n", len(events)-i)
			break
		}
		fmt.Fprintf(&b, "  %s\n", showOne(e))
	}
	return b.String()
}

func showOne(e event.Event) string {
	switch e.Kind {
	case event.Open:
		return fmt.Sprintf("open %x %s-%s role %d protocol %d seen %t", e.Conn, e.Open.Local, e.Open.Remote, e.Open.Role, e.Open.Protocol, e.Open.Seen)
	case event.Data:
		return fmt.Sprintf("data %x %s seq %d len %d payload %.40q(%d) tail %q", e.Conn, []string{"in", "out"}[e.Direction], e.Seq, e.Len, e.Payload, len(e.Payload), e.Tail)
	case event.Close:
		return fmt.Sprintf("close %x reset %t", e.Conn, e.Close.Reset)
	}
	return fmt.Sprintf("%s pid %d %q", e.Kind, e.PID, e.Process.Filename)
}
