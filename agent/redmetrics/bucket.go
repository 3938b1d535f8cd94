package redmetrics

import (
	"math"
	"sort"

	"github.com/sonde-dev/sonde/signal"
)

// bucketsPerOctave is the number of buckets for each power of two at signal.HistogramSchema.
const bucketsPerOctave = 1 << signal.HistogramSchema

// cells is the number of equal parts of the mantissa range [0.5, 1) for the first guess. A part, 1/256 wide, is narrower
// than the narrowest bucket, 0.5*(2^(1/64)-1) = 1/184, so that it holds one bound at most.
const cells = 128

// bounds[i] is the upper bound of the i-th bucket of an octave, 2^(i/64)/2, as a mantissa in [0.5, 1]. The last digits are
// those of Prometheus' table (model/histogram/generic.go, schema 6), which are not always the nearest.
var bounds = [bucketsPerOctave + 1]float64{
	0.5, 0.5054446430258502, 0.5109485743270583, 0.5165124395106142, 0.5221368912137069,
	0.5278225891802786, 0.5335702003384117, 0.5393803988785598, 0.5452538663326288, 0.5511912916539204,
	0.5571933712979462, 0.5632608093041209, 0.5693943173783458, 0.5755946149764913, 0.5818624293887887,
	0.5881984958251406, 0.5946035575013605, 0.6010783657263515, 0.6076236799902344, 0.6142402680534349,
	0.620928906036742, 0.6276903785123455, 0.6345254785958666, 0.6414350080393891, 0.6484197773255048,
	0.6554806057623822, 0.6626183215798706, 0.6698337620266515, 0.6771277734684463, 0.6845012114872953,
	0.6919549409819159, 0.6994898362691555, 0.7071067811865475, 0.7148066691959849, 0.7225904034885232,
	0.7304588970903234, 0.7384130729697496, 0.7464538641456323, 0.7545822137967112, 0.762799075372269,
	0.7711054127039704, 0.7795022001189185, 0.7879904225539431, 0.7965710756711334, 0.805245165974627,
	0.8140137109286738, 0.8228777390769823, 0.8318382901633681, 0.8408964152537144, 0.8500531768592616,
	0.8593096490612387, 0.8686669176368529, 0.8781260801866495, 0.8876882462632604, 0.8973545375015533,
	0.9071260877501991, 0.9170040432046711, 0.9269895625416926, 0.9370838170551498, 0.9472879907934827,
	0.9576032806985735, 0.9680308967461471, 0.9785720620876999, 0.9892280131939752,
	1,
}

// guesses[c] is the first bucket whose bound is not below the lower end of part c.
var guesses = func() (g [cells]int16) {
	for c := range g {
		g[c] = int16(sort.SearchFloat64s(bounds[:], 0.5+float64(c)/(2*cells)))
	}
	return g
}()

// bucketIndex returns the index i of the bucket with base^(i-1) < v <= base^i at signal.HistogramSchema. v must be positive,
// finite and not subnormal. It is the search of client_golang's native histograms without its loop.
func bucketIndex(v float64) int32 {
	bits := math.Float64bits(v)
	// IEEE 754: v = frac * 2^exp with frac in [0.5, 1), as math.Frexp gives them.
	exp := int32(bits>>52) - 1022
	frac := math.Float64frombits(bits&(1<<52-1) | 1022<<52)
	i := int32(guesses[bits>>45&(cells-1)])
	if frac > bounds[i] {
		i++
	}
	return i + (exp-1)*bucketsPerOctave
}

// coarser returns the index of the bucket that holds bucket i after the resolution was halved n times: two neighbours,
// 2k-1 and 2k, become k.
func coarser(i int32, n uint8) int32 {
	return (i-1)>>n + 1
}
