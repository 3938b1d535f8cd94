package load

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sonde-dev/sonde/test/wire"
)

// The server counts for itself.
func TestRun(t *testing.T) {
	var served atomic.Int64
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if served.Add(1)%50 == 0 {
			w.Header().Set("Connection", "close")
		}
		if r.URL.Path == "/none" {
			w.WriteHeader(404)
		}
		w.Write([]byte("12345"))
	}))
	defer srv.Close()
	l, err := Run(Plan{Network: "tcp", Addr: strings.TrimPrefix(srv.URL, "http://"), Requests: 300, Connections: 4, Rate: 5000, Paths: []string{"/a/%d", "/none", "/w"}, Timed: true})
	if err != nil {
		t.Fatal(err)
	}
	want := []wire.Row{{Key: wire.Key{Method: "GET", Route: "/a/{id}", Status: "200"}, Sum: wire.Sum{N: 100, ResponseBytes: 500}},
		{Key: wire.Key{Method: "GET", Route: "/none", Status: "404"}, Sum: wire.Sum{N: 100, ResponseBytes: 500}},
		{Key: wire.Key{Method: "GET", Route: "/w", Status: "200"}, Sum: wire.Sum{N: 100, ResponseBytes: 500}}}
	if d := cmp.Diff(want, l.Rows); d != "" || served.Load() != 300 || len(l.Durations) != 300 {
		t.Errorf("log (-want +got), server counted %d, %d durations:\n%s", served.Load(), len(l.Durations), d)
	}
}

func TestFill(t *testing.T) {
	if got := fill("/word/%w", 120); got != "/word/dofeba" {
		t.Errorf("fill = %q", got)
	}
}
