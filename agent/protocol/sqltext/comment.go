package sqltext

import (
	"bytes"
)

// isDashComment: MySQL wants white space after the dashes, so that 5--1 is an expression.
func (s *scanner) isDashComment() bool {
	c := s.peek(2)
	return s.dialect == PostgreSQL || c <= ' ' || c == 0x7f
}

func (s *scanner) skipLine() {
	ends := "\n"
	if s.dialect == PostgreSQL {
		ends = "\r\n"
	}
	n := bytes.IndexAny(s.in[s.i:], ends)
	if n < 0 {
		n = len(s.in) - s.i - 1
	}
	s.i += n + 1
	s.space = true
}

// comment passes over a comment. PostgreSQL's nest; what is in MySQL's /*! … */ is a part of the statement.
func (s *scanner) comment() {
	s.space = true
	if s.dialect != PostgreSQL {
		s.plainComment()
		return
	}
	depth := 0
	for s.i < len(s.in) {
		switch {
		case s.in[s.i] == '/' && s.peek(1) == '*':
			depth++
			s.i += 2
		case s.in[s.i] == '*' && s.peek(1) == '/':
			depth--
			s.i += 2
			if depth == 0 {
				return
			}
		default:
			s.i++
		}
	}
}

func (s *scanner) plainComment() {
	n := bytes.Index(s.in[s.i+2:], []byte("*/"))
	if n < 0 {
		s.i = len(s.in)
		return
	}
	start, end := s.i+2, s.i+2+n
	s.i = end + 2
	body := bytes.TrimPrefix(s.in[start:end], []byte("M")) // MariaDB's own: /*M!
	if len(body) == 0 || body[0] != '!' {
		return
	}
	// Whether the server reads it depends on its version. Both ways lead to this end only if nothing in it could hide one.
	if bytes.ContainsAny(body, "'\"`#\\-") || bytes.Contains(body, []byte("/*")) {
		s.isStopped = true
		return
	}
	body = body[1:]
	for len(body) > 0 && isDigit(body[0]) {
		body = body[1:]
	}
	inner := scanner{dialect: s.dialect, in: body, operation: s.operation, verb: s.verb, writer: s.writer}
	for inner.i < len(inner.in) && !inner.isStopped && !inner.isFull {
		inner.token()
	}
	s.operation, s.verb, s.writer, s.isStopped = inner.operation, inner.verb, inner.writer, inner.isStopped
	s.space = true
}
