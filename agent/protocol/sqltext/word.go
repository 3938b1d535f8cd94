package sqltext

import "unicode/utf8"

// word reads a name or a keyword.
func (s *scanner) word() {
	start := s.i
	isASCII := true
	for s.i < len(s.in) && (isWord(s.in[s.i]) || s.in[s.i] == '$') {
		isASCII = isASCII && s.in[s.i] < utf8.RuneSelf
		s.i++
	}
	w := s.in[start:s.i]
	if s.prefixed(w) {
		return
	}
	if !isASCII && !utf8.Valid(w) { // another encoding: bytes may be quotes that are none
		s.isStopped = true
		return
	}
	s.name(w)
}

// prefixed reads the string that a word introduces: E'…', x'…', _utf8'…'.
func (s *scanner) prefixed(w []byte) bool {
	quote := s.peek(0)
	if s.dialect != PostgreSQL {
		return s.introduced(w)
	}
	if len(w) != 1 {
		return false
	}
	switch w[0] | 0x20 {
	case 'e':
		if quote == '\'' {
			s.literal(1, '\'', escaping)
			return true
		}
	case 'b', 'x', 'n':
		if quote == '\'' {
			s.literal(1, '\'', doubtful)
			return true
		}
	case 'u':
		if quote == '&' && s.peek(1) == '\'' {
			s.literal(2, '\'', doubtful)
			return true
		}
	}
	return false
}

// introduced drops what stands before a string of MySQL: the string itself comes next.
func (s *scanner) introduced(w []byte) bool {
	i := s.i
	if len(w) == 1 {
		switch w[0] | 0x20 {
		case 'b', 'x', 'n':
			return i < len(s.in) && s.in[i] == '\''
		}
		return false
	}
	if w[0] != '_' {
		return false
	}
	for i < len(s.in) && isSpace(s.in[i]) {
		i++
	}
	return i < len(s.in) && (s.in[i] == '\'' || s.in[i] == '"')
}

// name writes a name or keyword, or the "?" for what is as good as a literal.
func (s *scanner) name(w []byte) {
	switch {
	case s.verb == "":
		s.verb = upper(verbs, w)
		if s.verb == "" {
			s.verb = Other
		}
		if s.operation == "" {
			s.operation = s.verb
		}
	case s.operation == "WITH" && s.verb == "WITH" && s.depth == 0:
		if v := upper(mainVerbs, w); v != "" {
			s.operation, s.verb = v, v
		}
	case s.verb == "SET" && s.isValue, upper(nameVerbs, []byte(s.verb)) != "" && upper(plainWords, w) == "":
		s.put("?", literal)
		return
	}
	if (s.prev == open || s.prev == comma) && upper(constants, w) != "" {
		s.put("?", literal)
		return
	}
	isTo := len(w) == 2 && w[0]|0x20 == 't' && w[1]|0x20 == 'o'
	s.putBytes(w, word)
	s.isValue = isTo
}
