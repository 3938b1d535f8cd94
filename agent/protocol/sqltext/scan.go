package sqltext

import (
	"unicode/utf8"
)

// scanner goes once through a statement.
type scanner struct {
	dialect   Dialect
	in        []byte
	i         int
	operation string // of the first statement
	verb      string // of the one being read
	isStopped bool   // the rest is left out
	writer
}

// run reads until the end, or until the template is full or in doubt.
func (s *scanner) run(isCut bool) {
	s.out = s.out[:0:MaxTemplate]
	for s.i < len(s.in) && !s.isStopped {
		s.token()
		s.isStopped = s.isStopped || s.isFull
	}
	if s.isStopped || isCut {
		s.ellipsis()
	}
	if n := len(s.out); n > 0 && s.out[n-1] == ';' {
		s.out = s.out[:n-1]
	}
}

func (s *scanner) peek(n int) byte {
	if s.i+n < len(s.in) {
		return s.in[s.i+n]
	}
	return 0
}

// token reads one token, white space or a comment.
func (s *scanner) token() {
	c := s.in[s.i]
	switch {
	case isSpace(c):
		s.i++
		s.space = true
	case c == '-' && s.peek(1) == '-' && s.isDashComment(), c == '#' && s.dialect != PostgreSQL:
		s.skipLine()
	case c == '/' && s.peek(1) == '*':
		s.comment()
	case c == '\'':
		e := escaping
		if s.dialect != MySQL {
			e = doubtful
		}
		s.literal(1, c, e)
	case c == '"' && s.dialect != PostgreSQL:
		s.literal(1, c, doubtful) // it is a name in the mode ANSI_QUOTES, and then has no escapes
	case c == '"', c == '`' && s.dialect != PostgreSQL:
		s.quotedName()
	case isDigit(c), c == '.' && isDigit(s.peek(1)):
		s.i = skipNumber(s.in, s.i)
		s.put("?", literal)
	case isWord(c):
		s.word()
	case c == '$':
		s.dollar()
	case (c == '-' || c == '+') && s.isSign():
		s.i++
	default:
		s.symbol(c)
	}
}

// isSign reports whether a plus or minus belongs to the number behind it.
func (s *scanner) isSign() bool {
	next := s.peek(1)
	return (isDigit(next) || next == '.') && (s.prev == open || s.prev == comma || s.prev == symbol)
}

// literal reads a string whose content begins n bytes on.
func (s *scanner) literal(n int, quote byte, e escapes) {
	end, ok := skipString(s.in, s.i+n, quote, e)
	if !ok {
		s.isStopped, end = true, len(s.in)
	}
	s.i = end
	s.put("?", literal)
}

func (s *scanner) quotedName() {
	end, ok := skipName(s.in, s.i)
	if !ok {
		s.isStopped = true
		return
	}
	s.name(s.in[s.i:end])
	s.i = end
}

// dollar reads $1, $tag$…$tag$ or a name that begins with a dollar.
func (s *scanner) dollar() {
	n := dollarTag(s.in, s.i)
	switch {
	case isDigit(s.peek(1)):
		s.i = skipNumber(s.in, s.i+1)
		s.put("?", literal)
	case n > 0 && s.dialect == PostgreSQL:
		s.i = skipDollar(s.in, s.i, n)
		s.put("?", literal)
	case n > 0: // a name, or a string in the newest versions
		s.isStopped = true
	default:
		s.symbol('$')
	}
}

func (s *scanner) symbol(c byte) {
	s.i++
	switch {
	case c == '(':
		s.put("(", open)
	case c == ')':
		s.put(")", closed)
	case c == ',':
		s.put(",", comma)
	case c == ';':
		s.put(";", semicolon)
		s.verb = ""
	case c == '?' && s.dialect != PostgreSQL:
		s.put("?", literal)
	case c < ' ' || c >= utf8.RuneSelf || c == 0x7f:
		s.isStopped = true
	default:
		s.putBytes(s.in[s.i-1:s.i], symbol)
	}
}
