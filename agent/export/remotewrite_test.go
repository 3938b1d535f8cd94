package export

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/golang/snappy"
	"github.com/prometheus/prometheus/prompb"

	"github.com/sonde-dev/sonde/signal"
)

func newSink(t *testing.T, change func(*RemoteWriteConfig)) *RemoteWrite {
	t.Helper()
	cfg := DefaultRemoteWriteConfig
	change(&cfg)
	if err := cfg.Validate(); err != nil {
		t.Fatal(err)
	}
	return NewRemoteWrite(cfg)
}

func TestRequests(t *testing.T) {
	var got []prompb.TimeSeries
	var header http.Header
	var codes []int // to answer before 204
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		header = r.Header
		if len(codes) > 0 {
			w.Header().Set("Retry-After", "3")
			w.WriteHeader(codes[0])
			codes = codes[1:]
			return
		}
		packed, _ := io.ReadAll(r.Body)
		raw, err := snappy.Decode(nil, packed)
		var req prompb.WriteRequest
		if err == nil {
			err = req.Unmarshal(raw)
		}
		if err != nil {
			t.Error(err)
		}
		got = append(got, req.Timeseries...)
		w.WriteHeader(http.StatusNoContent)
	}))
	defer srv.Close()
	w := newSink(t, func(c *RemoteWriteConfig) {
		c.URL, c.SeriesPerRequest, c.BearerToken, c.Headers = srv.URL, 10, "secret", map[string]string{"X-Scope-OrgID": "me"}
	})
	b := batch(t0, t0.Add(time.Minute), 1)

	codes = []int{503}
	err := w.Write(context.Background(), b)
	if retry := (*RetryError)(nil); !errors.As(err, &retry) || retry.After != 3*time.Second {
		t.Fatalf("after 503: %v, want to try again after 3 s", err)
	}
	if err := w.Write(context.Background(), b); err != nil {
		t.Fatal(err)
	}
	if len(got) != len(b.Series) {
		t.Errorf("%d series arrived, want %d", len(got), len(b.Series))
	}
	for k, want := range map[string]string{"Authorization": "Bearer secret", "X-Scope-Orgid": "me", "Content-Encoding": "snappy"} {
		if header.Get(k) != want {
			t.Errorf("header %s: %q, want %q", k, header.Get(k), want)
		}
	}
	if s := got[0].Samples; len(s) != 2 || s[0].Timestamp != t0.UnixMilli() || s[0].Value != 0 || s[1].Value != 1 {
		t.Errorf("samples of a new counter %v, want a zero before the first value", s)
	}
	if s := got[1].Samples; len(s) != 1 {
		t.Errorf("samples of a gauge %v, want one", s)
	}

	got = nil
	codes = []int{400} // the first request only
	b = batch(t0, t0.Add(2*time.Minute), 2)
	err = w.Write(context.Background(), b)
	if refused := (*RefusedError)(nil); !errors.As(err, &refused) {
		t.Errorf("after 400: %v, want it refused for good", err)
	}
	if len(got) != len(b.Series)-10 {
		t.Errorf("%d series arrived, want all but the 10 refused", len(got))
	}
	if s := got[0].Samples; len(s) != 1 {
		t.Errorf("samples of a known counter %v, want one", s)
	}
	for i := range b.Series {
		b.Ended = append(b.Ended, b.Series[i].ID)
	}
	if err := w.Write(context.Background(), b); err != nil || len(w.encoder.known) != 0 {
		t.Errorf("%v; %d series are remembered after their end", err, len(w.encoder.known))
	}
	b.Ended = nil
	_ = w.Write(context.Background(), b)
	_ = w.Write(context.Background(), &signal.Batch{Time: b.Time.Add(time.Minute), Series: b.Series[:1], Resource: b.Resource})
	if n := len(w.encoder.known); n != 1 {
		t.Errorf("%d series are remembered though they are gone without a word, want 1", n)
	}
}

func TestRetryAfter(t *testing.T) {
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	for v, want := range map[string]time.Duration{
		"": 0, "5": 5 * time.Second, "Thu, 01 Jan 2026 00:00:30 GMT": 30 * time.Second, "Wed, 31 Dec 2025 00:00:00 GMT": 0,
		"-1": 0, "soon": 0, "99999999": 10 * time.Minute,
	} {
		if got := retryAfter(v, now); got != want {
			t.Errorf("retryAfter(%q) = %v, want %v", v, got, want)
		}
	}
}

