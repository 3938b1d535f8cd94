package demo

import (
	"bytes"
	"context"
	"embed"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"strings"
	"time"
)

//go:embed scripts
var scripts embed.FS

// How long a service may take to open its port (a cold Java on a busy machine), how often that is tried, and how often
// the reports job runs.
const (
	readyTimeout  = 60 * time.Second
	readyInterval = 50 * time.Millisecond
	jobInterval   = 5 * time.Second
)

// A plan is a shop with programs and ports.
type plan struct {
	cfg      Config
	dir      string
	services []service
	ports    map[string][]int    // service → port of each replica
	programs map[kind]string     // kind → program, where the machine has it
	byPort   map[string]string   // "127.0.0.1:port" → service
	logs     map[string][]string // service → logs of the calls its processes made
}

func newPlan(dir string, cfg Config) (*plan, error) {
	p := &plan{cfg: cfg, dir: dir, services: shop(), programs: programs(cfg.GoOnly),
		ports: map[string][]int{}, byPort: map[string]string{}, logs: map[string][]string{}}
	var held []io.Closer // all at once, so that no port is handed out twice
	defer func() {
		for _, c := range held {
			c.Close()
		}
	}()
	for i := range p.services {
		s := &p.services[i]
		if _, ok := p.programs[s.kind]; !ok && !s.kind.isOwn() {
			s.kind = kindGo
		}
		s.replicas = max(s.replicas, 1)
		for range s.replicas {
			if !s.kind.hasPort() {
				continue
			}
			port, hold, err := freePort(s.kind)
			if err != nil {
				return nil, fmt.Errorf("find a port for %s: %w", s.name, err)
			}
			held = append(held, hold)
			p.ports[s.name] = append(p.ports[s.name], port)
			p.byPort[fmt.Sprintf("127.0.0.1:%d", port)] = s.name
		}
	}
	return p, nil
}

// freePort finds a port, of UDP for a resolver. It is taken until hold is closed.
func freePort(k kind) (port int, hold io.Closer, err error) {
	if k == kindResolver {
		c, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
		if err != nil {
			return 0, nil, err
		}
		return c.LocalAddr().(*net.UDPAddr).Port, c, nil
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, nil, err
	}
	return l.Addr().(*net.TCPAddr).Port, l, nil
}

// programs finds what the machine can run. System interpreters come first: version managers put slow shims in PATH.
func programs(goOnly bool) map[kind]string {
	found := map[kind]string{kindGo: "self"}
	if goOnly {
		return found
	}
	for k, names := range map[kind][]string{
		kindNginx:   {"/usr/sbin/nginx", "nginx"},
		kindThreads: {"/usr/bin/python3", "python3"},
		kindAsyncio: {"/usr/bin/python3", "python3"},
		kindNode:    {"/usr/bin/node", "node"},
		kindJava:    {"/usr/bin/java", "java"},
	} {
		for _, n := range names {
			if path, err := exec.LookPath(n); err == nil && runs(k, path) {
				found[k] = path
				break
			}
		}
	}
	return found
}

// runs says whether a program can do what the shop asks of it: a JRE cannot run source files, and Debian's python3-minimal
// lacks most of the library.
func runs(k kind, path string) bool {
	switch k {
	case kindJava:
		out, err := exec.Command(path, "--list-modules").Output()
		return err == nil && bytes.Contains(out, []byte("jdk.compiler@")) && bytes.Contains(out, []byte("jdk.httpserver@"))
	case kindThreads, kindAsyncio:
		return exec.Command(path, "-c", "import asyncio, http.client, http.server").Run() == nil
	}
	return true
}

