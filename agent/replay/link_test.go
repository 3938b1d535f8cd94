package replay

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/binary"
	"slices"
	"testing"
	"time"

	"github.com/gopacket/gopacket"
	"github.com/gopacket/gopacket/layers"
	"github.com/gopacket/gopacket/pcapgo"

	"github.com/sonde-dev/sonde/agent/probe/event"
)

// egress returns what the sender of each packet of a capture was seen to send.
func egress(t *testing.T, b []byte) (texts []string, skipped uint64) {
	t.Helper()
	s, err := New(bytes.NewReader(b))
	must(t, err)
	must(t, s.Run(context.Background(), func(ev *event.Event) {
		if ev.Kind == event.Data && ev.Direction == event.Egress {
			texts = append(texts, string(ev.Payload))
		}
	}, func(uint64) {}))
	return texts, s.Skipped
}

func onLink(t *testing.T, link layers.LinkType, packets ...[]byte) []byte {
	t.Helper()
	var out bytes.Buffer
	w := pcapgo.NewWriter(&out)
	must(t, w.WriteFileHeader(65535, link))
	for _, p := range packets {
		must(t, w.WritePacket(gopacket.CaptureInfo{Timestamp: epoch, CaptureLength: len(p), Length: len(p)}, p))
	}
	return out.Bytes()
}

// ip4 is an IPv4 packet, ip6 the same over IPv6.
func ipPackets(t *testing.T) (ip4, ip6 []byte) {
	udp := func() *layers.UDP { return &layers.UDP{SrcPort: 5353, DstPort: 53} }
	const ethernet = 14
	ip4 = serialize(t, clientEnd.Addr(), serverEnd.Addr(), udp(), []byte("hello"))[ethernet:]
	ip6 = serialize(t, v6(1), v6(2), udp(), []byte("hello"))[ethernet:]
	return ip4[:20+8+5], ip6 // without Ethernet's padding
}

func TestFirstHeaders(t *testing.T) {
	ip4, ip6 := ipPackets(t)
	join := func(head []byte, ip []byte) []byte { return append(bytes.Clone(head), ip...) }
	mac := make([]byte, 12)
	sll := append([]byte{0, 0, 0, 1, 0, 6}, make([]byte, 8)...)         // LINKTYPE_LINUX_SLL: 14 bytes and the type
	sll2 := append([]byte{8, 0, 0, 0, 0, 0, 0, 1}, make([]byte, 12)...) // LINKTYPE_LINUX_SLL2: the type first
	for _, c := range []struct {
		name   string
		link   layers.LinkType
		packet []byte
	}{
		{"Ethernet", layers.LinkTypeEthernet, join(append(bytes.Clone(mac), 8, 0), ip4)},
		{"Ethernet, padded", layers.LinkTypeEthernet, append(join(append(bytes.Clone(mac), 8, 0), ip4), 0, 0, 0, 0, 0, 0)},
		{"Ethernet, IPv6", layers.LinkTypeEthernet, join(append(bytes.Clone(mac), 0x86, 0xdd), ip6)},
		{"VLAN", layers.LinkTypeEthernet, join(append(bytes.Clone(mac), 0x81, 0, 0, 7, 8, 0), ip4)},
		{"VLAN in VLAN", layers.LinkTypeEthernet, join(append(bytes.Clone(mac), 0x88, 0xa8, 0, 7, 0x81, 0, 0, 9, 8, 0), ip4)},
		{"cooked", layers.LinkTypeLinuxSLL, join(append(bytes.Clone(sll), 8, 0), ip4)},
		{"cooked, IPv6", layers.LinkTypeLinuxSLL, join(append(bytes.Clone(sll), 0x86, 0xdd), ip6)},
		{"cooked v2", layers.LinkTypeLinuxSLL2, join(sll2, ip4)},
		{"raw", layers.LinkTypeRaw, ip4},
		{"raw, IPv6", layers.LinkTypeRaw, ip6},
		{"raw of BSD", 12, ip4},
		{"IPv4", layers.LinkTypeIPv4, ip4},
		{"IPv6", layers.LinkTypeIPv6, ip6},
		{"null", layers.LinkTypeNull, join([]byte{2, 0, 0, 0}, ip4)},
		{"loop", layers.LinkTypeLoop, join([]byte{0, 0, 0, 2}, ip4)},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got, skipped := egress(t, onLink(t, c.link, c.packet)); !slices.Equal(got, []string{"hello"}) || skipped != 0 {
				t.Errorf("%q, %d skipped", got, skipped)
			}
		})
	}
}

