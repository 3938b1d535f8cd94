package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"runtime/debug"
	"time"

	"github.com/sonde-dev/sonde/agent/content"
	"github.com/sonde-dev/sonde/server/ingest"
	"github.com/sonde-dev/sonde/server/query"
	"github.com/sonde-dev/sonde/server/store/metricstore"
	"github.com/sonde-dev/sonde/server/store/samplestore"
	"github.com/sonde-dev/sonde/web"
)

// server keeps what agents see and answers questions about it.
type server struct {
	cfg      Config
	log      *slog.Logger
	listener net.Listener
	store    *metricstore.Store
	sink     *ingest.InProcess
	samples  *samplestore.Store // where content is turned off, what is left of before goes on expiring; nil where nothing is
}

// newServer opens the store and the port, so that what cannot work is known before anything else starts.
func newServer(cfg Config, log *slog.Logger) (*server, error) {
	store, err := metricstore.Open(cfg.store(), slog.New(quiet{log.Handler()}), nil)
	if err != nil {
		return nil, err
	}
	s := &server{cfg: cfg, log: log, store: store, sink: ingest.NewInProcess(store)}
	if _, err := os.Stat(cfg.samples().Dir); cfg.Content.Enabled || err == nil {
		samples, err := samplestore.Open(cfg.samples(), nil)
		if err != nil {
			return nil, errors.Join(err, store.Close())
		}
		s.samples = samples
	}
	if s.listener, err = net.Listen("tcp", cfg.Listen); err != nil {
		_ = s.closeStores()
		return nil, fmt.Errorf("serve the page: %w (is Sonde running already? another address: --listen)", err)
	}
	return s, nil
}

// run answers until ctx ends.
func (s *server) run(ctx context.Context, status query.StatusProvider, metrics http.Handler) error {
	synced := make(chan error, 1)
	go func() { synced <- s.store.Run(ctx) }()
	deps := query.Deps{Store: s.store, Usage: s.usage, Status: status, Page: web.Handler(), Metrics: metrics, Log: s.log}
	if s.samples != nil {
		if s.cfg.Content.Enabled {
			deps.Samples = s.samples
		}
		go func() { _ = s.samples.Run(ctx) }() // it has no error
	}
	cfg := s.cfg.query()
	h := query.NewHandler(cfg, deps)
	// Opening has used some 100 MB that are garbage now, most of it for Prometheus' description of its own API. Without traffic
	// the collector would not run for minutes.
	debug.FreeOSMemory()
	err := query.Serve(ctx, s.listener, h, cfg.Timeout+5*time.Second)
	if serr := <-synced; err == nil {
		err = serr
	}
	return err
}

func (s *server) usage() query.StatusStore {
	u := s.store.Usage()
	st := query.StatusStore{
		Series: float64(u.Series), Samples: float64(u.Samples), DiskBytes: float64(u.DiskBytes), DiskBound: float64(u.DiskBound),
		RetentionSecs: u.Retention.Seconds(), FsyncInterval: u.FsyncInterval.Seconds(),
	}
	if !u.Oldest.IsZero() {
		st.Oldest = unixSeconds(u.Oldest)
	}
	return st
}

// quiet lets the store speak of its routine only where debugging is asked for.
type quiet struct{ slog.Handler }

// Enabled implements slog.Handler.
func (q quiet) Enabled(ctx context.Context, level slog.Level) bool {
	if level == slog.LevelInfo {
		level = slog.LevelDebug
	}
	return q.Handler.Enabled(ctx, level)
}

// WithAttrs implements slog.Handler.
func (q quiet) WithAttrs(attrs []slog.Attr) slog.Handler { return quiet{q.Handler.WithAttrs(attrs)} }

// WithGroup implements slog.Handler.
func (q quiet) WithGroup(name string) slog.Handler { return quiet{q.Handler.WithGroup(name)} }

func (s *server) close() error {
	_ = s.listener.Close() // closed by Serve already, unless it never ran
	return s.closeStores()
}

func (s *server) closeStores() error {
	err := s.store.Close()
	if s.samples != nil {
		err = errors.Join(err, s.samples.Close())
	}
	return err
}

// sampleSink is the way into the store of samples, nil where content is turned off.
func (s *server) sampleSink() content.Sink {
	if s.samples == nil || !s.cfg.Content.Enabled {
		return nil
	}
	return ingest.NewSamples(s.samples)
}
