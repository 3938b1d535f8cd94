package redmetrics

import (
	"maps"
	"sync"
	"time"

	"github.com/sonde-dev/sonde/agent/exchange"
	"github.com/sonde-dev/sonde/signal"
)

// Recorder counts exchanges. All methods are safe for concurrent use; one mutex orders them, and Snapshot holds it only
// while it copies.
type Recorder struct {
	mu   sync.Mutex
	cfg  Config
	now  time.Time // of the last snapshot: what is created next was zero then
	slow uint64    // nanoseconds

	pairs       map[pairKey]*pair
	latest      [2]*pair // of pairs, by side: the next exchange is often another of theirs
	sides       map[sideKey]*serviceSide
	edges       map[edgeKey]*edge
	instances   map[instanceKey]*instance
	infos       map[infoKey]*info
	exchanges   map[exchangeKey]*exchanges
	connections map[connectionsKey]*connections
	protocols   map[string]*protocolMetrics // by name
	names       map[string]*name
	externals   int // of names
	rawUsed     int // raw targets remembered in all
	followed    int // parts of progress in all

	records     []record
	nextID      uint64
	seriesCount int
	buckets     buckets
	lost        signal.Losses
	ended       []uint64 // since the last snapshot

	view    exchange.Exchange // being counted
	scratch scratch
}

// New makes a recorder. cfg must be valid.
func New(cfg Config) *Recorder {
	if cfg.Start.IsZero() {
		cfg.Start = time.Now()
	}
	return &Recorder{
		cfg:         cfg,
		now:         cfg.Start,
		slow:        uint64(cfg.SlowThreshold),
		pairs:       map[pairKey]*pair{},
		sides:       map[sideKey]*serviceSide{},
		edges:       map[edgeKey]*edge{},
		instances:   map[instanceKey]*instance{},
		infos:       map[infoKey]*info{},
		exchanges:   map[exchangeKey]*exchanges{},
		connections: map[connectionsKey]*connections{},
		protocols:   map[string]*protocolMetrics{},
		names:       map[string]*name{},
		nextID:      signal.OwnSeries,
		buckets:     buckets{perSeries: cfg.BucketsPerSeries, inAll: cfg.Buckets},
		lost:        signal.Losses{},
	}
}

// SetSlowThreshold changes what counts as slow from the next exchange on. d must be positive.
func (r *Recorder) SetSlowThreshold(d time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.slow = uint64(d)
}

// Losses returns a copy of what the bounds cost so far, by cause.
func (r *Recorder) Losses() signal.Losses {
	r.mu.Lock()
	defer r.mu.Unlock()
	return maps.Clone(r.lost)
}

// Stats is the recorder's own size.
type Stats struct {
	Series  int // live series
	Buckets int // populated buckets of all histograms
}

// Stats returns the recorder's present size.
func (r *Recorder) Stats() Stats {
	r.mu.Lock()
	defer r.mu.Unlock()
	return Stats{Series: r.seriesCount, Buckets: r.buckets.used}
}
