package demo

import (
	"bufio"
	"fmt"
	"os"
	"strconv"
	"strings"
)

// specEnv names the environment variable that tells a service which file describes it.
const specEnv = "SONDE_DEMO_SPEC"

// A spec is what one process plays. Its file has one fact per line, fields separated by tabs, so that a reader of it is
// ten lines in any language:
//
//	service <name>          speaks <protocol>       port <number>   log <file>      keepalive 0|1   relay 0|1
//	rate <steady> <burst> <every-ms> <length-ms>    (load only)
//	route <method> <path> <status> <delay-ms> <slow-%> <slow-ms> <fail-%> <fail-status> <bytes>
//	call <method> <service> <path> <bytes> <address,address,…> <protocol>   (of the route above)
type spec struct {
	service, log     string
	speaks           string // the protocol
	port             int
	keepAlive, relay bool
	rate, burst      float64
	everyMs, longMs  int
	routes           []specRoute
}

type specRoute struct {
	route
	calls []specCall
}

type specCall struct {
	call
	addresses []string
	protocol  string
}

func (s *spec) write(file string) error {
	var b strings.Builder
	fmt.Fprintf(&b, "service\t%s\nspeaks\t%s\nport\t%d\nlog\t%s\nkeepalive\t%d\nrelay\t%d\n",
		s.service, s.speaks, s.port, s.log, bit(s.keepAlive), bit(s.relay))
	fmt.Fprintf(&b, "rate\t%g\t%g\t%d\t%d\n", s.rate, s.burst, s.everyMs, s.longMs)
	for _, r := range s.routes {
		fmt.Fprintf(&b, "route\t%s\t%s\t%d\t%d\t%d\t%d\t%d\t%d\t%d\n", r.method, r.path, r.status, r.delayMs, r.slowPercent, r.slowMs,
			r.failPercent, r.failStatus, r.bytes)
		for _, c := range r.calls {
			fmt.Fprintf(&b, "call\t%s\t%s\t%s\t%d\t%s\t%s\n", c.method, c.to, c.path, c.bytes, strings.Join(c.addresses, ","), c.protocol)
		}
	}
	if err := os.WriteFile(file, []byte(b.String()), 0o600); err != nil {
		return fmt.Errorf("write the plan of %s: %w", s.service, err)
	}
	return nil
}

func readSpec(file string) (*spec, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, fmt.Errorf("open the plan: %w", err)
	}
	defer f.Close()
	s := &spec{}
	sc := bufio.NewScanner(f)
	for sc.Scan() {
		if err := s.line(strings.Split(sc.Text(), "\t")); err != nil {
			return nil, fmt.Errorf("read the plan: line %q: %w", sc.Text(), err)
		}
	}
	return s, sc.Err()
}

func (s *spec) line(f []string) error {
	want := map[string]int{"service": 2, "speaks": 2, "port": 2, "log": 2, "keepalive": 2, "relay": 2, "rate": 5, "route": 10, "call": 7}
	if len(f) != want[f[0]] {
		return fmt.Errorf("%d fields, want %d", len(f), want[f[0]])
	}
	n := make([]int, len(f))
	for i := range f {
		n[i], _ = strconv.Atoi(f[i]) // words stay 0
	}
	switch f[0] {
	case "service":
		s.service = f[1]
	case "speaks":
		s.speaks = f[1]
	case "port":
		s.port = n[1]
	case "log":
		s.log = f[1]
	case "keepalive":
		s.keepAlive = n[1] == 1
	case "relay":
		s.relay = n[1] == 1
	case "rate":
		s.rate, _ = strconv.ParseFloat(f[1], 64)
		s.burst, _ = strconv.ParseFloat(f[2], 64)
		s.everyMs, s.longMs = n[3], n[4]
	case "route":
		s.routes = append(s.routes, specRoute{route: route{method: f[1], path: f[2], status: n[3], delayMs: n[4], slowPercent: n[5],
			slowMs: n[6], failPercent: n[7], failStatus: n[8], bytes: n[9]}})
	case "call":
		if len(s.routes) == 0 {
			return fmt.Errorf("a call before any route")
		}
		r := &s.routes[len(s.routes)-1]
		r.calls = append(r.calls, specCall{call{f[1], f[2], f[3], n[4]}, strings.Split(f[5], ","), f[6]})
	}
	return nil
}

// match returns the route of an HTTP request and the value of its "*".
func (s *spec) match(method, path string) (*specRoute, string) {
	for i := range s.routes {
		r := &s.routes[i]
		if star, ok := matchPath(r.path, path); ok && r.method == method {
			return r, star
		}
	}
	return nil, ""
}

func matchPath(pattern, path string) (star string, ok bool) {
	ps, ss := strings.Split(pattern, "/"), strings.Split(path, "/")
	if len(ps) != len(ss) {
		return "", false
	}
	for i, p := range ps {
		if p == "*" {
			star = ss[i]
		} else if p != ss[i] {
			return "", false
		}
	}
	return star, true
}

func bit(b bool) int {
	if b {
		return 1
	}
	return 0
}
