package increase_test

import (
	"context"
	"testing"
	"time"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"

	"github.com/sonde-dev/sonde/server/query/increase"
	"github.com/sonde-dev/sonde/signal"
)

// A gauge is what it was last told, until it ends or nobody tells it for as long as PromQL looks back.
func TestLast(t *testing.T) {
	w := newWorld(t, 1)
	desc := &signal.Desc{Name: "lag", Type: signal.Gauge, Labels: []string{"k"}}
	at := func(seconds int64) int64 { return t0 + seconds*1000 }
	for i, values := range []map[string]float64{0: {"a": 5, "b": 7}, 1: {"a": 3, "b": 0}, 2: {"a": 9}} {
		b := &signal.Batch{Time: time.UnixMilli(at(int64(i) * 10))}
		for k, v := range values {
			b.Series = append(b.Series, signal.Series{Desc: desc, ID: uint64(k[0]), LabelValues: []string{k}, Value: v})
		}
		if i == 2 {
			b.Ended = []uint64{'b'}
		}
		if err := w.store.Append(context.Background(), b); err != nil {
			t.Fatal(err)
		}
	}
	lookback := int64(increase.Lookback.Seconds())
	for _, c := range []struct {
		at   int64
		want map[string]float64
	}{
		{-1, map[string]float64{}},
		{0, map[string]float64{"a": 5, "b": 7}},
		{9, map[string]float64{"a": 5, "b": 7}},
		{10, map[string]float64{"a": 3, "b": 0}},
		{20, map[string]float64{"a": 9}},
		{19 + lookback, map[string]float64{"a": 9}},
		{20 + lookback, map[string]float64{}},
	} {
		got := map[string]float64{}
		err := increase.NewReader(w.store).Last(context.Background(), at(c.at), func(ls labels.Labels, v float64) { got[ls.Get("k")] = v },
			labels.MustNewMatcher(labels.MatchEqual, model.MetricNameLabel, "lag"))
		if err != nil {
			t.Fatal(err)
		}
		if len(got) != len(c.want) {
			t.Errorf("after %d s: %v, want %v", c.at, got, c.want)
		}
		for k, v := range c.want {
			if got[k] != v {
				t.Errorf("after %d s: %s = %v, want %v", c.at, k, got[k], v)
			}
		}
	}
}
