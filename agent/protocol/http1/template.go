package http1

import "strings"

// Placeholders of templates.
const (
	placeID      = "{id}"      // a number
	placeUUID    = "{uuid}"    // RFC 9562
	placeULID    = "{ulid}"    // 26 characters of Crockford's base 32
	placeHash    = "{hash}"    // eight or more hexadecimal digits
	placeToken   = "{token}"   // other machine-made text
	placeDate    = "{date}"    // 2006-01-02, with or without a time
	placeEmail   = "{email}"   //
	placeIP      = "{ip}"      //
	placeVersion = "{version}" // 1.2.3; v1 is part of an interface's name and stays
	placeText    = "{text}"    // escaped or not ASCII: what somebody typed
	placeSlug    = "{slug}"    // a title made into an address
	placeRest    = "…"         // segments beyond maxSegments
)

// maxSegments is how many segments of a path tell interfaces apart; deeper trees are files.
const maxSegments = 8

// Template turns a path into one of low cardinality, segment by segment: ids, hashes, dates, numbers become placeholders, words stay.
// It is deterministic and idempotent, and returns path itself when nothing changes.
func Template(path string) string {
	var out strings.Builder
	isChanged := false
	n := 0
	for start := 0; start < len(path); {
		end := start
		for end < len(path) && path[end] != '/' {
			end++
		}
		segment := path[start:end]
		if segment != "" {
			n++
		}
		if n > maxSegments {
			if segment == placeRest && end == len(path) {
				break
			}
			if !isChanged {
				out.WriteString(path[:start])
			}
			out.WriteString(placeRest)
			return out.String()
		}
		if t := templateSegment(segment); t != segment {
			if !isChanged {
				isChanged = true
				out.Grow(len(path))
				out.WriteString(path[:start])
			}
			out.WriteString(t)
		} else if isChanged {
			out.WriteString(segment)
		}
		if end < len(path) && isChanged {
			out.WriteByte('/')
		}
		start = end + 1
	}
	if !isChanged {
		return path
	}
	return out.String()
}

// maxSegment is the longest segment taken for a word or a title.
const maxSegment = 64

// templateSegment returns the segment itself when it is a word.
func templateSegment(s string) string {
	if i := strings.IndexByte(s, ';'); i >= 0 { // matrix parameters: ;jsessionid=…
		s = s[:i]
	}
	t := measure(s)
	switch {
	case s == "" || s == placeRest || t.letters == len(s) && len(s) < longWord:
		return s
	case strings.Contains(s, "{") && strings.Contains(s, "}"):
		return s // a template already
	case t.others > 0 && strings.IndexByte(s, '@') > 0:
		return templateAt(s)
	case t.isText:
		return placeText
	case t.digits == len(s), t.digits > 0 && t.digits+1 == len(s) && (s[0] == '-' || s[0] == '+'):
		return placeID
	case t.digits+t.dots == len(s) && t.dots > 0 && t.digits > 0:
		return templateDotted(s, t.dots)
	case isVersion(s):
		return s
	case len(s) > maxSegment, isToken16(s, t):
		return templateLong(t)
	case t.digits == 0 && t.hyphens >= 5: // six words are a title
		return placeSlug
	}
	return templateParts(s, t)
}

// templateAt handles an e-mail address; "@alice" and "@scope" stay, so does "pkg@1.2.3" up to the version.
func templateAt(s string) string {
	i := strings.IndexByte(s, '@')
	if strings.IndexByte(s[i:], '.') > 0 && !isDigit(s[i+1]) && s[i+1] != 'v' {
		return placeEmail
	}
	if i+1 < len(s) && (isDigit(s[i+1]) || s[i+1] == 'v') {
		return s[:i+1] + placeVersion
	}
	return placeText
}

// templateDotted handles digits and dots.
func templateDotted(s string, dots int) string {
	switch dots {
	case 1:
		return placeID
	case 3:
		return placeIP
	}
	return placeVersion
}

func templateLong(t traits) string {
	if t.digits == 0 && t.hyphens >= 3 {
		return placeSlug
	}
	return placeToken
}

// traits are what a segment consists of.
type traits struct {
	letters, uppers, digits, dots, hyphens, others int

	turns  int  // places where a letter and a digit are neighbours
	isText bool // percent escapes, or not ASCII
}

func measure(s string) (t traits) {
	const none, letter, digit = 0, 1, 2
	last := none
	for i := range len(s) {
		c, kind := s[i], none
		switch {
		case isDigit(c):
			t.digits++
			kind = digit
		case isAlphanumeric(c):
			t.letters++
			if c <= 'Z' {
				t.uppers++
			}
			kind = letter
		case c == '.':
			t.dots++
		case c == '-' || c == '_':
			t.hyphens++
		default:
			t.others++
			t.isText = t.isText || c == '%' || c >= 0x80 || c <= ' ' || c == '+'
		}
		if kind+last == letter+digit && kind != none && last != none {
			t.turns++
		}
		last = kind
	}
	return t
}

// isMixed reports whether there are capitals and small letters.
func (t traits) isMixed() bool { return t.uppers > 0 && t.uppers < t.letters }

// isBalanced reports about as many capitals as small letters: camel case has one capital in four or fewer.
func (t traits) isBalanced() bool { return 10*t.uppers >= 3*t.letters && 10*t.uppers <= 7*t.letters }

// isToken16 recognises random text that may contain its own separators (base64url, nanoid, JSON web tokens).
func isToken16(s string, t traits) bool {
	const jwt = "eyJ" // {" in base64
	if _, place := wholeAt(s, 0); place != "" {
		return false
	}
	return len(s) >= 16 && (t.isMixed() && t.turns >= 6 || t.isBalanced() && t.digits > 1) ||
		len(s) >= 20 && t.isBalanced() || len(s) >= 32 && strings.HasPrefix(s, jwt)
}

// isVersion accepts v1, v2beta1, v1.2.3.
func isVersion(s string) bool {
	if len(s) < 2 || len(s) > 12 || s[0]|0x20 != 'v' || !isDigit(s[1]) {
		return false
	}
	run := 0
	for i := 1; i < len(s); i++ {
		if !isDigit(s[i]) {
			run = 0
			continue
		}
		if run++; run > 3 {
			return false
		}
	}
	rest := strings.TrimLeft(s[1:], "0123456789.")
	rest = strings.TrimLeft(rest, "-")
	for _, stage := range [...]string{"alpha", "beta", "rc", "preview", "p"} {
		if after, ok := strings.CutPrefix(rest, stage); ok {
			rest = after
			break
		}
	}
	return strings.Trim(rest, "0123456789.") == ""
}
