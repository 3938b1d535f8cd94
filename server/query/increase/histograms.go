package increase

import (
	"context"
	"fmt"

	"github.com/prometheus/prometheus/model/histogram"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/value"
	"github.com/prometheus/prometheus/tsdb/chunkenc"
	"github.com/prometheus/prometheus/tsdb/chunks"
)

// Histogram is the growth of one native histogram in each interval. The slices are valid until the visit returns, the
// histograms themselves belong to the visitor.
type Histogram struct {
	Delta []*histogram.FloatHistogram // nil where nothing was observed
	Seen  []bool                      // whether the interval has a sample
}

// Histograms visits each native histogram that matches, one call at a time, in no particular order. There must be two
// cuts or more.
//
// Only chunks that hold a value needed are decoded: those in which a cut falls and those before a reset. The chunk header
// says whether a reset lies between a chunk and the one before; inside a chunk there is none (chunkenc.HistogramChunk).
func (r *Reader) Histograms(ctx context.Context, cuts []int64, visit func(labels.Labels, Histogram), ms ...*labels.Matcher) error {
	return r.read(ctx, cuts, ms, func() walker {
		n := len(cuts) - 1
		return &histogramWalker{
			cuts: cuts, visit: visit,
			out:  Histogram{Delta: make([]*histogram.FloatHistogram, n), Seen: make([]bool, n)},
			last: &histogram.FloatHistogram{}, base: &histogram.FloatHistogram{}, spare: &histogram.FloatHistogram{},
		}
	})
}

type histogramWalker struct {
	cuts  []int64
	visit func(labels.Labels, Histogram)
	out   Histogram
	it    chunkenc.Iterator

	i        int                       // the cut to be closed next; the interval being filled ends there
	acc      *histogram.FloatHistogram // growth of this interval up to base, nil for none
	base     *histogram.FloatHistogram
	last     *histogram.FloatHistogram
	spare    *histogram.FloatHistogram // memory to decode the next sample into
	hasLast  bool
	hasBase  bool
	finished bool
	skipped  chunkenc.Chunk // the chunk before this one, if it was not decoded to its end

	// Of the chunk at hand: whether its last value is needed, a time that no sample of it is after, and when the next begins.
	needsEnd  bool
	end, next int64
	err       error
}

func (w *histogramWalker) emit(ls labels.Labels) { w.visit(ls, w.out) }

func (w *histogramWalker) walk(metas []chunks.Meta) error {
	clear(w.out.Delta)
	clear(w.out.Seen)
	w.i, w.acc, w.hasLast, w.hasBase, w.finished, w.skipped, w.err = 0, nil, false, false, false, nil, nil
	metas = onlyHistograms(metas)
	for i := range metas {
		for !w.finished && metas[i].MinTime > w.cuts[w.i] {
			w.close()
		}
		if w.finished {
			break
		}
		header := resetHeader(metas[i].Chunk)
		if header == chunkenc.CounterReset {
			w.reset()
		}
		// The chunk's last value is needed where the next header does not promise that counting goes on; a value within it
		// where a cut follows before the next chunk does; its first where counting begins there, or may have been reset.
		w.next = nextMin(metas, i)
		w.needsEnd = i+1 == len(metas) || resetHeader(metas[i+1].Chunk) != chunkenc.NotCounterReset
		w.end = min(metas[i].MaxTime, w.next-1)
		if w.needsEnd || w.cuts[w.i] < w.next || !w.hasBase && w.i > 0 || header == chunkenc.UnknownCounterReset {
			w.decode(metas[i].Chunk, header)
		} else {
			w.seen()
			w.skipped = metas[i].Chunk
		}
		if w.err != nil {
			return w.err
		}
	}
	for !w.finished {
		w.close()
	}
	return w.err
}

