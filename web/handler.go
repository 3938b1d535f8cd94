package web

import (
	"bytes"
	"fmt"
	"html"
	"io"
	"io/fs"
	"net/http"
	"path"
	"strings"
	"time"
)

// Handler returns the page. It answers every path outside /api that names no file with index.html, so that the address of
// a view can be opened directly. Without a built page it answers 503 with a sentence that says what to do.
func Handler() http.Handler {
	root, err := FS()
	if err != nil {
		return notBuilt(err)
	}
	h, err := serve(root)
	if err != nil {
		return notBuilt(err)
	}
	return h
}

func notBuilt(err error) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		w.Header().Set("Cache-Control", "no-store")
		w.WriteHeader(http.StatusServiceUnavailable)
		// The client may be gone; there is nobody left to tell.
		_, _ = io.WriteString(w, "<!doctype html><title>Sonde</title><body style=\"font:16px/1.5 system-ui;margin:4em\">"+
			"<h1>Sonde</h1><p>"+html.EscapeString(err.Error())+"</p>"+
			"<p>Everything else works: <code>sonde top</code>, <a href=\"/api/services\">/api/services</a>.</p>")
	})
}

func serve(root fs.FS) (http.Handler, error) {
	index, err := fs.ReadFile(root, "index.html")
	if err != nil {
		return nil, fmt.Errorf("read the page: %w", err)
	}
	files := http.FileServerFS(root)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			w.Header().Set("Allow", "GET, HEAD")
			http.Error(w, "the page can only be read", http.StatusMethodNotAllowed)
			return
		}
		setSecurity(w.Header())
		name := strings.TrimPrefix(path.Clean(r.URL.Path), "/")
		switch {
		case name == "api" || strings.HasPrefix(name, "api/"):
			http.NotFound(w, r)
		case isFile(root, name):
			setCaching(w.Header(), name)
			files.ServeHTTP(w, r)
		case strings.HasPrefix(name, "assets/"):
			// An asset of another build: index.html in its place would be a script that does not parse.
			http.NotFound(w, r)
		default:
			setCaching(w.Header(), "index.html")
			// ServeContent and not ServeFile: that one looks at the address, and redirects or refuses some.
			http.ServeContent(w, r, "index.html", time.Time{}, bytes.NewReader(index))
		}
	}), nil
}

func isFile(root fs.FS, name string) bool {
	// index.html falls through to the default: the file server would redirect it to "/".
	if name == "" || name == "index.html" || !fs.ValidPath(name) {
		return false
	}
	info, err := fs.Stat(root, name)
	return err == nil && !info.IsDir()
}

// setCaching keeps files under assets/ for ever, since their names hold a hash of their content, and has everything else
// asked for again, so that a new binary shows a new page at once.
func setCaching(h http.Header, name string) {
	if strings.HasPrefix(name, "assets/") {
		h.Set("Cache-Control", "public, max-age=31536000, immutable")
		return
	}
	h.Set("Cache-Control", "no-cache")
}

// setSecurity allows the page nothing but its own files and its own API. Styles are written inline by the charts and the
// map; workers come from assets/.
func setSecurity(h http.Header) {
	h.Set("Content-Security-Policy", "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "+
		"object-src 'none'; base-uri 'none'; frame-ancestors 'self'")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "same-origin")
}
