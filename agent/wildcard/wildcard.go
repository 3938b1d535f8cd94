// Package wildcard matches text that is full of slashes, as command lines and URLs are.
//
// In: a pattern and a text. Out: whether they agree. It must not know what either means.
package wildcard

import (
	"path"
	"strings"
)

// hidden stands for a slash, at which path.Match stops.
const hidden = "\x01"

// Pattern is a pattern of path.Match whose wildcards also match "/".
type Pattern struct {
	text    string // where it is not plain, without slashes
	isPlain bool   // it has no wildcards
}

// Compile prepares a pattern. One that path.Match finds malformed matches nothing.
func Compile(pattern string) Pattern {
	if !strings.ContainsAny(pattern, `*?[\`) {
		return Pattern{pattern, true}
	}
	return Pattern{text: strings.ReplaceAll(pattern, "/", hidden)}
}

// Matches reports whether the pattern stands for a text.
func (p Pattern) Matches(s string) bool {
	if p.isPlain {
		return p.text == s
	}
	ok, err := path.Match(p.text, strings.ReplaceAll(s, "/", hidden))
	return err == nil && ok
}
