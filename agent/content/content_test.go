package content

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/sonde-dev/sonde/agent/exchange"
	"github.com/sonde-dev/sonde/agent/protocol"
	"github.com/sonde-dev/sonde/agent/protocol/http1"
	"github.com/sonde-dev/sonde/agent/protocol/mysql"
	"github.com/sonde-dev/sonde/agent/protocol/redis"
	"github.com/sonde-dev/sonde/agent/redact"
	"github.com/sonde-dev/sonde/signal"
)

const second = uint64(time.Second)

type memory struct {
	mu  sync.Mutex
	got []signal.Sample
	err error
}

func (m *memory) WriteSamples(_ context.Context, s []signal.Sample) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.err == nil {
		m.got = append(m.got, s...)
	}
	return m.err
}

var moment = time.Unix(1_800_000_000, 0)

func newKeeper(sink Sink, r *redact.Redactor) *Keeper {
	return New(DefaultConfig, r, sink, slog.New(slog.DiscardHandler), func() (uint64, time.Time) { return 1000 * second, moment })
}

// served is an exchange that a server answered in d, seconds after the beginning.
func served(p protocol.Protocol, d time.Duration, failure string, at uint64) exchange.Exchange {
	return exchange.Exchange{
		Conn: &exchange.Conn{ID: 1, PID: 7}, Side: exchange.Server, Protocol: p, Operation: "GET", Target: "/orders/8123", Status: "200", Error: failure,
		RequestStart: at, RequestEnd: at, ResponseStart: at + uint64(d), ResponseEnd: at + uint64(d),
	}
}

// pass sends an exchange through as the pipeline does.
func pass(k *Keeper, x exchange.Exchange, c *exchange.Content) {
	if k.Keep(&x) {
		if c == nil {
			c = &exchange.Content{}
		}
		x.Content = c
	}
	k.Observe(&x, &signal.Entity{Service: "shop", Instance: "h:7"}, &signal.Entity{Service: "web"})
}

func finish(t *testing.T, k *Keeper) {
	t.Helper()
	ctx, stop := context.WithCancel(context.Background())
	stop()
	if err := k.Run(ctx); err != nil {
		t.Fatal(err)
	}
}

func TestOnlySlowAndFailedAreKept(t *testing.T) {
	m := &memory{}
	k := newKeeper(m, redact.Default())
	pass(k, served(http1.Protocol{}, 500*time.Millisecond, "", 900*second), nil) // not strictly longer
	pass(k, served(http1.Protocol{}, 501*time.Millisecond, "", 900*second), nil)
	pass(k, served(http1.Protocol{}, time.Millisecond, "503", 901*second), nil)
	inside := served(http1.Protocol{}, time.Millisecond, "", 901*second)
	inside.View = &protocol.View{Failure: "BAD_USER_INPUT"}
	pass(k, inside, nil)
	waits := served(http1.Protocol{}, time.Minute, "", 902*second)
	waits.Waits = true
	pass(k, waits, nil)
	finish(t, k)
	if len(m.got) != 3 {
		t.Fatalf("kept %+v, want 3", m.got)
	}
	s := m.got[0]
	if !s.IsSlow || s.IsFailed || s.Target != "/orders/{id}" || s.Request != "GET /orders/8123" || s.Service != "shop" || s.Peer != "web" ||
		!s.Time.Equal(moment.Add(-100*time.Second)) || s.Duration != 501*time.Millisecond || s.Side != "server" || s.Protocol != "http" {
		t.Errorf("slow one = %+v", s)
	}
	if s := m.got[1]; s.IsSlow || !s.IsFailed || s.Error != "503" {
		t.Errorf("failed one = %+v", s)
	}
	if s := m.got[2]; !s.IsFailed || s.Error != "BAD_USER_INPUT" {
		t.Errorf("one that failed in its dialect = %+v", s)
	}
	if st := k.Stats(); st.Kept != 3 || st.Dropped != (signal.SampleStats{}).Dropped {
		t.Errorf("stats = %+v", st)
	}
}

func TestRatesAreBounded(t *testing.T) {
	m := &memory{}
	k := newKeeper(m, redact.Default())
	for i := range 1000 { // one process, within a second
		pass(k, served(http1.Protocol{}, 0, "503", 900*second+uint64(i)), nil)
	}
	pass(k, served(http1.Protocol{}, time.Second, "", 900*second), nil) // a slow one still has room
	if st := k.Stats(); st.Dropped[signal.SampleServiceRate] != 995 {
		t.Errorf("dropped %v, want 995 at the bound of the service", st.Dropped)
	}
	for i := range 1000 { // many processes of many services
		x := served(http1.Protocol{}, 0, "503", 900*second+uint64(i))
		x.Conn = &exchange.Conn{PID: uint32(100 + i)}
		pass(k, x, nil)
	}
	if st := k.Stats(); st.Dropped[signal.SampleHostRate] != 1000-49 {
		t.Errorf("dropped %v, want 951 at the bound of the host: 49 of 50 were left when the slow one ended, a second later", st.Dropped)
	}
	pass(k, served(http1.Protocol{}, 0, "503", 902*second), nil)
	finish(t, k)
	if st := k.Stats(); len(m.got) != 5+1+1 || st.Kept != 7 { // all are of one service: its five, the slow one, the last one
		t.Errorf("kept %d, stats %+v", len(m.got), st)
	}
}

