package query

import "net/http"

// contentPolicy lets the page load and talk to nothing but Sonde itself. Style attributes are needed by charts and
// tables, blob workers by the layout of the map.
const contentPolicy = "default-src 'self'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; " +
	"font-src 'self' data:; connect-src 'self'; worker-src 'self' blob:; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"

// maxBody bounds request bodies (remote write sends about 100 kB, Prometheus itself refuses above 32 MiB decoded).
const maxBody = 16 << 20

// secured sets the headers of every reply. There are no CORS headers: other sites may not read.
func secured(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		head := w.Header()
		head.Set("X-Content-Type-Options", "nosniff")
		head.Set("Content-Security-Policy", contentPolicy)
		head.Set("Referrer-Policy", "no-referrer")
		head.Set("Cross-Origin-Resource-Policy", "same-origin")
		r.Body = http.MaxBytesReader(w, r.Body, maxBody)
		h.ServeHTTP(w, r)
	})
}