func (p *plan) spec(s *service, replica int) *spec {
	sp := &spec{service: s.name, speaks: s.kind.protocol(), keepAlive: s.keepAlive, relay: s.relay, log: p.path(fmt.Sprintf("%s-%d.log", s.name, replica))}
	if s.kind.hasPort() {
		sp.port = p.ports[s.name][replica]
	}
	if s.name == "shoppers" {
		sp.rate, sp.burst = p.cfg.Rate, p.cfg.BurstRate
		sp.everyMs, sp.longMs = int(p.cfg.BurstEvery.Milliseconds()), int(p.cfg.BurstLength.Milliseconds())
	}
	routes := s.routes
	if s.name == "inventory" && replica == badReplica {
		routes = sicken(routes)
	}
	for _, r := range routes {
		sr := specRoute{route: r}
		for _, c := range r.calls {
			sc := specCall{call: c, protocol: p.kindOf(c.to).protocol()}
			for _, port := range p.ports[c.to] {
				sc.addresses = append(sc.addresses, fmt.Sprintf("127.0.0.1:%d", port))
			}
			sr.calls = append(sr.calls, sc)
		}
		sp.routes = append(sp.routes, sr)
	}
	return sp
}

func (p *plan) kindOf(name string) kind {
	for _, s := range p.services {
		if s.name == name {
			return s.kind
		}
	}
	return kindGo
}

// start brings all services up, those that are called before their callers.
func (p *plan) start(ctx context.Context, kids *children) error {
	for i := range p.services {
		s := &p.services[i]
		for r := range s.replicas {
			sp := p.spec(s, r)
			p.logs[s.name] = append(p.logs[s.name], sp.log)
			cmd, err := p.command(s, sp, r)
			if err != nil {
				return err
			}
			if s.name == "reports" {
				kids.repeat(s.name, cmd, jobInterval)
				continue
			}
			if err := kids.start(s.name, cmd()); err != nil {
				return err
			}
		}
		if err := p.waitReady(ctx, kids, s); err != nil {
			return err
		}
	}
	return nil
}

// waitReady waits until each port of a service is open. It sends nothing, so it makes no request.
func (p *plan) waitReady(ctx context.Context, kids *children, s *service) error {
	for _, port := range p.ports[s.name] {
		deadline := time.Now().Add(readyTimeout)
		for {
			err := probe(s.kind, port)
			if err == nil {
				break
			}
			select {
			case <-ctx.Done():
				return ctx.Err()
			case dead := <-kids.died:
				return fmt.Errorf("start demo service %s: it ended: %s", dead.name, dead.tail())
			case <-time.After(readyInterval):
			}
			if time.Now().After(deadline) {
				return fmt.Errorf("start demo service %s: port %d not open after %v: %w", s.name, port, readyTimeout, err)
			}
		}
	}
	return nil
}

// probe returns nil when a port is open. The kernel's tables of sockets (proc(5), /proc/net/tcp) say so; a connection would be
// one more on the map.
func probe(k kind, port int) error {
	tables, state := []string{"/proc/net/tcp", "/proc/net/tcp6"}, "0A" // TCP_LISTEN
	if k == kindResolver {
		tables, state = []string{"/proc/net/udp"}, "07" // not connected
	}
	for _, table := range tables {
		b, err := os.ReadFile(table)
		if err != nil && !os.IsNotExist(err) { // without IPv6 there is no tcp6
			return fmt.Errorf("look for port %d: %w", port, err)
		}
		for line := range strings.Lines(string(b)) { // number, own address, the other's, state
			f := strings.Fields(line)
			if len(f) > 3 && f[3] == state && strings.HasSuffix(f[1], fmt.Sprintf(":%04X", port)) {
				return nil
			}
		}
	}
	return errors.New("nobody listens")
}

// extract writes an embedded script to the demo's folder.
func (p *plan) extract(name, as string) (string, error) {
	b, err := scripts.ReadFile("scripts/" + name)
	if err != nil {
		return "", fmt.Errorf("read embedded %s: %w", name, err)
	}
	path := p.path(as)
	if err := os.WriteFile(path, b, 0o600); err != nil {
		return "", fmt.Errorf("write %s: %w", as, err)
	}
	return path, nil
}
