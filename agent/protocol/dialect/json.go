package dialect

// scanner reads JSON (RFC 8259) as it comes, cut anywhere, and shows each value with its place to a visitor. It checks only as much as
// it needs to know the place, and keeps nothing but the names that lead there. Several values may follow each other.
type scanner struct {
	visit  visitor
	state  scanState
	depth  int
	object uint64        // bit d: the value at depth d is an object, not an array
	keys   [maxPath]name // keys[d] is the name of the member at depth d, from 1 on
	isKey  bool          // the next string is a name
	inKey  bool          // the string being read is one
	wanted bool          // its text goes to the visitor
	hex    uint16        // of an escape
	digits uint8         // of it
	small  [1]byte
}

// visitor is shown values. A value at the top has depth 0, a member of an object at the top depth 1.
type visitor interface {
	// open says that a value begins: kind is its first byte. It returns whether text is to be called with its text: that of a string
	// without escapes and what is not ASCII, or of a number or literal.
	open(s *scanner, kind byte) (wanted bool)
	text(b []byte)
	// shut says that a value whose text was wanted has ended; end that one at the top has.
	shut()
	end()
}

type scanState uint8

const (
	scanBetween scanState = iota
	scanString
	scanEscape
	scanHex
	scanScalar
	scanLost // this is no JSON, or bytes are missing: until reset
)

const (
	// maxPath bounds the depth of members that a visitor can tell.
	maxPath = 5
	// maxDepth is the number of bits of scanner.object.
	maxDepth = 63
)

// name is a name as far as it is kept.
type name struct {
	b [64]byte
	n uint8 // more than fit: it is longer
}

func (n *name) add(c byte) {
	if int(n.n) < len(n.b) {
		n.b[n.n] = c
	}
	if int(n.n) <= len(n.b) {
		n.n++
	}
}

// String returns the name; of a long one the start.
func (n *name) String() string {
	if int(n.n) > len(n.b) {
		return string(n.b[:]) + "…"
	}
	return string(n.b[:n.n])
}

func (n *name) equals(o *name) bool {
	k := min(int(n.n), len(n.b))
	return n.n == o.n && string(n.b[:k]) == string(o.b[:k])
}

func (n *name) addAll(b []byte) {
	for _, c := range b {
		n.add(c)
	}
}

// reset forgets the place: what comes next is a new value.
func (s *scanner) reset() {
	s.state, s.depth, s.isKey, s.inKey, s.wanted = scanBetween, 0, false, false, false
}

// at reports whether the present value is the member of members of these names, one for each depth. "" stands for an array.
func (s *scanner) at(path ...string) bool {
	if s.depth != len(path) {
		return false
	}
	for i, p := range path {
		if (p == "") == s.inObject(i+1) || p != "" && !s.is(i+1, p) {
			return false
		}
	}
	return true
}

func (s *scanner) is(depth int, want string) bool {
	k := &s.keys[depth-1]
	return int(k.n) == len(want) && string(k.b[:k.n]) == want
}

func (s *scanner) inObject(depth int) bool { return s.object>>depth&1 == 1 }

// read takes the next bytes.
func (s *scanner) read(b []byte) {
	for len(b) > 0 && s.state != scanLost {
		n := 1
		switch s.state {
		case scanBetween:
			s.token(b[0])
		case scanString:
			n = s.string(b)
		case scanEscape:
			s.escape(b[0])
		case scanHex:
			s.hexDigit(b[0])
		case scanScalar:
			n = s.scalar(b)
		}
		b = b[n:]
	}
}

// token acts on a byte between values.
func (s *scanner) token(c byte) {
	switch c {
	case ' ', '\t', '\r', '\n':
	case '{', '[':
		s.visit.open(s, c)
		if s.depth++; s.depth > maxDepth {
			s.state = scanLost
			return
		}
		s.object &^= 1 << s.depth
		if c == '{' {
			s.object |= 1 << s.depth
		}
		s.isKey = c == '{'
	case '}', ']':
		if s.depth == 0 || s.inObject(s.depth) != (c == '}') {
			s.state = scanLost
			return
		}
		s.isKey = false
		if s.depth--; s.depth == 0 {
			s.visit.end()
		}
	case ',':
		s.isKey = s.inObject(s.depth) && s.depth > 0
	case ':':
		s.isKey = false
	case '"':
		s.state, s.inKey = scanString, s.isKey
		if !s.inKey {
			s.wanted = s.visit.open(s, c)
		} else if s.depth <= maxPath {
			s.keys[s.depth-1].n = 0
		}
	default:
		if c != '-' && (c < '0' || c > '9') && c != 't' && c != 'f' && c != 'n' || s.isKey {
			s.state = scanLost
			return
		}
		s.state = scanScalar
		if s.wanted = s.visit.open(s, c); s.wanted {
			s.small[0] = c
			s.visit.text(s.small[:])
		}
	}
}

// string reads text up to what ends it or escapes, and returns how many bytes.
func (s *scanner) string(b []byte) int {
	i := 0
	for i < len(b) && b[i] != '"' && b[i] != '\\' {
		i++
	}
	s.give(b[:i])
	if i == len(b) {
		return i
	}
	if b[i] == '\\' {
		s.state = scanEscape
		return i + 1
	}
	s.state = scanBetween
	s.shut()
	return i + 1
}

func (s *scanner) shut() {
	if s.wanted {
		s.wanted = false
		s.visit.shut()
	}
}

// give hands on text of the string being read.
func (s *scanner) give(b []byte) {
	switch {
	case s.wanted:
		s.visit.text(b)
	case s.inKey && s.depth <= maxPath:
		s.keys[s.depth-1].addAll(b)
	}
}

// escape acts on the byte after a backslash (RFC 8259 §7).
func (s *scanner) escape(c byte) {
	s.state = scanString
	switch c {
	case 'u':
		s.state, s.hex, s.digits = scanHex, 0, 0
		return
	case 'n':
		c = '\n'
	case 't', 'r', 'b', 'f':
		c = ' '
	}
	s.small[0] = c
	s.give(s.small[:])
}

func (s *scanner) hexDigit(c byte) {
	switch {
	case c >= '0' && c <= '9':
		c -= '0'
	case c|0x20 >= 'a' && c|0x20 <= 'f':
		c = c | 0x20 - 'a' + 10
	default:
		s.state = scanLost
		return
	}
	s.hex = s.hex<<4 | uint16(c)
	if s.digits++; s.digits < 4 {
		return
	}
	s.state = scanString
	s.small[0] = '?'
	if s.hex < 0x80 {
		s.small[0] = byte(s.hex)
	}
	s.give(s.small[:])
}

// scalar reads a number or literal and returns how many bytes belong to it.
func (s *scanner) scalar(b []byte) int {
	i := 0
	for i < len(b) && b[i] != ',' && b[i] != '}' && b[i] != ']' && b[i] > ' ' {
		i++
	}
	if s.wanted && i > 0 {
		s.visit.text(b[:i])
	}
	if i < len(b) {
		s.state = scanBetween
		s.shut()
	}
	return i
}
