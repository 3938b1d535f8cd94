package query_test

import (
	"context"
	"encoding/json"
	"log/slog"
	"maps"
	"math"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/sonde-dev/sonde/server/query"
	"github.com/sonde-dev/sonde/server/store/metricstore"
	"github.com/sonde-dev/sonde/signal"
)

// t0 is when the synthetic worlds begin.
var t0 = time.Unix(1_700_000_000, 0)

// call is one request of the synthetic truth.
type call struct {
	at             time.Time
	client, server string
	instance       string // of the server
	seconds        float64
	route, status  string
	failed         string // error.type of both sides, "" for none
	protocol       string // "" for http
	operation      string // "" for GET
	rows           float64
	waits          bool
	seenBy         string // "both", "client", "server"
	request        float64
	response       float64
}

// world writes calls into a real store as the agent would, every five seconds, and keeps them as the oracle.
type world struct {
	t       testing.TB
	store   *metricstore.Store
	handler http.Handler
	now     time.Time
	created time.Time
	cumul   map[string]*signal.Series
	descs   map[string]*signal.Desc
	nextID  uint64
	calls   []call
	hidden  map[string]bool // external peers
}

func newWorld(t testing.TB) *world {
	t.Helper()
	cfg := metricstore.DefaultConfig()
	cfg.Dir = t.TempDir()
	cfg.ExternalLabels = map[string]string{"host_name": "h1"}
	store, err := metricstore.Open(cfg, slog.New(slog.DiscardHandler), nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { store.Close() })
	w := &world{
		t: t, store: store, now: t0, created: t0, cumul: map[string]*signal.Series{}, descs: map[string]*signal.Desc{}, hidden: map[string]bool{},
	}
	w.handler = query.NewHandler(config(), query.Deps{Store: store, Now: func() time.Time { return w.now }, Log: slog.New(slog.DiscardHandler)})
	return w
}

// series finds or makes a series; labels are pairs.
func (w *world) series(typ signal.MetricType, name string, pairs ...string) *signal.Series {
	key := name + "\x00" + strings.Join(pairs, "\x00")
	if s := w.cumul[key]; s != nil {
		return s
	}
	d := w.descs[name]
	if d == nil {
		d = &signal.Desc{Name: name, Help: "help of " + name, Type: typ}
		for i := 0; i < len(pairs); i += 2 {
			d.Labels = append(d.Labels, pairs[i])
		}
		w.descs[name] = d
	}
	w.nextID++
	s := &signal.Series{Desc: d, ID: w.nextID, Created: w.created}
	for i := 1; i < len(pairs); i += 2 {
		s.LabelValues = append(s.LabelValues, pairs[i])
	}
	if typ == signal.Histogram {
		s.Histogram = &signal.NativeHistogram{Schema: signal.HistogramSchema, ZeroThreshold: 1e-128}
	}
	w.cumul[key] = s
	return s
}

func (w *world) add(name string, n float64, pairs ...string) {
	w.series(signal.Counter, name, pairs...).Value += n
}

// bucketOf is the definition of a native bucket: base^(i-1) < v <= base^i.
func bucketOf(v float64, schema int32) int32 {
	return int32(math.Ceil(math.Log2(v) * math.Exp2(float64(schema))))
}

func (w *world) record(name string, v float64, pairs ...string) {
	h := w.series(signal.Histogram, name, pairs...).Histogram
	h.Count++
	h.Sum += v
	if v == 0 {
		h.ZeroCount++
		return
	}
	index := bucketOf(v, h.Schema)
	i, found := slices.BinarySearchFunc(h.Buckets, index, func(b signal.Bucket, x int32) int { return int(b.Index) - int(x) })
	if !found {
		h.Buckets = slices.Insert(h.Buckets, i, signal.Bucket{Index: index})
	}
	h.Buckets[i].Count++
}

func external(b bool) string {
	if b {
		return "true"
	}
	return ""
}

