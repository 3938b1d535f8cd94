package truth

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/sonde-dev/sonde/test/sut"
)

// TestRedis compares commands with those that the server counted (INFO commandstats), and with what clients know of theirs.
func TestRedis(t *testing.T) {
	id := fmt.Sprintf("t%d-redis", os.Getpid()%1000)
	script := filepath.Join("testdata", "redis_client.py")
	python := program(t, "/usr/bin/python3", "python3")

	// A connection that is there before Sonde.
	oldServer, oldAddr := startRedis(t, id+"-old")
	old := start(t, id+"-old-client", nil, python, script, strconv.Itoa(portOf(oldAddr)), "old")
	waitSaid(t, old, "ready")

	x := startSonde(t, sut.Options{})
	t.Run("old", func(t *testing.T) {
		fmt.Fprintln(old.stdin, "go")
		finished(t, old)
		want := map[string]float64{"INCRBY OK": 50, "GET NIL": 50}
		checkStore(t, x, storeClaim{id + "-old-client", "client", "redis", want, ""}, storeClaim{oldServer.service, "server", "redis", want, ""})
	})
	t.Run("benchmark", func(t *testing.T) {
		s, addr := startRedis(t, id+"-bench")
		for _, plan := range [][]string{
			{"-P", "16", "-n", "100000", "-t", "set,get"}, {"-P", "500", "-n", "20000", "-t", "set,ping"}, {"-n", "2000", "-t", "lpush,lrange_100,mset,zadd"},
		} {
			argv := append([]string{program(t, "redis-benchmark"), "-p", strconv.Itoa(portOf(addr)), "-c", "10", "-q"}, plan...)
			finished(t, start(t, id+"-bench-client", nil, argv...))
		}
		want := commandStats(t, addr)
		checkStore(t, x, storeClaim{s.service, "server", "redis", want, "INFO"}, storeClaim{id + "-bench-client", "client", "redis", want, "INFO"})
	})
	t.Run("go-redis", func(t *testing.T) {
		s, addr := startRedis(t, id+"-go")
		finished(t, startRole(t, id+"-go-client", "redis", Args{Addr: addr, Requests: 50}))
		checkRedis(t, x, s, addr, id+"-go-client")
	})
	t.Run("python", func(t *testing.T) {
		s, addr := startRedis(t, id+"-py")
		finished(t, start(t, id+"-py-client", nil, python, script, strconv.Itoa(portOf(addr)), "all"))
		checkRedis(t, x, s, addr, id+"-py-client")
	})
}

// checkRedis compares both ends with the server's count of calls and failures by command.
func checkRedis(t *testing.T, x *sut.Sonde, s *process, addr, client string) {
	t.Helper()
	want := commandStats(t, addr)
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

func startRedis(t *testing.T, service string) (*process, string) {
	t.Helper()
	port := freePort(t)
	p := start(t, service, nil, program(t, "redis-server"), "--port", strconv.Itoa(port), "--bind", "127.0.0.1", "--save", "", "--dir", t.TempDir(),
		"--set-proc-title", "no") // it would write over the environment, where a Sonde that comes later finds the name
	p.waitPort(t, "tcp", local(port))
	return p, local(port)
}

// commandStats asks the server how often it ran each command, and how often it failed. A failure inside EXEC is one of the queued
// command, which Sonde sees queued without error.
func commandStats(t *testing.T, addr string) map[string]float64 {
	t.Helper()
	out := map[string]float64{}
	for _, l := range ask(t, addr, "*2\r\n$4\r\nINFO\r\n$12\r\ncommandstats\r\n", "") {
		name, ok := strings.CutPrefix(l, "cmdstat_")
		if !ok {
			continue
		}
		name, values, _ := strings.Cut(name, ":")
		name = strings.ToUpper(strings.ReplaceAll(name, "|", " "))
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
