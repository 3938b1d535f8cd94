package ignore

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"gopkg.in/yaml.v3"

	"github.com/sonde-dev/sonde/agent/exchange"
	"github.com/sonde-dev/sonde/agent/protocol"
	"github.com/sonde-dev/sonde/agent/protocol/dns"
	"github.com/sonde-dev/sonde/agent/protocol/http1"
	"github.com/sonde-dev/sonde/agent/protocol/redis"
)

func TestIgnores(t *testing.T) {
	health := &exchange.Exchange{Protocol: http1.Protocol{}, Operation: "GET", Target: "/internal/health/live"}
	ping := &exchange.Exchange{Protocol: redis.Protocol{}, Operation: "PING"}
	name := &exchange.Exchange{Protocol: dns.Protocol{}, Operation: "A", Target: "db.svc.cluster.local"}
	search := &exchange.Exchange{Protocol: http1.Protocol{}, Operation: "POST", Target: "/logs/_search",
		View: &protocol.View{Protocol: redis.Protocol{}, Operation: "search", Target: "logs"}}
	for _, c := range []struct {
		rule string
		want []*exchange.Exchange
	}{
		{"target: /internal/health/live", []*exchange.Exchange{health}},
		{"target: /internal/health", nil},
		{"target: /internal/*", []*exchange.Exchange{health}},
		{"target: /internal/health/???e", []*exchange.Exchange{health}},
		{"target: '*.cluster.local'", []*exchange.Exchange{name}},
		{"protocol: http", []*exchange.Exchange{health, search}},
		{"protocol: redis", []*exchange.Exchange{ping, search}}, // search: its view
		{"{protocol: redis, operation: PING}", []*exchange.Exchange{ping}},
		{"{protocol: http, operation: PING}", nil},
		{"{protocol: http, operation: search}", nil}, // of two views of it, each has one
		{"operation: '[PG]*'", []*exchange.Exchange{health, ping, search}},
		{"{operation: GET, target: '*'}", []*exchange.Exchange{health}},
	} {
		var r Rule
		if err := yaml.Unmarshal([]byte(c.rule), &r); err != nil {
			t.Fatal(err)
		}
		if err := (Rules{r}).Validate([]string{"http", "redis", "dns"}); err != nil {
			t.Fatal(err)
		}
		f := New(Rules{{Protocol: "kafka"}, r})
		var got []*exchange.Exchange
		for _, x := range []*exchange.Exchange{health, ping, name, search} {
			if f.Ignores(x) {
				got = append(got, x)
			}
		}
		if len(got) != len(c.want) || f.Count() != uint64(len(c.want)) {
			t.Fatalf("%s ignores %d exchanges and counts %d, want %d", c.rule, len(got), f.Count(), len(c.want))
		}
		for i, x := range got {
			if x != c.want[i] {
				t.Errorf("%s ignores %s %s", c.rule, x.Operation, x.Target)
			}
		}
	}
}

func TestSet(t *testing.T) {
	x := &exchange.Exchange{Protocol: redis.Protocol{}, Operation: "PING"}
	f := New(nil)
	if f.Ignores(x) || f.Rules().String() != "" {
		t.Error("no rule ignores something")
	}
	f.Set(Rules{{Protocol: "redis", Operation: "PING"}, {Target: "/x"}})
	if !f.Ignores(x) || f.Count() != 1 {
		t.Error("a new rule has no effect")
	}
	if diff := cmp.Diff("protocol redis and operation PING or target /x", f.Rules().String()); diff != "" {
		t.Error(diff)
	}
}

func TestValidate(t *testing.T) {
	for want, r := range map[string]Rule{
		"says nothing":          {},
		"want one of http, dns": {Protocol: "HTTP"},
		"syntax error":          {Target: "/["},
	} {
		if err := (Rules{r}).Validate([]string{"http", "dns"}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%+v: %v, want %q", r, err, want)
		}
	}
}
