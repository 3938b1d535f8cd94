package protocoltest

import (
	"bytes"
	"encoding/binary"
	"os"
	"testing"

	"github.com/sonde-dev/sonde/agent/protocol"
)

// Call is one packet's payload in the direction it went.
type Call struct {
	Direction protocol.Direction
	Payload   []byte
}

// Calls reads a capture file of TCP over IPv4 and Ethernet and returns the payloads of one connection in order, without those that
// were captured twice. serverPort tells the directions apart.
func Calls(t testing.TB, file string, serverPort uint16) []Call {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	// The classic format: head of 24 bytes; each packet: seconds, fraction, captured bytes, bytes (draft-ietf-opsawg-pcap).
	if len(b) < 24 || !bytes.Equal(b[:4], []byte{0xd4, 0xc3, 0xb2, 0xa1}) {
		t.Fatalf("%s is no little-endian capture file", file)
	}
	var calls []Call
	next := map[protocol.Direction]uint32{}
	for b = b[24:]; len(b) >= 16; {
		size := binary.LittleEndian.Uint32(b[8:])
		packet := b[16 : 16+size]
		b = b[16+size:]
		dir, seq, payload := tcpPayload(packet, serverPort)
		if len(payload) == 0 {
			continue
		}
		if end, ok := next[dir]; ok && int32(seq-end) < 0 {
			continue
		}
		next[dir] = seq + uint32(len(payload))
		calls = append(calls, Call{Direction: dir, Payload: payload})
	}
	if len(calls) == 0 {
		t.Fatalf("%s has no bytes to or from port %d", file, serverPort)
	}
	return calls
}

func tcpPayload(packet []byte, serverPort uint16) (dir protocol.Direction, seq uint32, payload []byte) {
	const ethernet, ipv4, tcp = 14, 0x0800, 6
	ip := packet[ethernet:]
	if binary.BigEndian.Uint16(packet[12:]) != ipv4 || len(ip) < 20 || ip[9] != tcp {
		return 0, 0, nil
	}
	ip = ip[:min(len(ip), int(binary.BigEndian.Uint16(ip[2:])))]
	seg := ip[int(ip[0]&15)*4:]
	dir = protocol.FromServer
	if binary.BigEndian.Uint16(seg[2:]) == serverPort {
		dir = protocol.ToServer
	}
	return dir, binary.BigEndian.Uint32(seg[4:]), seg[int(seg[12]>>4)*4:]
}
