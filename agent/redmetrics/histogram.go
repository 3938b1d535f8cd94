package redmetrics

import (
	"slices"

	"github.com/sonde-dev/sonde/signal"
)

// zeroThreshold is the width of the zero bucket, Prometheus' default (client_golang: DefNativeHistogramZeroThreshold). Only
// zero itself is in it here.
const zeroThreshold = 2.938735877055719e-39 // 2^-128

// smallHistogram is the number of buckets that a histogram may have even when the bound on all buckets is reached.
const smallHistogram = 64

// buckets counts the populated buckets of all histograms against their bounds.
type buckets struct {
	perSeries, inAll int
	used             int
}

// histogram is a sparse native histogram of whole numbers (nanoseconds or bytes). Its sum is exact.
//
// When a bound on buckets is reached, its resolution is halved as Prometheus does it: two neighbours become one.
type histogram struct {
	index  []int16 // sorted; ±2^15 holds 512 octaves at schema 6
	counts []uint64
	last   int // position of the bucket hit last: most series are narrow
	zero   uint64
	count  uint64
	sum    uint64
	schema int8
	dirty  bool // since the last copy
}

// observe counts v, whose bucket at signal.HistogramSchema is i; i is ignored for zero. It reports how often the
// resolution had to be reduced.
func (h *histogram) observe(v uint64, i int32, b *buckets) (reduced uint64) {
	h.dirty = true
	h.count++
	h.sum += v
	if v == 0 {
		h.zero++
		return 0
	}
	for {
		k := int16(coarser(i, uint8(signal.HistogramSchema-h.schema)))
		if h.last < len(h.index) && h.index[h.last] == k {
			h.counts[h.last]++
			return reduced
		}
		at, found := search(h.index, k)
		if found {
			h.last = at
			h.counts[at]++
			return reduced
		}
		if !h.mayGrow(b) {
			h.reduce(b)
			reduced++
			continue
		}
		b.used++
		h.index = slices.Insert(h.index, at, k)
		h.counts = slices.Insert(h.counts, at, 1)
		h.last = at
		return reduced
	}
}

// mayGrow reports whether one more bucket is within the bounds. Schema -4, one bucket for sixteen octaves, is the coarsest
// there is; 64 bits need five of those.
func (h *histogram) mayGrow(b *buckets) bool {
	n := len(h.index)
	return n < smallHistogram || h.schema == -4 || n < b.perSeries && b.used < b.inAll
}

// reduce halves the resolution.
func (h *histogram) reduce(b *buckets) {
	to := -1
	for from, i := range h.index {
		k := int16(coarser(int32(i), 1))
		if to >= 0 && h.index[to] == k {
			h.counts[to] += h.counts[from]
			continue
		}
		to++
		h.index[to], h.counts[to] = k, h.counts[from]
	}
	b.used -= len(h.index) - (to + 1)
	h.index, h.counts = h.index[:to+1], h.counts[:to+1]
	h.schema--
	h.last = 0
}

// search returns the position of k in the sorted s, or where it would be. Its steps are conditional moves: durations are
// random, so that every second branch of a usual binary search would be mispredicted.
func search(s []int16, k int16) (int, bool) {
	if len(s) == 0 {
		return 0, false
	}
	at := 0
	for n := len(s); n > 1; {
		half := n >> 1
		next := at + half
		if s[next-1] < k {
			at = next
		}
		n -= half
	}
	if s[at] < k {
		at++
	}
	return at, at < len(s) && s[at] == k
}
