package query_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"syscall"
	"testing"

	"github.com/sonde-dev/sonde/signal"
)

// metro is a world of 200 services and 600 edges, each seen from both ends, an hour at five seconds: 2.6 M samples.
func metro(b *testing.B) *world {
	w := newWorld(b)
	rnd := rand.New(rand.NewPCG(3, 3))
	var hists, counters []*signal.Series
	for i := range 200 {
		for _, side := range []string{"server", "client"} {
			base := []string{"service_name", fmt.Sprintf("service-%03d", i), "side", side, "network_protocol_name", "http"}
			hists = append(hists, w.series(signal.Histogram, "sonde_service_request_duration_seconds", base...))
			for _, m := range []string{"slow_requests", "partial_requests", "request_bytes", "response_bytes", "status"} {
				counters = append(counters, w.series(signal.Counter, "sonde_service_"+m+"_total", base...))
			}
		}
	}
	for i := range 600 {
		for _, side := range []string{"server", "client"} {
			base := []string{"client", fmt.Sprintf("service-%03d", i%200), "server", fmt.Sprintf("service-%03d", (i*7+i/200+1)%200), "side", side, "network_protocol_name", "http"}
			hists = append(hists, w.series(signal.Histogram, "sonde_edge_request_duration_seconds", base...))
			for _, m := range []string{"slow_requests", "request_bytes", "response_bytes"} {
				counters = append(counters, w.series(signal.Counter, "sonde_edge_"+m+"_total", base...))
			}
		}
	}
	w.run(720, func(int) {
		for _, h := range hists {
			for range 3 {
				observe(h.Histogram, math.Exp(rnd.NormFloat64()*0.7-4))
			}
		}
		for _, c := range counters {
			c.Value += float64(rnd.IntN(2000))
		}
	})
	return w
}

func observe(h *signal.NativeHistogram, v float64) {
	i := bucketOf(v, h.Schema)
	h.Count++
	h.Sum += v
	for k := range h.Buckets {
		if h.Buckets[k].Index == i {
			h.Buckets[k].Count++
			return
		}
	}
	k := 0
	for k < len(h.Buckets) && h.Buckets[k].Index < i {
		k++
	}
	h.Buckets = append(h.Buckets, signal.Bucket{})
	copy(h.Buckets[k+1:], h.Buckets[k:])
	h.Buckets[k] = signal.Bucket{Index: i, Count: 1}
}

func BenchmarkHourOf200Services(b *testing.B) {
	w := metro(b)
	for _, path := range []string{"/api/topology?start=now-1h", "/api/services?start=now-1h", "/api/topology", "/api/services", "/api/services/service-001?start=now-1h"} {
		b.Run(path, func(b *testing.B) {
			var before, after syscall.Rusage
			_ = syscall.Getrusage(syscall.RUSAGE_SELF, &before)
			for b.Loop() {
				rec := httptest.NewRecorder()
				w.handler.ServeHTTP(rec, httptest.NewRequest(http.MethodGet, path, nil))
				if rec.Code != http.StatusOK {
					b.Fatal(rec.Body.String())
				}
				b.ReportMetric(float64(rec.Body.Len()), "bytes/reply")
			}
			_ = syscall.Getrusage(syscall.RUSAGE_SELF, &after)
			cpu := after.Utime.Nano() + after.Stime.Nano() - before.Utime.Nano() - before.Stime.Nano()
			b.ReportMetric(float64(cpu)/1e6/float64(b.N), "cpu-ms/op") // the machine may be shared
		})
	}
}
