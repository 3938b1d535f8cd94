package export

import (
	"bytes"
	"context"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"strings"
	"testing"
	"time"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
)

func scrape(t *testing.T, accept string) *httptest.ResponseRecorder {
	t.Helper()
	h := NewPromHandler()
	if err := h.Write(context.Background(), batch(t0, t0.Add(time.Minute), 2)); err != nil {
		t.Fatal(err)
	}
	w, r := httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, "/metrics", nil)
	r.Header.Set("Accept", accept)
	h.ServeHTTP(w, r)
	if w.Code != http.StatusOK {
		t.Fatalf("answer %d: %s", w.Code, w.Body)
	}
	return w
}

func TestTextHasExactClassicBuckets(t *testing.T) {
	body := scrape(t, "text/plain").Body.String()
	for _, want := range []string{
		`sonde_service_errors_total{error_type="timeout",host_name="h1",network_protocol_name="http",service_name="a",side="server"} 2`,
		`sonde_agent_lost_total{cause="ring_full",host_name="h1"} 2`,
		`sonde_agent_lost_total{cause="parser_gave_up",host_name="h1"} 0`,
		// Zeros are in all buckets; (0.49, 0.5] is in le=0.5; 2^(-10/64) and 1 s are in le=1.
		`http_route="/x",network_protocol_name="http",service_name="a",le="0.25"} 2`,
		`http_route="/x",network_protocol_name="http",service_name="a",le="0.5"} 8`,
		`http_route="/x",network_protocol_name="http",service_name="a",le="1"} 12`,
		`http_route="/x",network_protocol_name="http",service_name="a",le="+Inf"} 12`,
		`http_route="/x",network_protocol_name="http",service_name="a"} 9`, // sum
	} {
		if !strings.Contains(body, want+"\n") {
			t.Errorf("missing: %s", want)
		}
	}
	if t.Failed() {
		t.Log(body)
	}
}

func TestProtobufHasNativeHistograms(t *testing.T) {
	w := scrape(t, `application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited`)
	d := expfmt.NewDecoder(w.Body, expfmt.ResponseFormat(w.Header()))
	for {
		var f dto.MetricFamily
		if err := d.Decode(&f); err != nil {
			t.Fatalf("no duration before %v", err)
		}
		if f.GetName() != testDuration.Duration.Name {
			continue
		}
		h := f.Metric[0].GetHistogram()
		if h.GetSchema() != 6 || h.GetZeroCount() != 2 || len(h.GetPositiveSpan()) != 3 || h.GetCreatedTimestamp().AsTime() != t0.UTC() {
			t.Errorf("histogram %v", h)
		}
		return
	}
}

// The oracle is promtool's linter.
func TestPromtoolAccepts(t *testing.T) {
	if testing.Short() {
		t.Skip("needs promtool")
	}
	cmd := exec.Command("promtool", "check", "metrics")
	cmd.Stdin = bytes.NewReader(scrape(t, "text/plain").Body.Bytes())
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("promtool check metrics: %v\n%s", err, out)
	}
}

func TestOpenMetricsIsWellFormed(t *testing.T) {
	body := scrape(t, "application/openmetrics-text; version=1.0.0").Body.String()
	if !strings.HasSuffix(body, "# EOF\n") {
		t.Errorf("no end of file in %s", body)
	}
}

func TestExponentAtLeast(t *testing.T) {
	for _, test := range []struct {
		schema, i int32
		want      int
	}{
		{6, 0, 0}, {6, 1, 1}, {6, 64, 1}, {6, 65, 2}, {6, -1, 0}, {6, -63, 0}, {6, -64, -1}, {6, -65, -1},
		{0, 3, 3}, {0, -3, -3}, {-1, 3, 6}, {-1, -3, -6},
	} {
		if got := exponentAtLeast(test.schema, test.i); got != test.want {
			t.Errorf("exponentAtLeast(%d, %d) = %d, want %d", test.schema, test.i, got, test.want)
		}
	}
}
