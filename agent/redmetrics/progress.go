package redmetrics

import (
	"slices"
	"strings"
	"time"

	"github.com/sonde-dev/sonde/agent/exchange"
	"github.com/sonde-dev/sonde/agent/protocol"
	"github.com/sonde-dev/sonde/signal"
)

// Bounds of what is remembered of progress; what is beyond is counted as signal.SeriesLimit.
const (
	followedInAll    = 65_536 // parts: about 10 MB
	followersPerPart = 16
)

type progressKey struct {
	gauge  int
	target string
}

// progress is how far somebody has come in the parts of one target (protocol.LevelPosition), and how far those go (protocol.LevelEnd): the gauge is
// the distance.
//
//	Fetch response   end ──────┐
//	                           ├─▶ end - position ─▶ part of the gauge
//	OffsetCommit     position ─┘
//
// Both are told by connections of one service, to different peers. Nothing says that those belong to one cluster: two may have a topic of the
// same name. See follow.
type progress struct {
	group
	side  *serviceSide
	key   progressKey
	parts map[int32]*followed
}

// followed is one part. Times are those of the snapshot before.
type followed struct {
	end       uint64
	by, was   *signal.Entity // the peer that told the end, and the one that did before
	hasEnd    bool
	told      int64 // time of the end
	contested int64 // time when two peers were seen to tell it in turns
	last      int64 // time of anything
	followers []follower
}

type follower struct {
	who, peer string         // peer took the position
	self      *signal.Entity // the instance that told it
	position  uint64
}

func (g *progress) idleAfter(c *Config) time.Duration { return c.LevelIdleAfter }

func (g *progress) remove(r *Recorder) {
	delete(g.side.progress, g.key)
	r.followed -= len(g.parts)
}

// observeProgress takes over an end or a position, and reports whether a bound kept it out.
func (r *Recorder) observeProgress(p *pair, side exchange.Side, l *protocol.Level, target string) (limited bool) {
	f := r.follow(p, progressKey{l.Gauge, target}, l.Part, l.Fact != protocol.LevelNoPosition)
	if f == nil {
		return l.Fact != protocol.LevelNoPosition
	}
	f.last = r.now.UnixNano()
	if l.Fact == protocol.LevelEnd {
		f.ends(l.Value, p.key.peer, f.last, r.cfg.LevelIdleAfter)
		for i := range f.followers {
			if w := &f.followers[i]; w.self == p.key.self {
				limited = r.measure(p, side, l, target, f, w) || limited
			}
		}
		return limited
	}
	i := slices.IndexFunc(f.followers, func(w follower) bool { return w.who == l.Who })
	if i >= 0 && (l.Fact == protocol.LevelNoPosition || f.followers[i].peer != p.scope.peer) {
		r.dropPart(p.side, gaugeKey{l.Gauge, f.followers[i].peer, target, l.Who}, l.Part)
	}
	switch {
	case l.Fact == protocol.LevelNoPosition:
		if i >= 0 {
			f.followers = slices.Delete(f.followers, i, i+1)
		}
		return false
	case i < 0 && len(f.followers) >= followersPerPart:
		return true
	case i < 0:
		i = len(f.followers)
		f.followers = append(f.followers, follower{who: strings.Clone(l.Who)})
	}
	w := &f.followers[i]
	w.peer, w.self, w.position = p.scope.peer, p.key.self, l.Value
	return r.measure(p, side, l, target, f, w)
}

// follow returns a part; nil where it is not there and should not be made, or not beyond the bounds.
func (r *Recorder) follow(p *pair, key progressKey, n int32, add bool) *followed {
	g := p.side.progress[key]
	if g == nil {
		if !add || len(p.side.progress) >= r.cfg.Routes {
			return nil
		}
		key.target = strings.Clone(key.target)
		g = &progress{side: p.side, key: key, parts: map[int32]*followed{}}
		p.side.progress[key] = g
		r.add(g)
	}
	g.touched = true
	f := g.parts[n]
	if f == nil && add && r.followed < followedInAll {
		f = &followed{}
		g.parts[n] = f
		r.followed++
	}
	return f
}

// ends takes the end of a part. Its leader may move from one peer to another; where it comes back soon, there are two parts of one name (two
// clusters, which one service consumes), and nobody can say which of them a position is in.
func (f *followed) ends(end uint64, by *signal.Entity, now int64, idle time.Duration) {
	if f.hasEnd && f.by != by {
		if f.was == by && time.Duration(now-f.told) <= idle {
			f.contested = now
		}
		f.was = f.by
	}
	f.end, f.by, f.hasEnd, f.told = end, by, true, now
}

// measure tells the distance, where both ends of it are known.
func (r *Recorder) measure(p *pair, side exchange.Side, l *protocol.Level, target string, f *followed, w *follower) (limited bool) {
	key := gaugeKey{l.Gauge, w.peer, target, w.who}
	switch idle := r.cfg.LevelIdleAfter; {
	case f.contested != 0 && time.Duration(f.last-f.contested) <= idle:
		r.dropPart(p.side, key, l.Part)
		return false
	case !f.hasEnd || time.Duration(f.last-f.told) > idle:
		return false
	}
	return r.setPart(p, side, key, l.Part, f.end-min(f.end, w.position))
}

// dropPart takes a part out of a gauge.
func (r *Recorder) dropPart(s *serviceSide, key gaugeKey, n int32) {
	if g := s.gauges[key]; g != nil {
		delete(g.parts, n)
	}
}

// settle lets go of parts of which nothing was told for too long.
func (g *progress) settle(r *Recorder, now int64) {
	for n, f := range g.parts {
		if time.Duration(now-f.last) > r.cfg.LevelIdleAfter {
			delete(g.parts, n)
			r.followed--
		}
	}
}
