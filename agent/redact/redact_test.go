package redact

import (
	"encoding/json"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

func TestText(t *testing.T) {
	for _, c := range []struct{ name, in, want string }{
		{"nothing", `{"user":"bob","id":17}`, `{"user":"bob","id":17}`},
		{"json", `{"user":"bob","password":"hun\"ter2","id":17}`, `{"user":"bob","password":"[redacted]","id":17}`},
		{"json number", `{"pin": 1234, "id": 17}`, `{"pin": [redacted], "id": 17}`},
		{"json list", `{"tokens":["a","b]"],"id":17}`, `{"tokens":[redacted],"id":17}`},
		{"json object", `{"credentials":{"user":"a","x":"b"},"id":17}`, `{"credentials":[redacted],"id":17}`},
		{"json, name escaped", `{"pass\u0077ord":"hun\"ter2"}`, `{"pass\u0077ord":"[redacted]"}`},
		{"query", "/a?user=bob&api_key=k%26y&x=1 HTTP/1.1", "/a?user=bob&api_key=[redacted]&x=1 HTTP/1.1"},
		{"query, name escaped", "/a?pass%77ord=x&y=1", "/a?pass%77ord=[redacted]&y=1"},
		{"url in a query", "/go?to=https%3A%2F%2Fx%2F%3Ftoken%3Dabc%26y%3D1&z=2", "/go?to=https%3A%2F%2Fx%2F%3Ftoken%3D[redacted]%26y%3D1&z=2"},
		{"form", "user=bob&user[password]=a+b%20c&x=1", "user=bob&user[password]=[redacted]&x=1"},
		{"form, plain name", "user[pin]=1&filter.otp=2&shipping=3", "user[pin]=[redacted]&filter.otp=[redacted]&shipping=3"},
		{"xml", "<a><ns:Password type='x'>hun<b/>ter</ns:Password><id>1</id></a>", "<a><ns:Password type='x'>[redacted]</ns:Password><id>1</id></a>"},
		{"multipart", "--b\nContent-Disposition: form-data; name=\"password\"\n\nhunter2\nx\n--b--", "--b\nContent-Disposition: form-data; name=\"password\"\n[redacted]\n--b--"},
		{"name and value", `{"name":"db_password","value":"hunter2","x":1}`, `{"name":"db_password","value":"[redacted]","x":1}`},
		{"yaml", "user: bob\npassword: two words\nx: 1", "user: bob\npassword: [redacted]\nx: 1"},
		{"bearer", "sent Bearer abc.def-ghi to x", "sent Bearer [redacted] to x"},
		{"words", "token expired, basic authentication required", "token expired, basic authentication required"},
		{"jwt", "x eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.sig_-1 y", "x [redacted] y"},
		{"aws", "key AKIAIOSFODNN7EXAMPLE used", "key [redacted] used"},
		{"card", "paid with 4111 1111 1111 1111 on 2026-11-21", "paid with [redacted] on 2026-11-21"},
		{"card in json", `{"number":"5500-0000-0000-0004","n":4111111111111112}`, `{"number":"[redacted]","n":4111111111111112}`},
		{"card in a query", "/pay?n=4111%201111%201111%201111&x=1", "/pay?n=[redacted]&x=1"},
		{"moment", "at 1700000000003", "at 1700000000003"},
		{"userinfo", "see postgres://bob:hun@ter2@db:5432/x and https://x/y@z", "see postgres://[redacted]@db:5432/x and https://x/y@z"},
		{"redis key", "GET session:3fa9c1", "GET session:[redacted]"},
		{"private key", "-----BEGIN RSA PRIVATE KEY-----\nabc\n-----END RSA PRIVATE KEY----- x", "[redacted] x"},
	} {
		if got := Default().Text(c.in, false); got != c.want {
			t.Errorf("%s: Text(%q)\n got %q\nwant %q", c.name, c.in, got, c.want)
		}
	}
}

func TestHTTP(t *testing.T) {
	for _, c := range []struct{ name, in, want string }{
		{"request", "POST /login?next=/a&token=t0 HTTP/1.1\r\nHost: x\r\nauthorization: Basic Ym9iOmh1bnRlcjI=\r\nX-Api-Key:k1\r\n  k2\r\nContent-Type: application/json\r\n\r\n{\"user\":\"bob\",\"password\":\"hunter2\"}",
			"POST /login?next=/a&token=[redacted] HTTP/1.1\nHost: x\nauthorization: [redacted]\nX-Api-Key:[redacted]\n[redacted]\nContent-Type: application/json\n\n{\"user\":\"bob\",\"password\":\"[redacted]\"}"},
		{"response", "HTTP/1.1 500 Internal Server Error\r\nSet-Cookie: sid=1; Path=/\r\nTransfer-Encoding: chunked\r\nContent-Type: text/plain\r\n\r\n5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n",
			"HTTP/1.1 500 Internal Server Error\nSet-Cookie: [redacted]\nTransfer-Encoding: chunked\nContent-Type: text/plain\n\nhello world"},
		{"binary", "HTTP/1.1 200 OK\r\nContent-Type: image/png\r\n\r\n\x89PNG", "HTTP/1.1 200 OK\nContent-Type: image/png\n\n(body is not shown: it is not text, image/png)"},
		{"binary that lies", "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\na\x00b", "HTTP/1.1 200 OK\nContent-Type: text/plain\n\n(body is not shown: it is not text, text/plain)"},
		{"compressed", "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\nabc", "HTTP/1.1 200 OK\nContent-Encoding: gzip\n\n(body is not shown: it is compressed, gzip)"},
	} {
		if got := Default().HTTP([]byte(c.in), false); got != c.want {
			t.Errorf("%s: HTTP(%q)\n got %q\nwant %q", c.name, c.in, got, c.want)
		}
	}
}

func TestSQLMessage(t *testing.T) {
	for _, c := range [][2]string{
		{`Duplicate entry 'O'Brien' for key 'name'`, `Duplicate entry '?'`},
		{`duplicate key value violates unique constraint "users_email_key"`, `duplicate key value violates unique constraint "users_email_key"`},
		{`invalid input syntax for type integer: "hunter2"`, `invalid input syntax for type integer: "?"`},
	} {
		if got := Default().SQLMessage(c[0], false); got != c[1] {
			t.Errorf("SQLMessage(%q) = %q, want %q", c[0], got, c[1])
		}
	}
}

func TestRuleFile(t *testing.T) {
	r, err := Parse([]byte("remove: [cards, password]\nheaders: [X-Internal]\nnames: [kunde, '*geheim*']\npatterns:\n  - name: order\n    regexp: 'ORD-([0-9]+)'\n"))
	if err != nil {
		t.Fatal(err)
	}
	in := "password=a kunde=b meingeheimnis=c kunden=d 4111111111111111 ORD-17"
	want := "password=a kunde=[redacted] meingeheimnis=[redacted] kunden=d 4111111111111111 ORD-[redacted]"
	if got := r.Text(in, false); got != want {
		t.Errorf("Text(%q)\n got %q\nwant %q", in, got, want)
	}
	if got := r.HTTP([]byte("GET / HTTP/1.1\r\nx-internal: a\r\n\r\n"), false); strings.Contains(got, ": a") {
		t.Errorf("HTTP = %q", got)
	}
	if r, err := Parse([]byte("remove: [sql-literals]")); err != nil || r.HidesLiterals() {
		t.Errorf("sql-literals was not removed: %v", err)
	}
	for _, bad := range []struct{ text, want string }{
		{"remove:\n  - nosuch\n", "line 2: there is no rule \"nosuch\""},
		{"names: ['**']\n", "line 1: name \"**\" holds nothing"},
		{"headers:\n - a\n - 'x*'\n", "line 3: header \"x*\""},
		{"patterns:\n  - name: a\n    regexp: '('\n", "line 2: pattern \"a\""},
		{"patterns:\n  - name: a\n    regexp: 'x*'\n", "matches the empty text"},
		{"patterns:\n  - name: a\n    regex: 'x'\n", "line 3: unknown key \"regex\""},
		{"name: [a]\n", "line 1: field name not found"},
	} {
		if _, err := Parse([]byte(bad.text)); err == nil || !strings.Contains(err.Error(), bad.want) {
			t.Errorf("Parse(%q) = %v, want %q", bad.text, err, bad.want)
		}
	}
}

// places are where a secret is meant to be caught; Q stands for it as it is written there.
func places(secret string) map[string]string {
	quoted, _ := json.Marshal(secret)
	q := string(quoted)
	inner, _ := json.Marshal(`{"password":` + q + `}`)
	twice, _ := json.Marshal(`{"body":` + string(inner) + `}`)
	u := url.QueryEscape(secret)
	form := strings.NewReplacer("&", "", "\n", "", "\r", "").Replace(secret)
	return map[string]string{
		"json":          `{"a":1,"password":` + q + `,"b":2}`,
		"json in json":  `{"body":` + string(inner) + `}`,
		"json in json2": `{"x":` + string(twice) + `}`,
		"query":         "GET /a?x=1&access_token=" + u + "&y=2 HTTP/1.1",
		"url in query":  "GET /a?to=" + url.QueryEscape("https://x/?client_secret="+u+"&z=1") + " HTTP/1.1",
		"form":          "user=bob&passwd=" + u + "&b=2",
		"bearer header": "x\nAuthorization: Bearer " + strings.ReplaceAll(form, "\"", ""),
		"userinfo":      "postgres://bob:" + url.PathEscape(secret) + "@host/db",
		"xml":           "<r><secret>" + strings.NewReplacer("<", "&lt;", "&", "&amp;").Replace(secret) + "</secret></r>",
	}
}

// checkPlaces fails where a secret comes out of a place, whole or in a part that tells.
func checkPlaces(t *testing.T, r *Redactor, secret string) {
	t.Helper()
	for where, text := range places(secret) {
		if strings.Contains(places("")[where], secret) { // then nobody knows which of the two came out
			continue
		}
		for _, isCut := range []bool{false, true} {
			out := r.Text(text, isCut)
			parts := letters.FindAllString(secret, -1) // no escape changes them: not one of them may be left over
			for _, written := range append(parts, secret, url.QueryEscape(secret), strings.Trim(jsonOf(secret), `"`)) {
				if strings.Contains(out, written) && !strings.Contains(places("")[where]+Mark, written) {
					t.Errorf("%s: %q came out of %q: %q", where, secret, text, out)
				}
			}
		}
	}
}

var letters = regexp.MustCompile(`[A-Za-z0-9]{5,}`)

func jsonOf(s string) string {
	b, _ := json.Marshal(s)
	return string(b)
}

func TestSecretsNeverComeOut(t *testing.T) {
	for _, secret := range []string{
		"hunter2hunter2", `a"quoted"secret`, `back\slash\"es`, "with spaces inside", "ümläut-geheim", "percent%41%20sign", "semi;colon,comma}brace",
		"amp&ersand=equals", "tab\there-we-are", "line\nbreak-secret", "<angle>brackets", "plus+plus+plus", "'single'quotes'", "slash/slash/slash",
	} {
		checkPlaces(t, Default(), secret)
	}
}

// Whatever is cut off at the end, no more of the secret is left than before it began.
func TestCutTextsTellNothing(t *testing.T) {
	r := Default()
	const secret = "Zx9Qw8Er7Ty6Ui5O"
	for where, text := range places(secret) {
		for n := strings.Index(text, secret[:4]) + 4; n <= len(text) && n >= 4; n++ {
			if out := r.Text(text[:n], true); strings.Contains(out, secret[:4]) {
				t.Errorf("%s cut at %d: %q", where, n, out)
			}
		}
	}
	for n := range 20 {
		if out := Default().Text("number 4111 1111 1111 1111"[:min(26, 7+n)], true); strings.Contains(out, "4111 1111") {
			t.Errorf("card cut at %d: %q", n, out)
		}
	}
}

func FuzzRedact(f *testing.F) {
	for _, s := range places("hunter2hunter2") {
		f.Add(s, "hunter2hunter2", true)
	}
	f.Add("GET / HTTP/1.1\r\nCookie: a\r\n b\r\n\r\n", `x"y\z&w%41q`, false)
	r := Default()
	f.Fuzz(func(t *testing.T, text, secret string, isCut bool) {
		if len(text)+len(secret) > 4096 {
			return
		}
		_ = r.Text(text, isCut)
		_ = r.HTTP([]byte(text), isCut)
		_ = r.SQLMessage(text, isCut)
		if len(secret) < 8 || len(secret) > 64 || !utf8.ValidString(secret) || strings.Contains(secret, "redacted") {
			return
		}
		checkPlaces(t, r, secret)
		// A JSON string after the name of a secret never comes out, whatever stands behind it.
		if q := jsonOf(secret); !strings.Contains(text, strings.Trim(q, `"`)) {
			if out := r.Text(`{"password":`+q+`,"rest":`+jsonOf(text)+`}`, isCut); strings.Contains(out, `"password":`+q) {
				t.Errorf("%q came out: %q", secret, out)
			}
		}
	})
}

// Texts that make a careless search go back again and again take no longer than their length.
func TestHostileTextsTakeLinearTime(t *testing.T) {
	r := Default()
	for _, piece := range []string{"token=[\"", "token=", "<secret>", "name=pin\n\n", "://", "%25", "\\\"token\\\":\\\"", "token: {", "=", "4111 ", "eyJ", "&quot;", "-----BEGIN PRIVATE KEY"} {
		begin := time.Now()
		r.Text(strings.Repeat(piece, 8192/len(piece)), true)
		if d := time.Since(begin); d > 2*time.Second { // some 20 ms on an idle machine
			t.Errorf("8 KiB of %q took %v", piece, d)
		}
	}
}

func BenchmarkHTTP(b *testing.B) {
	in := []byte("POST /login?next=/a&token=t0 HTTP/1.1\r\nHost: shop.example\r\nUser-Agent: curl/7.88.1\r\nAccept: */*\r\nAuthorization: Basic Ym9iOmh1bnRlcjI=\r\n" +
		"Content-Type: application/json\r\n\r\n" + strings.Repeat(`{"user":"bob","password":"hunter2","items":[1,2,3]},`, 30))
	r := Default()
	b.ReportAllocs()
	for b.Loop() {
		r.HTTP(in, true)
	}
}
