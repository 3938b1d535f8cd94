package redmetrics

import (
	"time"

	"github.com/sonde-dev/sonde/signal"
)

// series is one time series: a counter (value) or a histogram.
type series struct {
	out   signal.Series
	value uint64     // for counters and gauges
	hist  *histogram // for histograms
	scale float64    // one unit of the histogram's whole numbers, as a divisor: 1e9 for nanoseconds
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

// newCounter adds a counter, or a gauge, to a group. An empty value leaves its label out.
func (r *Recorder) newCounter(g *group, d *signal.Desc, labels ...string) *series {
	s := &series{out: signal.Series{Desc: d, ID: r.nextID, LabelValues: labels, Created: r.now}}
	r.nextID++
	r.seriesCount++
	g.series = append(g.series, s)
	return s
}

// newHistogram adds a histogram to a group. Its values are in units of 1/scale.
func (r *Recorder) newHistogram(g *group, d *signal.Desc, schema int8, scale float64, labels ...string) *series {
	s := r.newCounter(g, d, labels...)
	s.hist = &histogram{schema: schema, dirty: true}
	s.scale = scale
	return s
}

// free takes a series out of the accounts.
func (r *Recorder) free(s *series) {
	r.seriesCount--
	if s.hist != nil {
		r.buckets.used -= len(s.hist.index)
	}
}

// observe counts a whole number whose bucket is i.
func (r *Recorder) observe(s *series, v uint64, i int32) {
	if n := s.hist.observe(v, i, &r.buckets); n > 0 {
		r.lost.Add(signal.ResolutionReduced, n)
	}
}

const (
	nanoseconds = 1e9 // scale of durations: the metrics are in seconds
	bytes       = 1   // scale of sizes
)
