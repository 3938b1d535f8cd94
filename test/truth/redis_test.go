package truth

import (
	"fmt"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/sonde-dev/sonde/test/sut"
	"github.com/sonde-dev/sonde/test/wire"
)

// TestRedis compares commands with those that the server counted (INFO commandstats), and with what clients know of theirs. Inside TLS
// the server, redis-benchmark and redis-py use OpenSSL, go-redis uses crypto/tls.
func TestRedis(t *testing.T) { inAllWays(t, testRedis) }

func testRedis(t *testing.T, w way) {
	id := w.id("redis")
	script := filepath.Join("testdata", "redis_client.py")
	python := program(t, "/usr/bin/python3", "python3")

	// A connection that is there before Sonde.
	oldServer := startRedis(t, id+"-old", w)
	old := start(t, id+"-old-client", nil, python, script, oldServer.port(), "old", w.pick("plain", "tls"))
	waitSaid(t, old, "ready")

	x := w.sonde(t)
	t.Run("old", func(t *testing.T) {
		fmt.Fprintln(old.stdin, "go")
		finished(t, old)
		want := map[string]float64{"INCRBY OK": 50, "GET NIL": 50}
		checkStore(t, x, storeClaim{id + "-old-client", "client", "redis", want, ""}, storeClaim{oldServer.service, "server", "redis", want, ""})
	})
	t.Run("benchmark", func(t *testing.T) {
		s := startRedis(t, id+"-bench", w)
		for _, plan := range [][]string{
			{"-P", "16", "-n", "100000", "-t", "set,get"}, {"-P", "500", "-n", "20000", "-t", "set,ping"}, {"-n", "2000", "-t", "lpush,lrange_100,mset,zadd"},
		} {
			argv := w.withTLS(append([]string{program(t, "redis-benchmark"), "-p", s.port(), "-c", "10", "-q"}, plan...), "--tls --insecure")
			finished(t, start(t, id+"-bench-client", nil, argv...))
		}
		want := s.commandStats(t)
		checkStore(t, x, storeClaim{s.service, "server", "redis", want, "INFO"}, storeClaim{id + "-bench-client", "client", "redis", want, "INFO"})
	})
	t.Run("go-redis", func(t *testing.T) {
		s := startRedis(t, id+"-go", w)
		l := startRole(t, id+"-go-client", "redis", Args{Addr: s.addr, Requests: 50, TLS: w.tls}).log(t)
		checkRedis(t, x, s, id+"-go-client")
		checkRedisLatency(t, x, s, id+"-go-client", l)
	})
	t.Run("python", func(t *testing.T) {
		s := startRedis(t, id+"-py", w)
		l := start(t, id+"-py-client", nil, python, script, s.port(), "all", w.pick("plain", "tls")).log(t)
		checkRedis(t, x, s, id+"-py-client")
		checkRedisLatency(t, x, s, id+"-py-client", l)
	})
	t.Run("redis-cli", func(t *testing.T) {
		s := startRedis(t, id+"-cli", w)
		p := start(t, id+"-cli-client", nil, w.withTLS([]string{program(t, "redis-cli"), "-p", s.port()}, "--tls --insecure")...)
		for i := range 50 {
			fmt.Fprintf(p.stdin, "SET key:%d value\nINCR key:%d\nLPUSH list %d\n", i, i, i)
		}
		p.stdin.Close()
		finished(t, p)
		checkRedis(t, x, s, id+"-cli-client")
	})
	if err := x.Stop(); err != nil {
		t.Error(err)
	}
}

// A redisServer is one that runs. It is asked for its counters without TLS.
type redisServer struct {
	*process
	addr, stats string
}

func (s redisServer) port() string { return strconv.Itoa(portOf(s.addr)) }

// checkRedis compares both ends with the server's count of calls and failures by command.
func checkRedis(t *testing.T, x *sut.Sonde, s redisServer, client string) {
	t.Helper()
	want := s.commandStats(t)
	for side, service := range map[string]string{"server": s.service, "client": client} {
		got := func() map[string]float64 {
			m, err := byLabels(x, fmt.Sprintf(`sum by (db_operation_name, error_type) (histogram_count(db_%s_operation_duration_seconds{service_name=%q}))`, side, service),
				"db_operation_name", "error_type")
			if err != nil {
				t.Fatal(err)
			}
			out := map[string]float64{}
			for k, v := range m {
				op, failure, _ := cutLast(k)
				status := "OK"
				if failure != "-" && !strings.HasPrefix(op, "EXEC") { // EXEC itself did not fail when a command in it did
					status = "failed"
				}
				isUnknown := status == "failed" && want[op+" OK"]+want[op+" failed"] == 0 // not a command of this server: not counted
				if op != "INFO" && op != "message" && !isUnknown {
					out[op+" "+status] += v
				}
			}
			return out
		}
		eventuallyEqual(t, x, service+" as "+side, want, got)
	}
}

// checkRedisLatency compares both ends with how long their client had to wait for a server that slept.
func checkRedisLatency(t *testing.T, x *sut.Sonde, s redisServer, client string, l *wire.Log) {
	t.Helper()
	for side, service := range map[string]string{"server": s.service, "client": client} {
		checkLatency(t, x, service, fmt.Sprintf(`db_%s_operation_duration_seconds{service_name=%q, db_operation_name="DEBUG SLEEP"}`, side, service), redisSlow.Seconds(), l.Durations)
	}
}

func startRedis(t *testing.T, service string, w way) redisServer {
	t.Helper()
	port := freePort(t)
	s := redisServer{addr: local(port), stats: local(port)}
	argv := []string{program(t, "redis-server"), "--port", strconv.Itoa(port), "--bind", "127.0.0.1", "--save", "", "--dir", t.TempDir(), "--enable-debug-command", "local",
		"--set-proc-title", "no"} // it would write over the environment, where a Sonde that comes later finds the name
	if w.tls != "" {
		inside := freePort(t)
		s.addr = local(inside)
		argv = append(argv, "--tls-port", strconv.Itoa(inside), "--tls-cert-file", w.tls+"/cert.pem", "--tls-key-file", w.tls+"/key.pem", "--tls-auth-clients", "no")
	}
	s.process = start(t, service, nil, argv...)
	s.waitPort(t, "tcp", s.stats)
	return s
}

// commandStats asks the server how often it ran each command, and how often it failed. A failure inside EXEC is one of the queued
// command, which Sonde sees queued without error.
func (s redisServer) commandStats(t *testing.T) map[string]float64 {
	t.Helper()
	out := map[string]float64{}
	for _, l := range ask(t, s.stats, "*2\r\n$4\r\nINFO\r\n$12\r\ncommandstats\r\n", "") {
		name, ok := strings.CutPrefix(l, "cmdstat_")
		if !ok {
			continue
		}
		name, values, _ := strings.Cut(name, ":")
		name = strings.ToUpper(strings.ReplaceAll(name, "|", " "))
		if name == "DEBUG" { // of this command the server does not tell subcommands apart; clients here use one
			name = "DEBUG SLEEP"
		}
		n := map[string]float64{}
		for _, kv := range strings.Split(values, ",") {
			k, v, _ := strings.Cut(kv, "=")
			n[k], _ = strconv.ParseFloat(v, 64)
		}
		failed := n["failed_calls"] + n["rejected_calls"]
		if ok := n["calls"] - n["failed_calls"]; ok > 0 {
			out[name+" OK"] = ok
		}
		if failed > 0 {
			out[name+" failed"] = failed
		}
	}
	return out
}
