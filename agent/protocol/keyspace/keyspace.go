// Package keyspace turns the keys of caches and key-value stores into key spaces of low cardinality.
//
// In: one key. Out: the key with what differs from one record to the next replaced: user:123:cart becomes user:?:cart. It must not
// know any protocol.
package keyspace

import "strings"

// Bounds: no schema of keys is deeper or longer.
const (
	maxParts   = 8
	maxLen     = 96
	longestTag = 32 // a part without separators that is longer is no word
)

// Template replaces numbers, hashes, UUIDs and other machine-made parts by "?". It is deterministic and idempotent, and returns key itself
// when nothing changes. What follows the eighth part is cut.
func Template(key string) string {
	if isPlain(key) {
		return key
	}
	var out strings.Builder
	parts := 0
	for start := 0; start < len(key); {
		end := start
		for end < len(key) && !isSeparator(key[end]) {
			end++
		}
		if end > start {
			parts++
			if parts > maxParts || out.Len() > maxLen {
				break
			}
			part := key[start:end]
			if !isWord(part) {
				part = "?"
			}
			writePart(&out, part)
		}
		if end < len(key) {
			out.WriteByte(key[end])
		}
		start = end + 1
	}
	return out.String()
}

// writePart leaves out a placeholder behind another of the same number: 2024-05-06 and a UUID become one "?".
func writePart(out *strings.Builder, part string) {
	if s := out.String(); part == "?" && len(s) >= 2 && s[len(s)-2] == '?' && isJoiner(s[len(s)-1]) {
		cut := s[:len(s)-1]
		out.Reset()
		out.WriteString(cut)
		return
	}
	out.WriteString(part)
}

// isPlain recognises at a glance a key of lower-case words.
func isPlain(key string) bool {
	n := 0
	for i := range len(key) {
		c := key[i]
		switch {
		case c >= 'a' && c <= 'z':
			n++
		case c == ':' || c == '_' || c == '-':
			n = 0
		default:
			return false
		}
		if n > longestTag {
			return false
		}
	}
	return len(key) <= maxLen && strings.Count(key, ":")+strings.Count(key, "_")+strings.Count(key, "-") < maxParts
}

func isSeparator(c byte) bool {
	switch c {
	case ':', '/', '|', '.', '_', '-', '#', '{', '}', ',', ';', '=', '~', '(', ')', '[', ']', '+', '*', '\\', '$', '!', '&', '<', '>':
		return true
	}
	return false
}

// isJoiner names separators inside numbers, dates and UUIDs.
func isJoiner(c byte) bool { return c == '-' || c == '.' || c == '_' || c == '=' || c == '+' }

// isWord judges one part: letters, with few digits at its end at most ("v2", "sha256", "db0").
func isWord(s string) bool {
	if s == "?" {
		return true
	}
	if len(s) > longestTag {
		return false
	}
	digits, turns, hex, upper, humps := 0, 0, 0, 0, 0
	for i := range len(s) {
		c := s[i]
		isDigit := c >= '0' && c <= '9'
		switch {
		case isDigit:
			digits++
			hex++
		case c >= 'a' && c <= 'z':
			if c <= 'f' {
				hex++
			}
		case c >= 'A' && c <= 'Z':
			if c <= 'F' {
				hex++
			}
			upper++
			if i > 0 && (s[i-1] < 'A' || s[i-1] > 'Z') {
				humps++
			}
		default: // not ASCII, escapes, spaces: what somebody typed, or binary
			return false
		}
		if i > 0 && isDigit != (s[i-1] >= '0' && s[i-1] <= '9') {
			turns++
		}
	}
	switch {
	case digits == len(s), turns > 1, digits > 3:
		return false
	case digits > 0 && (s[0] <= '9' || hex == len(s) && len(s) >= 6):
		return false
	case digits > 0 && len(s) >= 12, hex == len(s) && len(s) >= 16:
		return false
	}
	// Random text has a capital in the middle every other letter, camel case one in four.
	return len(s) < 8 || upper == len(s) || 3*humps < len(s)
}
