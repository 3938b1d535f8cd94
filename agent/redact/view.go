package redact

import (
	"bytes"
	"unicode/utf8"
)

// view is a text with some of its escapes undone. at[i] is where byte i began in the original; at[len(b)] is the original's length.
type view struct {
	b  []byte
	at []int
}

func newView(s string) view {
	v := view{b: []byte(s), at: make([]int, len(s)+1)}
	for i := range v.at {
		v.at[i] = i
	}
	return v
}

// isEscape reports whether byte i was written as an escape.
func (v view) isEscape(i int) bool { return v.at[i+1]-v.at[i] > 1 }

// decode undoes one layer of escapes: of URLs, of strings in JSON and programs, of HTML. It is false when there was none.
func (v view) decode() (view, bool) {
	if !bytes.ContainsAny(v.b, `%&\`) {
		return view{}, false
	}
	out := view{b: make([]byte, 0, len(v.b)), at: make([]int, 0, len(v.at))}
	found := false
	for i := 0; i < len(v.b); {
		r, n := unescape(v.b[i:])
		if n == 0 {
			out.b, out.at = append(out.b, v.b[i]), append(out.at, v.at[i])
			i++
			continue
		}
		found = true
		before := len(out.b)
		if r < 256 && v.b[i] == '%' { // a byte, not a character
			out.b = append(out.b, byte(r))
		} else {
			out.b = utf8.AppendRune(out.b, r)
		}
		for range len(out.b) - before {
			out.at = append(out.at, v.at[i])
		}
		i += n
	}
	out.at = append(out.at, v.at[len(v.b)])
	return out, found
}

// entities are those of HTML and XML that can stand around a name or a value.
var entities = [...]struct {
	text string
	r    rune
}{{"&quot;", '"'}, {"&apos;", '\''}, {"&amp;", '&'}, {"&lt;", '<'}, {"&gt;", '>'}, {"&#34;", '"'}, {"&#39;", '\''}, {"&#x22;", '"'}, {"&#x27;", '\''}, {"&#61;", '='}}

// unescape reads the escape at the start of b and returns its length, 0 for none.
func unescape(b []byte) (r rune, n int) {
	switch b[0] {
	case '%':
		return hex(b, 1, 2)
	case '&':
		for _, e := range entities {
			if len(b) >= len(e.text) && bytes.EqualFold(b[:len(e.text)], []byte(e.text)) {
				return e.r, len(e.text)
			}
		}
	case '\\':
		if len(b) < 2 {
			return 0, 0
		}
		switch c := b[1]; c {
		case '"', '\'', '\\', '/':
			return rune(c), 2
		case 'n':
			return '\n', 2
		case 'r':
			return '\r', 2
		case 't':
			return '\t', 2
		case 'u':
			return hex(b, 2, 4)
		case 'x':
			return hex(b, 2, 2)
		}
	}
	return 0, 0
}

// hex reads digits from place from on; n includes what is before them.
func hex(b []byte, from, digits int) (r rune, n int) {
	if len(b) < from+digits {
		return 0, 0
	}
	for _, c := range b[from : from+digits] {
		switch {
		case c >= '0' && c <= '9':
			r = r<<4 | rune(c-'0')
		case c|0x20 >= 'a' && c|0x20 <= 'f':
			r = r<<4 | rune(c|0x20-'a'+10)
		default:
			return 0, 0
		}
	}
	return r, from + digits
}
