package promapi_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/golang/snappy"
	"github.com/prometheus/prometheus/prompb"

	"github.com/sonde-dev/sonde/server/query/promapi"
	"github.com/sonde-dev/sonde/server/store/metricstore"
	"github.com/sonde-dev/sonde/signal"
)

var (
	counterDesc = &signal.Desc{Name: "shop_orders_total", Help: "Orders.", Type: signal.Counter, Labels: []string{"service_name"}}
	histDesc    = &signal.Desc{Name: "shop_request_duration_seconds", Help: "Time.", Unit: "s", Type: signal.Histogram, Labels: []string{"service_name"}}
)

// serve starts the API over a store with two series: a counter of 7, and a histogram of 4 observations, two in
// (1/4, 2^(1/64)/4], two in (2, 2·2^(1/64)], that sum up to 4.6.
func serve(t *testing.T) (*httptest.Server, *metricstore.Store) {
	t.Helper()
	cfg := metricstore.DefaultConfig()
	cfg.Dir = t.TempDir()
	store, err := metricstore.Open(cfg, slog.New(slog.DiscardHandler), nil)
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	err = store.Append(context.Background(), &signal.Batch{Time: now.Add(-2 * time.Second), Series: []signal.Series{
		{Desc: counterDesc, ID: 1, LabelValues: []string{"cart"}, Created: now.Add(-time.Minute), Value: 7},
		{Desc: histDesc, ID: 2, LabelValues: []string{"cart"}, Created: now.Add(-time.Minute), Histogram: &signal.NativeHistogram{
			Schema: 6, ZeroThreshold: 1e-128, Count: 4, Sum: 4.6, Buckets: []signal.Bucket{{Index: -127, Count: 2}, {Index: 65, Count: 2}},
		}},
	}})
	if err != nil {
		t.Fatal(err)
	}
	srv := httptest.NewServer(promapi.New(promapi.DefaultConfig(), store, slog.New(slog.DiscardHandler), time.Now))
	t.Cleanup(func() { srv.Close(); store.Close() })
	return srv, store
}

// need returns the path of a Debian tool; its absence is a failure, since then nothing is proven, unless -short.
func need(t *testing.T, tool string) string {
	t.Helper()
	path, err := exec.LookPath(tool)
	if err != nil {
		if testing.Short() {
			t.Skip(err)
		}
		t.Fatalf("apt-get install prometheus: %v", err)
	}
	return path
}

func fetch(t *testing.T, u string, header ...string) string {
	t.Helper()
	req, err := http.NewRequest(http.MethodGet, u, nil)
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	if resp.StatusCode != http.StatusOK {
		t.Fatalf("GET %s: %s: %s", u, resp.Status, b)
	}
	return string(b)
}

func TestPromtoolQueriesAndAcceptsFederation(t *testing.T) {
	promtool := need(t, "promtool")
	srv, _ := serve(t)
	for _, x := range []struct{ expr, want string }{
		{"shop_orders_total", "7 @["},
		{"sum(increase(shop_orders_total[2m])) > bool 0", "1 @["},
		{"histogram_count(shop_request_duration_seconds)", "4 @["},
		{"histogram_sum(shop_request_duration_seconds)", "4.6 @["},
		{"histogram_fraction(0, 1, shop_request_duration_seconds)", "0.5 @["},
	} {
		out, err := exec.Command(promtool, "query", "instant", srv.URL, x.expr).CombinedOutput()
		if err != nil || !strings.Contains(string(out), x.want) {
			t.Errorf("promtool query instant %s = %s (%v), want %s", x.expr, out, err, x.want)
		}
	}
	for _, args := range [][]string{{"series", "--match=shop_orders_total"}, {"labels", "service_name"}} {
		all := append([]string{"query", args[0], srv.URL}, args[1:]...)
		if args[0] == "series" {
			all = []string{"query", "series", args[1], srv.URL}
		}
		if out, err := exec.Command(promtool, all...).CombinedOutput(); err != nil || !strings.Contains(string(out), "cart") {
			t.Errorf("promtool %v = %s (%v)", all, out, err)
		}
	}
	text := fetch(t, srv.URL+"/federate?"+url.Values{"match[]": {`{__name__=~"shop_.+"}`}}.Encode())
	for _, line := range []string{
		`shop_orders_total{service_name="cart",instance=""} 7 `,
		`shop_request_duration_seconds_bucket{service_name="cart",instance="",le="0.25"} 0 `,
		`shop_request_duration_seconds_bucket{service_name="cart",instance="",le="0.5"} 2 `,
		`shop_request_duration_seconds_bucket{service_name="cart",instance="",le="2"} 2 `,
		`shop_request_duration_seconds_bucket{service_name="cart",instance="",le="4"} 4 `,
		`shop_request_duration_seconds_count{service_name="cart",instance=""} 4 `,
	} {
		if !strings.Contains(text, line) {
			t.Errorf("federation lacks %s:\n%s", line, text)
		}
	}
	check := exec.Command(promtool, "check", "metrics")
	check.Stdin = strings.NewReader(text)
	if out, err := check.CombinedOutput(); err != nil {
		t.Errorf("promtool check metrics: %v: %s", err, out)
	}
}