func TestProcessesOfAServiceShareItsBound(t *testing.T) {
	m := &memory{}
	k := newKeeper(m, redact.Default())
	for i := range 20 {
		x := served(http1.Protocol{}, 0, "503", 900*second)
		x.Conn = &exchange.Conn{PID: uint32(100 + i)}
		pass(k, x, nil)
	}
	finish(t, k)
	if len(m.got) != 5 || k.Stats().Dropped[signal.SampleServiceRate] != 15 {
		t.Errorf("kept %d, stats %+v, want 5", len(m.got), k.Stats())
	}
}

func TestQueueAndStoreAreCounted(t *testing.T) {
	m := &memory{err: errors.New("full")}
	k := newKeeper(m, redact.Default())
	k.cfg.PerHost, k.cfg.PerService = 1e6, 1e6
	for i := range queueSize + 10 {
		pass(k, served(http1.Protocol{}, 0, "503", 900*second+uint64(i)), nil)
	}
	finish(t, k)
	if st := k.Stats(); st.Dropped[signal.SampleQueue] != 10 || st.Dropped[signal.SampleStore] != queueSize || st.Kept != 0 {
		t.Errorf("stats = %+v", st)
	}
}

func TestTexts(t *testing.T) {
	text := func(f protocol.Form, s string) exchange.Snippet { return exchange.Snippet{Form: f, Bytes: []byte(s)} }
	literal, err := redact.Parse([]byte("remove: [sql-literals]"))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name              string
		r                 *redact.Redactor
		x                 exchange.Exchange
		c                 exchange.Content
		request, response string
	}{
		{"http", redact.Default(), exchange.Exchange{Protocol: http1.Protocol{}},
			exchange.Content{Request: text(protocol.FormHTTP, "GET /?token=a HTTP/1.1\r\nHost: x\r\n\r\n"), Response: text(protocol.FormHTTP, "HTTP/1.1 500 Oops\r\n\r\n")},
			"GET /?token=[redacted] HTTP/1.1\nHost: x", "HTTP/1.1 500 Oops"},
		{"sql", redact.Default(), exchange.Exchange{Protocol: mysql.Protocol{}, Operation: "SELECT", Target: "SELECT * FROM t WHERE a = ?"},
			exchange.Content{Request: text(protocol.FormSQL, "SELECT * FROM t WHERE a = 'x'"), Response: text(protocol.FormSQL, "Unknown thing 'x' here")},
			"SELECT * FROM t WHERE a = ?", "Unknown thing '?' here"},
		{"sql with literals", literal, exchange.Exchange{Protocol: mysql.Protocol{}, Operation: "SELECT", Target: "SELECT * FROM t WHERE password = ?"},
			exchange.Content{Request: text(protocol.FormSQL, "SELECT * FROM t WHERE a = 'x' AND password = 'y'")},
			"SELECT * FROM t WHERE a = 'x' AND password = '[redacted]'", ""},
		{"redis", redact.Default(), exchange.Exchange{Protocol: redis.Protocol{}, Operation: "SET", Target: "user:42\x00"},
			exchange.Content{Response: text(protocol.FormText, "-WRONGTYPE Operation against 'hunter2'\r\n")},
			"SET user:42\uFFFD", "-WRONGTYPE Operation against '?'"},
	} {
		m := &memory{}
		k := newKeeper(m, c.r)
		c.x.Conn, c.x.Error = &exchange.Conn{}, "x"
		pass(k, c.x, &c.c)
		finish(t, k)
		if len(m.got) != 1 || m.got[0].Request != c.request || m.got[0].Response != c.response {
			t.Errorf("%s: %q and %q, want %q and %q", c.name, m.got[0].Request, m.got[0].Response, c.request, c.response)
		}
	}
}

func TestAttributesAreRedactedAndBounded(t *testing.T) {
	m := &memory{}
	k := newKeeper(m, redact.Default())
	x := served(http1.Protocol{}, 0, "503", 900*second)
	x.Attributes = []protocol.Attribute{{Key: "session.id", Value: "abc"}, {Key: "url", Value: "https://u:p@x/"}}
	for i := range 30 {
		x.Attributes = append(x.Attributes, protocol.Attribute{Key: fmt.Sprint("a", i), Value: strings.Repeat("x ", 600)})
	}
	pass(k, x, nil)
	finish(t, k)
	a := m.got[0].Attributes
	if len(a) != maxAttributes || a["session.id"] != redact.Mark || a["url"] != "https://[redacted]@x/" || len(a["a0"]) != maxField {
		t.Errorf("attributes = %v", a)
	}
}

func TestKeepDoesNotAllocate(t *testing.T) {
	k := newKeeper(&memory{}, redact.Default())
	x := served(http1.Protocol{}, time.Millisecond, "", 900*second)
	if n := testing.AllocsPerRun(100, func() { k.Keep(&x); k.Observe(&x, nil, nil) }); n != 0 {
		t.Errorf("%v allocations for an exchange that is not kept", n)
	}
}
