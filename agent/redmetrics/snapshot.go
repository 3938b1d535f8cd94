package redmetrics

import (
	"time"

	"github.com/sonde-dev/sonde/signal"
)

// Snapshot returns all live series as they are now, and ends those that were idle too long. now must not go back. The
// batch belongs to the caller; histograms that did not change since the last snapshot are the same values as in that one.
func (r *Recorder) Snapshot(now time.Time) *signal.Batch {
	b := &signal.Batch{Time: now, Series: make([]signal.Series, 0, r.Stats().Series+64)} // outside of the long lock

	r.mu.Lock()
	defer r.mu.Unlock()
	r.now = now
	live := r.records[:0]
	for _, rec := range r.records {
		g := rec.base()
		if g.touched {
			g.touched, g.last = false, now.UnixNano()
		}
		if time.Duration(now.UnixNano()-g.last) >= rec.idleAfter(&r.cfg) {
			r.end(rec)
			continue
		}
		live = append(live, rec)
		for _, s := range g.series {
			b.Series = append(b.Series, s.snapshot())
		}
	}
	clear(r.records[len(live):]) // let go of what ended
	r.records = live
	b.Ended, r.ended = r.ended, nil
	return b
}

// end takes a record and its series out.
func (r *Recorder) end(rec record) {
	for _, s := range rec.base().series {
		r.free(s)
		r.ended = append(r.ended, s.out.ID)
	}
	rec.remove(r)
}

// snapshot returns the present state of a series.
func (s *series) snapshot() signal.Series {
	h := s.hist
	if h == nil {
		s.out.Value = float64(s.value)
		return s.out
	}
	if h.dirty {
		h.dirty = false
		s.out.Histogram = &signal.NativeHistogram{
			Schema: int32(h.schema), ZeroThreshold: zeroThreshold, ZeroCount: h.zero,
			Count: h.count, Sum: float64(h.sum) / s.scale,
			Buckets: h.appendTo(make([]signal.Bucket, 0, len(h.index))),
		}
	}
	return s.out
}
