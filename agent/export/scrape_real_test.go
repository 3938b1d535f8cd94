package export

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// The oracle is a real Prometheus that scrapes the page: native histograms arrive as such.
func TestRealPrometheusScrapes(t *testing.T) {
	h := NewPromHandler()
	if err := h.Write(context.Background(), batch(t0, t0.Add(time.Minute), 2)); err != nil {
		t.Fatal(err)
	}
	srv := httptest.NewServer(h)
	defer srv.Close()
	addr := startPrometheus(t, fmt.Sprintf(
		"scrape_configs: [{job_name: sonde, scrape_interval: 100ms, scrape_timeout: 100ms, static_configs: [{targets: [%q]}]}]\n",
		strings.TrimPrefix(srv.URL, "http://")))
	for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(50 * time.Millisecond) {
		resp, err := http.Get("http://" + addr + "/api/v1/query?query=up==1")
		if err == nil {
			var body strings.Builder
			_ = resp.Write(&body)
			resp.Body.Close()
			if strings.Contains(body.String(), `"job":"sonde"`) {
				break
			}
		}
		if time.Now().After(deadline) {
			t.Fatal("prometheus has not scraped the page")
		}
	}
	now := time.Now()
	for expr, want := range map[string]string{
		`sonde_service_errors_total`:                                  "2",
		`histogram_count(http_server_request_duration_seconds)`:       "12",
		`histogram_sum(http_server_request_duration_seconds)`:         "9",
		`histogram_quantile(1, http_server_request_duration_seconds)`: "1",
		`sonde_agent_lost_total{cause="bytes_lost"}`:                  "0",
	} {
		if got := query(t, addr, expr, now.Add(time.Second)); got != want {
			t.Errorf("%s = %s, want %s", expr, got, want)
		}
	}
}
