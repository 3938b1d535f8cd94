package http1

import (
	"math/rand/v2"
	"strings"
	"testing"
)

// Paths as real services have them.
var templates = []struct{ path, want string }{
	{"", ""}, {"/", "/"}, {"*", "*"}, {"//", "//"},
	{"/users", "/users"},
	{"/users/", "/users/"},
	{"/users/12345", "/users/{id}"},
	{"/users/12345/", "/users/{id}/"},
	{"/users/-1", "/users/{id}"},
	{"/users/7/orders/8", "/users/{id}/orders/{id}"},
	{"/api/v1/users", "/api/v1/users"},
	{"/api/v2beta1/pods", "/api/v2beta1/pods"},
	{"/apis/apps/v1/namespaces/default/pods/web-6d4cf56db6-x7k2p", "/apis/apps/v1/namespaces/default/pods/web-{hash}-{token}"},
	{"/api/v1.2/x", "/api/v1.2/x"},
	{"/release/1.2.3/notes", "/release/{version}/notes"},
	{"/geo/48.85/2.35", "/geo/{id}/{id}"},
	{"/hosts/10.0.0.1/status", "/hosts/{ip}/status"},
	{"/o/550e8400-e29b-41d4-a716-446655440000", "/o/{uuid}"},
	{"/o/550E8400-E29B-41D4-A716-446655440000.json", "/o/{uuid}.json"},
	{"/o/item-550e8400-e29b-41d4-a716-446655440000", "/o/item-{uuid}"},
	{"/c/507f1f77bcf86cd799439011", "/c/{hash}"},
	{"/commit/d42df56a9c", "/commit/{hash}"},
	{"/blob/e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855", "/blob/{hash}"},
	{"/v2/library/nginx/blobs/sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4", "/v2/library/nginx/blobs/sha256:{hash}"},
	{"/ulid/01ARZ3NDEKTSV4RRFFQ69G5FAV", "/ulid/{ulid}"},
	{"/watch/dQw4w9WgXcQ", "/watch/{token}"},
	{"/n/V1StGXR8_Z5jdHi6B-myT", "/n/{token}"},
	{"/t/eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9PlFUP0THsR8U", "/t/{token}"},
	{"/reports/2024-01-15", "/reports/{date}"},
	{"/reports/2024-01-15T10:30:00Z", "/reports/{date}"},
	{"/reports/sales-2024-01-15.pdf", "/reports/sales-{date}.pdf"},
	{"/blog/2024/01/15/hello", "/blog/{id}/{id}/{id}/hello"},
	{"/mail/alice@example.org", "/mail/{email}"},
	{"/npm/react@18.2.0/index.js", "/npm/react@{version}/index.js"},
	{"/search/hello%20world", "/search/{text}"},
	{"/search/caf\xc3\xa9", "/search/{text}"},
	{"/s/a+b", "/s/{text}"},
	{"/order-1234", "/order-{id}"},
	{"/order_1234/items", "/order_{id}/items"},
	{"/item12345", "/item{id}"},
	{"/12345abc", "/{hash}"}, {"/12345xyz", "/{token}"},
	{"/id=42", "/id={id}"},
	{"/page;jsessionid=A1B2C3D4E5F6", "/page"},
	{"/static/app.3f2a9c1b.js", "/static/app.{hash}.js"},
	{"/static/app.3f2a9c1b.min.js", "/static/app.{hash}.min.js"},
	{"/assets/index-DiwrgTda.js", "/assets/index-{hash}.js"},
	{"/assets/index-BxY3k9aQ.css", "/assets/index-{hash}.css"},
	{"/assets/vendor-settings.js", "/assets/vendor-settings.js"},
	{"/js/jquery-3.6.0.min.js", "/js/jquery-3.6.0.min.js"},
	{"/img/logo.png", "/img/logo.png"},
	{"/img/12345.jpg", "/img/{id}.jpg"},
	{"/fonts/roboto.woff2", "/fonts/roboto.woff2"},
	{"/favicon.ico", "/favicon.ico"},
	{"/.well-known/openid-configuration", "/.well-known/openid-configuration"},
	{"/oauth2/callback", "/oauth2/callback"},
	{"/OAuth2Callback", "/OAuth2Callback"},
	{"/s3/bucket", "/s3/bucket"},
	{"/log4j/sha256/utf8/ipv4", "/log4j/sha256/utf8/ipv4"},
	{"/getUserByIdV2Async", "/getUserByIdV2Async"},
	{"/getUserById2", "/getUserById2"},
	{"/getCustomerOrderHistoryByDateRange", "/getCustomerOrderHistoryByDateRange"},
	{"/health-check", "/health-check"},
	{"/deadbeef/facade", "/deadbeef/facade"},
	{"/news/why-our-new-office-has-no-doors", "/news/{slug}"},
	{"/a/b/c/d/e/f/g/h", "/a/b/c/d/e/f/g/h"},
	{"/a/b/c/d/e/f/g/h/i/j", "/a/b/c/d/e/f/g/h/…"},
	{"/1/b/c/d/e/f/g/h/i/j", "/{id}/b/c/d/e/f/g/h/…"},
	{"/x/" + strings.Repeat("a", 80), "/x/{token}"},
	{"/users/{id}", "/users/{id}"},
	{"/wp-login.php", "/wp-login.php"},
	{"/cgi-bin/test.cgi", "/cgi-bin/test.cgi"},
}

func TestTemplate(t *testing.T) {
	for _, tt := range templates {
		got := Template(tt.path)
		if got != tt.want {
			t.Errorf("Template(%q) = %q, want %q", tt.path, got, tt.want)
		}
		if again := Template(got); again != got {
			t.Errorf("Template(%q) = %q: not idempotent", got, again)
		}
	}
}

func TestTemplateOfWordsDoesNotAllocate(t *testing.T) {
	if n := testing.AllocsPerRun(100, func() { Template("/api/v1/users/settings/app.js") }); n != 0 {
		t.Errorf("%v allocations, want 0", n)
	}
}

// A hundred thousand made-up addresses of one interface must fold into few templates; of random text without digits some looks like a word.
func TestTemplateFolds(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	const hex, base62 = "0123456789abcdef", "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
	random := func(alphabet string, n int) string {
		b := make([]byte, n)
		for i := range b {
			b[i] = alphabet[r.IntN(len(alphabet))]
		}
		return string(b)
	}
	for _, c := range []struct {
		name string
		make func() string
		most int
	}{
		{"number", func() string { return random("0123456789", 1+r.IntN(12)) }, 1},
		{"object id", func() string { return random(hex, 24) }, 1},
		{"sha1", func() string { return random(hex, 40) }, 1},
		{"base62 of 22", func() string { return random(base62, 22) }, 500},
		{"base62 of 32", func() string { return random(base62, 32) }, 60},
	} {
		seen := map[string]bool{}
		for range 10000 {
			seen[Template("/things/"+c.make()+"/parts")] = true
		}
		if len(seen) > c.most {
			t.Errorf("%s: %d templates, want at most %d", c.name, len(seen), c.most)
		}
	}
}

func FuzzTemplate(f *testing.F) {
	for _, tt := range templates {
		f.Add(tt.path)
	}
	f.Fuzz(func(t *testing.T, path string) {
		got := Template(path)
		if again := Template(got); again != got {
			t.Errorf("Template(%q) = %q, then %q", path, got, again)
		}
	})
}

func BenchmarkTemplate(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		Template("/api/v1/users/12345/orders")
	}
}
