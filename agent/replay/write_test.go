package replay

import (
	"bytes"
	"net"
	"net/netip"
	"testing"
	"time"

	"github.com/gopacket/gopacket"
	"github.com/gopacket/gopacket/layers"
	"github.com/gopacket/gopacket/pcapgo"
)

// frame is a packet of a capture that a test writes.
type frame struct {
	at   time.Duration
	data []byte
	cut  int // bytes that the snap length takes away
}

var (
	clientEnd = netip.MustParseAddrPort("10.0.0.9:40000")
	serverEnd = netip.MustParseAddrPort("10.0.0.1:80")
)

// talk writes the segments of one TCP connection between clientEnd and serverEnd.
type talk struct {
	t      testing.TB
	now    time.Duration
	seq    [2]uint32 // of the client, of the server
	frames []frame
}

func newTalk(t testing.TB) *talk { return &talk{t: t, seq: [2]uint32{0xfffffff0, 0x7fffff00}} }

func (k *talk) handshake() {
	k.segment(0, nil, func(s *layers.TCP) { s.SYN, s.ACK, s.Ack = true, false, 0 })
	k.seq[0]++
	k.segment(1, nil, func(s *layers.TCP) { s.SYN = true })
	k.seq[1]++
	k.segment(0, nil, nil)
}

// say sends text in segments of at most size bytes.
func (k *talk) say(from int, text string, size int) {
	for len(text) > 0 {
		n := min(size, len(text))
		k.segment(from, []byte(text[:n]), func(s *layers.TCP) { s.PSH = true })
		k.seq[from] += uint32(n)
		text = text[n:]
	}
}

func (k *talk) fin(from int) {
	k.segment(from, nil, func(s *layers.TCP) { s.FIN = true })
	k.seq[from]++
}

func (k *talk) segment(from int, payload []byte, change func(*layers.TCP)) {
	src, dst := clientEnd, serverEnd
	if from == 1 {
		src, dst = dst, src
	}
	tcp := &layers.TCP{
		SrcPort: layers.TCPPort(src.Port()), DstPort: layers.TCPPort(dst.Port()),
		Seq: k.seq[from], Ack: k.seq[1-from], ACK: true, Window: 65535,
	}
	if change != nil {
		change(tcp)
	}
	k.now += time.Millisecond
	k.frames = append(k.frames, frame{at: k.now, data: serialize(k.t, src.Addr(), dst.Addr(), tcp, payload)})
}

func serialize(t testing.TB, src, dst netip.Addr, transport gopacket.SerializableLayer, payload []byte) []byte {
	t.Helper()
	eth := &layers.Ethernet{SrcMAC: net.HardwareAddr{2, 0, 0, 0, 0, 1}, DstMAC: net.HardwareAddr{2, 0, 0, 0, 0, 2}, EthernetType: layers.EthernetTypeIPv4}
	ip4 := &layers.IPv4{Version: 4, TTL: 64, Protocol: layers.IPProtocolTCP, SrcIP: src.AsSlice(), DstIP: dst.AsSlice()}
	ip6 := &layers.IPv6{Version: 6, HopLimit: 64, NextHeader: layers.IPProtocolTCP, SrcIP: src.AsSlice(), DstIP: dst.AsSlice()}
	var network gopacket.SerializableLayer = ip4
	var forSum gopacket.NetworkLayer = ip4
	if src.Is6() {
		eth.EthernetType, network, forSum = layers.EthernetTypeIPv6, ip6, ip6
	}
	switch l := transport.(type) {
	case *layers.TCP:
		must(t, l.SetNetworkLayerForChecksum(forSum))
	case *layers.UDP:
		ip4.Protocol, ip6.NextHeader = layers.IPProtocolUDP, layers.IPProtocolUDP
		must(t, l.SetNetworkLayerForChecksum(forSum))
	}
	b := gopacket.NewSerializeBuffer()
	must(t, gopacket.SerializeLayers(b, gopacket.SerializeOptions{FixLengths: true, ComputeChecksums: true}, eth, network, transport, gopacket.Payload(payload)))
	return bytes.Clone(b.Bytes())
}

// epoch is when captures of tests begin.
var epoch = time.Unix(1_790_000_000, 0)

func capture(t testing.TB, frames []frame) []byte {
	t.Helper()
	var out bytes.Buffer
	w := pcapgo.NewWriterNanos(&out)
	must(t, w.WriteFileHeader(262144, layers.LinkTypeEthernet))
	for _, f := range frames {
		must(t, w.WritePacket(gopacket.CaptureInfo{
			Timestamp: epoch.Add(f.at), CaptureLength: len(f.data) - f.cut, Length: len(f.data),
		}, f.data[:len(f.data)-f.cut]))
	}
	return out.Bytes()
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func v6(n byte) netip.Addr { return netip.AddrFrom16([16]byte{0: 0xfd, 15: n}) }
