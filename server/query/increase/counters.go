package increase

import (
	"context"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/value"
	"github.com/prometheus/prometheus/tsdb/chunkenc"
	"github.com/prometheus/prometheus/tsdb/chunks"
)

// Counter is the growth of one counter in each interval. The slices are valid until the visit returns.
type Counter struct {
	Delta []float64
	Seen  []bool // whether the interval has a sample
}

// Sum returns the growth over all intervals.
func (c Counter) Sum() float64 {
	var s float64
	for _, d := range c.Delta {
		s += d
	}
	return s
}

// Counters visits each counter that matches, one call at a time, in no particular order. There must be two cuts or more.
func (r *Reader) Counters(ctx context.Context, cuts []int64, visit func(labels.Labels, Counter), ms ...*labels.Matcher) error {
	return r.read(ctx, cuts, ms, func() walker {
		n := len(cuts) - 1
		return &counterWalker{cuts: cuts, visit: visit, out: Counter{Delta: make([]float64, n), Seen: make([]bool, n)}}
	})
}

type counterWalker struct {
	cuts  []int64
	visit func(labels.Labels, Counter)
	out   Counter
	it    chunkenc.Iterator

	i        int     // the cut to be closed next; the interval being filled ends there
	acc      float64 // growth of this interval up to base
	base     float64
	last     float64
	has      bool // last is a value
	hasBase  bool
	finished bool
}

func (w *counterWalker) emit(ls labels.Labels) { w.visit(ls, w.out) }

func (w *counterWalker) walk(metas []chunks.Meta) error {
	clear(w.out.Delta)
	clear(w.out.Seen)
	w.i, w.acc, w.has, w.hasBase, w.finished = 0, 0, false, false, false
	for _, m := range metas {
		if isHistogram(m.Chunk.Encoding()) {
			continue
		}
		w.it = m.Chunk.Iterator(w.it)
		for w.it.Next() == chunkenc.ValFloat && !w.finished {
			t, v := w.it.At()
			if !value.IsStaleNaN(v) {
				w.sample(t, v)
			}
		}
		if err := w.it.Err(); err != nil {
			return err
		}
	}
	for !w.finished {
		w.close()
	}
	return nil
}

func (w *counterWalker) sample(t int64, v float64) {
	for !w.finished && t > w.cuts[w.i] {
		w.close()
	}
	if w.finished {
		return
	}
	if w.has && v < w.last { // a reset
		w.acc += w.last - w.base
		w.base = 0
	}
	if !w.hasBase {
		w.base, w.hasBase = v, true
	}
	w.last, w.has = v, true
	if w.i > 0 {
		w.out.Seen[w.i-1] = true
	}
}

// close ends the interval at cut i.
func (w *counterWalker) close() {
	if w.i > 0 && w.has {
		w.out.Delta[w.i-1] = w.acc + w.last - w.base
	}
	w.acc, w.base = 0, w.last
	w.i++
	w.finished = w.i == len(w.cuts)
}
