package export

import (
	"math"

	dto "github.com/prometheus/client_model/go"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/sonde-dev/sonde/signal"
	"github.com/sonde-dev/sonde/signal/promhist"
)

// exponents are the powers of two that are the bounds of classic buckets. Every power of two is a bound of every native
// bucket of schema 0 and finer, so the counts are exact. (Coarser than that is only a histogram that was reduced seven
// times; there a bucket counts where it ends.)
type exponents struct{ first, last, step int }

// classicBounds are the bounds by unit: 1 ms (2^-10 s) … 32 s, and 64 B … 1 GiB.
func classicBounds(unit string) exponents {
	if unit == "s" {
		return exponents{-10, 5, 1}
	}
	return exponents{6, 30, 2}
}

// histogramOf is both kinds in one: the encoders write what their format has.
func histogramOf(s *signal.Series) *dto.Histogram {
	h := s.Histogram
	out := &dto.Histogram{
		SampleCount: &h.Count, SampleSum: &h.Sum, CreatedTimestamp: timestamppb.New(s.Created),
		Schema: &h.Schema, ZeroThreshold: &h.ZeroThreshold, ZeroCount: &h.ZeroCount,
	}
	p := promhist.ToHistogram(h)
	out.PositiveDelta = p.PositiveBuckets
	for _, span := range p.PositiveSpans {
		out.PositiveSpan = append(out.PositiveSpan, &dto.BucketSpan{Offset: &span.Offset, Length: &span.Length})
	}

	es := classicBounds(s.Desc.Unit)
	count, i := h.ZeroCount, 0
	for e := es.first; e <= es.last; e += es.step {
		for i < len(h.Buckets) && exponentAtLeast(h.Schema, h.Buckets[i].Index) <= e {
			count += h.Buckets[i].Count
			i++
		}
		cumulative, bound := count, math.Ldexp(1, e)
		out.Bucket = append(out.Bucket, &dto.Bucket{CumulativeCount: &cumulative, UpperBound: &bound})
	}
	return out
}

// exponentAtLeast returns the smallest e for which bucket i lies below 2^e: its upper bound is 2^(i / 2^schema).
func exponentAtLeast(schema, i int32) int {
	if schema < 0 {
		return int(i) << -schema
	}
	return int((i + 1<<schema - 1) >> schema)
}
