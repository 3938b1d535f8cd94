package redact

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// isText reports whether bytes can be shown: UTF-8 whose last character may be cut, without control characters.
func isText(b []byte) bool {
	for i := 0; i < len(b); {
		r, n := utf8.DecodeRune(b[i:])
		if r == utf8.RuneError && n <= 1 {
			return i > 0 && len(b)-i < utf8.UTFMax && !utf8.FullRune(b[i:])
		}
		if unicode.IsControl(r) && r != '\n' && r != '\r' && r != '\t' {
			return false
		}
		i += n
	}
	return true
}

// Printable returns bytes as text that is safe to show: what is no printable character becomes U+FFFD, CR is left out.
func Printable(b []byte) string { return printable(b) }

func printable(b []byte) string {
	var out strings.Builder
	for i := 0; i < len(b); {
		r, n := utf8.DecodeRune(b[i:])
		i += n
		switch {
		case r == '\r' && i < len(b) && b[i] == '\n':
		case r == '\n' || r == '\t' || unicode.IsPrint(r):
			out.WriteRune(r)
		default:
			out.WriteRune(utf8.RuneError)
		}
	}
	return out.String()
}
