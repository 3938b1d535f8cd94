package metricstore

import (
	"context"
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/histogram"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/value"
	"github.com/prometheus/prometheus/storage"

	"github.com/sonde-dev/sonde/signal"
	"github.com/sonde-dev/sonde/signal/promhist"
)

// known is what the store remembers of a live series of the agent.
type known struct {
	ref       storage.SeriesRef
	labels    labels.Labels
	histogram bool
}

// Append stores a batch, in one transaction. The first sample of a series comes with a zero at the time when counting
// began, so that no increase of the first interval is lost. A series in b.Ended gets a staleness marker.
//
// When Append has returned nil, a kill of this process loses nothing of b. Samples that the store refuses (too old, a
// duplicate, too many series) are counted as signal.StoreRejected and are no error; an error means that the whole batch
// was not stored, and all of it is counted.
func (s *Store) Append(ctx context.Context, b *signal.Batch) error {
	s.appending.Lock()
	defer s.appending.Unlock()
	if err := s.checkFree(time.Now()); err != nil {
		s.lose(signal.StoreRejected, uint64(len(b.Series)))
		return fmt.Errorf("append batch of %d series: %w", len(b.Series), err)
	}
	app := s.db.Appender(ctx)
	var stored, rejected uint64
	t := b.Time.UnixMilli()
	for i := range b.Series {
		if err := s.appendSeries(app, t, &b.Series[i], b.Resource); err != nil {
			rejected++
			continue
		}
		stored++
	}
	for _, id := range b.Ended {
		s.end(app, t, id)
	}
	if err := app.Commit(); err != nil {
		// The references of series made in this transaction may be void.
		clear(s.known)
		s.lose(signal.StoreRejected, stored+rejected)
		return fmt.Errorf("commit batch of %d series: %w", len(b.Series), classify(s.cfg.Dir, err))
	}
	s.samples.Add(stored)
	s.lose(signal.StoreRejected, rejected)
	return nil
}

var errSeriesLimit = errors.New("series bound reached")

func (s *Store) appendSeries(app storage.Appender, t int64, x *signal.Series, resource []signal.Label) error {
	k := s.known[x.ID]
	isNew := k == nil
	if isNew {
		if s.db.Head().NumSeries() >= s.cfg.MaxSeries {
			return errSeriesLimit
		}
		k = &known{labels: s.labelsOf(x, resource), histogram: x.Desc.Type == signal.Histogram}
		s.meta.learn(x.Desc)
	}
	var h *histogram.Histogram
	if k.histogram {
		if x.Histogram == nil {
			return fmt.Errorf("histogram %s without buckets", x.Desc.Name)
		}
		h = promhist.ToHistogram(x.Histogram)
	}
	if isNew && x.Desc.Type != signal.Gauge && !x.Created.IsZero() {
		appendZero(app, k, t, x.Created.UnixMilli(), h)
	}
	var err error
	var ref storage.SeriesRef
	if h != nil {
		ref, err = app.AppendHistogram(k.ref, k.labels, t, h, nil)
	} else {
		ref, err = app.Append(k.ref, k.labels, t, x.Value)
	}
	if err != nil {
		return err
	}
	k.ref = ref
	if isNew {
		s.known[x.ID] = k
	}
	return nil
}

// appendZero writes the zero from which the series counts. created is normally before t; where it is not, or is too old
// for the store, the zero comes one millisecond before the sample. The store refuses the zero where it already has a
// later sample of the same labels: then that sample, not the zero, is what the increase counts from.
func appendZero(app storage.Appender, k *known, t, created int64, h *histogram.Histogram) {
	zero := func(at int64) error {
		var ref storage.SeriesRef
		var err error
		if h != nil {
			ref, err = app.AppendHistogramSTZeroSample(k.ref, k.labels, t, at, h, nil)
		} else {
			ref, err = app.AppendSTZeroSample(k.ref, k.labels, t, at)
		}
		if err == nil {
			k.ref = ref
		}
		return err
	}
	err := zero(min(created, t-1))
	if errors.Is(err, storage.ErrOutOfBounds) || errors.Is(err, storage.ErrTooOldSample) {
		_ = zero(t - 1)
	}
}

// end marks a series as stale and forgets it.
func (s *Store) end(app storage.Appender, t int64, id uint64) {
	k := s.known[id]
	if k == nil {
		return
	}
	delete(s.known, id)
	stale := math.Float64frombits(value.StaleNaN)
	// A refusal needs no count: the marker only shortens how long a query still shows the last value.
	if k.histogram {
		_, _ = app.AppendHistogram(k.ref, k.labels, t, &histogram.Histogram{Sum: stale}, nil)
	} else {
		_, _ = app.Append(k.ref, k.labels, t, stale)
	}
}

// labelsOf joins the labels of a series, of its batch and of the configuration; the first to name a label wins.
func (s *Store) labelsOf(x *signal.Series, resource []signal.Label) labels.Labels {
	b := labels.NewScratchBuilder(len(x.LabelValues) + len(resource) + len(s.cfg.ExternalLabels) + 1)
	named := map[string]bool{}
	add := func(name, v string) {
		if v != "" && !named[name] {
			named[name] = true
			b.Add(name, v)
		}
	}
	add(model.MetricNameLabel, x.Desc.Name)
	for i, v := range x.LabelValues {
		add(x.Desc.Labels[i], v)
	}
	for _, l := range resource {
		add(l.Name, l.Value)
	}
	for n, v := range s.cfg.ExternalLabels {
		add(n, v)
	}
	b.Sort()
	return b.Labels()
}
