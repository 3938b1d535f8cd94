package metricstore

import (
	"context"
	"fmt"

	"github.com/prometheus/prometheus/model/histogram"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/storage"

	"github.com/sonde-dev/sonde/signal"
)

// Appender is the way in for Prometheus remote write. New series beyond Config.MaxSeries are refused with an error that
// remote write answers with 400 (the sender drops the sample), and counted.
func (s *Store) Appender(ctx context.Context) storage.Appender {
	return &limitedAppender{Appender: s.db.Appender(ctx), store: s}
}

type limitedAppender struct {
	storage.Appender
	store *Store
}

func (a *limitedAppender) Append(ref storage.SeriesRef, l labels.Labels, t int64, v float64) (storage.SeriesRef, error) {
	if err := a.admit(ref, l); err != nil {
		return 0, err
	}
	return a.Appender.Append(ref, l, t, v)
}

func (a *limitedAppender) AppendHistogram(ref storage.SeriesRef, l labels.Labels, t int64, h *histogram.Histogram, fh *histogram.FloatHistogram) (storage.SeriesRef, error) {
	if err := a.admit(ref, l); err != nil {
		return 0, err
	}
	return a.Appender.AppendHistogram(ref, l, t, h, fh)
}

func (a *limitedAppender) admit(ref storage.SeriesRef, l labels.Labels) error {
	if ref != 0 || a.store.db.Head().NumSeries() < a.store.cfg.MaxSeries {
		return nil
	}
	if g, ok := a.Appender.(storage.GetRef); ok {
		if known, _ := g.GetRef(l, l.Hash()); known != 0 {
			return nil
		}
	}
	a.store.lose(signal.StoreRejected, 1)
	return fmt.Errorf("%w: %w", storage.ErrOutOfBounds, errSeriesLimit)
}
