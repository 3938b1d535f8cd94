package promapi

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/histogram"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/value"
	"github.com/prometheus/prometheus/promql/parser"
	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/tsdb/chunkenc"
	"google.golang.org/protobuf/proto"

	"github.com/sonde-dev/sonde/signal"
)

// federation answers GET /federate?match[]=…: the latest sample, at most five minutes old, of every series that matches.
// Protobuf carries native histograms as they are; the text format carries them as classic ones (see classicRange).
type federation struct {
	store  Store
	parser parser.Parser
	now    func() time.Time
	log    *slog.Logger
}

func (f federation) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if err := r.ParseForm(); err != nil {
		http.Error(w, "read the query string: "+err.Error(), http.StatusBadRequest)
		return
	}
	sets, err := f.parser.ParseMetricSelectors(r.Form["match[]"])
	if err != nil || len(sets) == 0 {
		http.Error(w, fmt.Sprintf(`give one or more selectors, such as match[]={__name__=~".+"}: %v`, err), http.StatusBadRequest)
		return
	}
	format := expfmt.NegotiateAccept(r.Header, expfmt.DefaultAcceptedFormats()...)
	w.Header().Set("Content-Type", string(format))
	if err := f.write(r.Context(), sets, expfmt.NewEncoder(w, format), format.FormatType() != expfmt.TypeTextPlain); err != nil {
		// The reply has begun: cutting it short is what tells the reader.
		f.log.Warn("federate", "err", err)
		panic(http.ErrAbortHandler)
	}
}

// write encodes one family after the other; no more than one is in memory.
func (f federation) write(ctx context.Context, sets [][]*labels.Matcher, enc expfmt.Encoder, native bool) error {
	maxt := f.now().UnixMilli()
	mint := maxt - lookback.Milliseconds()
	q, err := f.store.Querier(mint, maxt)
	if err != nil {
		return fmt.Errorf("open querier: %w", err)
	}
	defer q.Close()
	selected := make([]storage.SeriesSet, len(sets))
	for i, ms := range sets {
		selected[i] = q.Select(ctx, true, &storage.SelectHints{Start: mint, End: maxt}, ms...)
	}
	set := storage.NewMergeSeriesSet(selected, 0, storage.ChainedSeriesMerge)
	var (
		family *dto.MetricFamily
		it     chunkenc.Iterator
		descs  = f.store.Descs()
	)
	flush := func() error {
		if family == nil {
			return nil
		}
		return enc.Encode(family)
	}
	for set.Next() {
		ls := set.At().Labels()
		it = set.At().Iterator(it)
		name := ls.Get(model.MetricNameLabel)
		m, kind, err := latest(it, name, native)
		if err != nil {
			return fmt.Errorf("read %s: %w", ls, err)
		}
		if m == nil {
			continue
		}
		if kind == dto.MetricType_UNTYPED && descs[name] != nil {
			kind = retype(m, descs[name].Type)
		}
		if family == nil || family.GetName() != name || family.GetType() != kind {
			if err := flush(); err != nil {
				return fmt.Errorf("encode %s: %w", family.GetName(), err)
			}
			family = &dto.MetricFamily{Name: proto.String(name), Type: kind.Enum()}
			if d := descs[name]; d != nil {
				family.Help = proto.String(d.Help)
			}
		}
		ls.Range(func(l labels.Label) {
			if l.Name != model.MetricNameLabel {
				m.Label = append(m.Label, &dto.LabelPair{Name: proto.String(l.Name), Value: proto.String(l.Value)})
			}
		})
		// Without an instance label the scraping server would put its own in place of an absent one.
		if !ls.Has("instance") {
			m.Label = append(m.Label, &dto.LabelPair{Name: proto.String("instance"), Value: proto.String("")})
		}
		family.Metric = append(family.Metric, m)
	}
	if err := set.Err(); err != nil {
		return fmt.Errorf("select series: %w", err)
	}
	return flush()
}

// latest returns the last sample, or nil where there is none or the series has ended.
func latest(it chunkenc.Iterator, name string, native bool) (*dto.Metric, dto.MetricType, error) {
	var (
		t  int64
		v  float64
		fh *histogram.FloatHistogram
	)
	kind := chunkenc.ValNone
	for vt := it.Next(); vt != chunkenc.ValNone; vt = it.Next() {
		if kind = vt; vt == chunkenc.ValFloat {
			t, v = it.At()
			continue
		}
		t, fh = it.AtFloatHistogram(fh)
	}
	if err := it.Err(); err != nil {
		return nil, 0, err
	}
	m := &dto.Metric{TimestampMs: proto.Int64(t)}
	switch {
	case kind == chunkenc.ValNone, kind == chunkenc.ValFloat && value.IsStaleNaN(v), kind != chunkenc.ValFloat && value.IsStaleNaN(fh.Sum):
		return nil, 0, nil
	case kind == chunkenc.ValFloat:
		m.Untyped = &dto.Untyped{Value: proto.Float64(v)}
		return m, dto.MetricType_UNTYPED, nil
	case native:
		m.Histogram = nativeHistogram(fh)
	default:
		first, last := classicRange(name)
		m.Histogram = classicHistogram(fh, first, last)
	}
	return m, dto.MetricType_HISTOGRAM, nil
}

// retype moves the value of an untyped sample to where its type belongs.
func retype(m *dto.Metric, t signal.MetricType) dto.MetricType {
	v := m.Untyped.Value
	m.Untyped = nil
	if t == signal.Counter {
		m.Counter = &dto.Counter{Value: v}
		return dto.MetricType_COUNTER
	}
	m.Gauge = &dto.Gauge{Value: v}
	return dto.MetricType_GAUGE
}
