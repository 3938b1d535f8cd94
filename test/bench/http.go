package main

import (
	"encoding/json"
	"fmt"
	"math"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/sonde-dev/sonde/test/load"
	"github.com/sonde-dev/sonde/test/sut"
	"github.com/sonde-dev/sonde/test/wire"
)

// wrkConnections is enough to keep two cores busy without queues that hide latency.
const wrkConnections = 64

// nginx serves a page of one kilobyte with two workers, from a fresh start.
func (b *bench) nginx() (w *worker, addr string, err error) { return b.nginxWith("", "") }

// nginxTLS is the same server behind TLS.
func (b *bench) nginxTLS() (w *worker, addr string, err error) {
	if err := certificate(b.dir); err != nil {
		return nil, "", err
	}
	return b.nginxWith("ssl", fmt.Sprintf("ssl_certificate %[1]s/cert.pem; ssl_certificate_key %[1]s/key.pem;", b.dir))
}

func (b *bench) nginxWith(listen, directives string) (w *worker, addr string, err error) {
	port, err := freePort()
	if err != nil {
		return nil, "", err
	}
	dir, err := os.MkdirTemp(b.dir, "nginx-")
	if err != nil {
		return nil, "", err
	}
	os.Chmod(dir, 0o755)
	addr = fmt.Sprintf("127.0.0.1:%d", port)
	conf := fmt.Sprintf(`daemon off; worker_processes 2; pid %[1]s/pid; error_log %[1]s/error.log;
events { worker_connections 2048; }
http {
  access_log off; keepalive_requests 100000000; sendfile on; open_file_cache max=10;
  client_body_temp_path %[1]s/b; proxy_temp_path %[1]s/p; fastcgi_temp_path %[1]s/f; uwsgi_temp_path %[1]s/u; scgi_temp_path %[1]s/s;
  server { listen %[2]s %[3]s backlog=1024 reuseport; root %[1]s; %[4]s }
}
`, dir, addr, listen, directives)
	if err := os.WriteFile(filepath.Join(dir, "page"), []byte(strings.Repeat("n", 1024)), 0o644); err != nil {
		return nil, "", err
	}
	if err := os.WriteFile(filepath.Join(dir, "nginx.conf"), []byte(conf), 0o644); err != nil {
		return nil, "", err
	}
	path, err := exec.LookPath("nginx")
	if err != nil {
		path = "/usr/sbin/nginx" // not in everybody's PATH on Debian
	}
	w, err = start([]string{"OTEL_SERVICE_NAME=bench-nginx"}, path, "-c", filepath.Join(dir, "nginx.conf"), "-e", filepath.Join(dir, "error.log"))
	if err != nil {
		return nil, "", err
	}
	for range 100 {
		if c, err := net.Dial("tcp", addr); err == nil {
			c.Close()
			return w, addr, nil
		}
		time.Sleep(20 * time.Millisecond)
	}
	w.stop()
	return nil, "", fmt.Errorf("nginx does not listen: %s", w.stderr.String())
}

// wrk saturates a server and returns its own figures.
func (b *bench) wrk(url string, seconds float64) (requests, perSecond, p99ms float64, err error) {
	script := filepath.Join(b.dir, "figures.lua")
	lua := `done = function(s, l) io.write(string.format("FIGURES %d %d %.3f %d\n", s.requests, s.duration, l:percentile(99) / 1000, s.errors.status + s.errors.connect + s.errors.read + s.errors.timeout)) end`
	if err := os.WriteFile(script, []byte(lua), 0o600); err != nil {
		return 0, 0, 0, err
	}
	w, err := start([]string{"OTEL_SERVICE_NAME=bench-wrk"}, "wrk", "-t2", fmt.Sprint("-c", wrkConnections), fmt.Sprintf("-d%ds", int(math.Ceil(seconds))), "-s", script, url+"/page")
	if err == nil {
		err = w.wait()
	}
	if err != nil {
		return 0, 0, 0, err
	}
	_, figures, _ := strings.Cut(w.stdout.String(), "FIGURES ")
	var microseconds, errors float64
	if _, err := fmt.Sscan(figures, &requests, &microseconds, &p99ms, &errors); err != nil || errors > 0 || requests == 0 {
		return 0, 0, 0, fmt.Errorf("wrk said %q: %v", w.stdout.String(), err)
	}
	return requests, requests / microseconds * 1e6, p99ms, nil
}

// saturatedNginx measures nginx and wrk sharing all cores, both traced.
func (b *bench) saturatedNginx() error {
	without, with, err := b.inPairs(func(*sut.Sonde) (map[string]float64, error) {
		w, addr, err := b.nginx()
		if err != nil {
			return nil, err
		}
		defer w.stop()
		_, rate, p99, err := b.wrk("http://"+addr, b.seconds)
		return map[string]float64{"rate": rate, "p99": p99}, err
	})
	if err != nil {
		return err
	}
	b.report.pair("saturated nginx + wrk, throughput", "requests/s", without["rate"], with["rate"], "≥ 95 %", -5, true)
	b.report.pair("saturated nginx + wrk, p99", "ms", without["p99"], with["p99"], "", 0, false)
	return nil
}

// steady measures 1 000 requests a second: CPU of server and client together, and p99 as the client sees it.
func (b *bench) steady() error {
	without, with, err := b.inPairs(func(*sut.Sonde) (map[string]float64, error) {
		w, addr, err := b.nginx()
		if err != nil {
			return nil, err
		}
		defer w.stop()
		irq := softirq("cpu")
		client, l, err := b.paced(addr, 1000, b.seconds)
		if err != nil {
			return nil, err
		}
		w.stop()
		irq = softirq("cpu") - irq
		slices.Sort(l.Durations)
		return map[string]float64{
			"cpu": float64((w.cpu() + client.cpu() + irq).Microseconds()) / float64(len(l.Durations)),
			"p99": l.Durations[len(l.Durations)*99/100] * 1e3,
		}, nil
	})
	if err != nil {
		return err
	}
	b.report.pair("1 000 requests/s, application CPU per request", "µs", without["cpu"], with["cpu"], "≤ +1 %", 1, false)
	b.report.pair("1 000 requests/s, p99", "ms", without["p99"], with["p99"], "≤ +1 %", 1, false)
	return nil
}

// paced runs the counted load generator at a rate.
func (b *bench) paced(addr string, rate, seconds float64) (*worker, *wire.Log, error) {
	w, err := startRole("steady", load.Plan{Network: "tcp", Addr: addr, Requests: int(rate * seconds), Connections: 20, Rate: rate, Paths: []string{"/page"}, Timed: true})
	if err == nil {
		err = w.wait()
	}
	if err != nil {
		return nil, nil, err
	}
	l := &wire.Log{}
	if err := json.Unmarshal(w.stdout.Bytes(), l); err != nil {
		return nil, nil, fmt.Errorf("read the load's log: %w", err)
	}
	return w, l, nil
}
