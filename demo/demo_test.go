package demo

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// TestMain lets the test binary play the roles, as the sonde binary does.
func TestMain(m *testing.M) {
	if len(os.Args) == 4 && os.Args[1] == "demo" && os.Args[2] == "--role" {
		ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
		defer stop()
		if err := RunRole(ctx, os.Args[3]); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// TestRunLivesItsTruth opens the shop for a moment and holds its two accounts together: the edges it claims, and the
// requests its services logged. Afterwards no process of it is left.
func TestRunLivesItsTruth(t *testing.T) {
	for _, goOnly := range []bool{true, false} {
		t.Run(fmt.Sprintf("goOnly=%v", goOnly), func(t *testing.T) {
			dir := t.TempDir()
			cfg := DefaultConfig()
			cfg.GoOnly, cfg.Rate, cfg.Out = goOnly, 60, &strings.Builder{}
			cfg.EdgesFile, cfg.CountsFile = filepath.Join(dir, "edges.json"), filepath.Join(dir, "counts.json")
			cfg.Duration = 2 * time.Second
			if err := Run(t.Context(), cfg); err != nil {
				t.Fatal(err)
			}
			var truth Truth
			var counts []Count
			readJSON(t, cfg.EdgesFile, &truth)
			readJSON(t, cfg.CountsFile, &counts)
			if d := cmp.Diff(Edges(), truth.Edges); d != "" {
				t.Errorf("edges written differ from Edges():\n%s", d)
			}
			var walked []Edge
			for _, c := range counts {
				walked = append(walked, c.Edge)
				if c.Statuses["599"] > 0 {
					t.Errorf("%s → %s: %d of %d calls had no reply", c.Client, c.Server, c.Statuses["599"], c.Requests)
				}
			}
			if d := cmp.Diff(Edges(), walked); d != "" {
				t.Errorf("edges with traffic (-claimed +walked):\n%s", d)
			}
			if left := processesWith(specEnv); len(left) > 0 {
				t.Errorf("processes left behind: %v", left)
			}
		})
	}
}

func TestRunStopsOnCancel(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	cfg := DefaultConfig()
	cfg.GoOnly, cfg.Out = true, &strings.Builder{}
	if err := Run(ctx, cfg); err != nil {
		t.Errorf("Run after cancel = %v, want nil", err)
	}
}

func TestSpecRoundTrip(t *testing.T) {
	want := &spec{service: "a", speaks: "http", log: "/x", port: 7, keepAlive: true, rate: 1.5, burst: 3, everyMs: 4, longMs: 2,
		routes: []specRoute{{route: route{"GET", "/p/*", 200, 1, 2, 3, 4, 500, 6, nil},
			calls: []specCall{{call{"POST", "b", "/q", 9}, []string{"127.0.0.1:1", "127.0.0.1:2"}, "http"}}}}}
	file := filepath.Join(t.TempDir(), "spec")
	if err := want.write(file); err != nil {
		t.Fatal(err)
	}
	got, err := readSpec(file)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(want, got, cmp.AllowUnexported(spec{}, specRoute{}, specCall{}, route{}, call{})); d != "" {
		t.Errorf("read after write (-want +got):\n%s", d)
	}
	for _, bad := range []string{"route\tGET", "call\tGET\ta\t/\t0\tx", "nonsense"} {
		os.WriteFile(file, []byte(bad), 0o600)
		if _, err := readSpec(file); err == nil {
			t.Errorf("readSpec(%q): no error", bad)
		}
	}
}

func TestMatchPath(t *testing.T) {
	for _, c := range []struct {
		pattern, path, star string
		ok                  bool
	}{
		{"/a/*", "/a/7", "7", true},
		{"/a", "/a", "", true},
		{"/a/*/b", "/a/7/b", "7", true},
		{"/a/*", "/a", "", false},
		{"/a", "/b", "", false},
	} {
		if star, ok := matchPath(c.pattern, c.path); ok != c.ok || ok && star != c.star {
			t.Errorf("matchPath(%q, %q) = %q, %v, want %q, %v", c.pattern, c.path, star, ok, c.star, c.ok)
		}
	}
}

func TestValidate(t *testing.T) {
	for _, change := range []func(*Config){
		func(c *Config) { c.Rate = 0 }, func(c *Config) { c.BurstRate = -1 },
		func(c *Config) { c.BurstLength = c.BurstEvery }, func(c *Config) { c.Out = nil },
	} {
		cfg := DefaultConfig()
		if err := cfg.Validate(); err != nil {
			t.Fatalf("DefaultConfig: %v", err)
		}
		change(&cfg)
		if cfg.Validate() == nil {
			t.Errorf("Validate(%+v) = nil, want an error", cfg)
		}
	}
}

func readJSON(t *testing.T, file string, v any) {
	t.Helper()
	b, err := os.ReadFile(file)
	if err == nil {
		err = json.Unmarshal(b, v)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// processesWith finds processes by a variable of their environment, so that nothing else on the machine is mistaken.
func processesWith(name string) (pids []string) {
	files, _ := filepath.Glob("/proc/[0-9]*/environ")
	for _, f := range files {
		if b, err := os.ReadFile(f); err == nil && strings.Contains(string(b), name+"="+os.TempDir()) {
			pids = append(pids, f)
		}
	}
	return pids
}
