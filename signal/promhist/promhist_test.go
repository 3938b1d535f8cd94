package promhist_test

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/sonde-dev/sonde/signal"
	"github.com/sonde-dev/sonde/signal/promhist"
)

// The oracle is the input itself: Prometheus' own iterator over the result must give back the same buckets, and its own
// validation must accept them.
func TestToHistogramKeepsEveryBucket(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	for round := range 500 {
		in := &signal.NativeHistogram{Schema: signal.HistogramSchema, ZeroThreshold: 1e-9, ZeroCount: rnd.Uint64N(3), Sum: 1.5}
		in.Count = in.ZeroCount
		index := int32(rnd.IntN(200) - 300)
		want := map[int32]uint64{}
		for range rnd.IntN(40) {
			b := signal.Bucket{Index: index, Count: rnd.Uint64N(1000)}
			in.Buckets = append(in.Buckets, b)
			in.Count += b.Count
			if b.Count > 0 {
				want[b.Index] = b.Count
			}
			index += int32(1 + rnd.IntN(6))
		}
		before := slices.Clone(in.Buckets)
		out := promhist.ToHistogram(in)
		if err := out.Validate(); err != nil {
			t.Fatalf("round %d: %v", round, err)
		}
		if out.Count != in.Count || out.Sum != in.Sum || out.ZeroCount != in.ZeroCount || out.Schema != in.Schema {
			t.Fatalf("round %d: header %+v, want %+v", round, out, in)
		}
		got := map[int32]uint64{}
		for it := out.PositiveBucketIterator(); it.Next(); {
			if b := it.At(); b.Count > 0 {
				got[b.Index] = b.Count
			}
		}
		if len(got) != len(want) {
			t.Fatalf("round %d: %d buckets, want %d", round, len(got), len(want))
		}
		for i, n := range want {
			if got[i] != n {
				t.Fatalf("round %d: bucket %d = %d, want %d", round, i, got[i], n)
			}
		}
		if !slices.Equal(before, in.Buckets) {
			t.Fatal("input was changed")
		}
	}
}
