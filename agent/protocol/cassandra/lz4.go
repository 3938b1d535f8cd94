package cassandra

import (
	"encoding/binary"

	"github.com/klauspost/compress/snappy"
)

// maxExpanded bounds what is expanded of a frame: names and metadata are at its start.
const maxExpanded = 64 << 10

// unlz4 expands an LZ4 block (lz4_Block_format.md) into dst, up to its capacity or the end of src, which may be cut: what it returns is right as
// far as it reaches.
func unlz4(dst, src []byte) []byte {
	length := func(n int) int {
		if n != 15 {
			return n
		}
		for len(src) > 0 {
			c := src[0]
			src = src[1:]
			n += int(c)
			if c != 255 || n > cap(dst) {
				break
			}
		}
		return n
	}
	for len(src) > 0 && len(dst) < cap(dst) {
		token := src[0]
		src = src[1:]
		n := min(length(int(token>>4)), len(src), cap(dst)-len(dst))
		dst = append(dst, src[:n]...)
		src = src[n:]
		if len(src) < 2 {
			return dst
		}
		offset := int(binary.LittleEndian.Uint16(src))
		src = src[2:]
		const leastMatch = 4
		n = min(length(int(token&15))+leastMatch, cap(dst)-len(dst))
		if offset == 0 || offset > len(dst) {
			return dst
		}
		for from := len(dst) - offset; n > 0; n-- {
			dst = append(dst, dst[from])
			from++
		}
	}
	return dst
}

// compression of frames in versions 3 and 4 (§5), from STARTUP.
type compression uint8

const (
	compressionUnknown compression = iota
	compressionLZ4
	compressionSnappy
)

// expand returns the start of a compressed body in p.out; nil when it cannot be had.
func (p *parser) expand(body []byte) []byte {
	if p.compression != compressionSnappy && len(body) > 4 {
		n := binary.BigEndian.Uint32(body)
		if n == 0 || n > maxFrame {
			return nil
		}
		return unlz4(p.room(int(min(n, maxExpanded)))[:0], body[4:])
	}
	if n, err := snappy.DecodedLen(body); err != nil || n > maxExpanded {
		return nil
	} else if out, err := snappy.Decode(p.room(n), body); err == nil {
		return out
	}
	return nil
}

// room returns n bytes that are valid until the next call.
func (p *parser) room(n int) []byte {
	if cap(p.out) < n {
		p.out = make([]byte, n)
	}
	return p.out[:n:n]
}
