package truth

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/sonde-dev/sonde/test/sut"
)

// noPartial fails where requests of services were counted with bytes missing: their parser lost its way, or the machine was too busy, which the
// losses tell.
func noPartial(t *testing.T, x *sut.Sonde, services ...string) {
	t.Helper()
	got, err := byLabels(x, fmt.Sprintf(`sum by (service_name) (sonde_service_partial_requests_total{service_name=~%q}) > 0`, strings.Join(services, "|")), "service_name")
	if err != nil || len(got) > 0 {
		lost, _ := x.Lost()
		t.Errorf("partial requests %v (%v), want none; losses of the whole machine: %v", got, err, lost)
	}
}

// resolution is how far a percentile may be off: buckets are 1.1 % wide (docs/architecture.md).
const resolution = 0.011

// lateEnd is by how much a request may seem to begin late, in seconds. A call is timed at its end, and on a busy machine its thread may have to
// wait for a processor when the kernel has sent the bytes already.
const lateEnd = 0.01

// checkLatency compares the durations of some requests with what is known of them: that none was shorter than least, for the server waited
// so long, and, where their client timed all of them, that none was longer than it measured. It returns how many are shown, and the sum of
// their durations in seconds.
func checkLatency(t *testing.T, x *sut.Sonde, what, selector string, least float64, measured []float64) (n, sum float64) {
	t.Helper()
	if len(measured) == 0 {
		t.Fatalf("%s: nothing was timed, the test is void", what)
	}
	n, sum = checkLeast(t, x, what, selector, least)
	switch timed := float64(len(measured)); {
	case n < timed:
		t.Errorf("%s: %v requests are shown, the client measured %v", what, n, timed)
		return n, sum
	case n > timed:
		return n, sum // some were not timed
	}
	longest, total := slices.Max(measured), sumOf(measured)
	if sum > total {
		t.Errorf("%s: %v s in all, the client measured %v s", what, sum, total)
	}
	slices.Sort(measured)
	for _, q := range []float64{0.5, 0.95} {
		upper := measured[min(int(q*n)+1, len(measured)-1)]
		if p := quantile(t, x, q, selector); p > upper*(1+resolution) || p > longest*(1+resolution) {
			t.Errorf("%s: the quantile %v is %v s, the client measured %v s", what, q, p, upper)
		}
	}
	return n, sum
}

// checkLeast compares the durations of some requests with how long their server waited in each, in seconds. It returns how many are shown,
// and the sum of their durations in seconds.
func checkLeast(t *testing.T, x *sut.Sonde, what, selector string, least float64) (n, sum float64) {
	t.Helper()
	n, sum = valueOf(t, x, "sum(histogram_count(%s))", selector), valueOf(t, x, "sum(histogram_sum(%s))", selector)
	if sum < (least-lateEnd/2)*n {
		t.Errorf("%s: %v requests took %v s, each took %v s at least", what, n, sum, least)
	}
	if p := quantile(t, x, 0.01, selector); p < (least-lateEnd)*(1-resolution) {
		t.Errorf("%s: the first percentile is %v s, and none took less than %v s", what, p, least)
	}
	return n, sum
}

func quantile(t *testing.T, x *sut.Sonde, q float64, selector string) float64 {
	t.Helper()
	return valueOf(t, x, "histogram_quantile(%v, sum(%s))", q, selector)
}

func valueOf(t *testing.T, x *sut.Sonde, format string, args ...any) float64 {
	t.Helper()
	v, err := x.Value(fmt.Sprintf(format, args...))
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func sumOf(seconds []float64) (sum float64) {
	for _, s := range seconds {
		sum += s
	}
	return sum
}
