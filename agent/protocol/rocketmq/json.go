package rocketmq

// scanner reads JSON (RFC 8259) without building anything.
type scanner struct {
	b  []byte
	at int
}

// maxNesting bounds values inside values.
const maxNesting = 8

// peek returns the next byte that is not white space, 0 at the end.
func (s *scanner) peek() byte {
	for s.at < len(s.b) {
		switch c := s.b[s.at]; c {
		case ' ', '\t', '\r', '\n':
			s.at++
		default:
			return c
		}
	}
	return 0
}

func (s *scanner) take(c byte) bool {
	if s.peek() != c {
		return false
	}
	s.at++
	return true
}

// object calls field for each member; field reads the value.
func (s *scanner) object(field func(s *scanner, name []byte) bool) bool {
	if !s.take('{') {
		return false
	}
	if s.take('}') {
		return true
	}
	for {
		name, ok := s.text()
		if !ok || !s.take(':') || !field(s, name) {
			return false
		}
		if s.take('}') {
			return true
		}
		if !s.take(',') {
			return false
		}
	}
}

// text reads a string and returns its bytes, escapes as they are.
func (s *scanner) text() ([]byte, bool) {
	if !s.take('"') {
		return nil, false
	}
	start := s.at
	for ; s.at < len(s.b); s.at++ {
		switch c := s.b[s.at]; {
		case c == '\\':
			s.at++
		case c == '"':
			s.at++
			return s.b[start : s.at-1], true
		case c < ' ':
			return nil, false
		}
	}
	return nil, false
}

// integer reads a whole number of 32 bits.
func (s *scanner) integer(into *int32, has *bool) bool {
	isNegative := s.take('-')
	s.peek()
	start := s.at
	n := int64(0)
	for ; s.at < len(s.b) && s.b[s.at] >= '0' && s.b[s.at] <= '9' && n < 1<<32; s.at++ {
		n = n*10 + int64(s.b[s.at]-'0')
	}
	if isNegative {
		n = -n
	}
	*into, *has = int32(n), true
	return s.at > start && n == int64(int32(n))
}

// skip passes over any value.
func (s *scanner) skip(depth int) bool {
	switch c := s.peek(); {
	case c == '"':
		_, ok := s.text()
		return ok
	case c == '{':
		return depth < maxNesting && s.object(func(s *scanner, _ []byte) bool { return s.skip(depth + 1) })
	case c == '[':
		return depth < maxNesting && s.array(depth)
	}
	start := s.at
	for ; s.at < len(s.b); s.at++ {
		if c := s.b[s.at]; c == ',' || c == '}' || c == ']' || c <= ' ' {
			break
		}
	}
	return s.at > start
}

func (s *scanner) array(depth int) bool {
	s.at++
	if s.take(']') {
		return true
	}
	for s.skip(depth + 1) {
		if s.take(']') {
			return true
		}
		if !s.take(',') {
			return false
		}
	}
	return false
}
