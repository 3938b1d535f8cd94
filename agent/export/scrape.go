package export

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	dto "github.com/prometheus/client_model/go"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/sonde-dev/sonde/signal"
)

// PromHandler shows the latest batch to a scraper. It is a Sink and an http.Handler, safe for concurrent use.
//
// A scraper that accepts protobuf gets native histograms and the time of creation of counters and histograms; in text
// they are classic histograms, see classicBounds.
type PromHandler struct {
	latest atomic.Pointer[signal.Batch]
	http   http.Handler
}

// NewPromHandler makes the handler; before the first batch the page is empty.
func NewPromHandler() *PromHandler {
	h := &PromHandler{}
	h.http = promhttp.HandlerFor(prometheus.GathererFunc(h.gather), promhttp.HandlerOpts{EnableOpenMetrics: true})
	return h
}

// Name implements Sink.
func (h *PromHandler) Name() string { return "scrape page" }

// Write implements Sink.
func (h *PromHandler) Write(_ context.Context, b *signal.Batch) error {
	h.latest.Store(b)
	return nil
}

// ServeHTTP implements http.Handler.
func (h *PromHandler) ServeHTTP(w http.ResponseWriter, r *http.Request) { h.http.ServeHTTP(w, r) }

// gather turns the latest batch into families, sorted by name.
func (h *PromHandler) gather() ([]*dto.MetricFamily, error) {
	b := h.latest.Load()
	if b == nil {
		return nil, nil
	}
	byName := map[string]*dto.MetricFamily{}
	for i := range b.Series {
		s := &b.Series[i]
		f := byName[s.Desc.Name]
		if f == nil {
			f = &dto.MetricFamily{Name: &s.Desc.Name, Help: &s.Desc.Help, Type: familyType(s.Desc.Type)}
			byName[s.Desc.Name] = f
		}
		f.Metric = append(f.Metric, metricOf(s, b.Resource))
	}
	families := make([]*dto.MetricFamily, 0, len(byName))
	for _, f := range byName {
		families = append(families, f)
	}
	slices.SortFunc(families, func(a, b *dto.MetricFamily) int { return strings.Compare(a.GetName(), b.GetName()) })
	return families, nil
}

func familyType(t signal.MetricType) *dto.MetricType {
	switch t {
	case signal.Counter:
		return dto.MetricType_COUNTER.Enum()
	case signal.Histogram:
		return dto.MetricType_HISTOGRAM.Enum()
	default:
		return dto.MetricType_GAUGE.Enum()
	}
}

func metricOf(s *signal.Series, resource []signal.Label) *dto.Metric {
	m := &dto.Metric{}
	for _, l := range labelsOf(s, resource) {
		m.Label = append(m.Label, &dto.LabelPair{Name: &l.Name, Value: &l.Value})
	}
	switch s.Desc.Type {
	case signal.Counter:
		m.Counter = &dto.Counter{Value: &s.Value, CreatedTimestamp: timestamppb.New(s.Created)}
	case signal.Histogram:
		m.Histogram = histogramOf(s)
	default:
		m.Gauge = &dto.Gauge{Value: &s.Value}
	}
	return m
}
