package replay

import (
	"net/netip"
	"time"

	"github.com/gopacket/gopacket"
	"github.com/gopacket/gopacket/ip4defrag"
	"github.com/gopacket/gopacket/layers"
)

// packet is a TCP segment or a UDP datagram.
type packet struct {
	time     uint64 // nanoseconds since 1970
	src, dst netip.AddrPort
	isUDP    bool

	syn, fin, rst, hasAck bool
	seq, ack              uint32

	n       uint32 // bytes of payload that were sent
	payload []byte // those of them that were captured
}

// decoder finds the transport header of packets. It puts fragments of IPv4 together; those of IPv6 are not read, since the
// library tells their senders not apart.
type decoder struct{ fragments *ip4defrag.IPv4Defragmenter }

func newDecoder() *decoder { return &decoder{ip4defrag.NewIPv4Defragmenter()} }

// firstLayer says how the packets of a link begin.
func firstLayer(l layers.LinkType) (gopacket.Decoder, bool) {
	switch l {
	case layers.LinkTypeIPv4:
		return layers.LayerTypeIPv4, true
	case layers.LinkTypeIPv6:
		return layers.LayerTypeIPv6, true
	case layers.LinkTypeEthernet, layers.LinkTypeLinuxSLL, layers.LinkTypeLinuxSLL2, layers.LinkTypeRaw,
		layers.LinkTypeNull, layers.LinkTypeLoop, layers.LinkTypePPP, layers.LinkTypeIEEE802_11, layers.LinkTypeIEEE80211Radio:
		return l, true
	case 12, 14: // LINKTYPE_RAW as BSDs number it
		return layers.LinkTypeRaw, true
	}
	return nil, false
}

var lazy = gopacket.DecodeOptions{Lazy: true, NoCopy: true}

// decode reports false for what is no TCP or UDP, and for a fragment whose others have not come. The payload is valid as long
// as b is.
func (d *decoder) decode(first gopacket.Decoder, b []byte, ci gopacket.CaptureInfo) (p packet, ok bool) {
	p.time = uint64(max(0, ci.Timestamp.UnixNano()))
	decoded := gopacket.NewPacket(b, first, lazy)
	switch ip := decoded.NetworkLayer().(type) {
	case *layers.IPv4:
		p.src, p.dst = address(ip.SrcIP), address(ip.DstIP)
		if ip.Flags&layers.IPv4MoreFragments != 0 || ip.FragOffset != 0 {
			whole := d.assemble(first, b, ci)
			if whole == nil {
				return p, false
			}
			return p, p.readTransport(gopacket.NewPacket(whole.Payload, whole.NextLayerType(), lazy), 0)
		}
		return p, p.readTransport(decoded, int(ip.Length)-4*int(ip.IHL))
	case *layers.IPv6:
		p.src, p.dst = address(ip.SrcIP), address(ip.DstIP)
		t := decoded.TransportLayer()
		if t == nil || decoded.Layer(layers.LayerTypeIPv6Fragment) != nil {
			return p, false
		}
		extensions := len(ip.LayerPayload()) - len(t.LayerContents()) - len(t.LayerPayload())
		return p, p.readTransport(decoded, int(ip.Length)-extensions)
	}
	return p, false
}

// assemble takes one fragment, and returns the datagram once it was the last.
func (d *decoder) assemble(first gopacket.Decoder, b []byte, ci gopacket.CaptureInfo) *layers.IPv4 {
	if ci.CaptureLength < ci.Length {
		return nil // what is cut off cannot be put together
	}
	own := gopacket.NewPacket(b, first, gopacket.DecodeOptions{Lazy: true}) // keeps a copy, as the library keeps fragments
	whole, err := d.fragments.DefragIPv4WithTimestamp(own.NetworkLayer().(*layers.IPv4), ci.Timestamp)
	if err != nil {
		return nil
	}
	return whole
}

// readTransport reads the header of TCP or UDP. length is that of header and payload as they were sent; packets longer than IP can
// say, which a network card has put together, have none.
func (p *packet) readTransport(decoded gopacket.Packet, length int) bool {
	switch t := decoded.TransportLayer().(type) {
	case *layers.TCP:
		p.src, p.dst = withPort(p.src, uint16(t.SrcPort)), withPort(p.dst, uint16(t.DstPort))
		p.syn, p.fin, p.rst, p.hasAck, p.seq, p.ack = t.SYN, t.FIN, t.RST, t.ACK, t.Seq, t.Ack
		p.payload = t.Payload
		p.n = uint32(max(len(p.payload), length-len(t.Contents)))
	case *layers.UDP:
		const header = 8
		p.isUDP = true
		p.src, p.dst = withPort(p.src, uint16(t.SrcPort)), withPort(p.dst, uint16(t.DstPort))
		p.payload = t.Payload
		p.n = uint32(max(len(p.payload), int(t.Length)-header))
	default:
		return false
	}
	return true
}

// forget drops fragments whose others never came.
func (d *decoder) forget(now uint64) {
	const patience = 30 * time.Second // RFC 8200 §4.5 gives 60
	d.fragments.DiscardOlderThan(time.Unix(0, int64(now)).Add(-patience))
}

func address(ip []byte) netip.AddrPort {
	a, _ := netip.AddrFromSlice(ip)
	return netip.AddrPortFrom(a.Unmap(), 0)
}

func withPort(a netip.AddrPort, port uint16) netip.AddrPort {
	return netip.AddrPortFrom(a.Addr(), port)
}