// decode goes through the samples of a chunk. Where no cut falls between them, only the last value is looked at; once
// the chunk's last cut is closed and its last value is not needed, the rest is left.
func (w *histogramWalker) decode(c chunkenc.Chunk, header chunkenc.CounterResetHeader) {
	before := w.skipped
	w.skipped = nil
	known := w.hasBase || w.i == 0
	if known && header != chunkenc.UnknownCounterReset && w.cuts[w.i] >= w.end && w.pass(c, false, c.NumSamples()-1) {
		return
	}
	if w.pass(c, header == chunkenc.UnknownCounterReset, -1) || before == nil {
		return
	}
	// Nothing but staleness markers: the value that counts is the last of the chunk before.
	_ = w.pass(before, false, before.NumSamples()-1) || w.pass(before, false, -1)
}

// pass takes every sample, or, with only ≥ 0, that one alone; it then returns false, having changed nothing, if there is
// no such sample or it is a staleness marker. With check set, the first sample is compared with the value before it.
func (w *histogramWalker) pass(c chunkenc.Chunk, check bool, only int) bool {
	w.it = c.Iterator(w.it)
	taken := false
	for k := 0; !w.finished; k++ {
		vt := w.it.Next()
		if vt == chunkenc.ValNone {
			break
		}
		if only >= 0 && k != only {
			continue
		}
		var t int64
		t, w.spare = w.it.AtFloatHistogram(w.spare)
		if value.IsStaleNaN(w.spare.Sum) {
			continue
		}
		w.spare.CounterResetHint = histogram.UnknownCounterReset
		for t > w.cuts[w.i] {
			if w.close(); w.finished {
				return true
			}
			if taken && !w.needsEnd && w.cuts[w.i] >= w.next {
				w.seen()
				w.skipped = c
				return true
			}
		}
		if check && w.hasLast && w.spare.DetectReset(w.last) {
			w.reset()
		}
		check, taken = false, true
		w.take()
	}
	if err := w.it.Err(); err != nil && w.err == nil {
		w.err = err
	}
	return taken
}

// take makes the value in spare the last one.
func (w *histogramWalker) take() {
	if !w.hasBase {
		w.spare.CopyTo(w.base)
		w.hasBase = true
	}
	w.last, w.spare = w.spare, w.last
	w.hasLast = true
	w.seen()
}

func (w *histogramWalker) seen() {
	if w.i > 0 {
		w.out.Seen[w.i-1] = true
	}
}

// reset keeps what was counted so far in this interval and counts on from zero.
func (w *histogramWalker) reset() {
	if w.i > 0 {
		w.acc = w.grown()
	}
	*w.base = histogram.FloatHistogram{Schema: w.base.Schema, ZeroThreshold: w.base.ZeroThreshold}
	w.hasBase = w.hasLast
}

// grown returns acc + last − base.
func (w *histogramWalker) grown() *histogram.FloatHistogram {
	if !w.hasLast || w.last.Count == w.base.Count {
		return w.acc
	}
	d := w.last.Copy()
	if w.base.Count > 0 {
		if _, _, _, err := d.Sub(w.base); err != nil && w.err == nil {
			w.err = fmt.Errorf("subtract histograms: %w", err)
		}
	}
	if w.acc != nil {
		if _, _, _, err := d.Add(w.acc); err != nil && w.err == nil {
			w.err = fmt.Errorf("add histograms: %w", err)
		}
	}
	return d
}

// close ends the interval at cut i.
func (w *histogramWalker) close() {
	if w.i > 0 {
		w.out.Delta[w.i-1] = w.grown()
	}
	w.acc = nil
	if w.hasLast {
		w.last.CopyTo(w.base)
	}
	w.i++
	w.finished = w.i == len(w.cuts)
}

// onlyHistograms drops chunks of floats: a series may have changed its type.
func onlyHistograms(metas []chunks.Meta) []chunks.Meta {
	out := metas[:0]
	for _, m := range metas {
		if isHistogram(m.Chunk.Encoding()) {
			out = append(out, m)
		}
	}
	return out
}

// resetHeader reads the flags of a histogram chunk: the byte after the two of the sample count
// (chunkenc/histogram.go, histogramFlagPos).
func resetHeader(c chunkenc.Chunk) chunkenc.CounterResetHeader {
	return chunkenc.CounterResetHeader(c.Bytes()[2] & chunkenc.CounterResetHeaderMask)
}
