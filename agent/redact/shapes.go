package redact

import "bytes"

// shapes marks what looks like a secret by itself.
func (m *marker) shapes(v view) {
	lower := bytes.ToLower(v.b)
	for _, p := range m.rules.patterns {
		if !p.isPossible(lower) {
			continue
		}
		for _, at := range p.re.FindAllSubmatchIndex(v.b, -1) {
			if len(at) >= 4 && at[2] >= 0 {
				m.mark(v, at[2], at[3])
			} else {
				m.mark(v, at[0], at[1])
			}
		}
	}
}

// isPossible looks for the hints: that is much quicker than the expression.
func (p *pattern) isPossible(lower []byte) bool {
	for _, h := range p.hints {
		if bytes.Contains(lower, []byte(h)) {
			return true
		}
	}
	return len(p.hints) == 0
}

// Lengths of the numbers of payment cards (ISO/IEC 7812-1; 13 are old ones of Visa).
const (
	minCard = 13
	maxCard = 19
	// minCut is how many digits at the end of a cut text may be the start of a card's number.
	minCut = 6
)

// cards marks numbers of payment cards: 13 to 19 digits, with single separators or without, that begin with 2 to 6 or 9 (ISO/IEC 7812-1: the
// major industries that issue them; moments in milliseconds begin with 1) and pass the check of Luhn.
func (m *marker) cards(v view) {
	for i, c := range v.b {
		if !isDigit(c) || i > 0 && isDigit(v.b[i-1]) || c < '2' || c == '7' || c == '8' {
			continue
		}
		var digits [maxCard]byte
		n, end := 0, 0
		j := i
		for ; j < len(v.b) && n < maxCard; j++ {
			if isDigit(v.b[j]) {
				digits[n] = v.b[j] - '0'
				n++
				isGroup := j+1 == len(v.b) || !isDigit(v.b[j+1])
				if n >= minCard && isGroup && luhn(digits[:n]) {
					end = j + 1
				}
			} else if !isCardSeparator(v.b[j]) || j+1 < len(v.b) && !isDigit(v.b[j+1]) {
				break
			}
		}
		if j == len(v.b) && m.isCut && n >= minCut {
			end = j
		}
		m.mark(v, i, end)
	}
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

func isCardSeparator(c byte) bool { return c == ' ' || c == '-' || c == '+' || c == '.' }

// luhn checks the last digit (ISO/IEC 7812-1 annex B).
func luhn(digits []byte) bool {
	sum := 0
	for i, d := range digits {
		n := int(d)
		if (len(digits)-i)%2 == 0 {
			if n *= 2; n > 9 {
				n -= 9
			}
		}
		sum += n
	}
	return sum%10 == 0
}

// userinfo marks user:password@ in URLs (RFC 3986 §3.2.1): what stands between :// and the last @ before the path.
func (m *marker) userinfo(v view) {
	for i := 0; ; {
		n := bytes.Index(v.b[i:], []byte("://"))
		if n < 0 {
			return
		}
		i += n + len("://")
		at := -1
		for j := i; j < len(v.b) && !isSpace(v.b[j]) && v.b[j] != '/' && v.b[j] != '"' && v.b[j] != '<'; j++ {
			if v.b[j] == '@' {
				at = j
			}
		}
		if at > 0 {
			m.mark(v, i, at)
		}
	}
}
