package samplestore

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/sonde-dev/sonde/server/store/killtest"
	"github.com/sonde-dev/sonde/signal"
)

var start = time.UnixMilli(1_800_000_000_000)

func TestMain(m *testing.M) {
	killtest.Main(m, func(dir string) func(int) error {
		s := open(&testing.T{}, dir, DefaultConfig())
		return func(i int) error { return s.Append(context.Background(), []signal.Sample{sample(i), sample(i)}) }
	})
}

func config(dir string) Config {
	c := DefaultConfig()
	c.Dir = dir
	return c
}

func open(t *testing.T, dir string, c Config) *Store {
	t.Helper()
	c.Dir, c.MinFreeBytes = dir, 0
	s, err := Open(c, func() time.Time { return start.Add(time.Hour) })
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// sample is the i-th: every third failed, the others are slow; even ones are of shop.
func sample(i int) signal.Sample {
	x := signal.Sample{
		Time: start.Add(time.Duration(i) * time.Millisecond), Duration: time.Second, Service: "cart", Side: "client", Peer: "shop",
		Protocol: "http", Operation: "GET", Target: "/orders/{id}", Status: strconv.Itoa(i), IsSlow: true,
		Request: strings.Repeat("GET /orders ", 20), Attributes: map[string]string{"a": "b"},
	}
	if i%2 == 0 {
		x.Service, x.Side = "shop", "server"
	}
	if i%3 == 0 {
		x.IsSlow, x.IsFailed, x.Error = false, true, "500"
	}
	return x
}

func fill(t *testing.T, s *Store, from, to int) {
	t.Helper()
	var batch []signal.Sample
	for i := from; i <= to; i++ {
		if batch = append(batch, sample(i)); len(batch) == 7 || i == to {
			if err := s.Append(context.Background(), batch); err != nil {
				t.Fatal(err)
			}
			batch = nil
		}
	}
}

// read returns the numbers of the samples that match.
func read(t *testing.T, s *Store, q Query) (got []int, hasMore bool) {
	t.Helper()
	if q.End.IsZero() {
		q.Start, q.End = start, start.Add(time.Hour)
	}
	if q.Limit == 0 {
		q.Limit = 1 << 20
	}
	xs, more, err := s.Read(context.Background(), q)
	if err != nil {
		t.Fatal(err)
	}
	for _, x := range xs {
		n, _ := strconv.Atoi(x.Status)
		got = append(got, n)
	}
	return got, more
}

func TestReadsWhatMatchesNewestFirst(t *testing.T) {
	s := open(t, t.TempDir(), config(""))
	fill(t, s, 1, 10_000) // several segments
	if len(s.segments) < 3 {
		t.Fatalf("%d segments, want several", len(s.segments))
	}
	at := func(i int) time.Time { return start.Add(time.Duration(i) * time.Millisecond) }
	for _, c := range []struct {
		name string
		q    Query
		want string
		more bool
	}{
		{"newest", Query{Limit: 3}, "[10000 9999 9998]", true},
		{"service", Query{Service: "shop", Limit: 2}, "[10000 9998]", true},
		{"nobody", Query{Service: "nobody"}, "[]", false},
		{"failed", Query{Kind: "failed", Service: "shop", Limit: 2}, "[9996 9990]", true},
		{"slow", Query{Kind: "slow", Side: "client", Limit: 2}, "[9997 9995]", true},
		{"range", Query{Start: at(10), End: at(12)}, "[12 11 10]", false},
		{"interface", Query{Start: at(1), End: at(3), Protocol: "http", Interface: "GET /orders/{id}"}, "[3 2 1]", false},
		{"other interface", Query{Interface: "GET /"}, "[]", false},
	} {
		got, more := read(t, s, c.q)
		if fmt.Sprint(got) != c.want || more != c.more {
			t.Errorf("%s: %v, more %v, want %s, %v", c.name, got, more, c.want, c.more)
		}
	}
	x, _, err := s.Read(context.Background(), Query{Start: at(6), End: at(6), Limit: 1})
	if want := sample(6); err != nil || len(x) != 1 || !x[0].Time.Equal(want.Time) || x[0].Request != want.Request || x[0].Attributes["a"] != "b" || !x[0].IsFailed {
		t.Errorf("Read = %+v, %v", x, err)
	}
}

func TestRestartAndDamage(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir, config(""))
	fill(t, s, 1, 100)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	path := segmentPath(dir, 1)
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, cut := range []int{1, 7, 9, 300} { // bytes of the last record that are missing
		if err := os.WriteFile(path, whole[:len(whole)-cut], 0o600); err != nil {
			t.Fatal(err)
		}
		s = open(t, dir, config(""))
		if got, _ := read(t, s, Query{}); len(got) != 99 || got[0] != 99 {
			t.Errorf("cut by %d: %d samples, newest %v, want 99", cut, len(got), got[0])
		}
		fill(t, s, 101, 101)
		if got, _ := read(t, s, Query{}); len(got) != 100 || got[0] != 101 {
			t.Errorf("cut by %d and written again: %d samples", cut, len(got))
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
	damaged := append([]byte(nil), whole...)
	damaged[len(whole)/2] ^= 1
	if err := os.WriteFile(path, damaged, 0o600); err != nil {
		t.Fatal(err)
	}
	if got, _ := read(t, open(t, dir, config("")), Query{}); len(got) == 0 || len(got) > 50 || got[len(got)-1] != 1 {
		t.Errorf("damaged in the middle: %v, want those before", got)
	}
}

func TestKillLosesNothingAcknowledged(t *testing.T) {
	dir := t.TempDir()
	last := killtest.Kill(t, dir, 3000)
	got, _ := read(t, open(t, dir, config("")), Query{})
	if len(got) < 2*last || got[0] < last {
		t.Errorf("%d samples up to %d, want twice %d", len(got), got[0], last)
	}
}

func TestBoundsBySizeAndAge(t *testing.T) {
	dir := t.TempDir()
	c := config("")
	c.SegmentBytes, c.MaxBytes = maxRecord, 4*maxRecord
	s := open(t, dir, c)
	for i := 1; i <= 20_000; i += 100 {
		fill(t, s, i, i+99)
		if n := onDisk(t, dir); n > c.MaxBytes {
			t.Fatalf("%d bytes on disk, bound %d", n, c.MaxBytes)
		}
	}
	got, _ := read(t, s, Query{})
	if u := s.Usage(); len(got) < 100 || got[0] != 20_000 || u.Records != len(got) || u.Bytes != onDisk(t, dir) || !u.Oldest.Equal(sample(got[len(got)-1]).Time) {
		t.Errorf("%d samples from %v, usage %+v", len(got), got[0], u)
	}
	c.Retention = 16 * time.Second // a segment for each second
	s.cfg.Retention = c.Retention
	s.now = func() time.Time { return start.Add(25 * time.Second) }
	fill(t, s, 22_000, 25_000)
	if n := len(s.segments); n < 3 {
		t.Errorf("%d segments for three seconds, want one for each", n)
	}
	s.now = func() time.Time { return start.Add(42 * time.Second) }
	s.expire()
	if s.file != nil || len(s.segments) != 0 || onDisk(t, dir) != 0 {
		t.Errorf("%d segments are left of the one being written", len(s.segments))
	}
	fill(t, s, 26_000, 26_001)
	if got, _ := read(t, s, Query{}); fmt.Sprint(got) != "[26001 26000]" {
		t.Errorf("written after all went: %v", got)
	}
	c.Retention = time.Minute // they are an hour old
	s = open(t, dir, c)
	if got, _ := read(t, s, Query{}); len(got) != 0 || onDisk(t, dir) != 0 {
		t.Errorf("%d samples are left", len(got))
	}
}

func onDisk(t *testing.T, dir string) (n int64) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		st, err := os.Stat(f)
		if err != nil {
			t.Fatal(err)
		}
		n += st.Size()
	}
	return n
}

func TestRefusesWhatIsTooLarge(t *testing.T) {
	s := open(t, t.TempDir(), config(""))
	x := sample(1)
	x.Request = strings.Repeat("x", maxRecord)
	if err := s.Append(context.Background(), []signal.Sample{x, sample(2)}); err == nil {
		t.Error("a record above the bound was taken")
	}
	if got, _ := read(t, s, Query{}); fmt.Sprint(got) != "[2]" {
		t.Errorf("%v are there, want the other", got)
	}
	s.cfg.MinFreeBytes = 1 << 60
	if err := s.Append(context.Background(), []signal.Sample{sample(3)}); err == nil {
		t.Error("written to a disk that is nearly full")
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if err := s.Append(context.Background(), []signal.Sample{sample(3)}); err != ErrClosed {
		t.Errorf("Append after Close = %v", err)
	}
}

func FuzzReadRecord(f *testing.F) {
	x := sample(1)
	b, _ := appendRecord(nil, &x)
	f.Add(b)
	f.Fuzz(func(t *testing.T, b []byte) {
		if _, body, n, err := readRecord(b); err == nil && (n > len(b) || len(body) > n) {
			t.Errorf("record of %d bytes in %d", n, len(b))
		}
	})
}
