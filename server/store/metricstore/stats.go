package metricstore

import (
	"context"
	"io/fs"
	"math"
	"path/filepath"
	"time"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/tsdb"
)

// Usage is what the store holds at one moment.
type Usage struct {
	Series        uint64 // in memory
	Samples       uint64 // appended by Append since Open
	DiskBytes     int64
	DiskBound     int64
	Retention     time.Duration
	Oldest        time.Time // of the oldest sample; zero if there is none
	FsyncInterval time.Duration
	LastSync      time.Time
}

// Usage measures the store; it walks the files of the data directory.
func (s *Store) Usage() Usage {
	u := Usage{
		Series: s.db.Head().NumSeries(), Samples: s.samples.Load(), DiskBytes: diskBytes(s.cfg.Dir), DiskBound: s.cfg.MaxBytes,
		Retention: s.cfg.Retention, FsyncInterval: s.cfg.FsyncInterval, LastSync: time.Unix(0, s.synced.Load()),
	}
	if oldest, err := s.db.StartTime(); err == nil && oldest != math.MaxInt64 {
		u.Oldest = time.UnixMilli(oldest)
	}
	return u
}

// diskBytes adds up the regular files; one that vanishes meanwhile counts nothing.
func diskBytes(dir string) int64 {
	var sum int64
	_ = filepath.WalkDir(dir, func(_ string, e fs.DirEntry, err error) error {
		if err != nil || !e.Type().IsRegular() {
			return nil
		}
		if info, err := e.Info(); err == nil {
			sum += info.Size()
		}
		return nil
	})
	return sum
}

// The methods below complete what Prometheus' HTTP API asks of a TSDB.

// AppenderV2 is the successor of Appender; it is not bounded and nothing of Sonde writes through it.
func (s *Store) AppenderV2(ctx context.Context) storage.AppenderV2 { return s.db.AppenderV2(ctx) }

// Stats returns the cardinality of the series in memory.
func (s *Store) Stats(byLabel string, limit int) (*tsdb.Stats, error) {
	return s.db.Head().Stats(byLabel, limit), nil
}

// BlockMetas describes the blocks on disk.
func (s *Store) BlockMetas() ([]tsdb.BlockMeta, error) { return s.db.BlockMetas(), nil }

// WALReplayStatus says how far the replay at Open is; it is over when Open returns.
func (s *Store) WALReplayStatus() (tsdb.WALReplayStatus, error) { return tsdb.WALReplayStatus{}, nil }

// CleanTombstones removes deleted data from disk.
func (s *Store) CleanTombstones() error { return s.db.CleanTombstones() }

// Delete marks samples as deleted.
func (s *Store) Delete(ctx context.Context, mint, maxt int64, ms ...*labels.Matcher) error {
	return s.db.Delete(ctx, mint, maxt, ms...)
}

// Snapshot copies all data to dir.
func (s *Store) Snapshot(dir string, withHead bool) error { return s.db.Snapshot(dir, withHead) }