func TestUnknownLink(t *testing.T) {
	s, err := New(bytes.NewReader(onLink(t, layers.LinkTypeLinuxUSB, []byte("xxxxxxxx"))))
	must(t, err)
	if err := s.Run(context.Background(), func(*event.Event) {}, func(uint64) {}); err == nil {
		t.Error("no error")
	}
}

// A datagram in two fragments; the second comes first.
func TestFragments(t *testing.T) {
	ip4, _ := ipPackets(t)
	head, body := ip4[:20], append(bytes.Clone(ip4[20:]), "...and more"...)
	binary.BigEndian.PutUint16(body[4:], uint16(len(body))) // length of UDP
	fragment := func(offset int, more bool, b []byte) []byte {
		p := append(bytes.Clone(head), b...)
		flags := uint16(offset / 8)
		if more {
			flags |= 0x2000 // RFC 791 §3.1
		}
		binary.BigEndian.PutUint16(p[2:], uint16(len(p)))
		binary.BigEndian.PutUint16(p[4:], 77)
		binary.BigEndian.PutUint16(p[6:], flags)
		return p
	}
	got, _ := egress(t, onLink(t, layers.LinkTypeRaw, fragment(8, false, body[8:]), fragment(0, true, body[:8])))
	if !slices.Equal(got, []string{"hello...and more"}) {
		t.Errorf("%q", got)
	}
}

func TestCompressed(t *testing.T) {
	ip4, _ := ipPackets(t)
	var out bytes.Buffer
	z := gzip.NewWriter(&out)
	_, err := z.Write(onLink(t, layers.LinkTypeRaw, ip4))
	must(t, err)
	must(t, z.Close())
	if got, _ := egress(t, out.Bytes()); !slices.Equal(got, []string{"hello"}) {
		t.Errorf("%q", got)
	}
}

// Time passes between packets in steps, however long the pause, and never goes back.
func TestTicks(t *testing.T) {
	k := newTalk(t)
	k.handshake()
	k.say(0, "ask", 10)
	k.now += 3 * time.Hour
	k.say(1, "answer", 10)
	s, err := New(bytes.NewReader(capture(t, k.frames)))
	must(t, err)
	var last uint64
	n := 0
	must(t, s.Run(context.Background(), func(ev *event.Event) {
		if ev.Time < last && ev.Kind == event.Data {
			t.Errorf("event at %d after a tick at %d", ev.Time, last)
		}
	}, func(now uint64) {
		if now <= last {
			t.Errorf("tick %d after %d", now, last)
		}
		last = now
		n++
	}))
	if n < 10_000 || n > 50_000 {
		t.Errorf("%d ticks", n)
	}
}

// BenchmarkRun is the cost of a packet on its way to the events of both ends.
func BenchmarkRun(b *testing.B) {
	k := newTalk(b)
	k.handshake()
	for range 1000 {
		k.say(0, "question", 100)
		k.say(1, "answer", 100)
	}
	file := capture(b, k.frames)
	b.ReportAllocs()
	b.SetBytes(int64(len(file) / len(k.frames)))
	for n := 0; n < b.N; n += len(k.frames) {
		s, err := New(bytes.NewReader(file))
		must(b, err)
		must(b, s.Run(context.Background(), func(*event.Event) {}, func(uint64) {}))
	}
}
