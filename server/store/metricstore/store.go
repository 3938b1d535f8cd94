// Package metricstore keeps metrics in an embedded Prometheus TSDB.
//
// In: signal.Batch, and samples of Prometheus' own appender. Out: Prometheus' querier interfaces and what is kept.
// It must not know HTTP, nor what the metrics mean.
package metricstore

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/tsdb"
	"github.com/prometheus/prometheus/util/compression"

	"github.com/sonde-dev/sonde/signal"
)

const (
	// walSegmentBytes: the log is truncated by whole segments; Prometheus' 128 MiB would make a small host's disk use lumpy.
	walSegmentBytes = 16 << 20
	// headBufferBytes is the write buffer of the head chunk file; Prometheus' 4 MiB is made for millions of series.
	headBufferBytes = 1 << 20
	// stripes of the series table; each costs two maps up front, Prometheus uses 16384.
	stripes = 1 << 10
)

// Store is the metric store of one process. All methods are safe for concurrent use.
type Store struct {
	cfg Config
	log *slog.Logger
	db  *tsdb.DB

	appending sync.Mutex // one batch at a time: the tables below belong to it
	known     map[uint64]*known
	meta      metadata

	freeChecked time.Time
	freeErr     error

	losses  sync.Mutex
	lost    signal.Losses
	samples atomic.Uint64
	synced  atomic.Int64 // Unix nanoseconds of the last fsync that covered everything appended before it
}

// Open opens the store in cfg.Dir and replays its log. A directory left by a killed process opens with everything that
// Append had returned for. reg may be nil; otherwise the TSDB's own metrics are registered there.
//
// The error is ErrLocked, ErrNotWritable or ErrDiskFull where one of these is the cause. The caller must Close.
func Open(cfg Config, log *slog.Logger, reg prometheus.Registerer) (*Store, error) {
	if err := cfg.Validate(); err != nil {
		return nil, fmt.Errorf("configure metric store: %w", err)
	}
	if err := checkWritable(cfg.Dir); err != nil {
		return nil, fmt.Errorf("open metric store: %w", classify(cfg.Dir, err))
	}
	if err := diskFree(cfg.Dir, cfg.MinFreeBytes); err != nil {
		return nil, fmt.Errorf("open metric store: %w", err)
	}
	db, err := tsdb.Open(cfg.Dir, log, reg, options(cfg), nil)
	if err != nil {
		return nil, fmt.Errorf("open metric store: %w", classify(cfg.Dir, err))
	}
	s := &Store{cfg: cfg, log: log, db: db, known: map[uint64]*known{}, meta: newMetadata(), lost: signal.Losses{}}
	s.synced.Store(time.Now().UnixNano())
	return s, nil
}

func options(cfg Config) *tsdb.Options {
	o := tsdb.DefaultOptions()
	o.WALSegmentSize = walSegmentBytes
	o.WALCompression = compression.Snappy
	o.HeadChunksWriteBufferSize = headBufferBytes
	o.StripeSize = stripes
	o.RetentionDuration = cfg.Retention.Milliseconds()
	o.MaxBytes = cfg.MaxBytes
	o.MinBlockDuration = cfg.BlockDuration.Milliseconds()
	// A tenth of the retention, at most 31 days: as Prometheus' own command does, so that retention drops small parts.
	o.MaxBlockDuration = max(o.MinBlockDuration, min(cfg.Retention/10, 31*24*time.Hour).Milliseconds())
	o.OutOfOrderTimeWindow = cfg.OutOfOrderWindow.Milliseconds()
	return o
}

// Run forces the log to the disk every FsyncInterval until ctx ends; it returns nil then. A failing disk is logged once
// for each change of state, and writing goes on.
func (s *Store) Run(ctx context.Context) error {
	tick := time.NewTicker(s.cfg.FsyncInterval)
	defer tick.Stop()
	failing := false
	for {
		select {
		case <-ctx.Done():
			return nil
		case now := <-tick.C:
			err := syncLog(s.cfg.Dir)
			switch {
			case err == nil:
				s.synced.Store(now.UnixNano())
				failing = false
			case !failing:
				failing = true
				s.log.Error("sync metric log to disk", "dir", s.cfg.Dir, "err", classify(s.cfg.Dir, err))
			}
		}
	}
}

// Close writes out what is buffered and releases the directory. Nothing may be called after it.
func (s *Store) Close() (err error) {
	s.appending.Lock()
	defer s.appending.Unlock()
	defer func() { // tsdb.handleChunkWriteError panics where a head chunk cannot be written; the log has its samples
		if r := recover(); r != nil {
			err = fmt.Errorf("close metric store: %v", r)
		}
	}()
	return errors.Join(syncLog(s.cfg.Dir), s.db.Close())
}

// Querier returns a reader of the samples in [mint, maxt], Unix milliseconds. The caller must Close it.
func (s *Store) Querier(mint, maxt int64) (storage.Querier, error) { return s.db.Querier(mint, maxt) }

// ChunkQuerier is like Querier but gives encoded chunks.
func (s *Store) ChunkQuerier(mint, maxt int64) (storage.ChunkQuerier, error) {
	return s.db.ChunkQuerier(mint, maxt)
}

// ExemplarQuerier returns a reader of exemplars; none are stored.
func (s *Store) ExemplarQuerier(ctx context.Context) (storage.ExemplarQuerier, error) {
	return s.db.ExemplarQuerier(ctx)
}

// Lost returns a copy of what was refused, by cause.
func (s *Store) Lost() signal.Losses {
	s.losses.Lock()
	defer s.losses.Unlock()
	out := signal.Losses{}
	for c, n := range s.lost {
		out[c] = n
	}
	return out
}

func (s *Store) lose(c signal.Cause, n uint64) {
	s.losses.Lock()
	s.lost.Add(c, n)
	s.losses.Unlock()
}

var _ storage.SampleAndChunkQueryable = (*Store)(nil)
