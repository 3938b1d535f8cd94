package promapi

import (
	"math"
	"strings"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/prometheus/model/histogram"
	"google.golang.org/protobuf/proto"
)

// nativeHistogram writes integer counts, as Sonde's histograms have them: every server that knows native histograms
// reads those, float ones came later. A histogram with fractions (of remote write) is written as float.
func nativeHistogram(h *histogram.FloatHistogram) *dto.Histogram {
	out := &dto.Histogram{SampleSum: proto.Float64(h.Sum), Schema: proto.Int32(h.Schema), ZeroThreshold: proto.Float64(h.ZeroThreshold)}
	if h.Count == math.Trunc(h.Count) {
		out.SampleCount, out.ZeroCount = proto.Uint64(uint64(h.Count)), proto.Uint64(uint64(h.ZeroCount))
		out.PositiveDelta, out.NegativeDelta = deltas(h.PositiveBuckets), deltas(h.NegativeBuckets)
	} else {
		out.SampleCountFloat, out.ZeroCountFloat = proto.Float64(h.Count), proto.Float64(h.ZeroCount)
		out.PositiveCount, out.NegativeCount = h.PositiveBuckets, h.NegativeBuckets
	}
	out.PositiveSpan, out.NegativeSpan = spans(h.PositiveSpans), spans(h.NegativeSpans)
	if len(out.PositiveSpan) == 0 && len(out.NegativeSpan) == 0 && h.ZeroCount == 0 {
		// An empty span is how a reader tells an empty native histogram from a classic one (client_golang does the same).
		out.PositiveSpan = []*dto.BucketSpan{{Offset: proto.Int32(0), Length: proto.Uint32(0)}}
	}
	return out
}

func spans(in []histogram.Span) []*dto.BucketSpan {
	var out []*dto.BucketSpan
	for _, s := range in {
		out = append(out, &dto.BucketSpan{Offset: proto.Int32(s.Offset), Length: proto.Uint32(s.Length)})
	}
	return out
}

func deltas(counts []float64) []int64 {
	out := make([]int64, len(counts))
	previous := int64(0)
	for i, c := range counts {
		out[i] = int64(c) - previous
		previous = int64(c)
	}
	return out
}

// classicRange returns the exponents of the classic buckets: about 1 ms to 32 s, and 64 bytes to 16 MiB for sizes.
// Powers of two are bucket bounds of every native schema up from 0, so the cumulative counts are exact.
func classicRange(name string) (first, last int) {
	if strings.HasSuffix(name, "_bytes") {
		return 6, 24
	}
	return -10, 5
}

// classicHistogram writes buckets at powers of two. Values outside the range land in the first and the +Inf bucket.
func classicHistogram(h *histogram.FloatHistogram, first, last int) *dto.Histogram {
	out := &dto.Histogram{SampleCount: proto.Uint64(uint64(h.Count)), SampleSum: proto.Float64(h.Sum)}
	for e := first; e <= last; e++ {
		le := math.Ldexp(1, e)
		var n float64
		for it := h.AllBucketIterator(); it.Next(); {
			if b := it.At(); b.Upper <= le {
				n += b.Count
			}
		}
		out.Bucket = append(out.Bucket, &dto.Bucket{UpperBound: proto.Float64(le), CumulativeCount: proto.Uint64(uint64(n))})
	}
	return out
}
