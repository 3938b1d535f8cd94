package truth

import (
	"fmt"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sonde-dev/sonde/test/sut"
)

// TestMemcached compares operations with the server's own counters (stats) at both ends. Inside TLS the server and pymemcache use OpenSSL,
// gomemcache uses crypto/tls; libmemcached has no TLS.
func TestMemcached(t *testing.T) {
	t.Parallel()
	inAllWays(t, testMemcached)
}

func testMemcached(t *testing.T, w way) {
	id := w.id("memcached")
	script := filepath.Join("testdata", "memcached_client.py")
	python := program(t, "/usr/bin/python3", "python3")

	// Connections that are there before Sonde.
	type joined struct {
		client *process
		server memcachedServer
	}
	olds := map[string]joined{}
	for _, name := range []string{"python", "go"} {
		s := startMemcached(t, id+"-old-"+name, w)
		client := s.service + "-client"
		var p *process
		if name == "go" {
			p = startRole(t, client, "memcached", Args{Addr: s.addr, Plan: "old", Requests: 50, TLS: w.tls})
		} else {
			p = start(t, client, nil, python, script, s.port(), "old", w.pick("plain", "tls"))
		}
		waitSaid(t, p, "ready")
		olds[name] = joined{p, s}
	}

	x := w.sonde(t)
	for name, o := range olds {
		t.Run("old "+name, func(t *testing.T) {
			before := memcachedStats(t, o.server.stats)
			fmt.Fprintln(o.client.stdin, "go")
			finished(t, o.client)
			want := map[string]float64{"set STORED": 50, "get MISS": 50, "quit -": 1}
			if name == "go" { // it asks with gets, and does not say that it goes
				want = map[string]float64{"set STORED": 50, "gets MISS": 50}
			}
			if d := cmp.Diff(map[string]float64{"cmd_set": 50, "get_misses": 50}, grown(before, memcachedStats(t, o.server.stats))); d != "" {
				t.Errorf("the oracles disagree (-client +memcached's counters):\n%s", d)
			}
			checkStore(t, x, storeClaim{o.server.service, "server", "memcached", want, ""}, storeClaim{o.client.service, "client", "memcached", want, ""})
		})
	}
	for name, argv := range map[string][]string{
		"python": {python, script, "PORT", "all", w.pick("plain", "tls")},
		"slap":   {program(t, "memcslap"), "--servers=127.0.0.1:PORT", "--concurrency=4", "--execute-number=500", "--test=get"},
		"binary": {program(t, "memcslap"), "--servers=127.0.0.1:PORT", "--concurrency=2", "--execute-number=200", "--test=mget", "--binary"},
		"go":     nil,
	} {
		t.Run(name, func(t *testing.T) {
			if w.tls != "" && argv != nil && argv[0] != python {
				t.Skip("libmemcached has no TLS")
			}
			s := startMemcached(t, id+"-"+name, w)
			client := id + "-" + name + "-client"
			var p *process
			if argv == nil {
				p = startRole(t, client, "memcached", Args{Addr: s.addr, Requests: 200, TLS: w.tls})
			} else {
				own := append([]string(nil), argv...)
				for i := range own {
					own[i] = strings.ReplaceAll(own[i], "PORT", s.port())
				}
				p = start(t, client, nil, own...)
			}
			finished(t, p)
			ends := map[string]string{"server": s.service, "client": client}
			want := map[string]float64{}
			for k, n := range memcachedStats(t, s.stats) {
				want["client "+k], want["server "+k] = n, n
			}
			eventuallyEqual(t, x, client, want, func() map[string]float64 {
				got := map[string]float64{}
				for side, service := range ends {
					for k, n := range memcachedSeen(t, x, side, service) {
						got[side+" "+k] = n
					}
				}
				return got
			})
			if timed := map[string]string{"go": "gets", "python": "get"}[name]; timed != "" {
				for side, service := range ends {
					checkLatency(t, x, service, fmt.Sprintf(`db_%s_operation_duration_seconds{service_name=%q, db_operation_name=%q}`, side, service, timed), 0, p.log(t).Durations)
				}
			}
		})
	}
}

// A memcachedServer is one that runs. It is asked for its counters without TLS.
type memcachedServer struct {
	*process
	addr, stats string
}

func (s memcachedServer) port() string { return strconv.Itoa(portOf(s.addr)) }

func startMemcached(t *testing.T, service string, w way) memcachedServer {
	t.Helper()
	s := memcachedServer{addr: local(freePort(t))}
	s.stats = s.addr
	argv := []string{program(t, "memcached"), "-U", "0", "-u", "root", "-m", "64", "-l", s.addr}
	if w.tls != "" {
		s.stats = local(freePort(t))
		argv = append(argv, "-l", "notls:"+s.stats, "-Z", "-o", fmt.Sprintf("ssl_chain_cert=%[1]s/cert.pem,ssl_key=%[1]s/key.pem", w.tls))
	}
	s.process = start(t, service, nil, argv...)
	s.waitPort(t, "tcp", s.addr)
	s.waitPort(t, "tcp", s.stats)
	return s
}

// grown is what counters have become more by.
func grown(before, after map[string]float64) map[string]float64 {
	out := map[string]float64{}
	for k, n := range after {
		if n > before[k] {
			out[k] = n - before[k]
		}
	}
	return out
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
