package truth

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/sonde-dev/sonde/test/sut"
	"github.com/sonde-dev/sonde/test/wire"
)

// TestDubbo compares Dubbo with the accounts of a stub and of clients in Go and Python, both written by the protocol's description: neither a
// server nor a library is to be had.
func TestDubbo(t *testing.T) {
	t.Parallel()
	inAllWays(t, func(t *testing.T, w way) { testRemoting(t, w, "dubbo") })
}

// TestRocketMQ does so for RocketMQ's remoting, with both kinds of heads.
func TestRocketMQ(t *testing.T) {
	t.Parallel()
	inAllWays(t, func(t *testing.T, w way) { testRemoting(t, w, "rocketmq json", "rocketmq binary") })
}

func testRemoting(t *testing.T, w way, plans ...string) {
	type conversation struct {
		server, client *process
		plan           string
	}
	begin := func(plan, language string) conversation {
		name := w.id(strings.ReplaceAll(plan, " ", "-") + "-" + language)
		addr := local(freePort(t))
		s := startRole(t, name, "remoting-server", Args{Addr: addr, Plan: plan, TLS: w.tls})
		s.waitPort(t, "tcp", addr)
		if language == "python" {
			argv := []string{program(t, "/usr/bin/python3", "python3"), filepath.Join("testdata", "remoting.py"), strings.TrimPrefix(addr, "127.0.0.1:"), plan, "20"}
			return conversation{s, start(t, name+"-client", nil, w.withTLS(argv, "tls")...), plan}
		}
		return conversation{s, startRole(t, name+"-client", "remoting-client", Args{Addr: addr, Plan: plan, Requests: 5, Connections: 3, TLS: w.tls}), plan}
	}
	var old []conversation
	for _, plan := range plans {
		for _, language := range []string{"go", "python"} {
			old = append(old, begin(plan+" old", language))
		}
	}
	for _, c := range old {
		waitSaid(t, c.client, "ready")
		// What the stub answered so far is the client's own business: its account begins after the word.
	}
	x := w.sonde(t)
	for _, c := range old {
		t.Run(c.client.service, func(t *testing.T) {
			fmt.Fprintln(c.client.stdin, "go")
			l := c.client.log(t)
			c.server.stop()
			checkRemoting(t, x, c.client.service, "client", c.plan, l)
			checkRemoting(t, x, c.server.service, "server", c.plan, l)
		})
	}
	for _, plan := range plans {
		for _, language := range []string{"go", "python"} {
			c := begin(plan, language)
			t.Run(c.client.service, func(t *testing.T) {
				l := c.client.log(t)
				c.server.stop()
				same(t, l, c.server.log(t))
				checkRemoting(t, x, c.client.service, "client", plan, l)
				checkRemoting(t, x, c.server.service, "server", plan, l)
				noPartial(t, x, c.client.service, c.server.service)
			})
		}
	}
	if err := x.Stop(); err != nil {
		t.Error(err)
	}
}

// checkRemoting compares one end: every request by its name, target and status, latency, and messages.
func checkRemoting(t *testing.T, x *sut.Sonde, service, side, plan string, l *wire.Log) {
	t.Helper()
	metric, labels, slow := "rpc_%s_call_duration_seconds", []string{"rpc_method", "rpc_response_status_code"}, dubboService+"/slow"
	if strings.HasPrefix(plan, "rocketmq") {
		metric, labels = "messaging_%s_operation_duration_seconds", []string{"messaging_operation_name", "messaging_destination_name", "messaging_response_status_code"}
		slow = "QUERY_CONSUMER_OFFSET"
	}
	want := map[string]float64{}
	for _, r := range l.Rows {
		key := r.Route + " " + r.Status
		if strings.HasPrefix(plan, "rocketmq") {
			key = strings.Join([]string{r.Method, either(r.Route, "-"), r.Status}, " ")
		}
		switch {
		case r.Method == "sent" || r.Method == "consumed":
		default:
			want[key] += float64(r.N)
		}
	}
	if len(want) == 0 {
		t.Fatal("no calls: the test is void")
	}
	selector := fmt.Sprintf(metric+"{service_name=%q", side, service)
	sameSoon(t, x, service, fmt.Sprintf("sum by (%s) (histogram_count(%s}))", strings.Join(labels, ", "), selector), want, labels...)
	checkLatency(t, x, service, fmt.Sprintf("%s, %s=%q}", selector, labels[0], slow), remotingSlow.Seconds(), l.Durations)
	for _, kind := range []string{"sent", "consumed"} {
		if n := counted(l, kind, "*"); n > 0 {
			name := map[string]string{"client sent": "sent", "client consumed": "consumed", "server sent": "received", "server consumed": "delivered"}[side+" "+kind]
			if got, err := x.Value(fmt.Sprintf("sum(messaging_%s_%s_messages_total{service_name=%q})", side, name, service)); err != nil || got != float64(n) {
				t.Errorf("%s: %v messages %s (%v), want %d", service, got, kind, err, n)
			}
		}
	}
}

func either(s, other string) string {
	if s == "" {
		return other
	}
	return s
}
