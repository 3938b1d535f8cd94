package truth

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/sonde-dev/sonde/test/sut"
)

// TestFastCGI watches nginx in front of PHP-FPM, cgi-fcgi (libfcgi) and a client in Python. The oracle is PHP-FPM's access log, and for latency
// the client in Python. There is no FastCGI inside TLS: nobody speaks it.
func TestFastCGI(t *testing.T) {
	t.Parallel()
	inTiers(t, testFastCGI)
}

func testFastCGI(t *testing.T, w way) {
	id := w.id("fastcgi")

	// Kept connections between nginx and PHP-FPM that are there before Sonde.
	old := startPHP(t, id+"-old", "tcp")
	oldWeb := old.startWeb(t, id+"-old-nginx", true)
	finished(t, startRole(t, id+"-old-load", "load", Args{Network: "tcp", Addr: oldWeb.addr, Connections: 2, Requests: 20, Paths: []string{"/app/warm"}}))
	before := old.log(t)
	python, script := program(t, "/usr/bin/python3", "python3"), filepath.Join("testdata", "fastcgi_client.py")
	oldPy := startPHP(t, id+"-old-py", "tcp")
	oldClient := start(t, id+"-old-py-client", nil, python, script, strconv.Itoa(portOf(oldPy.addr)), oldPy.dir+"/app.php", "old")
	waitSaid(t, oldClient, "ready")
	beforePy := oldPy.log(t)

	x := w.sonde(t)
	paths := []string{"/app/orders/%d?token=secret", "/app/missing", "/app/fail", "/app/moved", "/app/large"}
	t.Run("old", func(t *testing.T) {
		finished(t, startRole(t, id+"-old-load", "load", Args{Network: "tcp", Addr: oldWeb.addr, Connections: 2, Requests: 100, Paths: paths}))
		want := grown(before, old.log(t))
		// Both write over their environment, where a Sonde that comes later would find their names.
		checkPHP(t, x, want, filepath.Base(old.cmd.Path), filepath.Base(oldWeb.cmd.Path))
	})
	t.Run("old python", func(t *testing.T) {
		fmt.Fprintln(oldClient.stdin, "go")
		finished(t, oldClient)
		want := grown(beforePy, oldPy.log(t))
		checkPHPSide(t, x, want, "client", oldClient.service)
	})
	for _, network := range []string{"tcp", "unix"} {
		t.Run("nginx/"+network, func(t *testing.T) {
			php := startPHP(t, id+"-"+network, network)
			web := php.startWeb(t, id+"-"+network+"-nginx", network == "unix")
			finished(t, startRole(t, id+"-"+network+"-load", "load", Args{Network: "tcp", Addr: web.addr, Connections: 4, Requests: 400, Paths: paths}))
			finished(t, start(t, id+"-curl", nil, program(t, "curl"), "-s", "-o", "/dev/null", "-d", strings.Repeat("d", 100000), "http://"+web.addr+"/app/upload"))
			checkPHP(t, x, php.log(t), php.service, web.service)
		})
	}
	t.Run("python", func(t *testing.T) {
		php := startPHP(t, id+"-py", "tcp")
		client := id + "-py-client"
		l := start(t, client, nil, python, script, strconv.Itoa(portOf(php.addr)), php.dir+"/app.php").log(t)
		checkPHP(t, x, php.log(t), php.service, client)
		for side, service := range map[string]string{"client": client, "server": php.service} {
			route := map[string]string{"server": "http_route", "client": "url_template"}[side]
			checkLatency(t, x, service, fmt.Sprintf(`http_%s_request_duration_seconds{service_name=%q, %s="/app/slow"}`, side, service, route), phpSlow.Seconds(), l.Durations)
		}
	})
	t.Run("cgi-fcgi", func(t *testing.T) {
		php := startPHP(t, id+"-libfcgi", "tcp")
		client := id + "-libfcgi-client"
		for i, path := range []string{"/app/orders/1", "/app/orders/2", "/app/missing", "/app/fail", "/app/large", "/app/moved"} {
			method := []string{"GET", "POST"}[i%2]
			finished(t, start(t, client, []string{"SCRIPT_FILENAME=" + php.dir + "/app.php", "SCRIPT_NAME=/app.php", "REQUEST_METHOD=" + method, "REQUEST_URI=" + path,
				"QUERY_STRING="}, program(t, "cgi-fcgi"), "-bind", "-connect", php.addr))
		}
		checkPHP(t, x, php.log(t), php.service, client)
	})
	if err := x.Stop(); err != nil {
		t.Error(err)
	}
}

// phpSlow is how long /app/slow takes.
const phpSlow = 50 * time.Millisecond

// A php is PHP-FPM that runs one program for every path below /app.
type php struct {
	*process
	dir, network, addr string
}

