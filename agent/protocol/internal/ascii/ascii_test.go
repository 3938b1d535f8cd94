package ascii

import "testing"

func TestEqualFold(t *testing.T) {
	for _, c := range []struct {
		b, lower string
		want     bool
	}{
		{"Content-Type", "content-type", true}, {"CHUNKED", "chunked", true}, {"", "", true},
		{"chunke", "chunked", false}, {"chunkedd", "chunked", false}, {"", "x", false},
		{"a\rb", "a-b", false}, // \r | 0x20 is '-'
		{"@", "`", false},      // 0x40 | 0x20 is '`': the byte before A
		{"[", "{", false},      // the byte behind Z
		{"\u212a", "k", false}, // the Kelvin sign folds to k in Unicode
		{"\x00\xff", "  ", false},
	} {
		if got := EqualFold([]byte(c.b), c.lower); got != c.want {
			t.Errorf("EqualFold(%q, %q) = %v", c.b, c.lower, got)
		}
	}
}
