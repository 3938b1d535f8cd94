// Package increase reads how much counters and native histograms grew between points in time, exactly.
//
// In: encoded chunks of a Prometheus storage. Out: integer increases, never extrapolated. It must not know what is
// counted, nor HTTP.
//
// The points in time are cuts, Unix milliseconds in ascending order; n+1 cuts make n intervals (c[i], c[i+1]]. The
// increase over an interval is the last value at or before its end minus the last value at or before its start, plus what
// was lost to resets in between:
//
//	          c0            c1                    c2
//	──●───●───┊──●──────●───┊────●────╳ ●─────●───┊
//	  3   5      8     11       13   (0) 2    6        (c0,c1] = 11 − 5 = 6
//	                                                   (c1,c2] = 13 − 11 + 6 − 0 = 8
//
// A series without a sample at or before c0 (within Lookback) counts from its first sample. The store writes a zero
// where a series is born, so nothing of a new series is missed.
package increase

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync"
	"time"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/tsdb/chunkenc"
	"github.com/prometheus/prometheus/tsdb/chunks"
)

// Lookback is how far before the first cut the value at that cut may lie: PromQL's default look-back delta.
const Lookback = 5 * time.Minute

// Reader reads increases. It is safe for concurrent use.
type Reader struct {
	store   storage.ChunkQueryable
	workers int
}

// NewReader returns a reader of store that uses up to four processors for one read.
func NewReader(store storage.ChunkQueryable) *Reader {
	return &Reader{store: store, workers: min(4, runtime.GOMAXPROCS(0))}
}

// walker computes the increases of one series at a time.
type walker interface {
	walk(metas []chunks.Meta) error
	emit(ls labels.Labels)
}

// read runs walk over every series that matches; emit is called by one goroutine at a time, in no particular order.
func (r *Reader) read(ctx context.Context, cuts []int64, ms []*labels.Matcher, newWalker func() walker) error {
	mint, maxt := cuts[0]-Lookback.Milliseconds(), cuts[len(cuts)-1]
	q, err := r.store.ChunkQuerier(mint, maxt)
	if err != nil {
		return fmt.Errorf("open querier: %w", err)
	}
	defer q.Close()
	// Trimming would decode and encode anew the chunks that reach beyond the range.
	hints := &storage.SelectHints{Start: mint, End: maxt, DisableTrimming: true}
	set := q.Select(ctx, false, hints, ms...)
	var all []storage.ChunkSeries
	for set.Next() {
		all = append(all, set.At())
	}
	if err := set.Err(); err != nil {
		return fmt.Errorf("select series: %w", err)
	}
	var (
		wg   sync.WaitGroup
		mu   sync.Mutex
		errs = make([]error, min(r.workers, len(all)))
	)
	for n := range errs {
		wg.Go(func() {
			w := newWalker()
			for i := n; i < len(all) && errs[n] == nil; i += len(errs) {
				errs[n] = r.series(ctx, all[i], w, &mu)
			}
		})
	}
	wg.Wait()
	return errors.Join(errs...)
}

func (r *Reader) series(ctx context.Context, s storage.ChunkSeries, w walker, mu *sync.Mutex) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	var metas []chunks.Meta
	it := s.Iterator(nil)
	for it.Next() {
		metas = append(metas, it.At())
	}
	if err := it.Err(); err != nil {
		return fmt.Errorf("read chunks of %s: %w", s.Labels(), err)
	}
	if err := w.walk(metas); err != nil {
		return fmt.Errorf("decode %s: %w", s.Labels(), err)
	}
	mu.Lock()
	defer mu.Unlock()
	w.emit(s.Labels())
	return nil
}

// isHistogram says whether a chunk holds native histograms.
func isHistogram(e chunkenc.Encoding) bool {
	switch e {
	case chunkenc.EncHistogram, chunkenc.EncFloatHistogram, chunkenc.EncHistogramST, chunkenc.EncFloatHistogramST:
		return true
	}
	return false
}

// nextMin returns when the chunk after metas[i] begins, or the end of time.
func nextMin(metas []chunks.Meta, i int) int64 {
	if i+1 < len(metas) {
		return metas[i+1].MinTime
	}
	return 1<<63 - 1
}
