package probe

import (
	"bytes"
	"encoding/binary"
	"net/netip"
	"time"

	"github.com/sonde-dev/sonde/agent/probe/event"
)

// Sizes and offsets of the records in bpf/include/events.h.
const (
	headerSize  = 32
	dataSize    = 56
	openSize    = 128
	closeSize   = 64
	flowSize    = 32
	nameMax     = 128
	argsMax     = 1024
	processSize = headerSize + 32 + 2*nameMax + argsMax
	envMax      = 8192
	execSize    = processSize + 8 + envMax

	familyUnix  = 1  // AF_UNIX
	familyInet  = 2  // AF_INET
	familyInet6 = 10 // AF_INET6
)

// Decoder turns records of the ring buffer into events. Its zero value is ready to use, by one goroutine.
type Decoder struct {
	ev event.Event
}

// Decode returns nil for a record that it does not know or that is too short. The event is valid until the next one is
// decoded, and points into b.
func (d *Decoder) Decode(b []byte) *event.Event {
	if len(b) < headerSize {
		return nil
	}
	ev := &d.ev
	ev.Kind = event.Kind(b[0])
	ev.Time = binary.LittleEndian.Uint64(b[8:])
	ev.Conn = binary.LittleEndian.Uint64(b[16:])
	ev.PID = binary.LittleEndian.Uint32(b[24:])
	ev.TID = binary.LittleEndian.Uint32(b[28:])
	switch ev.Kind {
	case event.Data:
		return d.data(b)
	case event.Open:
		return d.open(b)
	case event.Close:
		return d.close(b)
	case event.Exec, event.Fork, event.Exit:
		return d.process(b)
	}
	return nil
}

func (d *Decoder) data(b []byte) *event.Event {
	if len(b) < dataSize {
		return nil
	}
	ev := &d.ev
	ev.Direction = event.Direction(b[1])
	ev.Seq = binary.LittleEndian.Uint32(b[32:])
	ev.Len = binary.LittleEndian.Uint32(b[36:])
	captured := min(int(binary.LittleEndian.Uint32(b[4:])), len(b)-dataSize)
	ev.Payload = b[dataSize : dataSize+captured]
	ev.Tail = b[40 : 40+min(int(b[2]), 8)]
	ev.HasOther, ev.Other = b[3] != 0, binary.LittleEndian.Uint32(b[48:])
	return ev
}

func (d *Decoder) open(b []byte) *event.Event {
	if len(b) < openSize {
		return nil
	}
	ev := &d.ev
	o := &ev.Open
	family := b[32]
	*o = event.OpenInfo{
		Role: event.Role(b[33]), Protocol: event.Protocol(b[34]), Seen: b[35] != 0,
		Netns:     binary.LittleEndian.Uint32(b[36:]),
		StartTime: binary.LittleEndian.Uint64(b[96:]),
		Comm:      cString(b[104:120]),

		Datagrams:    binary.LittleEndian.Uint32(b[124:]) != 0,
		HasPositions: true,
		NextIngress:  binary.LittleEndian.Uint32(b[44:]),
		NextEgress:   binary.LittleEndian.Uint32(b[120:]),
	}
	if family == familyUnix {
		o.Unix = true
		o.UnixSelf = binary.LittleEndian.Uint64(b[80:])
		o.UnixPeer = binary.LittleEndian.Uint64(b[88:])
		return ev
	}
	local, remote := binary.LittleEndian.Uint16(b[40:]), binary.LittleEndian.Uint16(b[42:])
	o.Local = netip.AddrPortFrom(address(family, b[48:64]), local)
	o.Remote = netip.AddrPortFrom(address(family, b[64:80]), remote)
	return ev
}

// Flags of a close, bpf/include/events.h.
const (
	closeReset = 1
	closePlain = 2
)

func (d *Decoder) close(b []byte) *event.Event {
	if len(b) < closeSize {
		return nil
	}
	d.ev.Close = event.CloseInfo{
		Reset: b[3]&closeReset != 0, IsRead: b[3]&closePlain != 0, HasPositions: true,
		NextIngress: binary.LittleEndian.Uint32(b[32:]),
		NextEgress:  binary.LittleEndian.Uint32(b[36:]),
		Transfer:    transfer(b[40:]),
	}
	return &d.ev
}

// transfer reads struct transfer.
func transfer(b []byte) event.Transfer {
	return event.Transfer{
		Received: binary.LittleEndian.Uint64(b), Acked: binary.LittleEndian.Uint64(b[8:]),
		Retransmits:   binary.LittleEndian.Uint32(b[16:]),
		RoundTripTime: time.Duration(binary.LittleEndian.Uint32(b[20:])) * time.Microsecond / 8, // srtt_us is in eighths
	}
}

// address reads an address of a socket; an IPv4 address in an IPv6 socket comes out as IPv4.
func address(family byte, b []byte) netip.Addr {
	if family == familyInet {
		return netip.AddrFrom4([4]byte(b[:4]))
	}
	return netip.AddrFrom16([16]byte(b)).Unmap()
}

func (d *Decoder) process(b []byte) *event.Event {
	if len(b) < processSize {
		return nil
	}
	ev := &d.ev
	argsLen := min(int(binary.LittleEndian.Uint32(b[36:])), argsMax)
	const comm, cgroup = 48, 64
	const filename, args = cgroup + nameMax, cgroup + 2*nameMax
	ev.Process = event.ProcessInfo{
		ParentPID: binary.LittleEndian.Uint32(b[32:]),
		StartTime: binary.LittleEndian.Uint64(b[40:]),
		Comm:      cString(b[comm:cgroup]),
		Cgroup:    cString(b[cgroup:filename]),
		Filename:  cString(b[filename:args]),
	}
	for arg := range bytes.SplitSeq(bytes.TrimRight(b[args:args+argsLen], "\x00"), []byte{0}) {
		ev.Process.Args = append(ev.Process.Args, string(arg))
	}
	if argsLen == 0 {
		ev.Process.Args = nil
	}
	if ev.Kind == event.Exec && len(b) >= execSize {
		n := min(int(binary.LittleEndian.Uint32(b[processSize:])), envMax)
		ev.Process.Environ = b[processSize+8 : processSize+8+n]
		ev.Process.EnvironCut = binary.LittleEndian.Uint32(b[processSize+4:]) != 0
	}
	return ev
}

// cString reads a string that ends at its first zero byte.
func cString(b []byte) string {
	if i := bytes.IndexByte(b, 0); i >= 0 {
		b = b[:i]
	}
	return string(b)
}
