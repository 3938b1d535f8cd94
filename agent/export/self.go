package export

import (
	"maps"
	"slices"
	"time"

	"github.com/sonde-dev/sonde/signal"
)

// SelfStats are the agent's figures about itself. Counters are since the start of the agent.
type SelfStats struct {
	Version, Tier, Kernel string

	Losses      signal.Losses     // of all rooms together
	Events      map[string]uint64 // by kind
	CopiedBytes uint64
	CPU         time.Duration

	RSS, MemoryLimit, BPFMemory, Heap uint64 // bytes
	Connections, Processes, Series    int

	Ignored uint64 // exchanges that rules left out
	Samples signal.SampleStats
}

// Self turns SelfStats into series. Every known cause of loss is reported from zero on, so that its first increase is
// visible. It is for one goroutine at a time.
type Self struct {
	start time.Time
	ids   map[selfKey]uint64
}

type selfKey struct {
	desc   *signal.Desc
	labels [3]string
}

// NewSelf begins the agent's own series; all counters were zero at start.
func NewSelf(start time.Time) *Self {
	return &Self{start: start, ids: map[selfKey]uint64{}}
}

// Append adds the agent's own series to a batch that was not published yet.
func (s *Self) Append(b *signal.Batch, st SelfStats) {
	add := func(d *signal.Desc, v float64, labels ...string) {
		key := selfKey{desc: d}
		copy(key.labels[:], labels)
		id, ok := s.ids[key]
		if !ok {
			id = uint64(len(s.ids)) // below signal.OwnSeries: the labels are causes, kinds and facts
			s.ids[key] = id
		}
		b.Series = append(b.Series, signal.Series{Desc: d, ID: id, LabelValues: labels, Created: s.start, Value: v})
	}
	for _, c := range signal.Causes() {
		add(signal.AgentLost, float64(st.Losses[c]), c.String())
	}
	for _, kind := range slices.Sorted(maps.Keys(st.Events)) {
		add(signal.AgentEvents, float64(st.Events[kind]), kind)
	}
	add(signal.AgentCopiedBytes, float64(st.CopiedBytes))
	add(signal.AgentCPU, st.CPU.Seconds())
	add(signal.AgentRSS, float64(st.RSS))
	add(signal.AgentMemoryLimit, float64(st.MemoryLimit))
	add(signal.AgentBPFMemory, float64(st.BPFMemory))
	add(signal.AgentHeap, float64(st.Heap))
	add(signal.AgentConnections, float64(st.Connections))
	add(signal.AgentProcesses, float64(st.Processes))
	add(signal.AgentSeries, float64(st.Series))
	add(signal.AgentIgnored, float64(st.Ignored))
	add(signal.AgentSamplesKept, float64(st.Samples.Kept))
	for _, c := range signal.SampleCauses() {
		add(signal.AgentSamplesDropped, float64(st.Samples.Dropped[c]), c.String())
	}
	add(signal.AgentInfo, 1, st.Version, st.Tier, st.Kernel)
}
