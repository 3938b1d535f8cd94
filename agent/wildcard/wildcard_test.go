package wildcard

import "testing"

func TestMatches(t *testing.T) {
	for _, c := range []struct {
		pattern, text string
		want          bool
	}{
		{"/a", "/a", true}, {"/a", "/a/b", false}, {"", "", true}, {"", "a", false},
		{"/a/*", "/a/b/c", true}, {"*/c", "/a/b/c", true}, {"/a/?/c", "/a/b/c", true}, {"/a?b", "/a/b", true},
		{"[GP]*", "PUT", true}, {"[GP]*", "DELETE", false}, {`\*`, "*", true}, {`\*`, "a", false},
		{"[x]", "[x]", false}, {"[", "[", false}, {"[", "a", false},
	} {
		if got := Compile(c.pattern).Matches(c.text); got != c.want {
			t.Errorf("%q matches %q: %v", c.pattern, c.text, got)
		}
	}
}
