package query_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sonde-dev/sonde/server/query"
)

// What is a view of exchanges that are counted as another protocol's has interfaces alone. Who offers it follows from those.
func TestViewsHaveOfferersAndSums(t *testing.T) {
	w := newWorld(t)
	w.run(20, func(i int) {
		w.do(call{client: "shop", server: "llm", instance: "llm:1", seenBy: "both", route: "/v1/chat/completions", status: "200", seconds: 2})
		op := []string{"service_name", "shop", "gen_ai_operation_name", "chat", "gen_ai_request_model", "gpt-x"}
		where := []string{"network_protocol_name", "openai", "peer_service", "llm"}
		for _, f := range []string{"", "429"} {
			w.record("gen_ai_client_operation_duration_seconds", 2, append(append(append([]string{}, op...), "http_response_status_code", "200", "error_type", f), where...)...)
		}
		for kind, n := range map[string]float64{"input": 1000, "output": 10} {
			w.record("gen_ai_client_token_usage", n, append(append(append([]string{}, op...), "gen_ai_token_type", kind), where...)...)
		}
	})
	var got query.InterfacesReply
	r := [2]time.Time{t0, w.now}
	if code := w.get(ask("/api/interfaces", r)+"&kind=rpc", &got); code != http.StatusOK {
		t.Fatalf("status %d", code)
	}
	if len(got.Offers) != 1 || len(got.Offerers) != 1 {
		t.Fatalf("%d offers of %d services, want one each", len(got.Offers), len(got.Offerers))
	}
	o := got.Offers[0]
	if d := cmp.Diff(map[string]float64{"input_tokens": 20000, "output_tokens": 200}, o.Counts); d != "" || o.Target != "gpt-x" || o.RED.Requests != 40 {
		t.Errorf("%s: %v requests, sums (-want +got):\n%s", o.Target, o.RED.Requests, d)
	}
	if f := got.Offerers[0]; f.Service != "llm" || f.RED.Requests != 40 || f.RED.Errors != 20 || !cmp.Equal(f.Callers, []string{"shop"}) {
		t.Errorf("offered by %+v", f)
	}
	var services query.ServicesReply
	w.get(ask("/api/services", r), &services)
	if s := find(t, services.Services, func(s query.Service) bool { return s.Name == "shop" }); s.Client == nil || s.Client.Requests != 20 {
		t.Errorf("shop made %+v, want 20 requests: a view is counted in no total", s.Client)
	}
}