// do writes one call as the agent's catalogue of metrics says.
func (w *world) do(c call) {
	c.at = w.now
	w.calls = append(w.calls, c)
	if c.protocol == "" {
		c.protocol, c.operation = "http", "GET"
	}
	w.calls[len(w.calls)-1] = c
	p := find(w.t, config().Protocols, func(p query.ProtocolMetrics) bool { return p.Protocol == c.protocol })
	slow := 0.0
	if c.seconds > 0.5 && !c.waits {
		slow = 1
	}
	for _, side := range []string{"client", "server"} {
		if c.seenBy != "both" && c.seenBy != side {
			continue
		}
		self, instance := c.client, c.client+":1"
		if side == "server" {
			self, instance = c.server, c.instance
		}
		base := []string{"service_name", self, "side", side, "network_protocol_name", c.protocol}
		request := func(level string, ls []string) {
			if c.waits {
				w.add("sonde_"+level+"_untimed_requests_total", 1, ls...)
			} else {
				w.record("sonde_"+level+"_request_duration_seconds", c.seconds, ls...)
			}
		}
		request("service", base)
		w.add("sonde_service_slow_requests_total", slow, base...)
		w.add("sonde_service_partial_requests_total", 0, base...)
		w.add("sonde_service_request_bytes_total", c.request, base...)
		w.add("sonde_service_response_bytes_total", c.response, base...)
		w.add("sonde_service_status_total", 1, append(slices.Clone(base), "status", c.status)...)
		edge := []string{"client", c.client, "server", c.server, "side", side, "network_protocol_name", c.protocol}
		request("edge", append(slices.Clone(edge), "client_external", external(w.hidden[c.client]), "server_external", external(w.hidden[c.server])))
		w.add("sonde_edge_slow_requests_total", slow, edge...)
		w.add("sonde_edge_request_bytes_total", c.request, edge...)
		w.add("sonde_edge_response_bytes_total", c.response, edge...)
		inst := []string{"service_name", self, "service_instance_id", instance, "side", side, "network_protocol_name", c.protocol}
		request("instance", inst)
		w.add("sonde_instance_slow_requests_total", slow, inst...)
		if c.failed != "" {
			w.add("sonde_service_errors_total", 1, append(slices.Clone(base), "error_type", c.failed)...)
			w.add("sonde_edge_errors_total", 1, append(slices.Clone(edge), "error_type", c.failed)...)
			w.add("sonde_instance_errors_total", 1, inst...)
		}
		w.series(signal.Gauge, "sonde_instance_info", "service_name", self, "service_instance_id", instance, "process_pid", "42",
			"process_executable_name", self, "process_runtime_name", "go").Value = 1
		m, peer := p.Server, ""
		if side == "client" {
			m, peer = p.Client, c.server
		}
		op := []string{"service_name", self, p.OperationLabel, c.operation, m.TargetLabel, c.route, "network_protocol_name", c.protocol, "peer_service", peer}
		w.record(m.Duration, c.seconds, append(slices.Clone(op), p.StatusLabel, c.status, "error_type", c.failed)...)
		if m.RequestSize != "" {
			w.record(m.RequestSize, c.request, op...)
			w.record(m.ResponseSize, c.response, op...)
		}
		for _, n := range m.Counts {
			w.add(n.Metric, c.rows, op...)
		}
		general := []string{"service_name", self, "side", side, "network_protocol_name", c.protocol, "operation", c.operation, "target", c.route, "peer_service", peer}
		w.add("sonde_interface_slow_requests_total", slow, general...)
		if c.waits {
			w.add("sonde_interface_untimed_requests_total", 1, general...)
		}
	}
}

// flush hands everything to the store.
func (w *world) flush() {
	b := &signal.Batch{Time: w.now}
	for _, k := range slices.Sorted(maps.Keys(w.cumul)) {
		b.Series = append(b.Series, *w.cumul[k])
	}
	if err := w.store.Append(context.Background(), b); err != nil {
		w.t.Fatal(err)
	}
}

// run lets n flush intervals of five seconds pass; each does what the function says.
func (w *world) run(n int, do func(i int)) {
	for i := range n {
		do(i)
		w.now = w.now.Add(5 * time.Second)
		w.flush()
	}
}

// restart forgets all counts, as the agent does when it starts anew.
func (w *world) restart() {
	w.now = w.now.Add(7 * time.Second)
	w.created = w.now
	clear(w.cumul)
}

// get asks the handler and decodes the reply into out; it returns the status.
func (w *world) get(url string, out any) int {
	w.t.Helper()
	rec := httptest.NewRecorder()
	w.handler.ServeHTTP(rec, httptest.NewRequest(http.MethodGet, url, nil))
	dec := json.NewDecoder(rec.Body)
	dec.DisallowUnknownFields()
	if err := dec.Decode(out); err != nil {
		w.t.Fatalf("GET %s: %d: %v", url, rec.Code, err)
	}
	return rec.Code
}

