package redact

import (
	"bytes"
)

// maxName is how far back a name may begin.
const maxName = 128

// pairs finds name=value, name: value, "name": value, name=>value and marks the values of secrets.
func (m *marker) pairs(v view) {
	for i, c := range v.b {
		if c != '=' && c != ':' {
			continue
		}
		name, isQuoted := nameBefore(v.b[:i])
		if !m.rules.isSecret(name) {
			continue
		}
		from, to := v.value(i, isQuoted)
		m.mark(v, from, to)
	}
}

// nameBefore returns the name that ends where b ends, quotes and spaces around it left out.
func nameBefore(b []byte) (name string, isQuoted bool) {
	b = bytes.TrimRight(b, " \t\r\n")
	if n := len(b); n > 0 && isQuote(b[n-1]) {
		isQuoted = true
		b = b[:n-1]
	}
	i := len(b)
	for i > 0 && len(b)-i < maxName && isName(b[i-1]) {
		i--
	}
	return string(b[i:]), isQuoted
}

func isQuote(c byte) bool { return c == '"' || c == '\'' || c == '`' }

// isName accepts what names of parameters, fields and variables consist of, their escapes included.
func isName(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c >= 0x80 || bytes.IndexByte([]byte(`_-.$[]%\`), c) >= 0
}

// value returns where the value behind the separator at i begins and ends.
func (v view) value(i int, isQuoted bool) (from, to int) {
	b := v.b
	sep := b[i]
	for i++; i < len(b) && (b[i] == '=' || b[i] == '>' && sep == '='); i++ { // ==, =>
	}
	hasSpace := false
	for i < len(b) && (b[i] == ' ' || b[i] == '\t' || isQuoted && isSpace(b[i])) {
		i++
		hasSpace = true
	}
	if i == len(b) {
		return i, i
	}
	switch c := b[i]; {
	case isQuote(c):
		return i + 1, endOfString(b, i+1, c)
	case c == '[' || c == '{' || c == '(':
		return i, endOfBracket(b, i)
	case c == '\\':
		if n := backslashes(b[i:]); i+n < len(b) && isQuote(b[i+n]) {
			return i + n + 1, endOfEscaped(b, i+n+1, n, b[i+n])
		}
	}
	return i, v.endOfBare(i, sep, isQuoted, hasSpace)
}

// endOfString returns the place of the quote that ends a string, the end of the text if there is none.
func endOfString(b []byte, i int, quote byte) int {
	for ; i < len(b); i++ {
		switch b[i] {
		case '\\':
			i++
		case quote:
			return i
		}
	}
	return len(b)
}

// endOfEscaped returns the place of the quote that ends a string inside a string: behind as many backslashes as the one that began it. Quotes of the
// inner string have more of them, the one that ends the outer string has fewer.
func endOfEscaped(b []byte, i, depth int, quote byte) int {
	for i < len(b) {
		n := backslashes(b[i:])
		if i+n < len(b) && b[i+n] == quote && n <= depth {
			return i
		}
		i += n + 1
	}
	return len(b)
}

// backslashes returns how many b begins with.
func backslashes(b []byte) (n int) {
	for n < len(b) && b[n] == '\\' {
		n++
	}
	return n
}

// endOfBracket returns the place behind the bracket that closes the one at i.
func endOfBracket(b []byte, i int) int {
	depth := 0
	for ; i < len(b); i++ {
		switch b[i] {
		case '[', '{', '(':
			depth++
		case ']', '}', ')':
			if depth--; depth == 0 {
				return i + 1
			}
		case '"', '\'':
			i = endOfString(b, i+1, b[i]) // the end of the text where there is none: each quote is looked at once
		}
	}
	return len(b)
}

// endOfBare returns the end of a value without quotes. White space that was an escape belongs to it.
func (v view) endOfBare(i int, sep byte, isQuoted, hasSpace bool) int {
	for ; i < len(v.b); i++ {
		switch c := v.b[i]; {
		case c == '"' || (c == '<' || c == '&') && sep == '=':
			return i
		case isQuoted && (c == ',' || c == '}' || c == ']'): // of JSON
			return i
		case c == '\n' || c == '\r':
			if !v.isEscape(i) {
				return i
			}
		case isSpace(c) && !v.isEscape(i) && !(sep == ':' && hasSpace && !isQuoted): // "password: two words" lasts to the end of the line
			return i
		}
	}
	return i
}

// elements marks what is inside XML elements with a secret's name: <password>…</password>.
func (m *marker) elements(v view) {
	for i := 0; i < len(v.b); i++ {
		if v.b[i] != '<' {
			continue
		}
		j := i + 1
		for j < len(v.b) && j-i < maxName && (isName(v.b[j]) || v.b[j] == ':') {
			j++
		}
		if !m.rules.isSecret(string(v.b[i+1 : j])) {
			continue
		}
		open := bytes.IndexByte(v.b[j:], '>')
		if open < 0 {
			m.mark(v, j, len(v.b)) // attributes that go on
			return
		}
		if v.b[j+open-1] == '/' {
			m.mark(v, j, j+open-1)
			continue
		}
		from := j + open + 1
		to := bytes.Index(v.b[from:], append([]byte("</"), v.b[i+1:j]...))
		if to < 0 {
			to = len(v.b) - from
		}
		m.mark(v, from, from+to)
	}
}

// fields marks values whose name is a value itself: a part of multipart/form-data (RFC 7578) with name="password", or
// {"name": "password", "value": …}.
func (m *marker) fields(v view) {
	for i, c := range v.b {
		if c != '=' && c != ':' {
			continue
		}
		name, isQuoted := nameBefore(v.b[:i])
		switch plain(name) {
		case "name", "key", "field", "param", "parameter":
		default:
			continue
		}
		from, to := v.value(i, isQuoted)
		if !m.rules.isSecret(string(v.b[from:to])) {
			continue
		}
		rest := v.b[to:]
		if head := bytes.Index(rest, []byte("\n\r\n")); head >= 0 || bytes.Contains(rest, []byte("\n\n")) {
			if head < 0 {
				head = bytes.Index(rest, []byte("\n\n"))
			}
			end := bytes.Index(rest[head:], []byte("\n--"))
			if end < 0 {
				end = len(rest) - head
			}
			m.mark(v, to+head+1, to+head+end)
		}
		m.valueOf(v, to)
	}
}

// maxApart is how far a value may stand from its name.
const maxApart = 128

// valueOf marks the next member called value.
func (m *marker) valueOf(v view, i int) {
	for j := i; j < min(len(v.b), i+maxApart); j++ {
		if v.b[j] != '=' && v.b[j] != ':' {
			continue
		}
		name, isQuoted := nameBefore(v.b[:j])
		if p := plain(name); p == "value" || p == "val" || p == "content" || p == "data" {
			from, to := v.value(j, isQuoted)
			m.mark(v, from, to)
			return
		}
	}
}
