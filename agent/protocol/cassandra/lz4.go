package cassandra

import "encoding/binary"

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
			if c != 255 { // all of them are read, even where there is less room: literals follow
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
