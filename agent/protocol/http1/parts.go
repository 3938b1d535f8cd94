package http1

import "strings"

// longWord is a length that words without separators do not reach: getCustomerOrderHistoryByDateRange has 34 letters.
const longWord = 40

// templateParts replaces parts of a segment that are separated by punctuation: order-1234, app.3f2a9c1b.js, web-6d4cf56db6-x7k2p.
func templateParts(s string, t traits) string {
	stem, ext := splitExtension(s)
	if t.digits == 0 && t.uppers == 0 && len(s) < longWord {
		return s
	}
	isCode := ext == ".js" || ext == ".css" || ext == ".mjs" || ext == ".map" || ext == ".min.js" || ext == ".min.css"
	var out strings.Builder
	isChanged := false
	for start := 0; start < len(stem); {
		end, place := wholeAt(stem, start)
		if place == "" {
			end = start
			for end < len(stem) && !isSeparator(stem[end]) {
				end++
			}
			place = templatePart(stem[start:end], start > 0, isCode)
		}
		isChanged = isChanged || place != stem[start:end]
		out.WriteString(place)
		if end < len(stem) {
			out.WriteByte(stem[end])
		}
		start = end + 1
	}
	if !isChanged {
		return s
	}
	out.WriteString(ext)
	return out.String()
}

// wholeAt recognises what contains separators itself: a UUID or a date at index i. place is "" when there is none.
func wholeAt(s string, i int) (end int, place string) {
	const uuid, date = "hhhhhhhh-hhhh-hhhh-hhhh-hhhhhhhhhhhh", "dddd-dd-dd"
	switch rest := s[i:]; {
	case matches(rest, uuid) && ends(rest, len(uuid)):
		return i + len(uuid), placeUUID
	case matches(rest, date) && (rest[0] == '1' || rest[0] == '2') && rest[5] <= '1' && rest[8] <= '3':
		end = i + len(date)
		if end < len(s) && (s[end] == 'T' || s[end] == 't') { // a time: to the end
			return len(s), placeDate
		}
		if ends(rest, len(date)) {
			return end, placeDate
		}
	}
	return 0, ""
}

// matches reports whether s begins with a shape: h a hexadecimal digit, d a decimal one, others themselves.
func matches(s, shape string) bool {
	if len(s) < len(shape) {
		return false
	}
	for i := range len(shape) {
		switch shape[i] {
		case 'h':
			if _, ok := hexValue(s[i]); !ok {
				return false
			}
		case 'd':
			if !isDigit(s[i]) {
				return false
			}
		default:
			if s[i] != shape[i] {
				return false
			}
		}
	}
	return true
}

func ends(s string, i int) bool { return i == len(s) || isSeparator(s[i]) }

func isSeparator(c byte) bool {
	switch c {
	case '-', '_', '.', ',', ':', '=', '~', '!', '(', ')', '\'', '*', '$', '&':
		return true
	}
	return false
}

// templatePart judges text without separators. isCode: it belongs to the name of a script or style sheet, where short numbers are
// versions and a hash may have no digit.
func templatePart(s string, isInner, isCode bool) string {
	t := measure(s)
	switch {
	case s == "" || t.letters == len(s) && len(s) < longWord && !(isCode && isInner && len(s) == bundleHash && isRandomCase(s)):
		return s
	case t.digits == len(s):
		if isCode && len(s) < 5 {
			return s
		}
		return placeID
	case isHash(s):
		return placeHash
	case len(s) == 26 && isULID(s):
		return placeULID
	case isVersion(s):
		return s
	case isCode && isInner && len(s) == bundleHash && (t.isMixed() || t.turns > 1):
		return placeHash
	case len(s) >= 5 && t.turns >= 4, // a Pod's x7k2p
		len(s) >= 8 && t.turns >= 3 && t.isMixed(),
		len(s) >= 20 && t.digits >= 2 && t.isMixed(),
		len(s) >= longWord:
		return placeToken
	}
	return templateNumbered(s, t)
}

// templateNumbered handles item12345 and 12345abc; sha256 and log4j are words.
func templateNumbered(s string, t traits) string {
	const serial = 4
	if t.turns != 1 || t.digits < serial {
		return s
	}
	if isDigit(s[0]) {
		return placeToken
	}
	return s[:len(s)-t.digits] + placeID
}

// bundleHash is the length of the hash that Vite and Rollup put into file names.
const bundleHash = 8

// isRandomCase reports capitals at places where no word has them.
func isRandomCase(s string) bool {
	n := 0
	for i := 1; i < len(s); i++ {
		if s[i] <= 'Z' && s[i-1] > 'Z' || s[i] > 'Z' && s[i-1] <= 'Z' && i > 1 {
			n++
		}
	}
	return n >= 2
}

// isHash accepts eight or more hexadecimal digits, at least one of them decimal: "defaced" and "deadbeef" may be words.
func isHash(s string) bool {
	const shortest = 8
	if len(s) < shortest {
		return false
	}
	digits := 0
	for i := range len(s) {
		if isDigit(s[i]) {
			digits++
		} else if _, ok := hexValue(s[i]); !ok {
			return false
		}
	}
	return digits > 0
}

// isULID checks the alphabet without I, L, O, U and the first digit, which 48 bits of time keep below 8.
func isULID(s string) bool {
	if s[0] > '7' {
		return false
	}
	for i := range len(s) {
		c := s[i]
		if !isDigit(c) {
			c |= 0x20
			if c < 'a' || c > 'z' || c == 'i' || c == 'l' || c == 'o' || c == 'u' {
				return false
			}
		}
	}
	return true
}

// splitExtension splits off what names a kind of file: .js, .min.js, .tar.gz, .mp4.
func splitExtension(s string) (stem, ext string) {
	at := len(s)
	for range 2 {
		i := strings.LastIndexByte(s[:at], '.')
		if i <= 0 || at-i < 2 || at-i > 6 || isDigit(s[i+1]) {
			break
		}
		word := s[i+1 : at]
		if at < len(s) && word != "min" && word != "tar" && word != "js" && word != "css" {
			break
		}
		if t := measure(word); t.letters+t.digits != len(word) || t.digits > 1 {
			break
		}
		at = i
	}
	return s[:at], s[at:]
}
