// Package promapi serves the Prometheus HTTP API, remote write and federation.
//
// In: a Prometheus storage. Out: handlers for /api/v1/… and /federate, so that Grafana, promtool and other Prometheus
// servers work unchanged. It must not know what the metrics mean. It is the only place that knows the parameter list of
// Prometheus' NewAPI, which changes with each release.
package promapi

import (
	"fmt"
	"log/slog"
	"net/http"
	"runtime"
	"time"

	remoteapi "github.com/prometheus/client_golang/exp/api/remote"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/common/route"
	"github.com/prometheus/prometheus/config"
	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/promql/parser"
	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/util/notifications"
	apiv1 "github.com/prometheus/prometheus/web/api/v1"

	"github.com/sonde-dev/sonde/signal"
)

// Store is what the API reads and, with remote write, appends to.
type Store interface {
	storage.SampleAndChunkQueryable
	storage.ExemplarQueryable
	storage.Appendable
	storage.AppendableV2
	apiv1.TSDBAdminStats
	Descs() map[string]*signal.Desc
}

// Config bounds what a query may cost.
type Config struct {
	Version string // of Sonde
	// MaxSamples a query may hold in memory at once, 16 bytes each; Prometheus' own default of 50 million is 800 MB.
	MaxSamples int
	Timeout    time.Duration // of a query
	// RemoteWrite accepts samples of other agents and servers on /api/v1/write.
	RemoteWrite bool
}

// DefaultConfig returns the bounds of a small host.
func DefaultConfig() Config {
	return Config{MaxSamples: 10_000_000, Timeout: time.Minute, RemoteWrite: true}
}

// Validate says what is wrong with c.
func (c Config) Validate() error {
	if c.MaxSamples <= 0 || c.Timeout <= 0 {
		return fmt.Errorf("sample bound %d and timeout %s must be positive", c.MaxSamples, c.Timeout)
	}
	return nil
}

const (
	lookback = 5 * time.Minute // PromQL's default
	// engineVersion: module version v0.3xx.y is Prometheus 3.xx.y. Clients choose what to ask for by it.
	engineVersion = "3.15.0"
	// Bounds of remote read, a tenth of Prometheus' own defaults.
	readSamples, readConcurrency, readFrame = 5_000_000, 2, 1 << 20
)

// New returns a handler for every path below /api/v1/ and for /federate. now is the clock of federation.
func New(cfg Config, store Store, log *slog.Logger, now func() time.Time) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /federate", federation{store: store, parser: parser.NewParser(parser.Options{}), now: now, log: log})
	mux.Handle("GET /api/v1/metadata", metadataHandler(store.Descs))
	mux.Handle("/api/v1/", prometheusAPI(cfg, store, log))
	return mux
}

func prometheusAPI(cfg Config, store Store, log *slog.Logger) http.Handler {
	reg := prometheus.NewRegistry()
	p := parser.NewParser(parser.Options{})
	engine := promql.NewEngine(promql.EngineOpts{
		Logger: log, Reg: reg, MaxSamples: cfg.MaxSamples, Timeout: cfg.Timeout, LookbackDelta: lookback, Parser: p,
		EnableAtModifier: true, EnableNegativeOffset: true,
		// As Prometheus does: its default evaluation interval.
		NoStepSubqueryIntervalFn: func(int64) int64 { return time.Minute.Milliseconds() },
	})
	started := time.Now()
	api := apiv1.NewAPI(
		engine, store, store, store, store,
		scrapePools, targets, alertmanagers,
		func() config.Config { return config.DefaultConfig },
		map[string]string{},
		apiv1.GlobalURLOptions{},
		func(h http.HandlerFunc) http.HandlerFunc { return h },
		store, "", false, // admin API
		false, 0, // search
		log,
		ruleGroups,
		readSamples, readConcurrency, readFrame,
		false, // agent mode
		nil,   // CORS
		func() (apiv1.RuntimeInfo, error) {
			return apiv1.RuntimeInfo{
				StartTime: started, ServerTime: time.Now(), ReloadConfigSuccess: true, LastConfigTime: started,
				GoroutineCount: runtime.NumGoroutine(), GOMAXPROCS: runtime.GOMAXPROCS(0),
			}, nil
		},
		&apiv1.PrometheusVersion{Version: engineVersion, Branch: "sonde " + cfg.Version, GoVersion: runtime.Version()},
		func() []notifications.Notification { return nil },
		func() (<-chan notifications.Notification, func(), bool) { return nil, func() {}, false },
		reg, reg, nil,
		cfg.RemoteWrite, remoteapi.MessageTypes{remoteapi.WriteV1MessageType},
		false, false, false, // OTLP
		false, // zero samples of remote write 2
		lookback,
		false, false, nil, nil,
		apiv1.OpenAPIOptions{},
		p,
	)
	router := route.New().WithPrefix("/api/v1")
	api.Register(router)
	return router
}
