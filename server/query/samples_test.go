package query_test

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/sonde-dev/sonde/server/query"
	"github.com/sonde-dev/sonde/server/store/samplestore"
	"github.com/sonde-dev/sonde/signal"
)

func TestSamples(t *testing.T) {
	w := newWorld(t)
	cfg := samplestore.DefaultConfig()
	cfg.Dir, cfg.MinFreeBytes = t.TempDir(), 0
	store, err := samplestore.Open(cfg, func() time.Time { return t0 })
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { store.Close() })
	in := []signal.Sample{
		{Time: t0.Add(1500 * time.Millisecond), Duration: 2 * time.Second, Service: "shop", Side: "server", Peer: "web", IsSlow: true, Protocol: "http",
			Operation: "GET", Target: "/orders/{id}", Status: "200", Request: "GET /orders/1", ResponseTruncated: true},
		{Time: t0.Add(2 * time.Second), Service: "shop", Side: "client", Peer: "db", IsFailed: true, Error: "1062", Protocol: "mysql", Operation: "INSERT",
			Target: "INSERT INTO t VALUES (?)", Attributes: map[string]string{"db.namespace": "x"}},
		{Time: t0.Add(3 * time.Second), Service: "cart", Side: "server", IsFailed: true, Error: "503", Protocol: "http", Operation: "GET", Target: "/"},
	}
	if err := store.Append(context.Background(), in); err != nil {
		t.Fatal(err)
	}
	w.now = t0.Add(time.Minute)
	w.handler = query.NewHandler(config(), query.Deps{Store: w.store, Samples: store, Now: func() time.Time { return w.now }})

	for url, want := range map[string]string{
		"/api/samples":                              "cart GET /,shop INSERT INSERT INTO t VALUES (?),shop GET /orders/{id}",
		"/api/samples?service=shop&side=server":     "shop GET /orders/{id}",
		"/api/samples?kind=failed&limit=1":          "cart GET /",
		"/api/samples?interface=GET+/orders/%7Bid}": "shop GET /orders/{id}",
		"/api/samples?protocol=mysql":               "shop INSERT INSERT INTO t VALUES (?)",
		"/api/samples?start=now-10s":                "",
	} {
		var reply query.SamplesReply
		if code := w.get(url, &reply); code != http.StatusOK {
			t.Errorf("GET %s = %d", url, code)
		}
		var got []string
		for _, s := range reply.Samples {
			got = append(got, s.Service+" "+s.Operation+" "+s.Target)
		}
		if strings.Join(got, ",") != want || !reply.Enabled || reply.More != strings.Contains(url, "limit=1") {
			t.Errorf("GET %s = %v, %+v, want %s", url, got, reply, want)
		}
	}
	var reply query.SamplesReply
	w.get("/api/samples?kind=slow", &reply)
	if s := reply.Samples[0]; s.Time != float64(t0.Unix())+1.5 || s.Duration != 2 || !s.Slow || s.Failed || s.Peer != "web" || s.Request != "GET /orders/1" || !s.ResponseCut {
		t.Errorf("sample = %+v", s)
	}
	for _, bad := range []string{"kind=all", "side=both", "limit=0", "limit=9999", "limit=x", "start=never"} {
		var e query.ErrorReply
		if code := w.get("/api/samples?"+bad, &e); code != http.StatusBadRequest || e.Error == "" {
			t.Errorf("%s = %d %+v, want 400 and a sentence", bad, code, e)
		}
	}
	var status query.StatusReply
	w.get("/api/status", &status)
	if c := status.Content; c.Records != 3 || c.DiskBytes == 0 || c.DiskBound != float64(cfg.MaxBytes) || c.Oldest != float64(t0.Unix())+1.5 {
		t.Errorf("status = %+v", c)
	}
}

func TestSamplesTurnedOff(t *testing.T) {
	w := newWorld(t)
	var reply query.SamplesReply
	if code := w.get("/api/samples", &reply); code != http.StatusOK || reply.Enabled || reply.Samples == nil {
		t.Errorf("%d %+v, want an empty list that says so", code, reply)
	}
}
