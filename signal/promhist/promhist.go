// Package promhist turns Sonde's native histograms into Prometheus' own type.
//
// In: signal.NativeHistogram. Out: histogram.Histogram, as the store, remote write and the scrape endpoint need it.
// It must not know who measured it or where it goes.
package promhist

import (
	"github.com/prometheus/prometheus/model/histogram"

	"github.com/sonde-dev/sonde/signal"
)

// maxGap is how many empty buckets are stored rather than opening a new span: a span costs about as much as two zero
// deltas (prometheus/client_golang's makeBuckets uses the same bound).
const maxGap = 2

// ToHistogram converts h. The result shares no memory with h. Its counter reset hint is unknown, so that the store finds
// resets by itself. The buckets of h must be sorted by Index, each Index once; buckets with no count are allowed.
func ToHistogram(h *signal.NativeHistogram) *histogram.Histogram {
	out := &histogram.Histogram{
		CounterResetHint: histogram.UnknownCounterReset,
		Schema:           h.Schema,
		ZeroThreshold:    h.ZeroThreshold,
		ZeroCount:        h.ZeroCount,
		Count:            h.Count,
		Sum:              h.Sum,
	}
	if len(h.Buckets) == 0 {
		return out
	}
	out.PositiveBuckets = make([]int64, 0, len(h.Buckets))
	out.PositiveSpans = make([]histogram.Span, 0, 4)
	var previous int64 // absolute count of the bucket written last
	next := int32(0)   // index that would follow it
	for i, b := range h.Buckets {
		gap := b.Index - next
		switch {
		case i == 0 || gap > maxGap:
			out.PositiveSpans = append(out.PositiveSpans, histogram.Span{Offset: gap})
		default:
			for range gap {
				out.PositiveBuckets = append(out.PositiveBuckets, -previous)
				previous = 0
			}
			out.PositiveSpans[len(out.PositiveSpans)-1].Length += uint32(gap)
		}
		out.PositiveSpans[len(out.PositiveSpans)-1].Length++
		out.PositiveBuckets = append(out.PositiveBuckets, int64(b.Count)-previous)
		previous = int64(b.Count)
		next = b.Index + 1
	}
	return out
}
