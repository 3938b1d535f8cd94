package parsertest

import (
	"encoding/binary"
	"os"
	"slices"
	"testing"

	"github.com/sonde-dev/sonde/agent/protocol"
)

// Capture reads a file of libpcap's classic format and returns the calls of each TCP connection with a server on that port, one for
// each segment that brought new bytes. What a packet was cut off, or is missing before it, is a hole.
func Capture(t testing.TB, file string, port uint16) [][]Call {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	const magic, magicNanos = 0xa1b2c3d4, 0xa1b23c4d
	if m := binary.LittleEndian.Uint32(b); m != magic && m != magicNanos {
		t.Fatalf("%s is no little-endian pcap file", file)
	}
	// LINKTYPE_: raw, Ethernet, Linux cooked, and its second version.
	link := map[uint32]uint32{101: 0, 1: 14, 113: 16, 276: 20}[binary.LittleEndian.Uint32(b[20:])&0xffff]
	s := segments{port: port, conns: map[string]*[2]side{}}
	for b = b[24:]; len(b) >= 16; {
		n := binary.LittleEndian.Uint32(b[8:])
		s.packet(b[16+min(link, n) : 16+n])
		b = b[16+n:]
	}
	return slices.DeleteFunc(s.calls, func(calls []Call) bool { return len(calls) == 0 })
}

type segments struct {
	port  uint16
	conns map[string]*[2]side // by the client's address and port
	calls [][]Call
}

type side struct {
	isAnchored bool
	next       uint32
	index      int // in calls
}

// packet takes one IP packet.
func (s *segments) packet(ip []byte) {
	if len(ip) < 40 {
		return
	}
	head, size := 40, 40+int(binary.BigEndian.Uint16(ip[4:]))
	if ip[0]>>4 == 4 {
		head, size = int(ip[0]&15)*4, int(binary.BigEndian.Uint16(ip[2:]))
	}
	tcp := ip[head:min(len(ip), size)]
	if len(tcp) < 20 {
		return
	}
	from, to := binary.BigEndian.Uint16(tcp), binary.BigEndian.Uint16(tcp[2:])
	seq, data := binary.BigEndian.Uint32(tcp[4:]), tcp[min(len(tcp), int(tcp[12]>>4)*4):]
	cut := uint32(max(0, size-len(ip))) // by the length of a snapshot
	addresses := ip[8:40]               // of IPv6: from, to
	if head < 40 {
		addresses = ip[12:20]
	}
	dir, client := protocol.ToServer, string(addresses[:len(addresses)/2])+string(tcp[:2])
	if from == s.port {
		dir, client = protocol.FromServer, string(addresses[len(addresses)/2:])+string(tcp[2:4])
	} else if to != s.port {
		return
	}
	c := s.conns[client]
	if c == nil {
		c = &[2]side{{index: len(s.calls)}, {index: len(s.calls)}}
		s.conns[client] = c
		s.calls = append(s.calls, nil)
	}
	d := &c[dir]
	if tcp[13]&2 != 0 { // SYN
		d.isAnchored, d.next = true, seq+1
		return
	}
	if !d.isAnchored {
		d.isAnchored, d.next = true, seq
	}
	if old := int32(d.next - seq); old > 0 {
		if cut > 0 {
			return // a repetition
		}
		data = data[min(len(data), int(old)):]
		seq = d.next
	}
	if len(data) == 0 {
		return
	}
	if hole := seq - d.next; hole > 0 {
		s.calls[d.index] = append(s.calls[d.index], Call{Dir: dir, Skip: hole})
	}
	d.next = seq + uint32(len(data)) + cut
	s.calls[d.index] = append(s.calls[d.index], Call{Dir: dir, Data: data, Skip: cut})
}
