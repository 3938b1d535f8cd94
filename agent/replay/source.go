// Package replay reports what a packet capture holds as the kernel side would.
//
// In: a capture file, pcap or pcapng. Out: events of both ends of each connection, as if both ran on this host.
// It must not know protocols: what the bytes mean is found by the rooms that follow, which are those of a live host.
package replay

import (
	"context"
	"fmt"
	"io"
	"net/netip"

	"github.com/gopacket/gopacket"

	"github.com/sonde-dev/sonde/agent/probe/event"
)

// Source reads one capture.
//
// Time is that of the packets, in nanoseconds since 1970. TCP is put in order: retransmissions and overlaps vanish, what is late waits
// for what is missing, and what the capture lacks is a jump of Seq. Bytes beyond the capture's snap length make Len larger than Payload. A
// connection whose SYN is not in the file was not Seen.
//
// Read: Ethernet, VLAN, Linux cooked (v1, v2), loopback, raw IP, 802.11, PPP; IPv4 with fragments, IPv6 without; TCP and UDP. Of tunnels,
// only the outermost is read.
type Source struct {
	file *file
	// Progress is called now and then with the number of packets read. nil for none.
	Progress func(packets uint64)

	// Packets were read, Skipped of them carry neither TCP nor UDP or are damaged.
	Packets, Skipped uint64

	decode *decoder
	conns  map[flow]*conn
	ids    uint64
	now    uint64
	ticked uint64
	swept  uint64

	onEvent func(*event.Event)
	onTick  func(now uint64)
}

// flow is a connection; a is the smaller of its ends.
type flow struct {
	a, b  netip.AddrPort
	isUDP bool
}

// New reads the header of a capture. The error is ErrForeign for what is none.
func New(r io.Reader) (*Source, error) {
	f, err := openFile(r)
	if err != nil {
		return nil, err
	}
	return &Source{file: f, decode: newDecoder(), conns: make(map[flow]*conn)}, nil
}

// Run reads to the end of the file, or to ctx's. onEvent gets what happened, onTick the time of the capture, as probe.Run calls them; an event is
// valid until onEvent returns. A file that ends in the middle of a packet is an error that wraps io.ErrUnexpectedEOF; what
// was whole was reported. The ends of connections that are open at the end of the file are not reported.
func (s *Source) Run(ctx context.Context, onEvent func(*event.Event), onTick func(now uint64)) error {
	s.onEvent, s.onTick = onEvent, onTick
	err := s.read(ctx)
	for _, c := range s.sorted() {
		c.flush()
	}
	return err
}

func (s *Source) read(ctx context.Context) error {
	const some = 4096 // packets
	for {
		if s.Packets%some == 0 {
			if err := ctx.Err(); err != nil {
				return err
			}
			if s.Progress != nil {
				s.Progress(s.Packets)
			}
		}
		b, ci, err := s.file.next()
		if err == io.EOF && ci.CaptureLength == 0 {
			return nil
		} else if err != nil {
			return fmt.Errorf("read packet %d: %w", s.Packets+1, unexpected(err))
		}
		s.Packets++
		if err := s.packet(b, ci); err != nil {
			return err
		}
	}
}

// packet takes one packet. It fails only if nothing of its link can be read.
func (s *Source) packet(b []byte, ci gopacket.CaptureInfo) error {
	link := s.file.link(&ci)
	first, ok := firstLayer(link)
	if !ok {
		return fmt.Errorf("packet %d: link type %d (%s) is not read", s.Packets, link, link)
	}
	p, ok := s.decode.decode(first, b, ci)
	if !ok {
		s.Skipped++
		return nil
	}
	s.tick(p.time)
	k, from := flowOf(&p)
	c := s.conns[k]
	if c == nil || c.isReplacedBy(&p, from) {
		if c != nil {
			c.flush()
		}
		s.ids += 2
		c = newConn(s, s.ids, &p, from)
		s.conns[k] = c
	}
	c.take(from, p)
	return nil
}

// flowOf returns the connection of a packet, and which of its ends sent it.
func flowOf(p *packet) (k flow, from int) {
	k = flow{p.src, p.dst, p.isUDP}
	if k.a.Compare(k.b) > 0 {
		k.a, k.b, from = k.b, k.a, 1
	}
	return k, from
}

const (
	tickInterval  = 50e6
	sweepInterval = 1e9
	keepIdle      = 6 * 60e9 // longer than the engine keeps a connection
	keepClosed    = 60e9     // for what comes late
)

// tick lets the time pass that lies between two packets.
func (s *Source) tick(now uint64) {
	if now <= s.now {
		return
	}
	if s.now == 0 {
		s.ticked, s.swept = now, now
	}
	s.now = now
	if now < s.ticked+tickInterval {
		return
	}
	const most = 20_000 // steps of one pause
	step := max(uint64(tickInterval), (now-s.ticked)/most)
	for s.ticked+step <= now {
		s.ticked += step
		s.onTick(s.ticked)
	}
	if now < s.swept+sweepInterval {
		return
	}
	s.swept = now
	s.decode.forget(now)
	for k, c := range s.conns {
		c.expire(now)
		if c.touched+keepIdle < now || c.isClosed && c.touched+keepClosed < now {
			c.flush()
			delete(s.conns, k)
		}
	}
}
