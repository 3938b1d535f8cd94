package metricstore_test

import (
	"context"
	"errors"
	"log/slog"
	"math"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/value"
	"github.com/prometheus/prometheus/tsdb/chunkenc"

	"github.com/sonde-dev/sonde/server/store/metricstore"
	"github.com/sonde-dev/sonde/signal"
)

var (
	counterDesc = &signal.Desc{Name: "test_total", Type: signal.Counter, Labels: []string{"a", "b"}}
	histDesc    = &signal.Desc{Name: "test_seconds", Type: signal.Histogram, Labels: []string{"a"}}
)

func quiet() *slog.Logger { return slog.New(slog.DiscardHandler) }

func open(t *testing.T, dir string) *metricstore.Store {
	t.Helper()
	cfg := metricstore.DefaultConfig()
	cfg.Dir = dir
	cfg.ExternalLabels = map[string]string{"host_name": "h1"}
	s, err := metricstore.Open(cfg, quiet(), nil)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func counter(id uint64, created time.Time, v float64, lv ...string) signal.Series {
	return signal.Series{Desc: counterDesc, ID: id, LabelValues: lv, Created: created, Value: v}
}

func hist(id uint64, created time.Time, counts ...uint64) signal.Series {
	h := &signal.NativeHistogram{Schema: signal.HistogramSchema, ZeroThreshold: 1e-128}
	for i, n := range counts {
		h.Buckets = append(h.Buckets, signal.Bucket{Index: int32(i * 10), Count: n})
		h.Count += n
		h.Sum += float64(n)
	}
	return signal.Series{Desc: histDesc, ID: id, LabelValues: []string{"x"}, Created: created, Histogram: h}
}

type sample struct {
	t int64
	v float64 // of a histogram: its count
}

// read returns all samples by label set; a staleness marker reads as NaN.
func read(t *testing.T, s *metricstore.Store, name string) map[string][]sample {
	t.Helper()
	q, err := s.Querier(math.MinInt64, math.MaxInt64)
	if err != nil {
		t.Fatal(err)
	}
	defer q.Close()
	out := map[string][]sample{}
	set := q.Select(context.Background(), true, nil, labels.MustNewMatcher(labels.MatchEqual, model.MetricNameLabel, name))
	for set.Next() {
		it := set.At().Iterator(nil)
		key := set.At().Labels().String()
		for vt := it.Next(); vt != chunkenc.ValNone; vt = it.Next() {
			if vt == chunkenc.ValFloat {
				ts, v := it.At()
				out[key] = append(out[key], sample{ts, v})
				continue
			}
			ts, h := it.AtFloatHistogram(nil)
			v := h.Count
			if value.IsStaleNaN(h.Sum) {
				v = math.NaN()
			}
			out[key] = append(out[key], sample{ts, v})
		}
	}
	if set.Err() != nil {
		t.Fatal(set.Err())
	}
	return out
}

func same(got []sample, want ...sample) bool {
	if len(got) != len(want) {
		return false
	}
	for i := range got {
		if got[i] != want[i] && !(got[i].t == want[i].t && math.IsNaN(got[i].v) && math.IsNaN(want[i].v)) {
			return false
		}
	}
	return true
}

func appendAll(t *testing.T, s *metricstore.Store, bs ...*signal.Batch) {
	t.Helper()
	for _, b := range bs {
		if err := s.Append(context.Background(), b); err != nil {
			t.Fatal(err)
		}
	}
}

func TestFirstSampleComesWithTheZeroItCountsFrom(t *testing.T) {
	s := open(t, t.TempDir())
	defer s.Close()
	t0 := time.UnixMilli(1_700_000_000_000)
	born := t0.Add(-3 * time.Second)
	appendAll(t, s,
		&signal.Batch{Time: t0, Series: []signal.Series{counter(1, born, 7, "x", ""), counter(2, t0, 5, "y", "z"), hist(3, born, 2, 3)}},
		&signal.Batch{Time: t0.Add(5 * time.Second), Series: []signal.Series{counter(1, born, 9, "x", "")}, Ended: []uint64{2, 3}},
	)
	ms := t0.UnixMilli()
	got := read(t, s, "test_total")
	if w := got[`{__name__="test_total", a="x", host_name="h1"}`]; !same(w, sample{ms - 3000, 0}, sample{ms, 7}, sample{ms + 5000, 9}) {
		t.Errorf("x: %v in %v", w, got)
	}
	if w := got[`{__name__="test_total", a="y", b="z", host_name="h1"}`]; !same(w, sample{ms - 1, 0}, sample{ms, 5}, sample{ms + 5000, math.NaN()}) {
		t.Errorf("y: %v in %v", w, got)
	}
	got = read(t, s, "test_seconds")
	if w := got[`{__name__="test_seconds", a="x", host_name="h1"}`]; !same(w, sample{ms - 3000, 0}, sample{ms, 5}, sample{ms + 5000, math.NaN()}) {
		t.Errorf("histogram: %v", got)
	}
	if n := s.Lost()[signal.StoreRejected]; n != 0 {
		t.Errorf("%d rejected, want none", n)
	}
	if d := s.Descs()["test_total"]; d != counterDesc {
		t.Errorf("description %v", d)
	}
}

func TestLabelsOfTheBatchAreOnEverySeries(t *testing.T) {
	s := open(t, t.TempDir())
	defer s.Close()
	t0 := time.UnixMilli(1_700_000_000_000)
	appendAll(t, s, &signal.Batch{
		Time: t0, Series: []signal.Series{counter(1, t0, 1, "own", "")},
		Resource: []signal.Label{{Name: "a", Value: "batch"}, {Name: "host_name", Value: "h2"}, {Name: "b", Value: "batch"}},
	})
	got := read(t, s, "test_total")
	if _, ok := got[`{__name__="test_total", a="own", b="batch", host_name="h2"}`]; !ok || len(got) != 1 {
		t.Errorf("series %v, want the label of the series before the batch's before the configuration's", got)
	}
}

func TestRefusedSamplesAreCounted(t *testing.T) {
	cfg := metricstore.DefaultConfig()
	cfg.Dir, cfg.MaxSeries = t.TempDir(), 2
	s, err := metricstore.Open(cfg, quiet(), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	t0 := time.UnixMilli(1_700_000_000_000)
	appendAll(t, s,
		&signal.Batch{Time: t0, Series: []signal.Series{counter(1, t0, 1, "1", ""), counter(2, t0, 1, "2", ""), counter(3, t0, 1, "3", "")}},
		&signal.Batch{Time: t0.Add(-time.Hour), Series: []signal.Series{counter(1, t0, 1, "1", "")}}, // beyond the window
	)
	if n := s.Lost()[signal.StoreRejected]; n != 2 {
		t.Errorf("%d rejected, want 2: one over the series bound, one too old", n)
	}
}

func TestRestartKeepsHistoryAndCountersGoOn(t *testing.T) {
	dir := t.TempDir()
	t0 := time.UnixMilli(1_700_000_000_000)
	s := open(t, dir)
	appendAll(t, s, &signal.Batch{Time: t0, Series: []signal.Series{counter(1, t0, 100, "x", "")}})
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = open(t, dir)
	defer s.Close()
	born := t0.Add(10 * time.Second)
	appendAll(t, s, &signal.Batch{Time: t0.Add(15 * time.Second), Series: []signal.Series{counter(9, born, 150, "x", "")}})
	ms := t0.UnixMilli()
	got := read(t, s, "test_total")[`{__name__="test_total", a="x", host_name="h1"}`]
	if !same(got, sample{ms - 1, 0}, sample{ms, 100}, sample{ms + 10_000, 0}, sample{ms + 15_000, 150}) {
		t.Errorf("after restart: %v", got)
	}
}

func TestSecondSondeIsRefused(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir)
	defer s.Close()
	cfg := metricstore.DefaultConfig()
	cfg.Dir = dir
	if _, err := metricstore.Open(cfg, quiet(), nil); !errors.Is(err, metricstore.ErrLocked) {
		t.Errorf("Open of a directory in use = %v, want ErrLocked", err)
	}
}

// mount mounts a small file system, or skips where the test may not mount.
func mount(t *testing.T, size string) string {
	t.Helper()
	dir := t.TempDir()
	if err := syscall.Mount("sonde-test", dir, "tmpfs", 0, "size="+size); err != nil {
		t.Skipf("mount a small file system (needs CAP_SYS_ADMIN): %v", err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(dir, syscall.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	return dir
}

func TestReadOnlyDirectoryIsNamed(t *testing.T) {
	dir := mount(t, "8m")
	if err := syscall.Mount("sonde-test", dir, "tmpfs", syscall.MS_REMOUNT|syscall.MS_RDONLY, ""); err != nil {
		t.Fatal(err)
	}
	cfg := metricstore.DefaultConfig()
	cfg.Dir = filepath.Join(dir, "data")
	if _, err := metricstore.Open(cfg, quiet(), nil); !errors.Is(err, metricstore.ErrNotWritable) {
		t.Errorf("Open on a read-only file system = %v, want ErrNotWritable", err)
	}
}

// A disk that something else fills: the store must refuse in time, count, and go on when there is space again.
func TestFullDiskIsNamedCountedAndSurvived(t *testing.T) {
	cfg := metricstore.DefaultConfig()
	cfg.Dir = mount(t, "320m")
	s, err := metricstore.Open(cfg, quiet(), nil)
	if err != nil {
		t.Fatal(err)
	}
	t0 := time.UnixMilli(1_700_000_000_000)
	batch := func(i int) *signal.Batch {
		return &signal.Batch{Time: t0.Add(time.Duration(i) * time.Second), Series: []signal.Series{counter(1, t0, float64(i), "x", ""), counter(2, t0, 1, "y", "")}}
	}
	appendAll(t, s, batch(1))
	hog := filepath.Join(cfg.Dir, "hog")
	if err := os.WriteFile(hog, make([]byte, 100<<20), 0o600); err != nil {
		t.Fatal(err)
	}
	time.Sleep(1100 * time.Millisecond) // freeCheckInterval
	if err := s.Append(context.Background(), batch(2)); !errors.Is(err, metricstore.ErrDiskFull) {
		t.Errorf("Append on a full disk = %v, want ErrDiskFull", err)
	}
	if n := s.Lost()[signal.StoreRejected]; n != 2 {
		t.Errorf("%d samples counted as rejected, want the batch of 2", n)
	}
	if err := os.Remove(hog); err != nil {
		t.Fatal(err)
	}
	time.Sleep(1100 * time.Millisecond)
	appendAll(t, s, batch(3))
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	cfg.MinFreeBytes = 1 << 40
	if _, err := metricstore.Open(cfg, quiet(), nil); !errors.Is(err, metricstore.ErrDiskFull) {
		t.Errorf("Open on a full disk = %v, want ErrDiskFull", err)
	}
}
