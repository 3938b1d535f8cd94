package memcached

import "bytes"

// maxLine is how much is kept of a line that is cut. Keys have 250 bytes at most; only a get of many keys is longer, and then the
// rest of it does not matter.
const maxLine = 512

// maxLineSize bounds the whole: a get of thousands of keys.
const maxLineSize = 1 << 20

// line collects a line that may be cut over several calls.
type line struct {
	buf  []byte
	size int // of the line so far
}

// take returns the beginning of the line that b continues, without its CR LF, and how many bytes of b belong to it. text is nil while
// the end is missing.
func (l *line) take(b []byte) (text []byte, n int) {
	n = bytes.IndexByte(b, '\n') + 1
	if n == 0 {
		l.buf = append(l.buf, b[:min(len(b), maxLine-len(l.buf))]...)
		l.size += len(b)
		return nil, len(b)
	}
	text = b[:n]
	if l.size > 0 {
		l.buf = append(l.buf, b[:min(n, maxLine-len(l.buf))]...)
		text = l.buf
	}
	l.size = 0
	l.buf = l.buf[:0]
	text = text[:min(len(text), maxLine)]
	return bytes.TrimRight(text, "\r\n"), n
}

func (l *line) forget() { l.size, l.buf = 0, l.buf[:0] }

// words is a line cut at its spaces.
type words struct {
	w [24][]byte
	n int
}

func split(text []byte) (w words) {
	for len(text) > 0 && w.n < len(w.w) {
		i := bytes.IndexByte(text, ' ')
		if i < 0 {
			i = len(text)
		}
		if i > 0 {
			w.w[w.n] = text[:i]
			w.n++
		}
		text = text[min(i+1, len(text)):]
	}
	return w
}

// decimal reads a number that fits a size.
func decimal(b []byte) (n uint64, ok bool) {
	if len(b) == 0 || len(b) > 12 {
		return 0, false
	}
	for _, c := range b {
		if c-'0' > 9 {
			return 0, false
		}
		n = n*10 + uint64(c-'0')
	}
	return n, true
}

// flag finds a flag of the meta protocol among words: its argument, and whether it is there.
func (w *words) flag(from int, c byte) ([]byte, bool) {
	for i := from; i < w.n; i++ {
		if w.w[i][0] == c {
			return w.w[i][1:], true
		}
	}
	return nil, false
}

// hash tells opaque tokens and keys apart (FNV-1a); 0 is none.
func hash(b []byte) uint64 {
	h := uint64(14695981039346656037)
	for _, c := range b {
		h = (h ^ uint64(c)) * 1099511628211
	}
	return h | 1
}
