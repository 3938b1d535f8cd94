package signal

import "time"

// MetricType says how the values of a metric combine.
type MetricType uint8

// The types follow the Prometheus data model.
const (
	Counter   MetricType = iota // only grows, restarts at zero with the agent
	Gauge                       // goes up and down
	Histogram                   // native (exponential) histogram, see NativeHistogram
)

// Desc describes one metric: its Prometheus name, what it means, and the names of its labels in the order in which
// Series.LabelValues gives their values.
type Desc struct {
	Name   string
	Help   string
	Unit   string // UCUM unit of the OpenTelemetry convention: "s", "By", "{request}", …
	Type   MetricType
	Labels []string
}

// HistogramSchema is the resolution of every duration histogram: 2^6 buckets for each power of two. A bucket is
// 2^(1/64) = 1.0109 times as wide as its lower bound, so any percentile read from it is within 1.1 % of the exact one.
const HistogramSchema = 6

// NativeHistogram is a sparse exponential histogram as Prometheus defines it: bucket i of schema s holds the
// observations v with base^(i-1) < v <= base^i, base = 2^(2^-s). Buckets are sorted by Index and hold absolute counts.
type NativeHistogram struct {
	Schema        int32
	ZeroThreshold float64
	ZeroCount     uint64
	Count         uint64
	Sum           float64
	Buckets       []Bucket
}

// Bucket is one populated bucket of a NativeHistogram.
type Bucket struct {
	Index int32
	Count uint64
}

// Series is one time series at the time of its Batch. Values are cumulative since Created.
//
// ID is unique and constant within one run of the agent, so that a sink can keep a table from ID to its own reference
// and skip hashing labels. LabelValues must not be modified.
type Series struct {
	Desc        *Desc
	ID          uint64
	LabelValues []string         // aligned with Desc.Labels; "" means the label is absent
	Created     time.Time        // when counting began: the value was zero at that time
	Value       float64          // for Counter and Gauge
	Histogram   *NativeHistogram // for Histogram; must not be modified: a later batch may carry the same one
}

// OwnSeries is the first ID of the series that describe the observed. Those below describe the agent itself.
const OwnSeries uint64 = 1 << 20

// Label is one label of a resource.
type Label struct{ Name, Value string }

// Batch is the state of all series at one moment.
type Batch struct {
	Time   time.Time
	Series []Series
	// Ended lists the IDs of series that will not come again: the sink may forget them.
	Ended []uint64
	// Resource are labels that hold for every series of the batch (host_name). The sink puts them on; a label that a
	// series has itself goes before.
	Resource []Label
}
