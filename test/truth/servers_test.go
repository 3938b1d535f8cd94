package truth

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A server is a truth server that runs.
type server struct {
	*process
	addr string
}

// serverKinds are those that answer the whole matrix, each in its own way.
func serverKinds() []string { return []string{"go", "python", "asyncio", "node", "java"} }

func startServer(t *testing.T, kind, service string) server {
	t.Helper()
	return startServerTLS(t, kind, service, "")
}

// startServerTLS starts a server that speaks TLS with the certificate in a folder, "" for plain text.
func startServerTLS(t *testing.T, kind, service, folder string) server {
	t.Helper()
	var tls []string
	if folder != "" {
		tls = []string{folder}
	}
	port := freePort(t)
	addr, script := local(port), func(name string) string { return filepath.Join("testdata", name) }
	var p *process
	switch kind {
	case "go":
		p = startRole(t, service, "server", Args{Network: "tcp", Addr: addr, Plan: "record", TLS: folder})
	case "python":
		p = start(t, service, nil, append([]string{program(t, "/usr/bin/python3", "python3"), script("threads.py"), fmt.Sprint(port)}, tls...)...)
	case "asyncio":
		p = start(t, service, nil, append([]string{program(t, "/usr/bin/python3", "python3"), script("streams.py"), fmt.Sprint(port)}, tls...)...)
	case "node":
		p = start(t, service, nil, append([]string{program(t, "/usr/bin/node", "node"), script("server.js"), fmt.Sprint(port)}, tls...)...)
	case "java":
		p = start(t, service, nil, program(t, "/usr/bin/java", "java"), "-XX:TieredStopAtLevel=1", script("Server.java"), fmt.Sprint(port))
	}
	p.waitPort(t, "tcp", addr)
	return server{p, addr}
}

// startNginx serves files (hello, big), fixed statuses, and passes what is below /proxy to another server.
// Its access log is at <dir>/access.log: method, path, status, bytes of the reply's body.
func startNginx(t *testing.T, service, upstream string) (s server, dir string) {
	t.Helper()
	return startNginxTLS(t, service, upstream, "")
}

// startNginxTLS is startNginx for an nginx that speaks TLS with the certificate in a folder, "" for plain text.
func startNginxTLS(t *testing.T, service, upstream, folder string) (s server, dir string) {
	t.Helper()
	dir, err := os.MkdirTemp("", "truth-nginx-") // readable by nginx's workers, which give up root
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	os.Chmod(dir, 0o755)
	for name, size := range map[string]int{"hello": 12, "big": 300000, "page": 1024} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(strings.Repeat("n", size)), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	addr := local(freePort(t))
	proxy := "return 404;"
	if upstream != "" {
		proxy = `proxy_pass http://upstream; proxy_http_version 1.1; proxy_set_header Connection ""; proxy_next_upstream off;`
	} else {
		upstream = "127.0.0.1:1"
	}
	listen := ";"
	if folder != "" {
		listen = fmt.Sprintf("ssl; ssl_certificate %[1]s/cert.pem; ssl_certificate_key %[1]s/key.pem;", folder)
	}
	conf := fmt.Sprintf(`daemon off; worker_processes 1; pid %[1]s/pid;
events { worker_connections 1024; }
http {
  log_format truth '$request_method $uri $status $body_bytes_sent';
  access_log %[1]s/access.log truth;
  client_body_temp_path %[1]s/b; proxy_temp_path %[1]s/p; fastcgi_temp_path %[1]s/f; uwsgi_temp_path %[1]s/u; scgi_temp_path %[1]s/s;
  sendfile on; keepalive_requests 1000000;
  upstream upstream { server %[3]s max_fails=0; keepalive 4; }
  server {
    listen %[2]s backlog=1024 %[5]s
    root %[1]s;
    location / { }
    location = /fail { return 500; }
    location = /cached { return 304; }
    location = /empty { return 204; }
    location ~ ^/(items|echo|chunked|missing|word|delay) { %[4]s }
  }
}
`, dir, addr, upstream, proxy, listen)
	if err := os.WriteFile(filepath.Join(dir, "nginx.conf"), []byte(conf), 0o644); err != nil {
		t.Fatal(err)
	}
	p := start(t, service, nil, program(t, "/usr/sbin/nginx", "nginx"), "-c", filepath.Join(dir, "nginx.conf"), "-e", filepath.Join(dir, "error.log"))
	s = server{p, addr}
	p.waitPort(t, "tcp", addr)
	return s, dir
}
