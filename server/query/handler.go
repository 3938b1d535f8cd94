package query

import (
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/sonde-dev/sonde/server/query/increase"
	"github.com/sonde-dev/sonde/server/query/promapi"
)

// Store is what the questions are answered from; metricstore.Store is one. Usage fills StatusReply.Store.
type Store interface {
	promapi.Store
}

// StatusProvider tells the state of the agent. It must be safe for concurrent use.
type StatusProvider interface {
	Status() StatusReply
}

// Deps are the parts that the composition brings.
type Deps struct {
	Store   Store
	Samples SampleStore        // nil where content is turned off
	Usage   func() StatusStore // nil leaves StatusReply.Store as the provider filled it
	Status  StatusProvider     // nil where there is no agent: the status is then the store's alone
	Page    http.Handler       // nil for none
	Metrics http.Handler       // /metrics; nil for none
	Log     *slog.Logger
	Now     func() time.Time // nil for time.Now
}

// api answers the page's questions.
type api struct {
	cfg    Config
	deps   Deps
	log    *slog.Logger
	reader *increase.Reader
	gate   *gate
	now    func() time.Time
}

// NewHandler returns the handler of everything that Sonde serves: the page, its API, the Prometheus API, /metrics and
// /healthz. cfg must be valid.
func NewHandler(cfg Config, deps Deps) http.Handler {
	a := &api{
		cfg: cfg, deps: deps, log: deps.Log, reader: increase.NewReader(deps.Store),
		gate: newGate(cfg.MaxConcurrent, cfg.MaxWaiting), now: deps.Now,
	}
	if a.now == nil {
		a.now = time.Now
	}
	if a.log == nil {
		a.log = slog.New(slog.DiscardHandler)
	}
	mux := http.NewServeMux()
	for _, r := range a.routes() {
		h := a.answer(r.answer)
		if r.expensive {
			h = a.limited(h)
		}
		mux.Handle("GET "+r.path, compressed(h))
	}
	mux.Handle("/api/", a.answer(func(r *http.Request) (any, error) {
		return nil, notFound("there is no " + r.Method + " " + r.URL.Path + ": see /api/openapi.json")
	}))
	prom := promapi.New(cfg.Prom, deps.Store, a.log, a.now)
	mux.Handle("/api/v1/", a.promLimits(prom)) // compresses by itself
	mux.Handle("GET /federate", compressed(a.limited(prom)))
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("ok\n")) })
	if deps.Metrics != nil {
		mux.Handle("GET /metrics", deps.Metrics)
	}
	if deps.Page != nil {
		mux.Handle("/", deps.Page)
	}
	return secured(mux)
}

// promLimits lets only those paths of the Prometheus API wait in the gate that may be expensive.
func (a *api) promLimits(h http.Handler) http.Handler {
	limited := a.limited(h)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch strings.TrimPrefix(r.URL.Path, "/api/v1/") {
		case "query", "query_range", "read", "series":
			limited.ServeHTTP(w, r)
		default:
			h.ServeHTTP(w, r)
		}
	})
}
