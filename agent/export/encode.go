package export

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/prometheus/prometheus/prompb"

	"github.com/sonde-dev/sonde/signal"
	"github.com/sonde-dev/sonde/signal/promhist"
)

// encoder turns series into remote write's form. It keeps the labels of each series, so that they are sorted once.
type encoder struct {
	zeroWithin time.Duration
	known      map[uint64]*known // by Series.ID
	resource   []signal.Label    // of the labels in known
	req        prompb.WriteRequest
}

// known is what is remembered of a series.
type known struct {
	labels  []prompb.Label
	isBegun bool  // was sent once: no zero is needed any more
	at      int64 // time of the last batch that had it, milliseconds
}

// encode makes a request of some series of a batch. The request is valid until the next call.
func (e *encoder) encode(b *signal.Batch, series []signal.Series) (*prompb.WriteRequest, error) {
	if !slices.Equal(e.resource, b.Resource) {
		e.resource = slices.Clone(b.Resource)
		clear(e.known)
	}
	e.req.Timeseries = slices.Grow(e.req.Timeseries[:0], len(series))
	now := b.Time.UnixMilli()
	for i := range series {
		s := &series[i]
		k := e.knownOf(s)
		k.at = now
		ts := prompb.TimeSeries{Labels: k.labels}
		created := s.Created.UnixMilli()
		wantsZero := !k.isBegun && s.Desc.Type != signal.Gauge && created < now && b.Time.Sub(s.Created) <= e.zeroWithin
		if s.Desc.Type == signal.Histogram {
			if s.Histogram == nil {
				return nil, fmt.Errorf("encode %s: histogram without buckets", s.Desc.Name)
			}
			if wantsZero {
				ts.Histograms = append(ts.Histograms, zeroHistogram(created, s.Histogram))
			}
			ts.Histograms = append(ts.Histograms, prompb.FromIntHistogram(now, promhist.ToHistogram(s.Histogram)))
		} else {
			if wantsZero {
				ts.Samples = append(ts.Samples, prompb.Sample{Timestamp: created})
			}
			ts.Samples = append(ts.Samples, prompb.Sample{Timestamp: now, Value: s.Value})
		}
		e.req.Timeseries = append(e.req.Timeseries, ts)
	}
	return &e.req, nil
}

// zeroHistogram is a histogram before its first observation.
func zeroHistogram(at int64, h *signal.NativeHistogram) prompb.Histogram {
	zero := signal.NativeHistogram{Schema: h.Schema, ZeroThreshold: h.ZeroThreshold}
	return prompb.FromIntHistogram(at, promhist.ToHistogram(&zero))
}

func (e *encoder) knownOf(s *signal.Series) *known {
	k := e.known[s.ID]
	if k == nil {
		k = &known{labels: []prompb.Label{{Name: "__name__", Value: s.Desc.Name}}} // '_' sorts before all small letters
		for _, l := range labelsOf(s, e.resource) {
			k.labels = append(k.labels, prompb.Label{Name: l.Name, Value: l.Value})
		}
		e.known[s.ID] = k
	}
	return k
}

// begun notes that these series need no zero any more.
func (e *encoder) begun(series []signal.Series) {
	for i := range series {
		if k := e.known[series[i].ID]; k != nil {
			k.isBegun = true
		}
	}
}

// forget drops what is remembered of series that ended by the end of a batch, said or not: news may be lost on the way.
func (e *encoder) forget(b *signal.Batch) {
	for _, id := range b.Ended {
		delete(e.known, id)
	}
	if len(e.known) > 2*len(b.Series) {
		now := b.Time.UnixMilli()
		maps.DeleteFunc(e.known, func(_ uint64, k *known) bool { return k.at < now })
	}
}