const phpApp = `<?php
ob_start();
$path = parse_url($_SERVER['REQUEST_URI'], PHP_URL_PATH);
switch ($path) {
case '/app/missing': http_response_code(404); break;
case '/app/fail': http_response_code(500); break;
case '/app/moved': header('Location: /app/here'); break;
case '/app/slow': usleep(50000); break;
case '/app/large': echo str_repeat('x', 200000); break;
case '/app/upload': echo strlen(file_get_contents('php://input')); break;
default: echo "hello from $path";
}
header('Content-Length: ' . ob_get_length()); // the load generator wants one
`

func startPHP(t *testing.T, service, network string) php {
	t.Helper()
	dir, err := os.MkdirTemp("", "truth-php-") // readable by the workers, which give up root
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	os.Chmod(dir, 0o755)
	addr := local(freePort(t))
	if network == "unix" {
		addr = dir + "/socket"
	}
	conf := fmt.Sprintf(`[global]
daemonize = no
error_log = %[1]s/error.log
[truth]
user = www-data
listen = %[2]s
listen.mode = 0666
pm = static
pm.max_children = 3
access.log = %[1]s/access.log
access.format = "%%m %%{REQUEST_URI}e %%s"
clear_env = no
`, dir, addr)
	os.WriteFile(dir+"/app.php", []byte(phpApp), 0o644)
	os.WriteFile(dir+"/fpm.conf", []byte(conf), 0o644)
	p := start(t, service, nil, program(t, "/usr/sbin/php-fpm8.2", "/usr/sbin/php-fpm", "php-fpm"), "-F", "-n", "-y", dir+"/fpm.conf")
	p.waitPort(t, network, addr)
	return php{p, dir, network, addr}
}

// startWeb puts nginx in front. keeps: connections to PHP-FPM are kept.
func (p php) startWeb(t *testing.T, service string, keeps bool) server {
	t.Helper()
	upstream, keep := p.addr, ""
	if p.network == "unix" {
		upstream = "unix:" + p.addr
	}
	if keeps {
		keep = "keepalive 2;"
	}
	addr := local(freePort(t))
	conf := fmt.Sprintf(`daemon off; worker_processes 1; pid %[1]s/pid;
events { worker_connections 256; }
http {
  access_log off; keepalive_requests 100000; client_max_body_size 10m;
  client_body_temp_path %[1]s/b; proxy_temp_path %[1]s/p; fastcgi_temp_path %[1]s/f; uwsgi_temp_path %[1]s/u; scgi_temp_path %[1]s/s;
  upstream php { server %[2]s max_fails=0; %[3]s }
  server {
    listen %[4]s;
    location /app {
      fastcgi_pass php; fastcgi_keep_conn %[5]s;
      fastcgi_param SCRIPT_FILENAME %[1]s/app.php; fastcgi_param SCRIPT_NAME /app.php; fastcgi_param QUERY_STRING $query_string;
      fastcgi_param REQUEST_METHOD $request_method; fastcgi_param CONTENT_LENGTH $content_length; fastcgi_param CONTENT_TYPE $content_type;
      fastcgi_param REQUEST_URI $request_uri;
    }
  }
}
`, p.dir, upstream, keep, addr, map[bool]string{true: "on", false: "off"}[keeps])
	file := filepath.Join(p.dir, service+".conf")
	if err := os.WriteFile(file, []byte(conf), 0o644); err != nil {
		t.Fatal(err)
	}
	n := start(t, service, nil, program(t, "/usr/sbin/nginx", "nginx"), "-c", file, "-e", p.dir+"/nginx.log")
	n.waitPort(t, "tcp", addr)
	return server{n, addr}
}

// log counts what PHP-FPM wrote of its requests: "METHOD path status", numbers in paths templated.
func (p php) log(t *testing.T) map[string]float64 {
	t.Helper()
	time.Sleep(300 * time.Millisecond) // it is written after the answer
	b, err := os.ReadFile(p.dir + "/access.log")
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]float64{}
	for l := range strings.Lines(string(b)) {
		f := strings.Fields(l)
		if len(f) != 3 {
			t.Fatalf("PHP-FPM wrote %q", l)
		}
		path, _, _ := strings.Cut(f[1], "?")
		if strings.HasPrefix(path, "/app/orders/") {
			path = "/app/orders/{id}"
		}
		out[f[0]+" "+path+" "+f[2]]++
	}
	return out
}

// checkPHP compares both ends.
func checkPHP(t *testing.T, x *sut.Sonde, want map[string]float64, server, client string) {
	t.Helper()
	checkPHPSide(t, x, want, "server", server)
	checkPHPSide(t, x, want, "client", client)
}

func checkPHPSide(t *testing.T, x *sut.Sonde, want map[string]float64, side, service string) {
	t.Helper()
	route := map[string]string{"server": "http_route", "client": "url_template"}[side]
	eventuallyEqual(t, x, service+" as "+side, want, func() map[string]float64 {
		m, err := byLabels(x, fmt.Sprintf(`sum by (http_request_method, %s, http_response_status_code) (histogram_count(http_%s_request_duration_seconds{service_name=%q, network_protocol_name="fastcgi"}))`,
			route, side, service), "http_request_method", route, "http_response_status_code")
		if err != nil {
			t.Fatal(err)
		}
		return m
	})
}
