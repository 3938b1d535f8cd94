package dubbo

import "bytes"

// texts reads the strings at the start of a body in the way of a serialization.
type texts struct {
	serial byte
	b      []byte
}

// next returns the next string, or false when it is not one, or not there as a whole.
func (t *texts) next() (s []byte, ok bool) {
	switch t.serial {
	case serialHessian2:
		return t.hessian()
	case serialKryo, serialKryo2:
		return t.kryo()
	case serialFastjson:
		return t.json()
	}
	return nil, false
}

// hessian reads a string of Hessian 2: x00-x1f is its length, x30-x33 the upper bits of one in two bytes, S before a length of two bytes. The
// length is in characters; names have one byte each.
func (t *texts) hessian() ([]byte, bool) {
	if len(t.b) == 0 {
		return nil, false
	}
	n, head := 0, 1
	switch c := t.b[0]; {
	case c <= 0x1f:
		n = int(c)
	case c >= 0x30 && c <= 0x33 && len(t.b) > 1:
		n, head = int(c-0x30)<<8|int(t.b[1]), 2
	case c == 'S' && len(t.b) > 2:
		n, head = int(t.b[1])<<8|int(t.b[2]), 3
	default:
		return nil, false
	}
	return t.take(head, n)
}

// kryo reads a string of Kryo (com.esotericsoftware.kryo.io.Output.writeString): ASCII text has its end marked in the upper bit of its last byte.
// Others, and those of one character or of 64 and more, have a length first, one more than it is, in 6 bits and further ones in 7.
func (t *texts) kryo() ([]byte, bool) {
	if len(t.b) == 0 {
		return nil, false
	}
	if c := t.b[0]; c&0x80 != 0 {
		n, head := int(c&0x3f), 1
		if c&0x40 != 0 {
			if len(t.b) < 2 || t.b[1]&0x80 != 0 {
				return nil, false
			}
			n, head = n|int(t.b[1])<<6, 2
		}
		return t.take(head, max(0, n-1))
	}
	for i, c := range t.b {
		if c&0x80 != 0 {
			s := append([]byte(nil), t.b[:i+1]...)
			s[i] &= 0x7f
			t.b = t.b[i+1:]
			return s, true
		}
	}
	return nil, false
}

// json reads a string of Fastjson: each is a line.
func (t *texts) json() ([]byte, bool) {
	line, rest, ok := bytes.Cut(t.b, []byte{'\n'})
	line = bytes.TrimSuffix(line, []byte{'\r'})
	if !ok || len(line) < 2 || line[0] != '"' || line[len(line)-1] != '"' {
		return nil, false
	}
	t.b = rest
	return line[1 : len(line)-1], true
}

func (t *texts) take(head, n int) ([]byte, bool) {
	if len(t.b) < head+n {
		return nil, false
	}
	s := t.b[head : head+n]
	t.b = t.b[head+n:]
	return s, true
}

// invocation reads the names at the start of a request (DecodeableRpcInvocation): the version of Dubbo, the path, the version of the service,
// the method.
func invocation(serial byte, body []byte) (path, method []byte, ok bool) {
	t := texts{serial: serial, b: body}
	if _, ok = t.next(); !ok {
		return nil, nil, false
	}
	if path, ok = t.next(); !ok || !isName(path) {
		return nil, nil, false
	}
	if _, ok = t.next(); !ok {
		return nil, nil, false
	}
	if method, ok = t.next(); !ok || !isName(method) {
		return nil, nil, false
	}
	return path, method, true
}

// maxName bounds a path or method.
const maxName = 256

// isName accepts names of Java, and paths.
func isName(b []byte) bool {
	for _, c := range b {
		switch {
		case 'a' <= c|0x20 && c|0x20 <= 'z', '0' <= c && c <= '9', c == '.', c == '_', c == '$', c == '/', c == '-', c == ':':
		default:
			return false
		}
	}
	return len(b) > 0 && len(b) <= maxName
}

// exception reports whether a result is an exception, and its class where that is written first. The kinds of results
// (DecodeableRpcResult): 0 exception, 1 value, 2 null, and 3 to 5 the same with attachments.
func exception(serial byte, body []byte) (class []byte, isException, ok bool) {
	if len(body) == 0 {
		return nil, false, false
	}
	kind := body[0]
	switch serial {
	case serialHessian2:
		kind -= 0x90 // an integer of one byte
	case serialFastjson:
		kind -= '0'
	case serialKryo, serialKryo2:
	default:
		return nil, false, false
	}
	if kind > 5 {
		return nil, false, false
	}
	if kind%3 != 0 {
		return nil, false, true
	}
	if rest := body[1:]; serial == serialHessian2 && len(rest) > 1 && rest[0] == 'C' { // a class definition
		t := texts{serial: serial, b: rest[1:]}
		if class, ok = t.next(); !ok || !isName(class) {
			class = nil
		}
	}
	return class, true, true
}
