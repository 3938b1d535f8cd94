package names

import "testing"

func TestTemplate(t *testing.T) {
	for _, tt := range []struct{ in, seps, want string }{
		{"", ".", ""},
		{"orders.created", ".", "orders.created"},
		{"orders.4711.created", ".", "orders.?.created"},
		{"orders-2024.v1", ".", "orders-?.v1"},
		{"devices/7f3a9c21/temp", "/", "devices/?/temp"},
		{"devices/sensor12/temp", "/", "devices/sensor?/temp"},
		{"x/3b241101-e2bb-4255-8caf-4136c566a962", "/", "x/?"},
		{"amq.gen-JzTY20BRgKO3HjmUJj0wLg", ".", "amq.?"},
		{"a/b/c/d/e/f/g/h/i/j", "/", "a/b/c/d/e/f/g/h/…"},
		{"téléphone/x", "/", "?/x"},
		{"$SYS/broker/uptime", "/", "$SYS/broker/uptime"},
		{"a//b", "/", "a//b"},
		{"/a1/", "/", "/a?/"},
	} {
		got := Template(tt.in, tt.seps)
		if got != tt.want {
			t.Errorf("Template(%q) = %q, want %q", tt.in, got, tt.want)
		}
		if again := Template(got, tt.seps); again != got {
			t.Errorf("Template(%q) = %q, want it unchanged", got, again)
		}
	}
}

func TestCache(t *testing.T) {
	var c Cache
	for _, s := range []string{"a", "b", "a", ""} {
		if got := c.String([]byte(s)); got != s {
			t.Errorf("String(%q) = %q", s, got)
		}
	}
	b := []byte("orders")
	c.String(b)
	if n := testing.AllocsPerRun(100, func() { c.String(b) }); n != 0 {
		t.Errorf("%v allocations for a string seen before, want none", n)
	}
}
