package redmetrics

import (
	"slices"
	"sync"
	"time"

	"github.com/sonde-dev/sonde/signal"
)

// scratch is the memory of a snapshot that the next one uses again. Its mutex keeps snapshots apart and comes before the
// recorder's.
type scratch struct {
	sync.Mutex
	index   []int16
	counts  []uint64
	pending []pending
}

// pending is a histogram that was copied and is to be written out.
type pending struct {
	series  *series
	in      int // position in the batch
	from    int // of its first bucket
	buckets int
	out     signal.NativeHistogram // all but the buckets
}

// Snapshot returns all live series as they are now, and ends those that were idle too long. now must not go back. The
// batch belongs to the caller; histograms that did not change since the last snapshot are the same values as in that one.
//
// Observe waits only while the populated buckets of the changed histograms are copied as they are.
func (r *Recorder) Snapshot(now time.Time) *signal.Batch {
	sc := &r.scratch
	sc.Lock()
	defer sc.Unlock()
	size := r.Stats()
	sc.index, sc.counts, sc.pending = sc.index[:0], sc.counts[:0], sc.pending[:0]
	sc.index = slices.Grow(sc.index, size.Buckets+1024)
	sc.counts = slices.Grow(sc.counts, size.Buckets+1024)
	b := &signal.Batch{Time: now, Series: make([]signal.Series, 0, size.Series+64)}

	r.collect(b)
	for i := range sc.pending {
		p := &sc.pending[i]
		h := p.out
		h.Buckets = make([]signal.Bucket, p.buckets)
		for i := range h.Buckets {
			h.Buckets[i] = signal.Bucket{Index: int32(sc.index[p.from+i]), Count: sc.counts[p.from+i]}
		}
		p.series.out.Histogram, b.Series[p.in].Histogram = &h, &h
	}
	clear(sc.pending) // hold on to no series
	return b
}

// collect fills the batch but for the histograms that changed; those are pending.
func (r *Recorder) collect(b *signal.Batch) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.now = b.Time
	now := b.Time.UnixNano()
	live := r.records[:0]
	for _, rec := range r.records {
		g := rec.base()
		if g.touched {
			g.touched, g.last = false, now
		}
		switch rec := rec.(type) {
		case *gauge:
			if rec.settle(now, r.cfg.LevelIdleAfter); len(rec.parts) == 0 {
				r.end(rec) // it would say 0
				continue
			}
		case *progress:
			rec.settle(r, now)
		case *connections:
			rec.settle()
		}
		if time.Duration(now-g.last) >= rec.idleAfter(&r.cfg) {
			r.end(rec)
			continue
		}
		live = append(live, rec)
		for _, s := range g.series {
			if s.hist == nil {
				s.out.Value = float64(*s.value) / s.scale
			} else if s.hist.dirty {
				r.scratch.copy(s, len(b.Series))
			}
			b.Series = append(b.Series, s.out)
		}
	}
	clear(r.records[len(live):]) // let go of what ended
	r.records = live
	b.Ended, r.ended = r.ended, nil
}

// end takes a record and its series out.
func (r *Recorder) end(rec record) {
	for _, s := range rec.base().series {
		r.free(s)
		r.ended = append(r.ended, s.out.ID)
	}
	rec.remove(r)
}

// copy takes down the present state of a histogram that will be the series at position in of the batch.
func (sc *scratch) copy(s *series, in int) {
	h := s.hist
	h.dirty = false
	sc.pending = append(sc.pending, pending{
		series: s, in: in, from: len(sc.index), buckets: len(h.index),
		out: signal.NativeHistogram{
			Schema: int32(h.schema), ZeroThreshold: zeroThreshold, ZeroCount: h.zero,
			Count: h.count, Sum: float64(h.sum) / s.scale,
		},
	})
	sc.index = append(sc.index, h.index...)
	sc.counts = append(sc.counts, h.counts...)
}