func TestOtherEndpoints(t *testing.T) {
	srv, _ := serve(t)
	for _, x := range []struct{ path, want string }{
		{"/api/v1/query_range?query=shop_orders_total&start=" + fmt.Sprint(time.Now().Unix()-60) + "&end=" + fmt.Sprint(time.Now().Unix()) + "&step=5", `"7"`},
		{"/api/v1/labels", `"service_name"`},
		{"/api/v1/label/service_name/values", `["cart"]`},
		{"/api/v1/series?match[]=shop_orders_total", `"shop_orders_total"`},
		{"/api/v1/status/buildinfo", `"version":"3.15.0"`},
		{"/api/v1/status/tsdb", `"seriesCountByMetricName"`},
		{"/api/v1/metadata", `"shop_orders_total":[{"type":"counter","help":"Orders.","unit":""}]`},
		{"/api/v1/metadata?metric=nothing", `"data":{}`},
		{"/api/v1/targets", `"activeTargets":[]`},
		{"/api/v1/rules", `"groups":[]`},
		{"/api/v1/alertmanagers", `"activeAlertmanagers":[]`},
		{"/api/v1/scrape_pools", `"success"`},
		{"/api/v1/status/runtimeinfo", `"success"`},
		{"/api/v1/status/flags", `"success"`},
		{"/api/v1/status/config", `"success"`},
	} {
		if got := fetch(t, srv.URL+x.path); !strings.Contains(got, x.want) {
			t.Errorf("GET %s = %s, want %s", x.path, got, x.want)
		}
	}
	resp, err := http.Post(srv.URL+"/api/v1/admin/tsdb/delete_series?match[]=shop_orders_total", "", nil)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode < 400 {
		t.Errorf("deletion over HTTP = %s, want a refusal", resp.Status)
	}
}

// prometheus starts Debian's server and returns its address.
func prometheus(t *testing.T, target string, flags ...string) string {
	t.Helper()
	bin := need(t, "prometheus")
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := l.Addr().String()
	l.Close()
	dir := t.TempDir()
	conf := filepath.Join(dir, "prometheus.yml")
	yaml := fmt.Sprintf(`
scrape_configs:
- job_name: sonde
  honor_labels: true
  honor_timestamps: true
  scrape_interval: 1s
  metrics_path: /federate
  params: {"match[]": ['{__name__=~"shop_.+"}']}
  static_configs: [{targets: [%q]}]
`, strings.TrimPrefix(target, "http://"))
	if err := os.WriteFile(conf, []byte(yaml), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(bin, append([]string{"--config.file=" + conf, "--storage.tsdb.path=" + filepath.Join(dir, "data"), "--web.listen-address=" + addr}, flags...)...)
	var log bytes.Buffer
	cmd.Stderr = &log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		_ = cmd.Wait()
		if t.Failed() {
			t.Logf("prometheus said:\n%s", log.String())
		}
	})
	return "http://" + addr
}

// value asks a Prometheus server until the expression has a value, for at most 15 s.
func value(t *testing.T, base, expr string) string {
	t.Helper()
	var last string
	for end := time.Now().Add(15 * time.Second); time.Now().Before(end); time.Sleep(200 * time.Millisecond) {
		resp, err := http.Get(base + "/api/v1/query?query=" + url.QueryEscape(expr))
		if err != nil {
			continue // starting
		}
		var reply struct {
			Data struct {
				Result []struct{ Value [2]any }
			}
		}
		err = json.NewDecoder(resp.Body).Decode(&reply)
		resp.Body.Close()
		if err == nil && len(reply.Data.Result) == 1 {
			return fmt.Sprint(reply.Data.Result[0].Value[1])
		}
		last = fmt.Sprint(err, len(reply.Data.Result))
	}
	t.Errorf("%s has no value at %s: %s", expr, base, last)
	return ""
}

// A real Prometheus 2.42 scrapes /federate, once as native histograms over protobuf, once as text.
func TestPrometheusFederates(t *testing.T) {
	srv, _ := serve(t)
	native := prometheus(t, srv.URL, "--enable-feature=native-histograms")
	text := prometheus(t, srv.URL)
	for _, x := range []struct{ base, expr, want string }{
		{native, `shop_orders_total{service_name="cart",instance=""}`, "7"},
		{native, "histogram_count(shop_request_duration_seconds)", "4"},
		{native, "histogram_sum(shop_request_duration_seconds)", "4.6"},
		{native, "histogram_fraction(0, 1, shop_request_duration_seconds)", "0.5"},
		{text, `shop_orders_total{service_name="cart"}`, "7"},
		{text, `shop_request_duration_seconds_bucket{le="2"}`, "2"},
		{text, "shop_request_duration_seconds_count", "4"},
	} {
		if got := value(t, x.base, x.expr); got != x.want {
			t.Errorf("%s = %s, want %s", x.expr, got, x.want)
		}
	}
}

func TestRemoteWriteArrives(t *testing.T) {
	srv, store := serve(t)
	req := prompb.WriteRequest{Timeseries: []prompb.TimeSeries{{
		Labels:  []prompb.Label{{Name: "__name__", Value: "other_total"}, {Name: "host_name", Value: "h2"}},
		Samples: []prompb.Sample{{Timestamp: time.Now().UnixMilli(), Value: 42}},
	}}}
	raw, err := req.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	post, err := http.NewRequest(http.MethodPost, srv.URL+"/api/v1/write", bytes.NewReader(snappy.Encode(nil, raw)))
	if err != nil {
		t.Fatal(err)
	}
	post.Header.Set("Content-Type", "application/x-protobuf")
	post.Header.Set("Content-Encoding", "snappy")
	post.Header.Set("X-Prometheus-Remote-Write-Version", "0.1.0")
	resp, err := http.DefaultClient.Do(post)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode/100 != 2 {
		t.Fatalf("remote write = %s", resp.Status)
	}
	if got := value(t, srv.URL, `other_total{host_name="h2"}`); got != "42" {
		t.Errorf("other_total = %s, want 42", got)
	}
	if n := store.Lost()[signal.StoreRejected]; n != 0 {
		t.Errorf("%d samples rejected", n)
	}
}