// startPrometheus runs Debian's Prometheus, which is also a receiver, and returns its address.
func startPrometheus(t *testing.T, config string) string {
	t.Helper()
	if testing.Short() {
		t.Skip("needs /usr/bin/prometheus")
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := l.Addr().String()
	l.Close()
	dir := t.TempDir()
	conf := filepath.Join(dir, "prometheus.yml")
	if err := os.WriteFile(conf, []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("/usr/bin/prometheus", "--config.file="+conf, "--storage.tsdb.path="+filepath.Join(dir, "data"),
		"--web.listen-address="+addr, "--web.enable-remote-write-receiver", "--enable-feature=native-histograms")
	out := &strings.Builder{}
	cmd.Stderr = out
	if err := cmd.Start(); err != nil {
		t.Fatalf("start prometheus (apt-get install prometheus): %v", err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		if t.Failed() {
			t.Log(out)
		}
	})
	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); time.Sleep(50 * time.Millisecond) {
		if resp, err := http.Get("http://" + addr + "/-/ready"); err == nil {
			resp.Body.Close()
			if resp.StatusCode == http.StatusOK {
				return addr
			}
		}
	}
	t.Fatal("prometheus is not ready after 20 s")
	return ""
}

// query asks Prometheus for the one value of an expression.
func query(t *testing.T, addr, expr string, at time.Time) string {
	t.Helper()
	resp, err := http.Get(fmt.Sprintf("http://%s/api/v1/query?time=%d&query=%s", addr, at.Unix(), url.QueryEscape(expr)))
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var reply struct {
		Data struct {
			Result []struct {
				Value [2]any `json:"value"`
			} `json:"result"`
		} `json:"data"`
		Error string `json:"error"`
	}
	if err := json.NewDecoder(resp.Body).Decode(&reply); err != nil {
		t.Fatal(err)
	}
	if len(reply.Data.Result) != 1 {
		t.Fatalf("%s: %d results, error %q", expr, len(reply.Data.Result), reply.Error)
	}
	return fmt.Sprint(reply.Data.Result[0].Value[1])
}

// The oracle is a real Prometheus: what it received, asked with its own functions.
func TestRealPrometheusReceives(t *testing.T) {
	addr := startPrometheus(t, "global: {}\n")
	w := newSink(t, func(c *RemoteWriteConfig) { c.URL = "http://" + addr + "/api/v1/write" })
	created := time.Now().Truncate(time.Second).Add(-time.Minute)
	for i := 1; i <= 4; i++ {
		b := batch(created, created.Add(time.Duration(i)*15*time.Second), uint64(10*i))
		if err := w.Write(context.Background(), b); err != nil {
			t.Fatal(err)
		}
		w.batch = nil // the answer was lost: the same once more
		if err := w.Write(context.Background(), b); err != nil {
			t.Fatalf("the same batch again: %v", err)
		}
	}
	end := created.Add(time.Minute)
	for expr, want := range map[string]string{
		`sonde_service_errors_total{service_name="a",side="server",error_type="timeout",host_name="h1"}`:         "40",
		`sonde_instance_info{service_instance_id="h1:7",host_name="h1"}`:                                         "1",
		`sonde_agent_lost_total{cause="ring_full"}`:                                                              "40",
		`sonde_agent_lost_total{cause="bytes_lost"}`:                                                             "0",
		`count_over_time(sonde_service_errors_total[2m])`:                                                        "5", // with the zero
		`histogram_count(http_server_request_duration_seconds{http_route="/x",http_response_status_code="200"})`: "240",
		`histogram_sum(http_server_request_duration_seconds)`:                                                    "180",
		`count_over_time(http_server_request_duration_seconds[2m])`:                                              "5",
		`histogram_count(http_server_request_body_size_bytes)`:                                                   "40",
		// All but one in six are above zero, half of all is half a second's bucket, whose upper bound is 0.5.
		`histogram_quantile(0.6666666, http_server_request_duration_seconds) > 0.49 < 0.5001`: "",
		`histogram_quantile(1, http_server_request_duration_seconds)`:                         "1",
	} {
		if got := query(t, addr, expr, end); want != "" && got != want {
			t.Errorf("%s = %s, want %s", expr, got, want)
		}
	}
}

// A real Prometheus refuses what is out of order for good, and the sink says so.
func TestRealPrometheusRefuses(t *testing.T) {
	addr := startPrometheus(t, "global: {}\n")
	w := newSink(t, func(c *RemoteWriteConfig) { c.URL = "http://" + addr + "/api/v1/write" })
	now := time.Now().Truncate(time.Second)
	if err := w.Write(context.Background(), batch(now.Add(-time.Minute), now, 2)); err != nil {
		t.Fatal(err)
	}
	err := w.Write(context.Background(), &signal.Batch{Time: now.Add(-30 * time.Second), Resource: []signal.Label{{Name: "host_name", Value: "h1"}},
		Series: batch(now.Add(-time.Minute), now.Add(-30*time.Second), 1).Series})
	if refused := (*RefusedError)(nil); !errors.As(err, &refused) {
		t.Errorf("out of order: %v, want it refused for good", err)
	}
}
