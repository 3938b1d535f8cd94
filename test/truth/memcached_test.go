package truth

import (
	"fmt"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/sonde-dev/sonde/test/sut"
)

// TestMemcached compares operations with the server's own counters (stats) at both ends.
func TestMemcached(t *testing.T) { inTiers(t, testMemcached) }

func testMemcached(t *testing.T, w way) {
	id := w.id("memcached")
	script := filepath.Join("testdata", "memcached_client.py")
	python := program(t, "/usr/bin/python3", "python3")

	// A connection that is there before Sonde.
	oldServer, oldAddr := startMemcached(t, id+"-old")
	old := start(t, id+"-old-client", nil, python, script, strconv.Itoa(portOf(oldAddr)), "old")
	waitSaid(t, old, "ready")

	x := w.sonde(t)
	t.Run("old", func(t *testing.T) {
		fmt.Fprintln(old.stdin, "go")
		finished(t, old)
		want := map[string]float64{"set STORED": 50, "get MISS": 50, "quit -": 1}
		checkStore(t, x, storeClaim{oldServer.service, "server", "memcached", want, ""}, storeClaim{id + "-old-client", "client", "memcached", want, ""})
	})
	for name, argv := range map[string][]string{
		"python": {python, script, "PORT", "all"},
		"slap":   {program(t, "memcslap"), "--servers=127.0.0.1:PORT", "--concurrency=4", "--execute-number=500", "--test=get"},
		"binary": {program(t, "memcslap"), "--servers=127.0.0.1:PORT", "--concurrency=2", "--execute-number=200", "--test=mget", "--binary"},
		"go":     nil,
	} {
		t.Run(name, func(t *testing.T) {
			s, addr := startMemcached(t, id+"-"+name)
			client := id + "-" + name + "-client"
			if argv == nil {
				finished(t, startRole(t, client, "memcached", Args{Addr: addr, Requests: 200}))
			} else {
				own := append([]string(nil), argv...)
				for i := range own {
					own[i] = strings.ReplaceAll(own[i], "PORT", strconv.Itoa(portOf(addr)))
				}
				finished(t, start(t, client, nil, own...))
			}
			want := memcachedStats(t, addr)
			for side, service := range map[string]string{"server": s.service, "client": client} {
				eventuallyEqual(t, x, service+" as "+side, want, func() map[string]float64 { return memcachedSeen(t, x, side, service) })
			}
		})
	}
}

func startMemcached(t *testing.T, service string) (*process, string) {
	t.Helper()
	port := freePort(t)
	p := start(t, service, nil, program(t, "memcached"), "-p", strconv.Itoa(port), "-l", "127.0.0.1", "-U", "0", "-u", "root", "-m", "64")
	p.waitPort(t, "tcp", local(port))
	return p, local(port)
}

// memcachedStats asks for the counters that are not 0. Those of gets are by key: the clients of this test ask for one at a time, or by the
// binary protocol, where each key is a command.
func memcachedStats(t *testing.T, addr string) map[string]float64 {
	t.Helper()
	out := map[string]float64{}
	for _, l := range ask(t, addr, "stats\r\n", "END") {
		f := strings.Fields(l)
		if len(f) != 3 {
			continue
		}
		switch f[1] {
		case "get_hits", "get_misses", "cmd_set", "delete_hits", "delete_misses", "incr_hits", "incr_misses", "decr_hits", "decr_misses", "touch_hits", "touch_misses",
			"cmd_flush", "cas_badval":
			if n, err := strconv.ParseFloat(f[2], 64); err == nil && n > 0 {
				out[f[1]] = n
			}
		}
	}
	return out
}

// memcachedSeen counts what Sonde saw as the server would.
func memcachedSeen(t *testing.T, x *sut.Sonde, side, service string) map[string]float64 {
	t.Helper()
	seen, err := byLabels(x, fmt.Sprintf(`sum by (db_operation_name, db_response_status_code) (histogram_count(db_%s_operation_duration_seconds{service_name=%q}))`, side, service),
		"db_operation_name", "db_response_status_code")
	if err != nil {
		t.Fatal(err)
	}
	hits := map[string]string{"get": "get", "gets": "get", "mg": "get", "delete": "delete", "incr": "incr", "decr": "decr", "touch": "touch"}
	out := map[string]float64{}
	for k, n := range seen {
		op, status, _ := strings.Cut(k, " ")
		switch kind := hits[op]; {
		case kind != "" && (status == "MISS" || status == "NOT_FOUND"):
			out[kind+"_misses"] += n
		case kind != "":
			out[kind+"_hits"] += n
		case op == "flush_all":
			out["cmd_flush"] += n
		case op == "set" || op == "add" || op == "replace" || op == "append" || op == "prepend" || op == "cas":
			out["cmd_set"] += n
			if op == "cas" && status == "EXISTS" {
				out["cas_badval"] += n
			}
		}
	}
	return out
}
