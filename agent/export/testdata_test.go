package export

import (
	"time"

	"github.com/sonde-dev/sonde/signal"
)

var (
	testDuration = signal.InterfaceNames{
		Protocol: "http", Side: "server", Duration: "http_server_request_duration_seconds",
		RequestSize: "http_server_request_body_size_bytes", Operation: "http_request_method", Target: "http_route", Status: "http_response_status_code",
	}.Describe()
	t0 = time.Unix(1_700_000_000, 0)
)

// batch has a counter, a gauge, two histograms and the agent's own series. Bucket 0 of the durations holds one second
// exactly, bucket -64 half a second.
func batch(created, now time.Time, n uint64) *signal.Batch {
	b := &signal.Batch{Time: now, Resource: []signal.Label{{Name: "host_name", Value: "h1"}}}
	id := signal.OwnSeries
	add := func(s signal.Series) {
		id++
		s.ID, s.Created = id, created
		b.Series = append(b.Series, s)
	}
	add(signal.Series{Desc: signal.ServiceErrors, LabelValues: []string{"a", "server", "http", "timeout"}, Value: float64(n)})
	add(signal.Series{Desc: signal.InstanceInfo, Value: 1,
		LabelValues: []string{"a", "h1:7", "7", "a", "", "", "", "", "h1"}})
	add(signal.Series{Desc: testDuration.Duration, LabelValues: []string{"a", "GET", "/x", "200", "", "http"},
		Histogram: &signal.NativeHistogram{Schema: 6, ZeroThreshold: 2.938735877055719e-39, ZeroCount: n, Count: 6 * n, Sum: 4.5 * float64(n),
			Buckets: []signal.Bucket{{Index: -64, Count: 3 * n}, {Index: -10, Count: n}, {Index: 0, Count: n}}}})
	add(signal.Series{Desc: testDuration.RequestSize, LabelValues: []string{"a", "GET", "/x"},
		Histogram: &signal.NativeHistogram{Schema: 3, ZeroThreshold: 2.938735877055719e-39, ZeroCount: n, Count: n}})
	NewSelf(created).Append(b, SelfStats{Version: "v0", Tier: "socket", Kernel: "6.18", Losses: signal.Losses{signal.RingFull: n},
		Events: map[string]uint64{"data": n}})
	return b
}
