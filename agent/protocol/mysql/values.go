package mysql

// queryText passes over the attributes before a statement (CLIENT_QUERY_ATTRIBUTES, "COM_QUERY").
func queryText(b []byte) (text []byte, ok bool) {
	const sets = 1
	if len(b) < 2 || b[1] != sets {
		return b, true
	}
	n := int(b[0])
	if b = b[2:]; n == 0 {
		return b, true
	}
	nulls := b
	size := (n + 7) / 8
	if n > 0xfa || len(b) < size+1 || b[size] != 1 { // new-params-bind-flag
		return nil, false
	}
	nulls, b = b[:size], b[size+1:]
	var types [0xfb]byte
	for i := range n {
		if len(b) < 2 {
			return nil, false
		}
		types[i] = b[0]
		if b, ok = skipString(b[2:]); !ok {
			return nil, false
		}
	}
	for i := range n {
		if nulls[i/8]>>(i%8)&1 == 1 {
			continue
		}
		if b, ok = skipValue(b, types[i]); !ok {
			return nil, false
		}
	}
	return b, true
}

// skipValue passes over a value of the binary protocol ("Binary Protocol Value").
func skipValue(b []byte, kind byte) (rest []byte, ok bool) {
	n := 0
	switch kind {
	case 0x01: // TINY
		n = 1
	case 0x02, 0x0d: // SHORT, YEAR
		n = 2
	case 0x03, 0x04, 0x09: // LONG, FLOAT, INT24
		n = 4
	case 0x05, 0x08: // DOUBLE, LONGLONG
		n = 8
	case 0x06: // NULL
	case 0x07, 0x0a, 0x0b, 0x0c: // TIMESTAMP, DATE, TIME, DATETIME
		if len(b) < 1 {
			return nil, false
		}
		n = 1 + int(b[0])
	default:
		return skipString(b)
	}
	if len(b) < n {
		return nil, false
	}
	return b[n:], true
}

// skipString passes over a string with its length before it.
func skipString(b []byte) (rest []byte, ok bool) {
	n, k := lenenc(b)
	if k == 0 || uint64(len(b)-k) < n {
		return nil, false
	}
	return b[k+int(n):], true
}

// lenenc reads a length-encoded integer and the bytes it takes, 0 when it is none.
func lenenc(b []byte) (v uint64, n int) {
	if len(b) == 0 {
		return 0, 0
	}
	switch b[0] {
	case 0xfc:
		n = 3
	case 0xfd:
		n = 4
	case 0xfe:
		n = 9
	case 0xfb, 0xff:
		return 0, 0
	default:
		return uint64(b[0]), 1
	}
	if len(b) < n {
		return 0, 0
	}
	for i := n - 1; i > 0; i-- {
		v = v<<8 | uint64(b[i])
	}
	return v, n
}
