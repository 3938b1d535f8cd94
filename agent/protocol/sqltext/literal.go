package sqltext

import (
	"bytes"
	"unicode/utf8"
)

// escapes says what a backslash does inside a string.
type escapes uint8

const (
	escaping escapes = iota // takes the next character with it
	doubtful                // nothing, or the server has a mode in which it does: before a quote, nobody can tell
)

// skipString returns the place after the string that begins before i and ends with quote; len(b) when it does not end. It is not ok when
// where it ends depends on what is not known.
func skipString(b []byte, i int, quote byte, e escapes) (end int, ok bool) {
	start := i
	for i < len(b) {
		c := b[i]
		switch {
		case c == quote:
			if i+1 >= len(b) || b[i+1] != quote {
				return i + 1, true
			}
			i += 2
		case c == '\\' && i+1 < len(b):
			if e == doubtful && b[i+1] == quote {
				return 0, false
			}
			// In GBK and Shift JIS a backslash may be the second half of a character, which UTF-8 does not have.
			if i > start && b[i-1] >= utf8.RuneSelf {
				if r, n := utf8.DecodeLastRune(b[start:i]); r == utf8.RuneError && n <= 1 {
					return 0, false
				}
			}
			if e == escaping || b[i+1] == '\\' {
				i++
			}
			i++
		default:
			i++
		}
	}
	return len(b), true
}

// maxName bounds a quoted name: 64 characters (MySQL) or 63 bytes (PostgreSQL) in UTF-8.
const maxName = 256

// skipName returns the place after the quoted name that begins at i. It is not ok for what nobody calls a table.
func skipName(b []byte, i int) (end int, ok bool) {
	quote, start := b[i], i
	for i++; i < len(b) && i-start <= maxName; i++ {
		switch c := b[i]; {
		case c == quote && i+1 < len(b) && b[i+1] == quote:
			i++
		case c == quote:
			return i + 1, utf8.Valid(b[start : i+1])
		case c < ' ' || c == 0x7f:
			return 0, false
		}
	}
	return 0, false
}

// dollarTag returns the length of the tag of a dollar quote at i, dollars included; 0 when there is none.
func dollarTag(b []byte, i int) int {
	for n := 1; i+n < len(b); n++ {
		switch c := b[i+n]; {
		case c == '$':
			return n + 1
		case n == 1 && isDigit(c) || !isWord(c):
			return 0
		}
	}
	return 0
}

// skipDollar returns the place after a dollar quote whose tag has n bytes.
func skipDollar(b []byte, i, n int) int {
	tag := b[i : i+n]
	if end := bytes.Index(b[i+n:], tag); end >= 0 {
		return i + n + end + n
	}
	return len(b)
}

// skipNumber returns the place after a number, and after all letters that hang on it: 0x1F, 1e-5, 1_000, 12abc.
func skipNumber(b []byte, i int) int {
	for i < len(b) {
		c := b[i]
		switch {
		case (c == 'e' || c == 'E') && i+2 < len(b) && (b[i+1] == '-' || b[i+1] == '+') && isDigit(b[i+2]):
			i += 2
		case isWord(c) || c == '.':
			i++
		default:
			return i
		}
	}
	return i
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

func isSpace(c byte) bool { return c == ' ' || c >= '\t' && c <= '\r' }

// isWord accepts what a name may consist of, the dollar of $1 and a$b left out.
func isWord(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c == '_' || isDigit(c) || c >= utf8.RuneSelf
}
