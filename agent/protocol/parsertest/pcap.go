package parsertest

import (
	"encoding/binary"
	"fmt"
	"os"
	"testing"

	"github.com/sonde-dev/sonde/agent/protocol"
)

// Conversation is one TCP connection of a capture.
type Conversation struct {
	Client string // address and port of the end that is not the server
	Steps  []Step
}

// Capture reads a packet capture (libpcap's format, Ethernet or cooked, IPv4, TCP): one call for each segment in order, a hole where bytes are missing
// or a packet was cut by the snap length. Repetitions are left out. server is the port of the server.
func Capture(t testing.TB, file string, server uint16) []Conversation {
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if len(b) < 24 || binary.LittleEndian.Uint32(b)|0x1 != 0xa1b2c3d5 && binary.LittleEndian.Uint32(b) != 0xa1b23c4d {
		t.Fatalf("%s is no capture", file)
	}
	head := map[uint32]int{1: 14, 113: 16, 276: 20, 101: 0}[binary.LittleEndian.Uint32(b[20:])]
	var all []Conversation
	index := map[string]int{}
	next := map[string]uint32{}
	for b = b[24:]; len(b) >= 16; {
		n := int(binary.LittleEndian.Uint32(b[8:]))
		p := b[16 : 16+n]
		b = b[16+n:]
		if len(p) < head+40 || p[head]>>4 != 4 || p[head+9] != 6 {
			continue
		}
		ip := p[head:]
		tcp := ip[int(ip[0]&15)*4:]
		size := int(binary.BigEndian.Uint16(ip[2:])) - int(ip[0]&15)*4 - int(tcp[12]>>4)*4
		payload := tcp[min(len(tcp), int(tcp[12]>>4)*4):]
		payload = payload[:min(len(payload), size)]
		src, dst := binary.BigEndian.Uint16(tcp), binary.BigEndian.Uint16(tcp[2:])
		s := Step{Dir: protocol.ToServer, Data: payload, Gap: uint32(size - len(payload))}
		client := fmt.Sprintf("%d.%d.%d.%d:%d", ip[12], ip[13], ip[14], ip[15], src)
		if src == server {
			s.Dir = protocol.FromServer
			client = fmt.Sprintf("%d.%d.%d.%d:%d", ip[16], ip[17], ip[18], ip[19], dst)
		}
		if size <= 0 || src != server && dst != server {
			continue
		}
		key, seq := fmt.Sprint(client, s.Dir), binary.BigEndian.Uint32(tcp[4:])
		i, ok := index[client]
		if !ok {
			i = len(all)
			index[client] = i
			all = append(all, Conversation{Client: client})
		}
		if at, ok := next[key]; ok && int32(seq-at) > 0 {
			all[i].Steps = append(all[i].Steps, Step{Dir: s.Dir, Gap: seq - at})
		} else if ok && int32(seq-at) < 0 {
			continue
		}
		next[key] = seq + uint32(size)
		all[i].Steps = append(all[i].Steps, s)
	}
	return all
}
