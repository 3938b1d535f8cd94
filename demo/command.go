package demo

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
)

// command returns a maker of the process that plays a spec. A maker, because a job is started again and again.
func (p *plan) command(s *service, sp *spec, replica int) (func() *exec.Cmd, error) {
	file := p.path(fmt.Sprintf("%s-%d.spec", s.name, replica))
	if err := sp.write(file); err != nil {
		return nil, err
	}
	var argv []string
	switch {
	case s.kind.isOwn():
		argv = []string{p.cfg.Executable, "demo", "--role", s.name}
	case s.kind == kindNginx:
		conf := p.path("nginx.conf")
		if err := os.WriteFile(conf, []byte(nginxConf(sp, p.path(""))), 0o600); err != nil {
			return nil, fmt.Errorf("write nginx.conf: %w", err)
		}
		argv = []string{p.programs[s.kind], "-c", conf, "-p", p.dir, "-e", p.path("nginx-error.log")}
	default:
		source := map[kind]string{kindThreads: "threads.py", kindAsyncio: "streams.py", kindNode: "service.js", kindJava: "Shop.java"}[s.kind]
		as := s.name + source[strings.LastIndex(source, "."):]
		path, err := p.extract(source, as)
		if err != nil {
			return nil, err
		}
		for _, module := range map[kind][]string{kindThreads: {"shop.py", "database.py"}, kindAsyncio: {"shop.py"}, kindNode: {"cache.js"}}[s.kind] {
			if _, err := p.extract(module, module); err != nil {
				return nil, err
			}
		}
		argv = []string{p.programs[s.kind], path}
		if s.kind == kindJava { // a small service: one collector thread, half the memory
			argv = []string{p.programs[s.kind], "-XX:+UseSerialGC", "-Xmx64m", "-XX:TieredStopAtLevel=1", path}
		}
	}
	return func() *exec.Cmd {
		cmd := exec.Command(argv[0], argv[1:]...)
		cmd.Dir = p.dir
		cmd.Env = append(os.Environ(), "OTEL_SERVICE_NAME="+p.cfg.Prefix+s.name, specEnv+"="+file, "PYTHONDONTWRITEBYTECODE=1")
		return cmd
	}, nil
}

// nginxConf makes a gateway of a spec: one location for each route, replies relayed as they are.
func nginxConf(sp *spec, dir string) string {
	var upstreams, locations strings.Builder
	seen := map[string]bool{}
	for _, r := range sp.routes {
		c := r.calls[0]
		if !seen[c.to] {
			seen[c.to] = true
			fmt.Fprintf(&upstreams, "  upstream %s { server %s max_fails=0; keepalive 8; }\n", c.to, strings.Join(c.addresses, " max_fails=0; server "))
		}
		pattern := strings.ReplaceAll(r.path, "*", "[^/]+")
		fmt.Fprintf(&locations, "    location ~ ^%s$ { proxy_pass http://%s; }\n", pattern, c.to)
	}
	// No retries: each request of a client is at most one request upstream, as the log counts it.
	return fmt.Sprintf(`daemon off;
worker_processes 1;
pid %[1]s/nginx.pid;
events { worker_connections 1024; }
http {
  log_format calls '$upstream_addr\t$request_method\t$uri\t$upstream_status';
  access_log %[2]s calls;
  client_body_temp_path %[1]s/body; proxy_temp_path %[1]s/proxy; fastcgi_temp_path %[1]s/f; uwsgi_temp_path %[1]s/u; scgi_temp_path %[1]s/s;
%[3]s  server {
    listen 127.0.0.1:%[4]d;
    proxy_http_version 1.1; proxy_set_header Connection "";
    proxy_next_upstream off;
    proxy_intercept_errors off;
%[5]s  }
}
`, strings.TrimSuffix(dir, "/"), sp.log, upstreams.String(), sp.port, locations.String())
}
