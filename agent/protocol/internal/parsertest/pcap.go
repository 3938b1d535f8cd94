package parsertest

import (
	"encoding/binary"
	"os"
	"testing"

	"github.com/sonde-dev/sonde/agent/protocol"
)

// Capture reads a file of libpcap's classic format and returns the calls of each TCP connection with a server on that port, one for
// each segment that brought new bytes.
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
	link := 14 // Ethernet
	if binary.LittleEndian.Uint32(b[20:])&0xffff == 113 {
		link = 16 // Linux cooked
	}
	s := segments{port: port, conns: map[uint16]*[2]side{}}
	for b = b[24:]; len(b) >= 16; {
		n := binary.LittleEndian.Uint32(b[8:])
		s.packet(b[16+link : 16+n])
		b = b[16+n:]
	}
	return s.calls
}

type segments struct {
	port  uint16
	conns map[uint16]*[2]side // by the client's port
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
	var tcp []byte
	switch ip[0] >> 4 {
	case 4:
		tcp = ip[int(ip[0]&15)*4 : min(len(ip), int(binary.BigEndian.Uint16(ip[2:])))]
	case 6:
		tcp = ip[40:min(len(ip), 40+int(binary.BigEndian.Uint16(ip[4:])))]
	}
	if len(tcp) < 20 {
		return
	}
	from, to := binary.BigEndian.Uint16(tcp), binary.BigEndian.Uint16(tcp[2:])
	seq, data := binary.BigEndian.Uint32(tcp[4:]), tcp[int(tcp[12]>>4)*4:]
	dir, client := protocol.ToServer, from
	if from == s.port {
		dir, client = protocol.FromServer, to
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
		data = data[min(len(data), int(old)):]
		seq = d.next
	}
	if len(data) == 0 {
		return
	}
	if hole := seq - d.next; hole > 0 {
		s.calls[d.index] = append(s.calls[d.index], Call{Dir: dir, Skip: hole})
	}
	d.next = seq + uint32(len(data))
	s.calls[d.index] = append(s.calls[d.index], Call{Dir: dir, Data: data})
}
