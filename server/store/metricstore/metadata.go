package metricstore

import (
	"maps"
	"sync"

	"github.com/sonde-dev/sonde/signal"
)

// maxDescs bounds the metric descriptions kept: the catalogue has about a hundred.
const maxDescs = 4096

// metadata remembers the descriptions of the metrics that were appended.
type metadata struct {
	mu    *sync.Mutex
	descs map[string]*signal.Desc
}

func newMetadata() metadata {
	return metadata{mu: &sync.Mutex{}, descs: map[string]*signal.Desc{}}
}

func (m metadata) learn(d *signal.Desc) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(m.descs) < maxDescs {
		m.descs[d.Name] = d
	}
}

// Descs returns the descriptions of all metrics appended since Open, by name. The values must not be modified.
func (s *Store) Descs() map[string]*signal.Desc {
	s.meta.mu.Lock()
	defer s.meta.mu.Unlock()
	return maps.Clone(s.meta.descs)
}
