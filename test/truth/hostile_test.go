package truth

import (
	"fmt"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/sonde-dev/sonde/test/sut"
)

// TestGarbage sends random bytes, cut connections and what resembles HTTP to several ports for SONDE_GARBAGE (default 20s):
// nobody becomes an HTTP service by it, memory stays flat, Sonde lives.
func TestGarbage(t *testing.T) {
	length := 20 * time.Second
	if v := os.Getenv("SONDE_GARBAGE"); v != "" {
		var err error
		if length, err = time.ParseDuration(v); err != nil {
			t.Fatal(err)
		}
	}
	x := startSonde(t, sut.Options{})
	id := fmt.Sprintf("t%d-garbage", os.Getpid()%1000)
	var clients []*process
	for i := range 3 {
		addr := local(freePort(t))
		startRole(t, id+"-server", "garbage-server", Args{Network: "tcp", Addr: addr, Seed: uint64(i * 1000000)}).waitPort(t, "tcp", addr)
		clients = append(clients, startRole(t, id+"-client", "garbage-client", Args{Network: "tcp", Addr: addr, Connections: 6, Seconds: length.Seconds(), Seed: uint64(i)}))
	}
	// Maps, caches and heap fill up at first: what counts is that it ends.
	time.Sleep(length / 2)
	half := x.RSS()
	for _, c := range clients {
		<-c.done
	}
	full := x.RSS()
	time.Sleep(2500 * time.Millisecond) // the last flush
	if !x.Alive() {
		t.Fatalf("Sonde died: %s", x.Output())
	}
	if resp, err := http.Get(x.URL + "/healthz"); err != nil || resp.StatusCode != http.StatusOK {
		t.Errorf("/healthz: %v %v", resp, err)
	}
	if out := x.Output(); strings.Contains(out, "panic") || strings.Contains(out, "goroutine ") {
		t.Errorf("Sonde panicked: %s", out)
	}
	services, err := x.Services(x.Started, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range services {
		if strings.HasPrefix(s.Name, id) {
			t.Errorf("garbage made a service of %s: server %+v, client %+v", s.Name, s.Server, s.Client)
			claimed, err := x.Query(fmt.Sprintf(`count by (__name__, rpc_system, db_system_name, messaging_system, messaging_operation_name, db_operation_name) ({service_name=%q})`, s.Name), time.Now())
			t.Logf("its series: %v %v", claimed, err)
		}
	}
	t.Logf("%v of garbage: RSS %d MB at half time, %d MB at the end", length, half>>20, full>>20)
	if full > half+half/10+(8<<20) {
		t.Errorf("RSS grew from %d to %d MB in the second half", half>>20, full>>20)
	}
	if err := x.Stop(); err != nil {
		t.Error(err)
	}
}

// TestManyURLs asks for 100 000 distinct words no template knows and 20 000 numbers: every request counts, the series do
// not grow with them, "other" says how many had to share.
func TestManyURLs(t *testing.T) {
	const words, numbers = 100000, 20000
	x := startSonde(t, sut.Options{})
	id := fmt.Sprintf("t%d-urls", os.Getpid()%1000)
	s := startServer(t, "go", id+"-server")
	s.stop() // the recording one would keep 100 000 exchanges in memory
	plain := startRole(t, id+"-server", "server", Args{Network: "tcp", Addr: s.addr})
	plain.waitPort(t, "tcp", s.addr)
	load := func(n int, path string) {
		startRole(t, id+"-client", "load", Args{Network: "tcp", Addr: s.addr, Connections: 8, Requests: n, Paths: []string{path}}).log(t)
	}
	load(numbers, "/items/%d")
	load(words, "/word/%w")
	query := func(q string) float64 {
		v, err := x.Value(strings.ReplaceAll(q, "SERVER", fmt.Sprintf("service_name=%q", id+"-server")))
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	for deadline := time.Now().Add(settleTimeout); time.Now().Before(deadline); pause() {
		if query(`sum(histogram_count(http_server_request_duration_seconds{SERVER}))`) == words+numbers {
			break
		}
	}
	for q, want := range map[string]float64{
		`sum(histogram_count(http_server_request_duration_seconds{SERVER}))`:                                  words + numbers,
		`sum(histogram_count(http_server_request_duration_seconds{SERVER,http_route="/items/{id}"}))`:         numbers,
		`sum(histogram_count(sonde_service_request_duration_seconds{SERVER,side="server"}))`:                  words + numbers,
		`sum(histogram_count(http_server_request_duration_seconds{SERVER,http_response_status_code!="200"}))`: 0,
	} {
		if got := query(q); got != want {
			t.Errorf("%s = %.0f, want %.0f", q, got, want)
		}
	}
	series, other := query(`count(http_server_request_duration_seconds{SERVER})`), query(`sum(histogram_count(http_server_request_duration_seconds{SERVER,http_route="other"}))`)
	lost, err := x.Lost()
	t.Logf("%.0f series, %.0f requests under other, losses %v %v, RSS %d MB", series, other, lost, err, x.RSS()>>20)
	if series > 250 || series < 2 {
		t.Errorf("%.0f series of the service, want at most 250 (200 routes is the bound)", series)
	}
	if other == 0 || lost["route_limit"] < other {
		t.Errorf("%.0f requests under other, route_limit says %.0f: want it counted", other, lost["route_limit"])
	}
	if err := x.Stop(); err != nil {
		t.Error(err)
	}
}
