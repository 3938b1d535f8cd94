// Package names makes labels of the names of topics, queues and subjects.
//
// In: names as they are on the wire. Out: names of low cardinality, and strings that cost no allocation when seen before.
// It must not know which protocol they come from.
package names

import "strings"

// Placeholders of templates.
const (
	id   = "?"
	rest = "…" // segments beyond maxSegments
)

const (
	maxSegments = 8  // deeper names differ in what no table of destinations shows
	maxSegment  = 64 // longer ones are made by machines
	maxTemplate = 200
)

// Template replaces the segments of a name that are ids, and runs of digits in the others. seps are the characters between
// segments. It is idempotent, and returns the name itself when nothing changes.
func Template(name, seps string) string {
	if isPlain(name) && len(name) <= maxSegment && countSegments(name, seps) <= maxSegments {
		return name
	}
	var out strings.Builder
	n := 0
	for start := 0; start <= len(name); {
		end := start
		for end < len(name) && strings.IndexByte(seps, name[end]) < 0 {
			end++
		}
		segment := name[start:end]
		if n++; n > maxSegments || out.Len() > maxTemplate {
			out.WriteString(rest)
			break
		}
		writeSegment(&out, segment)
		if end < len(name) {
			out.WriteByte(name[end])
		}
		start = end + 1
	}
	return out.String()
}

func countSegments(name, seps string) int {
	n := 1
	for i := range len(name) {
		if strings.IndexByte(seps, name[i]) >= 0 {
			n++
		}
	}
	return n
}

// isPlain reports whether a name has neither digits nor anything that is not visible ASCII.
func isPlain(s string) bool {
	for i := range len(s) {
		if c := s[i]; c <= ' ' || c >= 0x7f || isDigit(c) {
			return false
		}
	}
	return true
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

func writeSegment(out *strings.Builder, s string) {
	switch {
	case s == rest:
		out.WriteString(rest)
	case IsID(s):
		out.WriteString(id)
	case isVersion(s):
		out.WriteString(s)
	default:
		for i := 0; i < len(s); i++ {
			if !isDigit(s[i]) {
				out.WriteByte(s[i])
				continue
			}
			for i+1 < len(s) && isDigit(s[i+1]) {
				i++
			}
			out.WriteString(id)
		}
	}
}

// isVersion accepts v1 to v99: part of an interface's name.
func isVersion(s string) bool {
	if len(s) < 2 || len(s) > 3 || s[0]|0x20 != 'v' {
		return false
	}
	return isDigit(s[1]) && isDigit(s[len(s)-1])
}

// IsID reports whether a segment was made by a machine: a number, a UUID, a hash, random text, or what is no visible ASCII.
func IsID(s string) bool {
	var digits, hex, upper, lower, others int
	for i := range len(s) {
		switch c := s[i]; {
		case isDigit(c):
			digits++
			hex++
		case c >= 'a' && c <= 'z':
			lower++
			if c <= 'f' {
				hex++
			}
		case c >= 'A' && c <= 'Z':
			upper++
			if c <= 'F' {
				hex++
			}
		case c <= ' ' || c >= 0x7f:
			if s != rest {
				return true
			}
		default:
			others++
		}
	}
	switch letters := upper + lower; {
	case digits == 0:
		return len(s) > maxSegment
	case letters == 0: // numbers, dates, addresses
		return true
	case len(s) > maxSegment:
		return true
	case len(s) >= 8 && hex+others == len(s) && others <= 4: // hashes, UUIDs
		return true
	case len(s) >= 16 && upper > 1 && lower > 1, len(s) >= 16 && 3*digits >= letters: // base 62, 36, 32
		return true
	}
	return false
}

// Cache makes strings of bytes. What it has seen lately costs no allocation. The zero value is ready to use.
type Cache struct {
	entries [slots]string
}

const slots = 16

// String returns b as a string.
func (c *Cache) String(b []byte) string {
	if len(b) == 0 {
		return ""
	}
	h := uint32(2166136261) // FNV-1a
	for _, x := range b {
		h = (h ^ uint32(x)) * 16777619
	}
	e := &c.entries[h%slots]
	if *e != string(b) {
		*e = string(b)
	}
	return *e
}
