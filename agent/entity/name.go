package entity

import (
	"net/url"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/sonde-dev/sonde/signal"
)

// maxServiceName bounds a service name: it is a label of every series.
const maxServiceName = 128

// nameVariables are the environment variables that may name a service; the order is that of the package's documentation.
var nameVariables = []struct {
	name string
	read func(string) string
}{
	{"OTEL_SERVICE_NAME", sanitise},
	{"OTEL_RESOURCE_ATTRIBUTES", resourceServiceName},
	{"DD_SERVICE", sanitise},
	{"DK_BPFTRACE_SERVICE", sanitise},
}

// serviceName applies the documented order. It never returns "".
func serviceName(p *process) string {
	for _, v := range nameVariables {
		if n := v.read(p.env[v.name]); n != "" {
			return n
		}
	}
	for _, n := range []string{
		p.containerName, p.member.ShortID(), strings.TrimSuffix(p.member.Unit, ".service"), p.script, p.executable(), p.comm,
	} {
		if n = sanitise(n); n != "" {
			return n
		}
	}
	return "pid " + strconv.FormatUint(uint64(p.pid), 10)
}

// resourceServiceName reads "key=value,key=value", values percent-encoded (OpenTelemetry: Resource SDK).
func resourceServiceName(attributes string) string {
	for pair := range strings.SplitSeq(attributes, ",") {
		k, v, _ := strings.Cut(pair, "=")
		if strings.TrimSpace(k) != "service.name" {
			continue
		}
		if decoded, err := url.PathUnescape(v); err == nil {
			v = decoded
		}
		return sanitise(v)
	}
	return ""
}

// sanitise makes a name fit for a label: valid UTF-8 without control characters, trimmed, at most 128 bytes.
func sanitise(s string) string {
	if len(s) > 4*maxServiceName {
		s = s[:4*maxServiceName]
	}
	s = strings.Map(func(r rune) rune {
		if r == utf8.RuneError || unicode.IsControl(r) || unicode.Is(unicode.Cf, r) {
			return -1
		}
		return r
	}, s)
	s = strings.TrimSpace(s)
	for len(s) > maxServiceName {
		_, n := utf8.DecodeLastRuneInString(s)
		s = s[:len(s)-n]
	}
	return strings.TrimSpace(s)
}

// build makes the entity of a process whose root is decided.
func (t *Table) build(p *process, service string) *signal.Entity {
	e := &signal.Entity{
		Service:       service,
		Instance:      p.member.ShortID(),
		PID:           p.pid,
		Executable:    sanitise(p.executable()),
		Language:      p.language,
		ContainerID:   p.member.ID,
		ContainerName: p.member.Runtime,
		Unit:          p.member.Unit,
		Host:          t.host,
	}
	if e.Instance == "" {
		e.Instance = t.host + ":" + strconv.FormatUint(uint64(p.root), 10)
	}
	return e
}
