package truth

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/sonde-dev/sonde/test/sut"
)

// TestIgnore asks for two paths, one of which a rule leaves out until the file that holds the rule is changed.
func TestIgnore(t *testing.T) {
	t.Parallel()
	const first, second = 300, 200
	file := filepath.Join(t.TempDir(), "sonde.yaml")
	configure := func(text string) {
		t.Helper()
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	configure("ignore:\n  - {protocol: http, operation: G*, target: /health/*}\n")
	x := startSonde(t, sut.Options{Args: []string{"--config", file}})
	id := fmt.Sprintf("t%d-ignore", os.Getpid()%1000)
	s := startServer(t, "go", id+"-server")
	load := func(n int, path string) {
		startRole(t, id+"-client", "load", Args{Network: "tcp", Addr: s.addr, Connections: 2, Requests: n, Paths: []string{path}}).log(t)
	}
	served := func(route string) float64 {
		v, err := x.Value(fmt.Sprintf(`sum(histogram_count(http_server_request_duration_seconds{service_name=%q,http_route=%q})) or vector(0)`, id+"-server", route))
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	reaches := func(route string, want float64) {
		t.Helper()
		got := served(route)
		for deadline := time.Now().Add(settleTimeout); got != want && time.Now().Before(deadline); pause() {
			got = served(route)
		}
		if got != want {
			t.Errorf("%s: %.0f requests, want %.0f", route, got, want)
		}
	}
	load(first, "/health/live")
	load(first, "/orders")
	reaches("/orders", first)
	reaches("/health/live", 0)
	if v, err := x.Value("sonde_agent_ignored_exchanges_total"); err != nil || v != 2*first { // at both ends
		t.Errorf("%.0f requests ignored, %v, want %d", v, err, 2*first)
	}

	configure("ignore: []\n")
	for deadline := time.Now().Add(settleTimeout); ; pause() {
		st, err := x.Status()
		if err != nil {
			t.Fatal(err)
		}
		if st.Ignore == "" {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("still ignores %s", st.Ignore)
		}
	}
	load(second, "/health/live")
	reaches("/health/live", second)
	if err := x.Stop(); err != nil {
		t.Error(err)
	}
}
