package keyspace

import "testing"

func TestTemplate(t *testing.T) {
	for _, tt := range []struct{ in, want string }{
		{"", ""},
		{"user", "user"},
		{"user:123", "user:?"},
		{"user:123:cart", "user:?:cart"},
		{"key:000000012345", "key:?"},
		{"key:__rand_int__", "key:__rand_int__"},
		{"session:3f2a9c1b77de", "session:?"},
		{"session:7f0c7a3e-2d0a-4b6f-9c55-1f2e3d4c5b6a", "session:?"},
		{"report:2024-05-06", "report:?"},
		{"user_conf_config_1", "user_conf_config_?"},
		{"verify_code", "verify_code"},
		{"cache:v2:items", "cache:v2:items"},
		{"{user1000}.following", "{?}.following"},
		{"getCustomerOrder:9", "getCustomerOrder:?"},
		{"ferret_popups_identity_user_pZ61jY9MyyItxjdjo5bFElaffitpaJ_1726624102393", "ferret_popups_identity_user_?"},
		{"name:jörg", "name:?"},
		{"\x00\x01\x02binary", "?"},
		{"a:b:c:d:e:f:g:h:i:j", "a:b:c:d:e:f:g:h:"},
		{"counter:__rand__", "counter:__rand__"},
		{"mail:joe@example.org", "mail:?.org"},
	} {
		if got := Template(tt.in); got != tt.want {
			t.Errorf("Template(%q) = %q, want %q", tt.in, got, tt.want)
		}
		if got := Template(Template(tt.in)); got != Template(tt.in) {
			t.Errorf("Template is not idempotent for %q: %q", tt.in, got)
		}
	}
}
