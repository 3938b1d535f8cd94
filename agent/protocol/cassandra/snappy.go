package cassandra

// unsnappy expands what follows the size of a Snappy block (format_description.txt) into dst, up to its capacity or the end of src, which may be
// cut: what it returns is right as far as it reaches. It is empty for what is no such block.
func unsnappy(dst, src []byte) []byte {
	number := func(n int) (v int, ok bool) {
		if len(src) < n {
			src = nil
			return 0, false
		}
		for i := range n {
			v |= int(src[i]) << (8 * i)
		}
		src = src[n:]
		return v, true
	}
	const literal, near, far = 0, 1, 2
	for len(src) > 0 && len(dst) < cap(dst) {
		tag := int(src[0])
		src = src[1:]
		if tag&3 == literal {
			const inTag = 60 // lengths beyond are in as many bytes as the tag exceeds it by, less one
			n, ok := tag>>2, true
			if n >= inTag {
				n, ok = number(n - inTag + 1)
			}
			if !ok || n < 0 || n >= maxFrame {
				return dst
			}
			n = min(n+1, len(src), cap(dst)-len(dst))
			dst, src = append(dst, src[:n]...), src[n:]
			continue
		}
		n, offset, ok := tag>>2+1, 0, false
		switch tag & 3 {
		case near: // 4 to 11 bytes, up to 2047 back
			n = tag>>2&7 + 4
			offset, ok = number(1)
			offset |= tag >> 5 << 8
		case far:
			offset, ok = number(2)
		default:
			offset, ok = number(4)
		}
		if !ok {
			return dst
		}
		if offset <= 0 || offset > len(dst) {
			return dst[:0]
		}
		n = min(n, cap(dst)-len(dst))
		for from := len(dst) - offset; n > 0; n-- {
			dst = append(dst, dst[from])
			from++
		}
	}
	return dst
}
