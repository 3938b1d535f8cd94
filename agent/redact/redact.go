package redact

import (
	"slices"
	"strings"
)

// Redactor takes secrets out of text. It never changes and is safe for concurrent use.
type Redactor struct {
	rules rules
}

// HidesLiterals reports whether the literals of SQL are to be taken out.
func (r *Redactor) HidesLiterals() bool { return r.rules.literals }

// Text takes the secrets out of a text. isCut says that there was more of it: its last word may then be the start of anything and goes too.
func (r *Redactor) Text(s string, isCut bool) string {
	m := marker{rules: &r.rules, isCut: isCut}
	m.look(s)
	return m.apply(s)
}

// span is a part of the original that is a secret.
type span struct{ from, to int }

// marker gathers the secrets of one text.
type marker struct {
	rules *rules
	isCut bool
	spans []span
}

// maxDepth is how many layers of escapes are undone: a URL, in a JSON string, in a JSON string.
const maxDepth = 3

// look finds the secrets of a text in each of its layers.
func (m *marker) look(s string) {
	v := newView(s)
	for depth := 0; ; depth++ {
		next, more := v.decode()
		isLast := !more || depth == maxDepth
		m.pairs(v)
		m.elements(v)
		m.fields(v)
		m.shapes(v)
		if m.rules.cards {
			m.cards(v)
		}
		if m.rules.userinfo {
			m.userinfo(v)
		}
		if m.isCut {
			m.lastWord(v)
		}
		if isLast {
			return
		}
		v = next
	}
}

// mark notes bytes i to j of a view.
func (m *marker) mark(v view, i, j int) {
	if i < j {
		m.spans = append(m.spans, span{v.at[i], v.at[j]})
	}
}

// apply writes the text with the marked parts replaced.
func (m *marker) apply(s string) string {
	if len(m.spans) == 0 {
		return s
	}
	slices.SortFunc(m.spans, func(a, b span) int { return a.from - b.from })
	var out strings.Builder
	at := 0
	for i := 0; i < len(m.spans); {
		from, to := m.spans[i].from, m.spans[i].to
		for i++; i < len(m.spans) && m.spans[i].from <= to; i++ {
			to = max(to, m.spans[i].to)
		}
		out.WriteString(s[at:from])
		out.WriteString(Mark)
		at = to
	}
	out.WriteString(s[at:])
	return out.String()
}

// lastWord marks what stands after the last separator of a text that goes on.
func (m *marker) lastWord(v view) {
	i := len(v.b)
	for i > 0 && !isSpace(v.b[i-1]) && !strings.ContainsRune(`"'<>&,;`, rune(v.b[i-1])) {
		i--
	}
	m.mark(v, i, len(v.b))
}

func isSpace(c byte) bool { return c == ' ' || c >= '\t' && c <= '\r' }

// IsSecret reports whether the value of a name is to be taken out whole.
func (r *Redactor) IsSecret(name string) bool { return r.rules.isSecretHeader(name) }
