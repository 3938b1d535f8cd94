package truth

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sonde-dev/sonde/demo"
	"github.com/sonde-dev/sonde/test/sut"
)

// TestDemoMap opens the demo shop SONDE_DEMO_RUNS times (default 3), each beside a fresh Sonde: the map has exactly the true
// edges, each with as many requests as the callers logged, and nothing else, ever; and for each edge the operations and statuses
// are those that its caller logged.
func TestDemoMap(t *testing.T) {
	runs := 3
	if v := os.Getenv("SONDE_DEMO_RUNS"); v != "" {
		var err error
		if runs, err = strconv.Atoi(v); err != nil {
			t.Fatal(err)
		}
	}
	for i := range runs {
		t.Run(fmt.Sprint(i+1), testDemoMap)
	}
}

func testDemoMap(t *testing.T) {
	dir := t.TempDir()
	edges, counts := filepath.Join(dir, "edges.json"), filepath.Join(dir, "counts.json")
	x := startSonde(t, sut.Options{})
	// A name of its own: another shop may be open on this host.
	shop := startRole(t, "", "shop", shopConfig(fmt.Sprintf("t%d-", os.Getpid()%1000), edges, counts))
	var truth demo.Truth
	for deadline := time.Now().Add(60 * time.Second); !readJSON(edges, &truth); pause() {
		if time.Now().After(deadline) {
			t.Fatalf("the shop does not open: %s %s", shop.stdout.String(), shop.said())
		}
	}
	ended := func() bool {
		select {
		case <-shop.done:
			return true
		default:
			return false
		}
	}
	for !ended() { // never a false edge, not even for a moment
		time.Sleep(time.Second)
		if _, false_ := shopEdges(t, x, truth); len(false_) > 0 {
			t.Fatalf("edges that are not true, while the shop is open: %v", false_)
		}
	}
	if shop.err != nil {
		t.Fatalf("the shop: %v: %s", shop.err, shop.said())
	}
	var logged []demo.Count
	if !readJSON(counts, &logged) {
		t.Fatal("the shop left no counts")
	}
	want := map[string]float64{}
	for _, c := range logged {
		want[c.Client+" → "+c.Server] = float64(c.Requests)
	}
	if len(want) != len(demo.Edges()) {
		t.Fatalf("the shop used %d of its %d edges: the test is void", len(want), len(demo.Edges()))
	}
	var got map[string]float64
	for deadline := time.Now().Add(settleTimeout); time.Now().Before(deadline); time.Sleep(200 * time.Millisecond) {
		if got, _ = shopEdges(t, x, truth); cmp.Equal(want, got) {
			break
		}
	}
	if d := cmp.Diff(want, got); d != "" {
		lost, _ := x.Lost()
		t.Errorf("the map differs from the callers' logs (-truth +Sonde), losses %v:\n%s", lost, d)
	}
	checkOperationsOfEdges(t, x, logged)
	if err := x.Stop(); err != nil {
		t.Error(err)
	}
}

// edgeLabels are the labels of operation and status, by OpenTelemetry's conventions.
func edgeLabels(protocol string) []string {
	return map[string][]string{
		"http":       {"http_request_method", "http_response_status_code"},
		"redis":      {"db_operation_name", "db_response_status_code"},
		"postgresql": {"db_operation_name", "db_response_status_code"},
		"nats":       {"messaging_operation_name", "messaging_response_status_code"},
		"dns":        {"dns_question_type", "dns_response_code"},
		"grpc":       {"rpc_method", "rpc_response_status_code"},
	}[protocol]
}

func operationsQuery(c demo.Count) string {
	metric := map[string]string{
		"http": "http_client_request_duration_seconds", "redis": "db_client_operation_duration_seconds",
		"postgresql": "db_client_operation_duration_seconds", "nats": "messaging_client_operation_duration_seconds",
		"dns": "dns_lookup_duration_seconds", "grpc": "rpc_client_call_duration_seconds",
	}[c.Protocol]
	return fmt.Sprintf(`sum by (%s) (histogram_count(%s{service_name=%q, peer_service=%q, network_protocol_name=%q}))`,
		strings.Join(edgeLabels(c.Protocol), ","), metric, c.Client, c.Server, c.Protocol)
}

// checkOperationsOfEdges compares operations and statuses on all edges, and once more a moment later, so that counting too much
// fails too.
func checkOperationsOfEdges(t *testing.T, x *sut.Sonde, logged []demo.Count) {
	t.Helper()
	want := map[string]float64{}
	for _, c := range logged {
		for operation, n := range c.Operations {
			want[c.Client+" → "+c.Server+": "+operation] = float64(n)
		}
	}
	look := func() string {
		got := map[string]float64{}
		for _, c := range logged {
			operations, err := byLabels(x, operationsQuery(c), edgeLabels(c.Protocol)...)
			if err != nil {
				return err.Error()
			}
			for operation, n := range operations {
				got[c.Client+" → "+c.Server+": "+operation] = n
			}
		}
		return cmp.Diff(want, got)
	}
	diff := look()
	for deadline := time.Now().Add(settleTimeout); diff != "" && time.Now().Before(deadline); diff = look() {
		time.Sleep(500 * time.Millisecond)
	}
	if diff == "" {
		time.Sleep(1200 * time.Millisecond) // a flush later
		diff = look()
	}
	if diff != "" {
		lost, _ := x.Lost()
		t.Errorf("operations differ from the callers' logs (-truth +Sonde), losses %v:\n%s", lost, diff)
	}
}

func shopConfig(prefix, edges, counts string) Args {
	return Args{Plan: prefix, Paths: []string{edges, counts}, Rate: 30, Seconds: 12}
}

// playShop opens the shop as "sonde demo" does; the services in Go are played by bin/sonde.
func playShop(ctx context.Context, a Args) error {
	cfg := demo.DefaultConfig()
	cfg.Prefix, cfg.Rate, cfg.Duration, cfg.Out = a.Plan, a.Rate, time.Duration(a.Seconds)*time.Second, os.Stderr
	cfg.EdgesFile, cfg.CountsFile = a.Paths[0], a.Paths[1]
	cfg.Executable = filepath.Join(sut.Root(), "bin", "sonde")
	return demo.Run(ctx, cfg)
}

// shopEdges returns the requests on the map's edges that touch the shop, and those edges that the shop does not have. An
// unnamed node with one of the shop's ports belongs to the shop, too.
func shopEdges(t *testing.T, x *sut.Sonde, truth demo.Truth) (edges map[string]float64, wrong []string) {
	t.Helper()
	topology, err := x.Topology(x.Started, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	belongs := func(node string) bool {
		for _, s := range truth.Services {
			if s.Name == node {
				return true
			}
			for _, p := range s.Ports {
				if strings.HasSuffix(node, fmt.Sprintf(":%d", p)) {
					return true
				}
			}
		}
		return false
	}
	real := map[string]bool{}
	for _, e := range truth.Edges {
		real[e.Client+" → "+e.Server] = true
	}
	edges = map[string]float64{}
	for _, e := range topology.Edges {
		if name := e.Client + " → " + e.Server; belongs(e.Client) || belongs(e.Server) {
			edges[name] += e.RED.Requests
			if !real[name] {
				wrong = append(wrong, fmt.Sprintf("%s (%s, %.0f requests)", name, e.Seen, e.RED.Requests))
			}
		}
	}
	return edges, wrong
}

func readJSON(file string, v any) bool {
	b, err := os.ReadFile(file)
	return err == nil && json.Unmarshal(b, v) == nil
}
