package sqltext

import "bytes"

// kind is what a token is for the layout of the template.
type kind uint8

const (
	none kind = iota
	word
	literal // "?"
	open
	closed
	comma
	semicolon
	symbol
)

// writer lays out the template: one space where there was any, after commas always; lists of literals and rows that look alike
// become one. So the number of values in a list does not show.
type writer struct {
	out     []byte
	prev    kind
	before  kind // the one before prev
	space   bool // there was white space since
	isFull  bool
	isValue bool // the token follows "=" or TO
	depth   int
	groups  [maxDepth]group
}

// maxDepth is the number of nested parentheses inside which rows are compared.
const maxDepth = 16

// group is the place of the last parenthesis of a depth, and of the one before it.
type group struct {
	start              int // of "("
	lastStart, lastEnd int
}

const dots = "..."

func (w *writer) put(s string, k kind) { w.write(s, nil, k) }

func (w *writer) putBytes(b []byte, k kind) { w.write("", b, k) }

// write appends one token.
func (w *writer) write(s string, b []byte, k kind) {
	if k == literal && (w.prev == literal || w.prev == comma && w.before == literal) {
		// "?, ?" is "?"; so is 'a' 'b', which is one string.
		w.out = bytes.TrimSuffix(w.out, []byte(","))
		w.prev, w.space, w.isValue = literal, false, false
		return
	}
	n := len(s) + len(b)
	if len(w.out)+1+n+len(dots) > MaxTemplate {
		w.isFull = true
		return
	}
	if w.wantsSpace(k) {
		w.out = append(w.out, ' ')
	}
	start := len(w.out)
	w.out = append(append(w.out, s...), b...)
	w.before, w.prev, w.space = w.prev, k, false
	w.isValue = k == symbol && w.out[len(w.out)-1] == '='
	switch k {
	case open:
		w.enter(start)
	case closed:
		w.leave()
	case semicolon:
		w.depth = 0
	}
}

func (w *writer) wantsSpace(k kind) bool {
	switch {
	case len(w.out) == 0 || k == comma || k == closed || k == semicolon || w.prev == open:
		return false
	case w.prev == comma || w.prev == semicolon:
		return true
	}
	return w.space
}

func (w *writer) enter(start int) {
	if w.depth < maxDepth {
		w.groups[w.depth].start = start
	}
	w.depth++
	if w.depth < maxDepth {
		w.groups[w.depth] = group{}
	}
}

// leave drops a parenthesis that looks like the one before it in the same list.
func (w *writer) leave() {
	if w.depth == 0 {
		return
	}
	w.depth--
	if w.depth >= maxDepth {
		return
	}
	g := &w.groups[w.depth]
	isNext := g.lastEnd > 0 && g.start == g.lastEnd+len(", ") && bytes.HasPrefix(w.out[g.lastEnd:], []byte(", "))
	if isNext && bytes.Equal(w.out[g.lastStart:g.lastEnd], w.out[g.start:]) {
		w.out = w.out[:g.lastEnd]
		return
	}
	g.lastStart, g.lastEnd = g.start, len(w.out)
}

// ellipsis marks a template that does not show all.
func (w *writer) ellipsis() {
	w.out = append(w.out[:min(len(w.out), MaxTemplate-len(dots))], dots...)
}
