package main

import (
	"fmt"
	"net"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/sonde-dev/sonde/test/sut"
)

// A conversation is a real server with a load that talks to it in one protocol.
type conversation struct {
	name string
	// serve starts the server and returns where it listens.
	serve func(b *bench) (*worker, string, error)
	// load runs the load and returns the requests made and how many that was a second, both by its own account.
	load func(b *bench, addr string) (requests, perSecond float64, err error)
}

func conversations() []conversation {
	return []conversation{
		{"Redis", (*bench).redis, func(b *bench, addr string) (float64, float64, error) { return b.redisBenchmark(addr, 1, 40_000) }},
		{"Redis, 16 in a pipeline", (*bench).redis, func(b *bench, addr string) (float64, float64, error) { return b.redisBenchmark(addr, 16, 150_000) }},
		{"PostgreSQL, prepared", (*bench).postgres, func(b *bench, addr string) (float64, float64, error) { return b.pgbench(addr) }},
		{"gRPC (Go)", serveRole("grpc-server"), loadRole("grpc-client")},
		{"HTTPS (OpenSSL: nginx, wrk)", (*bench).nginxTLS, func(b *bench, addr string) (float64, float64, error) {
			n, rate, _, err := b.wrk("https://"+addr, b.seconds)
			return n, rate, err
		}},
		{"HTTPS (Go)", serveRole("https-server"), loadRole("https-client")},
	}
}

// protocols measures each conversation with and without Sonde, both ends observed, and what Sonde itself needs for an exchange.
func (b *bench) protocols() error {
	for _, c := range conversations() {
		own := series{}
		measure := func(s *sut.Sonde) (map[string]float64, error) {
			server, addr, err := c.serve(b)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", c.name, err)
			}
			defer server.stop()
			var before time.Duration
			if s != nil {
				before = s.CPU()
			}
			requests, rate, err := c.load(b, addr)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", c.name, err)
			}
			if s != nil {
				time.Sleep(time.Second) // what is still queued is part of the price
				own.add(map[string]float64{"cpu": perExchange(s.CPU()-before, requests)})
			}
			return map[string]float64{"rate": rate}, nil
		}
		without, with, err := b.inPairs(measure)
		if err != nil {
			return err
		}
		b.report.pair(c.name+", throughput", "requests/s", without["rate"], with["rate"], "", 0, true)
		b.report.single(c.name+", CPU of Sonde per exchange", "µs", median(own["cpu"]), "≤ 2", 2, "two exchanges for each request")
	}
	return nil
}

// untilListening waits for a server.
func untilListening(w *worker, addr string) error {
	for range 250 {
		if c, err := net.Dial("tcp", addr); err == nil {
			return c.Close()
		}
		select {
		case <-w.done:
			return fmt.Errorf("it ended: %s %s", w.stdout.String(), w.stderr.String())
		case <-time.After(20 * time.Millisecond):
		}
	}
	w.stop()
	return fmt.Errorf("it does not listen on %s: %s", addr, w.stderr.String())
}

func loopback() (port int, addr string, err error) {
	port, err = freePort()
	return port, fmt.Sprintf("127.0.0.1:%d", port), err
}

func (b *bench) redis() (*worker, string, error) {
	port, addr, err := loopback()
	if err != nil {
		return nil, "", err
	}
	w, err := start([]string{"OTEL_SERVICE_NAME=bench-redis"}, "redis-server", "--bind", "127.0.0.1", "--port", strconv.Itoa(port), "--save", "", "--dir", b.dir)
	if err != nil {
		return nil, "", err
	}
	return w, addr, untilListening(w, addr)
}

