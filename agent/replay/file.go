package replay

import (
	"bufio"
	"compress/gzip"
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"github.com/gopacket/gopacket"
	"github.com/gopacket/gopacket/layers"
	"github.com/gopacket/gopacket/pcapgo"
)

// ErrForeign is returned for a file that is no packet capture.
var ErrForeign = errors.New("neither pcap nor pcapng")

// file reads the packets of a capture.
type file struct {
	// next returns one packet; its bytes are valid until the next call.
	next func() ([]byte, gopacket.CaptureInfo, error)
	// link returns the kind of the first header of a packet.
	link func(ci *gopacket.CaptureInfo) layers.LinkType
}

// The first four bytes of a capture, in the byte order of who wrote it.
const (
	magicMicroseconds = 0xa1b2c3d4 // draft-ietf-opsawg-pcap §4
	magicNanoseconds  = 0xa1b23c4d
	magicSection      = 0x0a0d0d0a // draft-ietf-opsawg-pcapng §4.1, a palindrome
)

// maxPacket is more than any link carries: 256 KiB is what libpcap calls MAXIMUM_SNAPLEN.
const maxPacket = 256 << 10

// openFile reads the header of a capture, which may be compressed.
func openFile(r io.Reader) (*file, error) {
	b := bufio.NewReaderSize(r, 64<<10)
	head, err := b.Peek(4)
	if err != nil {
		if errors.Is(err, io.EOF) {
			return nil, fmt.Errorf("%w: only %d bytes", ErrForeign, len(head))
		}
		return nil, err
	}
	if head[0] == 0x1f && head[1] == 0x8b && head[2] == 8 { // RFC 1952 §2.3.1: gzip, deflate
		z, err := gzip.NewReader(b)
		if err != nil {
			return nil, fmt.Errorf("unpack: %w", unexpected(err))
		}
		return openFile(z)
	}
	if binary.BigEndian.Uint32(head) == magicSection {
		return openNextGeneration(b)
	}
	for _, order := range []binary.ByteOrder{binary.LittleEndian, binary.BigEndian} {
		if m := order.Uint32(head); m == magicMicroseconds || m == magicNanoseconds {
			return openClassic(b, order)
		}
	}
	return nil, ErrForeign
}

func openClassic(b *bufio.Reader, order binary.ByteOrder) (*file, error) {
	// Some programs write the version in the other byte order than the rest; Wireshark does not mind either.
	if head, err := b.Peek(8); err == nil && order.Uint16(head[4:]) == 2<<8 && order.Uint16(head[6:]) == 4<<8 {
		order.PutUint16(head[4:], 2) // Peek shows the reader's own buffer
		order.PutUint16(head[6:], 4)
	}
	r, err := pcapgo.NewReader(b)
	if err != nil {
		return nil, fmt.Errorf("read the header: %w", unexpected(err))
	}
	r.SetSnaplen(max(r.Snaplen(), maxPacket)) // not every writer keeps to its own limit
	link := r.LinkType()
	return &file{next: r.ZeroCopyReadPacketData, link: func(*gopacket.CaptureInfo) layers.LinkType { return link }}, nil
}

func openNextGeneration(b *bufio.Reader) (*file, error) {
	r, err := pcapgo.NewNgReader(b, pcapgo.NgReaderOptions{WantMixedLinkType: true, SkipUnknownVersion: true})
	if err != nil {
		return nil, fmt.Errorf("read the header: %w", unexpected(err))
	}
	return &file{next: r.ZeroCopyReadPacketData, link: func(ci *gopacket.CaptureInfo) layers.LinkType {
		if len(ci.AncillaryData) > 0 {
			if l, ok := ci.AncillaryData[0].(layers.LinkType); ok {
				return l
			}
		}
		return r.LinkType()
	}}, nil
}

// unexpected says that an end of file comes too early.
func unexpected(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}
