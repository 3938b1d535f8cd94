package redmetrics

import (
	"strings"
	"time"

	"github.com/sonde-dev/sonde/agent/exchange"
	"github.com/sonde-dev/sonde/agent/protocol"
)

// partsPerGauge bounds the parts of one gauge: a topic of Kafka with more partitions is rare. What is beyond is not in the gauge, and counted
// as signal.SeriesLimit.
const partsPerGauge = 4096

type gaugeKey struct {
	gauge             int
	peer, target, who string
}

// gauge is the sum over the last values of its parts (protocol.Level). So it does not matter which connection, and which process of the
// service, a part was told by last. It is over when it has no parts.
type gauge struct {
	group
	side  *serviceSide
	key   gaugeKey
	parts map[int32]*part
	total uint64
}

type part struct {
	value uint64
	last  int64 // time of the snapshot before it was told, nanoseconds
}

func (g *gauge) idleAfter(c *Config) time.Duration { return c.LevelIdleAfter }

func (g *gauge) remove(*Recorder) { delete(g.side.gauges, g.key) }

// observeLevels takes over what an exchange says of gauges, and reports whether a bound kept some of it out. An "other" would say nothing.
func (r *Recorder) observeLevels(p *pair, x *exchange.Exchange) (limited bool) {
	descs := p.protocol.metrics[x.Side].Gauges
	for i := range x.Levels {
		l := &x.Levels[i]
		if descs[l.Gauge] == nil {
			continue
		}
		target := p.protocol.semantics.TemplateOf(l.Target)
		if l.Fact != protocol.LevelAmount {
			limited = r.observeProgress(p, x.Side, l, target) || limited
			continue
		}
		limited = r.setPart(p, x.Side, gaugeKey{l.Gauge, p.scope.peer, target, ""}, l.Part, l.Value) || limited
	}
	return limited
}

// setPart gives a part of a gauge its value.
func (r *Recorder) setPart(p *pair, side exchange.Side, key gaugeKey, n int32, value uint64) (limited bool) {
	g := r.gaugeOf(p, side, key)
	if g == nil {
		return true
	}
	g.touched = true
	q := g.parts[n]
	if q == nil {
		if len(g.parts) >= partsPerGauge {
			return true
		}
		q = &part{}
		g.parts[n] = q
	}
	q.value, q.last = value, r.now.UnixNano()
	return false
}

// gaugeOf returns a gauge of a service side, nil beyond the bounds.
func (r *Recorder) gaugeOf(p *pair, side exchange.Side, key gaugeKey) *gauge {
	s := p.side
	if g := s.gauges[key]; g != nil {
		return g
	}
	if len(s.gauges) >= r.cfg.Routes || r.seriesCount >= r.cfg.Series {
		return nil
	}
	key.target, key.who = strings.Clone(key.target), strings.Clone(key.who)
	g := &gauge{side: s, key: key, parts: map[int32]*part{}}
	r.newCounter(&g.group, p.protocol.metrics[side].Gauges[key.gauge], &g.total,
		p.protocol.values(side, s.service, "", key.target, key.peer, p.protocol.gaugeLabel(key)...)...)
	s.gauges[key] = g
	r.add(g)
	return g
}

// gaugeLabel is the value of the label that a gauge has besides, if it has one.
func (m *protocolMetrics) gaugeLabel(key gaugeKey) []string {
	if m.semantics.Gauges[key.gauge].Label == "" {
		return nil
	}
	return []string{key.who}
}

// settle adds up the parts and lets go of those that were not told of for too long.
func (g *gauge) settle(now int64, idle time.Duration) {
	g.total = 0
	for n, q := range g.parts {
		if time.Duration(now-q.last) > idle {
			delete(g.parts, n)
			continue
		}
		g.total += q.value
	}
}