// redisBenchmark makes so many requests for each second of the run.
func (b *bench) redisBenchmark(addr string, pipeline int, perSecond float64) (requests, rate float64, err error) {
	_, port, _ := strings.Cut(addr, ":")
	requests = perSecond * b.seconds
	w, err := start([]string{"OTEL_SERVICE_NAME=bench-redis-client"}, "redis-benchmark", "-p", port, "-t", "get", "-c", "50", "-P", strconv.Itoa(pipeline), "-n", fmt.Sprint(int(requests)), "--csv")
	if err == nil {
		err = w.wait()
	}
	if err != nil {
		return 0, 0, err
	}
	for line := range strings.Lines(w.stdout.String()) { // "GET","52631.58",…
		if fields := strings.Split(strings.ReplaceAll(line, `"`, ""), ","); fields[0] == "GET" {
			rate, err = strconv.ParseFloat(fields[1], 64)
			return requests, rate, err
		}
	}
	return 0, 0, fmt.Errorf("redis-benchmark said %q", w.stdout.String())
}

// postgresBin finds the programs of Debian's newest server.
func postgresBin() (string, error) {
	found, _ := filepath.Glob("/usr/lib/postgresql/*/bin")
	if len(found) == 0 {
		return "", fmt.Errorf("no PostgreSQL server in /usr/lib/postgresql")
	}
	return found[len(found)-1], nil
}

func (b *bench) postgres() (*worker, string, error) {
	bin, err := postgresBin()
	if err != nil {
		return nil, "", err
	}
	dir, err := os.MkdirTemp(b.dir, "postgres-")
	if err != nil {
		return nil, "", err
	}
	account, err := user.Lookup("postgres") // the server refuses to run as root
	if err != nil {
		return nil, "", err
	}
	uid, _ := strconv.Atoi(account.Uid)
	if err := os.Chown(dir, uid, -1); err != nil {
		return nil, "", err
	}
	port, addr, err := loopback()
	if err != nil {
		return nil, "", err
	}
	as := []string{"setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"}
	if err := finish(append(as, bin+"/initdb", "-D", dir+"/data", "-A", "trust", "-U", "postgres", "--no-sync")...); err != nil {
		return nil, "", err
	}
	w, err := start([]string{"OTEL_SERVICE_NAME=bench-postgres"}, append(as, bin+"/postgres", "-D", dir+"/data", "-p", strconv.Itoa(port), "-h", "127.0.0.1", "-k", dir, "-c", "fsync=off")...)
	if err != nil {
		return nil, "", err
	}
	for range 100 {
		if err = finish(bin+"/pgbench", "-i", "-q", "-h", "127.0.0.1", "-p", strconv.Itoa(port), "-U", "postgres", "postgres"); err == nil {
			return w, addr, nil
		}
		time.Sleep(100 * time.Millisecond)
	}
	w.stop()
	return nil, "", err
}

// finish runs a program to its end.
func finish(argv ...string) error {
	w, err := start(nil, argv...)
	if err != nil {
		return err
	}
	return w.wait()
}

func (b *bench) pgbench(addr string) (requests, rate float64, err error) {
	bin, err := postgresBin()
	if err != nil {
		return 0, 0, err
	}
	_, port, _ := strings.Cut(addr, ":")
	w, err := start([]string{"OTEL_SERVICE_NAME=bench-pgbench"}, bin+"/pgbench", "-n", "-S", "-M", "prepared", "-c", "8", "-T", fmt.Sprint(max(1, int(b.seconds))), "-h", "127.0.0.1", "-p", port, "-U", "postgres", "postgres")
	if err == nil {
		err = w.wait()
	}
	if err != nil {
		return 0, 0, err
	}
	_, processed, _ := strings.Cut(w.stdout.String(), "actually processed: ")
	_, tps, _ := strings.Cut(w.stdout.String(), "tps = ")
	if _, err := fmt.Sscan(processed, &requests); err != nil {
		return 0, 0, fmt.Errorf("pgbench said %q: %w", w.stdout.String(), err)
	}
	if _, err := fmt.Sscan(tps, &rate); err != nil {
		return 0, 0, fmt.Errorf("pgbench said %q: %w", w.stdout.String(), err)
	}
	return requests, rate, nil
}
