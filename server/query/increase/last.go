package increase

import (
	"context"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/value"
	"github.com/prometheus/prometheus/tsdb/chunkenc"
	"github.com/prometheus/prometheus/tsdb/chunks"
)

// Last visits each gauge that matches with its last value at or before the time at, one call at a time, in no particular order. Gauges that
// had ended by then, or have no sample within Lookback, are left out.
func (r *Reader) Last(ctx context.Context, at int64, visit func(labels.Labels, float64), ms ...*labels.Matcher) error {
	return r.read(ctx, []int64{at, at}, ms, func() walker { return &lastWalker{at: at, visit: visit} })
}

type lastWalker struct {
	at    int64
	visit func(labels.Labels, float64)
	it    chunkenc.Iterator

	v   float64
	has bool
}

func (w *lastWalker) emit(ls labels.Labels) {
	if w.has {
		w.visit(ls, w.v)
	}
}

func (w *lastWalker) walk(metas []chunks.Meta) error {
	w.has = false
	for _, m := range metas {
		if isHistogram(m.Chunk.Encoding()) {
			continue
		}
		w.it = m.Chunk.Iterator(w.it)
		for w.it.Next() == chunkenc.ValFloat {
			t, v := w.it.At()
			if t > w.at {
				break
			}
			w.v, w.has = v, !value.IsStaleNaN(v) && t > w.at-Lookback.Milliseconds()
		}
		if err := w.it.Err(); err != nil {
			return err
		}
	}
	return nil
}
