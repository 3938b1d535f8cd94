package redact

import "strings"

// SQLMessage takes the secrets out of what a database says of a statement, and the literals that it cites: from the first ' to the last one, since
// a value may hold more of them, and what stands in double quotes behind a colon (PostgreSQL: `invalid input syntax for type integer: "x"`; other double quotes
// are names).
func (r *Redactor) SQLMessage(s string, isCut bool) string {
	if r.rules.literals {
		s = hideQuoted(s, isCut)
	}
	return r.Text(s, isCut)
}

func hideQuoted(s string, isCut bool) string {
	if i := strings.IndexByte(s, '\''); i >= 0 {
		j := strings.LastIndexByte(s, '\'')
		if isCut || j == i {
			j = len(s)
		}
		s = s[:i+1] + "?" + s[j:]
	}
	if i := strings.Index(s, `: "`); i >= 0 {
		j := strings.LastIndexByte(s, '"')
		if isCut || j <= i+2 {
			j = len(s)
		}
		s = s[:i+3] + "?" + s[j:]
	}
	return s
}
