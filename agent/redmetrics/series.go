package redmetrics

import (
	"time"

	"github.com/sonde-dev/sonde/signal"
)

// series is the cold part of one time series: what a snapshot needs to know. What is counted lies in the record itself, side
// by side, because an observation costs as much as the cache lines that it touches.
type series struct {
	out   signal.Series
	value *uint64    // for counters and gauges
	hist  *histogram // for histograms
	scale float64    // one unit of the whole numbers of either, as a divisor: 1e9 for nanoseconds
}

// group is a set of series that are observed together and end together. It is the base of every record.
type group struct {
	touched bool  // since the last snapshot
	last    int64 // time of the snapshot that last saw it touched, nanoseconds
	series  []*series
}

// record is a group with its place in the structure.
type record interface {
	base() *group
	// idleAfter is how long it lives without being touched.
	idleAfter(c *Config) time.Duration
	// remove takes it out of the structure; its series have ended.
	remove(r *Recorder)
}

func (g *group) base() *group { return g }

func (g *group) idleAfter(c *Config) time.Duration { return c.IdleAfter }

// add puts a record under observation; it counts as touched now.
func (r *Recorder) add(rec record) {
	g := rec.base()
	g.touched = true
	g.last = r.now.UnixNano()
	r.records = append(r.records, rec)
}

// newSeries adds a series to a group. An empty value leaves its label out.
func (r *Recorder) newSeries(g *group, d *signal.Desc, labels []string) *series {
	s := &series{out: signal.Series{Desc: d, ID: r.nextID, LabelValues: labels, Created: r.now}}
	r.nextID++
	r.seriesCount++
	g.series = append(g.series, s)
	return s
}

// newCounter adds a counter, or a gauge, to a group.
func (r *Recorder) newCounter(g *group, d *signal.Desc, value *uint64, labels ...string) {
	s := r.newSeries(g, d, labels)
	s.value, s.scale = value, 1
}

// newSeconds adds a gauge of nanoseconds to a group.
func (r *Recorder) newSeconds(g *group, d *signal.Desc, value *uint64, labels ...string) {
	s := r.newSeries(g, d, labels)
	s.value, s.scale = value, nanoseconds
}

// newDuration adds a histogram of nanoseconds to a group.
func (r *Recorder) newDuration(g *group, d *signal.Desc, h *histogram, labels ...string) {
	*h = histogram{schema: signal.HistogramSchema, dirty: true}
	s := r.newSeries(g, d, labels)
	s.hist, s.scale = h, nanoseconds
}

// newSize adds a histogram of bytes to a group.
func (r *Recorder) newSize(g *group, d *signal.Desc, h *histogram, labels ...string) {
	*h = histogram{schema: signal.SizeSchema, dirty: true}
	s := r.newSeries(g, d, labels)
	s.hist, s.scale = h, bytes
}

// free takes a series out of the accounts.
func (r *Recorder) free(s *series) {
	r.seriesCount--
	if s.hist != nil {
		r.buckets.used -= len(s.hist.index)
	}
}

// observe counts a whole number whose bucket is i.
func (r *Recorder) observe(h *histogram, v uint64, i int32) {
	if n := h.observe(v, i, &r.buckets); n > 0 {
		r.lost.Add(signal.ResolutionReduced, n)
	}
}

const (
	nanoseconds = 1e9 // scale of durations: the metrics are in seconds
	bytes       = 1   // scale of sizes
)
