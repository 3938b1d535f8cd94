// Package ascii compares the words of text protocols without copying them.
//
// In: bytes of a message and a word. Out: whether they agree. It must not know what any word means.
package ascii

// EqualFold compares with an ASCII word given in lower case. bytes.EqualFold folds by Unicode, where K may be the Kelvin sign.
func EqualFold(b []byte, lower string) bool {
	if len(b) != len(lower) {
		return false
	}
	for i, c := range b {
		if 'A' <= c && c <= 'Z' {
			c |= 0x20
		}
		if c != lower[i] {
			return false
		}
	}
	return true
}
