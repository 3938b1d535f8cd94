package kafka

import "encoding/binary"

// prefix reads a length or number; -1 is null. Flexible versions have it as an unsigned varint, one more than it is.
func (w *walker) prefix(k kind, b []byte) (v int64, n int) {
	if w.compact {
		u, n := w.varint(b)
		return int64(u) - 1, n
	}
	switch k {
	case array, list, blob, records:
		if len(b) < 4 {
			return 0, 0
		}
		return int64(int32(binary.BigEndian.Uint32(b))), 4
	}
	if len(b) < 2 {
		return 0, 0
	}
	return int64(int16(binary.BigEndian.Uint16(b))), 2
}

// varint reads an unsigned varint of at most 5 bytes (KIP-482).
func (w *walker) varint(b []byte) (v uint64, n int) {
	for i, c := range b[:min(len(b), 5)] {
		v |= uint64(c&0x7f) << (7 * i)
		if c < 0x80 {
			if v > 1<<32-1 {
				break
			}
			return v, i + 1
		}
	}
	if len(b) >= 5 {
		w.fail()
	}
	return 0, 0
}

// text reads a text that is kept.
func (w *walker) text(k kind, b []byte) int {
	n := int(w.length)
	if len(b) < n {
		return 0
	}
	w.length = -1
	w.left -= uint64(n)
	w.levels[w.depth-1].at++
	w.found.text(k, b[:n])
	return n
}

// tagReplicaState is the tag of ReplicaState among the fields of a Fetch request (KIP-903, version 15).
const tagReplicaState = 1

// tagged reads the number of tagged fields, or the tag and the size of one of them.
func (w *walker) tagged(b []byte) int {
	v, n := w.varint(b)
	if n == 0 {
		return 0
	}
	if !w.inTags {
		if !w.pass(uint64(n)) || v > w.left {
			w.fail()
			return 0
		}
		w.inTags, w.tags = true, v
		return n
	}
	size, m := w.varint(b[n:])
	if m == 0 || !w.pass(uint64(n+m)) || !w.pass(size) {
		return 0
	}
	if v == tagReplicaState && w.depth == 1 && !w.inHeader {
		w.found.hasReplicaState = true
	}
	w.tags--
	w.skip = size
	return n + m
}
