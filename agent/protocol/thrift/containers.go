package thrift

// list reads the head of a list or set.
func (w *walker) list(b []byte) int {
	var t byte
	var size uint64
	n := 1
	if w.isCompact {
		// Up to 14 elements: their number and type in one byte.
		t, size = b[0]&15, uint64(b[0]>>4)
		if int(t) >= len(compactTypes) {
			w.fail()
			return 0
		}
		t = compactTypes[t]
		if size == 15 {
			var k int
			if size, k = w.size(b[1:]); k == 0 {
				return 0
			}
			n += k
		}
	} else {
		var k int
		if size, k = w.size(b[1:]); k == 0 {
			return 0
		}
		t, n = b[0], 1+k
	}
	w.contain(t, 0, size)
	return n
}

// dict reads the head of a map.
func (w *walker) dict(b []byte) int {
	if w.isCompact {
		size, n := w.size(b)
		if n == 0 {
			return 0
		}
		if size == 0 { // no types
			w.next = 0
			return n
		}
		if len(b) == n {
			return 0
		}
		k, v := b[n]>>4, b[n]&15
		if int(k) >= len(compactTypes) || int(v) >= len(compactTypes) || k == typeStop || v == typeStop {
			w.fail()
			return 0
		}
		w.contain(compactTypes[k], compactTypes[v], size)
		return n + 1
	}
	if len(b) < 2 {
		return 0
	}
	size, n := w.size(b[2:])
	if n == 0 {
		return 0
	}
	w.contain(b[0], b[1], size)
	return 2 + n
}

// contain enters a container; values is 0 for lists and sets.
func (w *walker) contain(keys, values byte, size uint64) {
	w.next = 0
	if size == 0 { // the types need not be any
		return
	}
	if !isType(keys) || values != 0 && !isType(values) {
		w.fail()
		return
	}
	k := w.fixed(keys)
	if values == 0 {
		if k > 0 {
			w.skip = size * uint64(k)
			return
		}
		w.push(level{keys: keys, left: size})
		return
	}
	if v := w.fixed(values); k > 0 && v > 0 {
		w.skip = size * uint64(k+v)
		return
	}
	w.push(level{keys: keys, values: values, left: 2 * size})
}

func isType(t byte) bool {
	return t >= typeString && t <= typeUUID || int(t) < len(binarySizes) && binarySizes[t] > 0
}
