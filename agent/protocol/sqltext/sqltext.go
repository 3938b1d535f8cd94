// Package sqltext says of an SQL statement what may be said in public: its verb and its shape.
//
// In: the text of a statement, perhaps cut. Out: an operation and a template without a single literal.
// It must not know protocols, and it never fails: what it cannot read for sure is left out.
package sqltext

import (
	"strings"
	"unicode/utf8"
)

// Statement is what is kept of a statement.
type Statement struct {
	// Operation is the first verb in upper case, for WITH the verb of the main statement; "other" when there is none that is known.
	Operation string
	// Template is the text with literals and placeholders replaced by "?", lists of them collapsed to one, comments
	// dropped, white space folded; at most MaxTemplate bytes. "..." at its end says that there was more.
	Template string
}

// MaxTemplate bounds a template in bytes.
const MaxTemplate = 512

// Other is the operation of what has no known verb.
const Other = "other"

// Dialect says how literals are written.
type Dialect uint8

// The dialects.
const (
	// PostgreSQL: "…" is a name, $tag$…$tag$ a string; a backslash escapes only in E'…'.
	PostgreSQL Dialect = iota
	// MySQL and MariaDB: `…` is a name, "…" a string; a backslash escapes.
	MySQL
	// MySQLNoEscapes is MySQL in the mode NO_BACKSLASH_ESCAPES, or when the mode is not known.
	MySQLNoEscapes
)

// maxKept bounds the templates that a Cache keeps to be used again: a few KiB for each connection.
const maxKept = 32

// Cache remembers the latest templates of a connection, so that those that come again cost no allocation. Its zero value is
// ready. It is not safe for concurrent use.
type Cache struct {
	kept map[string]string
	work [MaxTemplate]byte
}

// Describe reads a statement; isCut says that b is not all of it. It keeps nothing of b.
func (c *Cache) Describe(d Dialect, b []byte, isCut bool) Statement {
	s := scanner{dialect: d, in: b, writer: writer{out: c.work[:0]}}
	s.run(isCut)
	st := Statement{Operation: s.operation}
	if st.Operation == "" {
		st.Operation = Other
	}
	if t, ok := c.kept[string(s.out)]; ok {
		st.Template = t
		return st
	}
	// A cut may have left half a character; what is in s.out is made of whole ones otherwise.
	st.Template = strings.ToValidUTF8(string(s.out), "")
	if len(c.kept) >= maxKept {
		clear(c.kept)
	}
	if c.kept == nil {
		c.kept = make(map[string]string)
	}
	c.kept[st.Template] = st.Template
	return st
}

// Describe reads one statement without a cache.
func Describe(d Dialect, b []byte, isCut bool) Statement {
	var c Cache
	return c.Describe(d, b, isCut)
}

// Begins reports whether b begins with a known verb, after white space, comments and parentheses, and is text as far as it tells: two letters
// and a space are there once in a million by chance.
func Begins(d Dialect, b []byte) bool {
	if !isText(b) {
		return false
	}
	var work [MaxTemplate]byte
	s := scanner{dialect: d, in: b, writer: writer{out: work[:0]}}
	for s.i < len(s.in) && !s.isStopped && !s.isFull && s.operation == "" {
		s.token()
	}
	return s.operation != "" && s.operation != Other
}

// isText reports whether the start of b is UTF-8 without control characters but white space.
func isText(b []byte) bool {
	const enough = 32
	for i := 0; i < min(len(b), enough); {
		c, n := utf8.DecodeRune(b[i:])
		if c == utf8.RuneError && n == 1 && utf8.FullRune(b[i:]) || c < ' ' && !isSpace(b[i]) || c == 0x7f {
			return false
		}
		i += n
	}
	return true
}
