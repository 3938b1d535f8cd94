package web

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/fstest"
)

func page() fstest.MapFS {
	return fstest.MapFS{
		"dist/index.html":        {Data: []byte("<title>the page</title>")},
		"dist/favicon.svg":       {Data: []byte("<svg/>")},
		"dist/assets/a-1234.js":  {Data: []byte("script")},
		"dist/assets/a-1234.css": {Data: []byte("style")},
	}
}

func TestServe(t *testing.T) {
	root, err := built(page())
	if err != nil {
		t.Fatalf("built: %v", err)
	}
	handler, err := serve(root)
	if err != nil {
		t.Fatalf("serve: %v", err)
	}
	tests := []struct {
		name, method, path string
		status             int
		body, caching      string
	}{
		{"root", "GET", "/", 200, "the page", "no-cache"},
		{"a view", "GET", "/map?focus=a", 200, "the page", "no-cache"},
		{"a service with dots and a port", "GET", "/service/10.0.0.1:80", 200, "the page", "no-cache"},
		{"a service with an escaped slash", "GET", "/service/a%2Fb", 200, "the page", "no-cache"},
		{"a service named like a parent folder", "GET", "/service/..", 200, "the page", "no-cache"},
		{"index.html by name", "GET", "/index.html", 200, "the page", "no-cache"},
		{"hashed asset", "GET", "/assets/a-1234.js", 200, "script", "public, max-age=31536000, immutable"},
		{"plain file", "GET", "/favicon.svg", 200, "<svg/>", "no-cache"},
		{"asset of another build", "GET", "/assets/b-9.js", 404, "not found", ""},
		{"folder", "GET", "/assets", 200, "the page", "no-cache"},
		{"unknown API", "GET", "/api/nothing", 404, "not found", ""},
		{"writing", "POST", "/", 405, "only be read", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := httptest.NewRecorder()
			handler.ServeHTTP(w, httptest.NewRequest(tt.method, tt.path, nil))
			if w.Code != tt.status || !strings.Contains(w.Body.String(), tt.body) {
				t.Errorf("%s %s = %d %q, want %d with %q", tt.method, tt.path, w.Code, w.Body, tt.status, tt.body)
			}
			if got := w.Header().Get("Cache-Control"); got != tt.caching {
				t.Errorf("%s %s: Cache-Control %q, want %q", tt.method, tt.path, got, tt.caching)
			}
		})
	}
}

func TestNotBuilt(t *testing.T) {
	_, err := built(fstest.MapFS{"dist/README": {Data: []byte("nothing built")}})
	if err != ErrNotBuilt {
		t.Fatalf("built without index.html = %v, want %v", err, ErrNotBuilt)
	}
	w := httptest.NewRecorder()
	notBuilt(err).ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/", nil))
	if w.Code != http.StatusServiceUnavailable || !strings.Contains(w.Body.String(), "run `make build`") {
		t.Errorf("page not built = %d %q, want 503 saying what to run", w.Code, w.Body)
	}
}
