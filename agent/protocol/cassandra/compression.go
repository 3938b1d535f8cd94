package cassandra

import "encoding/binary"

// maxExpanded bounds what is expanded of a frame: names and metadata are at its start.
const maxExpanded = 64 << 10

// compression of frames in versions 3 and 4 (§5), from STARTUP.
type compression uint8

const (
	compressionUnknown compression = iota
	compressionLZ4
	compressionSnappy
)

// expand returns the start of a compressed body, which may be cut, in p.out; isWhole: it is all of it, or as much as is expanded at most. Where STARTUP was not seen, the first byte
// tells: LZ4 begins with the size in four bytes, of which the first is zero up to 16 MiB, Snappy with a varint, of which it never is.
func (p *parser) expand(body []byte) (out []byte, isWhole bool) {
	if len(body) == 0 {
		return nil, false
	}
	c := p.compression
	if c == compressionUnknown {
		if c = compressionSnappy; body[0] == 0 {
			c = compressionLZ4
		}
	}
	const lz4Size = 4
	unpack, n, size := unsnappy, uint64(0), 0
	if c == compressionSnappy {
		n, size = binary.Uvarint(body)
	} else if len(body) > lz4Size {
		unpack, n, size = unlz4, uint64(binary.BigEndian.Uint32(body)), lz4Size
	}
	if size <= 0 || n == 0 || n > maxFrame {
		return nil, false
	}
	n = min(n, maxExpanded)
	out = unpack(p.room(int(n))[:0], body[size:])
	return out, len(out) == int(n)
}

// room returns n bytes that are valid until the next call.
func (p *parser) room(n int) []byte {
	if cap(p.out) < n {
		p.out = make([]byte, n)
	}
	return p.out[:n:n]
}
