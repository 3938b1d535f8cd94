package redmetrics

import (
	"math"
	"math/rand/v2"
	"testing"

	prom "github.com/prometheus/prometheus/model/histogram"
)

// upperBound is Prometheus' own upper bound of bucket i.
func upperBound(schema, i int32) float64 {
	h := prom.Histogram{
		Schema: schema, Count: 1, PositiveBuckets: []int64{1}, PositiveSpans: []prom.Span{{Offset: i, Length: 1}},
	}
	it := h.PositiveBucketIterator()
	it.Next()
	return it.At().Upper
}

func TestBoundsArePrometheus(t *testing.T) {
	for i := int32(0); i <= bucketsPerOctave; i++ {
		if want := upperBound(6, i) / 2; bounds[i] != want {
			t.Errorf("bounds[%d] = %v, want %v", i, bounds[i], want)
		}
	}
}

// The oracle is the definition, base^(i-1) < v <= base^i, with Prometheus' own bounds.
func TestBucketIndex(t *testing.T) {
	check := func(v float64) {
		t.Helper()
		i := bucketIndex(v)
		if lo, up := upperBound(6, i-1), upperBound(6, i); !(lo < v && v <= up) {
			t.Fatalf("bucketIndex(%v) = %d, whose bounds are (%v, %v]", v, i, lo, up)
		}
		for n := uint8(1); n <= 6; n++ {
			k := coarser(i, n)
			if lo, up := upperBound(6-int32(n), k-1), upperBound(6-int32(n), k); !(lo < v && v <= up) {
				t.Fatalf("coarser(%d, %d) = %d for %v, whose bounds are (%v, %v]", i, n, k, v, lo, up)
			}
		}
	}
	for i := int32(-1914); i <= 800; i++ { // each bound from 1 ns to over an hour, and its neighbours
		b := upperBound(6, i)
		check(b)
		check(math.Nextafter(b, 0))
		check(math.Nextafter(b, math.Inf(1)))
	}
	rng := rand.New(rand.NewPCG(1, 2))
	for range 200_000 {
		check(float64(1+rng.Uint64N(uint64(1)<<rng.IntN(63))) / nanoseconds)
		check(float64(1 + rng.Uint64N(uint64(1)<<rng.IntN(63))))
	}
	check(1e-9)
	check(float64(uint64(math.MaxUint64)))
}

func BenchmarkBucketIndex(b *testing.B) {
	rng := rand.New(rand.NewPCG(1, 2))
	vs := make([]float64, 1024)
	for i := range vs {
		vs[i] = math.Exp(rng.NormFloat64() - 5)
	}
	var sum int32
	for i := 0; b.Loop(); i++ {
		sum += bucketIndex(vs[i&1023])
	}
	_ = sum
}