func find[T any](t testing.TB, all []T, is func(T) bool) T {
	t.Helper()
	if i := slices.IndexFunc(all, is); i >= 0 {
		return all[i]
	}
	t.Fatalf("not found among %+v", all)
	panic("unreachable")
}

// isQuantile says whether got is the q-quantile of the values, within the 1.1 % that a bucket is wide. Where q·n is whole,
// anything between the two values around it is a q-quantile.
func isQuantile(got, q float64, xs []float64) bool {
	xs = slices.Sorted(slices.Values(xs))
	rank := q * float64(len(xs))
	low, high := int(math.Ceil(rank-1e-6))-1, int(math.Floor(rank+1e-6))
	return got >= xs[max(0, low)]/1.011 && got <= xs[min(high, len(xs)-1)]*1.011
}

func near(got, want, tolerance float64) bool { return math.Abs(got-want) <= tolerance*math.Abs(want) }

// config knows HTTP by the names that the agent's registry gives, and three protocols that share names.
func config() query.Config {
	c := query.DefaultConfig()
	c.Protocols = []query.ProtocolMetrics{{
		Protocol: "http", Kind: "http", OperationLabel: "http_request_method", StatusLabel: "http_response_status_code",
		Server: query.SideMetrics{
			Duration: "http_server_request_duration_seconds", RequestSize: "http_server_request_body_size_bytes",
			ResponseSize: "http_server_response_body_size_bytes", TargetLabel: "http_route",
		},
		Client: query.SideMetrics{
			Duration: "http_client_request_duration_seconds", RequestSize: "http_client_request_body_size_bytes",
			ResponseSize: "http_client_response_body_size_bytes", TargetLabel: "url_template",
		},
	}}
	for _, p := range [][2]string{{"mysql", "db"}, {"postgresql", "db"}, {"redis", "cache"}} {
		side := func(name string) query.SideMetrics {
			return query.SideMetrics{
				Duration: "db_" + name + "_operation_duration_seconds", TargetLabel: "db_query_text",
				Counts: []query.CountMetric{{Metric: "db_" + name + "_returned_rows_total", Name: "returned_rows"}},
			}
		}
		c.Protocols = append(c.Protocols, query.ProtocolMetrics{
			Protocol: p[0], Kind: p[1], OperationLabel: "db_operation_name", StatusLabel: "db_response_status_code",
			Server: side("server"), Client: side("client"),
		})
	}
	tokens := func(kind string) query.CountMetric {
		return query.CountMetric{Metric: "gen_ai_client_token_usage", Name: kind + "_tokens", IsHistogram: true, Label: "gen_ai_token_type", Value: kind}
	}
	c.Protocols = append(c.Protocols, query.ProtocolMetrics{ // a view: it has interfaces and nothing else
		Protocol: "openai", Kind: "rpc", OperationLabel: "gen_ai_operation_name", StatusLabel: "http_response_status_code",
		Client: query.SideMetrics{
			Duration: "gen_ai_client_operation_duration_seconds", TargetLabel: "gen_ai_request_model", Counts: []query.CountMetric{tokens("input"), tokens("output")},
		},
	})
	c.Protocols = append(c.Protocols, query.ProtocolMetrics{
		Protocol: "tls", Kind: "other", OperationLabel: "sonde_tls_operation", StatusLabel: "tls_protocol_version",
		Server: query.SideMetrics{Duration: "sonde_tls_server_handshake_duration_seconds", TargetLabel: "tls_client_server_name"},
		Client: query.SideMetrics{Duration: "sonde_tls_client_handshake_duration_seconds", TargetLabel: "tls_client_server_name"},
	})
	c.Protocols = append(c.Protocols, query.ProtocolMetrics{
		Protocol: "kafka", Kind: "messaging", OperationLabel: "messaging_operation_name",
		Client: query.SideMetrics{
			Duration: "messaging_client_operation_duration_seconds", TargetLabel: "messaging_destination_name",
			Gauges: []query.CountMetric{
				{Metric: "messaging_kafka_consumer_lag", Name: "kafka_consumer_lag"},
				{Metric: "messaging_kafka_consumer_group_lag", Name: "kafka_consumer_group_lag", Label: "messaging_consumer_group_name"},
			},
		},
	})
	return c
}
