package redmetrics

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/sonde-dev/sonde/agent/exchange"
	"github.com/sonde-dev/sonde/signal"
)

// model counts the same exchanges in the plainest way: one map, label strings, no bounds, nothing ends.
type model struct{ counts, sums map[string]float64 }

func (m *model) add(key string, v float64) {
	m.counts[key]++
	m.sums[key] += v
}

func (m *model) observe(x *exchange.Exchange, self, peer *signal.Entity) {
	side, sec := x.Side.String(), float64(x.Duration())/1e9
	client, server := self.Service, peer.Service
	if x.Side == exchange.Server {
		client, server = server, client
	}
	target := fakeSemantics.Template(x.Target)
	m.add(fmt.Sprint("service ", self.Service, " ", side), sec)
	m.add(fmt.Sprint("edge ", client, " ", server, " ", side), sec)
	m.add(fmt.Sprint("instance ", self.Service, " ", self.Instance, " ", side), sec)
	m.add(fmt.Sprint("status ", self.Service, " ", side, " ", x.Status), 0)
	if x.Side == exchange.Server {
		m.add(fmt.Sprint("http ", self.Service, " ", x.Operation, " ", target, " ", x.Status, " ", x.Error), sec)
	} else {
		m.add(fmt.Sprint("http ", self.Service, " ", x.Operation, " ", target, " ", x.Status, " ", x.Error, " ", peer.Service), sec)
	}
	if x.Error != "" {
		m.add(fmt.Sprint("error ", self.Service, " ", side, " ", x.Error), 0)
	}
}

// keyOf is the model's key of a series, or "" if the model does not count it.
func keyOf(s *signal.Series) string {
	v := s.LabelValues
	switch s.Desc {
	case signal.ServiceDuration:
		return fmt.Sprint("service ", v[0], " ", v[1])
	case signal.EdgeDuration:
		return fmt.Sprint("edge ", v[0], " ", v[1], " ", v[2])
	case signal.InstanceDuration:
		return fmt.Sprint("instance ", v[0], " ", v[1], " ", v[2])
	case signal.ServiceStatus:
		return fmt.Sprint("status ", v[0], " ", v[1], " ", v[3])
	case signal.ServiceErrors:
		return fmt.Sprint("error ", v[0], " ", v[1], " ", v[3])
	}
	if strings.HasSuffix(s.Desc.Name, "_request_duration_seconds") && strings.HasPrefix(s.Desc.Name, "http_") {
		key := fmt.Sprint("http ", v[0], " ", v[1], " ", v[2], " ", v[3], " ", v[4])
		if len(v) == 7 {
			key += " " + v[6]
		}
		return key
	}
	return ""
}

// Random traffic with long silences, in which series end and begin anew: what a store adds up from the batches, resets
// considered, is what happened. The oracle is the model above.
func TestAgainstModel(t *testing.T) {
	for seed := range uint64(3) {
		rng := rand.New(rand.NewPCG(seed, 1))
		r := testRecorder(nil)
		m := model{map[string]float64{}, map[string]float64{}}
		last := map[uint64]signal.Series{}
		now := start
		read := func() {
			now = now.Add([]time.Duration{time.Second, time.Minute, 10 * time.Minute, 40 * time.Minute}[rng.IntN(4)])
			b := r.Snapshot(now)
			for _, s := range b.Series {
				last[s.ID] = s
			}
		}
		for range 100 {
			services := 1 + rng.IntN(8) // the others fall silent
			for range rng.IntN(200) {
				a, b := rng.IntN(services), rng.IntN(8)
				x := get(exchange.Side(rng.IntN(2)), fmt.Sprintf("/r%cx/%d", 'a'+rng.IntN(4), rng.IntN(1000)), "200",
					time.Duration(rng.IntN(1e9)))
				if rng.IntN(10) == 0 {
					x.Status, x.Error = "", exchange.ErrorTimeout
				}
				self, peer := process(fmt.Sprint("s", a), uint32(a)), process(fmt.Sprint("s", b), uint32(b))
				m.observe(x, self, peer)
				r.Observe(x, self, peer)
			}
			read()
		}
		counts, sums := map[string]float64{}, map[string]float64{}
		for _, s := range last {
			key := keyOf(&s)
			if key == "" {
				continue
			}
			counts[key] += s.Value
			if s.Histogram != nil {
				counts[key] += float64(s.Histogram.Count)
				sums[key] += s.Histogram.Sum
			}
		}
		for key, want := range m.counts {
			if counts[key] != want {
				t.Errorf("seed %d: %s = %v, want %v", seed, key, counts[key], want)
			}
			if d := sums[key] - m.sums[key]; d > 1e-6 || d < -1e-6 {
				t.Errorf("seed %d: sum of %s = %v, want %v", seed, key, sums[key], m.sums[key])
			}
		}
		if len(counts) != len(m.counts) {
			t.Errorf("seed %d: %d series, want %d", seed, len(counts), len(m.counts))
		}
		if len(last) <= r.Stats().Series {
			t.Errorf("seed %d: nothing ended, the test is void", seed)
		}
		if len(r.Losses()) != 0 {
			t.Errorf("seed %d: losses %v", seed, r.Losses())
		}
	}
}
