package kafka

import "github.com/sonde-dev/sonde/agent/protocol"

// positions are how far a consumer has come in the partitions that one connection fetches, and how far those go:
//
//	Fetch request    partition, offset ───────────▶ position.offset
//	Fetch response   partition, high watermark ───▶ position.watermark
//	                 records ── behind the last ──▶ position.offset
//	lag = watermark - offset, told with each response for all partitions that are being fetched
//
// An incremental response (KIP-227) names a partition only if it has records for it or its high watermark has changed, so what is not
// named is as it was. What a client does not ask for at the moment (because it still holds records of it, or because it was assigned to
// another one) is not told.
type positions struct {
	of    map[partitionKey]*position
	round uint64 // of fetch sessions; a client without sessions begins a new one with each request
}

// partitionKey names a partition by the topic's name or, from version 13 on, by its id.
type partitionKey struct {
	name      string
	id        [16]byte
	partition int32
}

type position struct {
	offset, watermark int64  // unknownOffset where not known
	round             uint64 // in which it is fetched
}

const (
	unknownOffset = -1
	// maxPositions bounds the partitions of one connection: the lag in others is not told.
	maxPositions = 1024
	dropped      = ^uint64(0) // round of what is not fetched any more
)

// begin begins a session: only what is asked for from here on is fetched.
func (p *positions) begin() { p.round++ }

// position returns the position of a partition that is being fetched, nil when there are too many.
func (s *fetchSession) position(key partitionKey) *position {
	p := &s.positions
	if x := p.of[key]; x != nil {
		x.round = p.round
		return x
	}
	if p.of == nil {
		p.of = make(map[partitionKey]*position)
	}
	if len(p.of) >= maxPositions {
		p.clean()
	}
	if len(p.of) >= maxPositions {
		return nil
	}
	x := &position{offset: unknownOffset, watermark: unknownOffset, round: p.round}
	p.of[key] = x
	return x
}

// clean forgets what is not fetched any more.
func (p *positions) clean() {
	for key, x := range p.of {
		if x.round != p.round {
			delete(p.of, key)
		}
	}
}

func (p *positions) drop(key partitionKey) {
	if x := p.of[key]; x != nil {
		x.round = dropped
	}
}

// levels returns the lag of each partition that is being fetched, where it and the name of its topic are known, and where it ends; and the
// sum of the lags.
func (s *fetchSession) levels(known *topics) (levels []protocol.Level, lag uint64, isTold bool) {
	if s.isReplica || len(s.positions.of) == 0 {
		return nil, 0, false
	}
	levels = make([]protocol.Level, 0, 2*len(s.positions.of))
	for key, x := range s.positions.of {
		if x.round != s.positions.round || x.watermark < 0 {
			continue
		}
		if key.name == "" {
			key.name = known.name(key.id)
		}
		if key.name == "" {
			continue
		}
		levels = append(levels, protocol.Level{
			Gauge: gaugeGroupLag, Fact: protocol.LevelEnd, Target: key.name, Part: key.partition, Value: uint64(x.watermark)})
		if x.offset >= 0 {
			behind := uint64(max(0, x.watermark-x.offset))
			lag, isTold = lag+behind, true
			levels = append(levels, protocol.Level{Gauge: gaugeLag, Target: key.name, Part: key.partition, Value: behind})
		}
	}
	return levels, lag, isTold
}
