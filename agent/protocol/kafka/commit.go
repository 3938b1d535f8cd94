package kafka

import "github.com/sonde-dev/sonde/agent/protocol"

// commit is how far a group has come in a partition, as its coordinator was told or tells:
//
//	OffsetCommit request      partition, offset: holds once the response is without errors
//	OffsetFetch response      partition, offset: what was committed, asked when a consumer is assigned the partition
//	TxnOffsetCommit request   partition: nobody on this connection sees whether the transaction is committed, so nothing is known any more
//
// The end of the partition is told by fetch responses, on another connection: see position.go.
type commit struct {
	group  string // "" for that of the request
	at     partitionKey
	offset int64 // unknownOffset for not known
}

// maxCommits bounds those of one message; of what is beyond nothing is told.
const maxCommits = 1024

// commit takes the offset for the partition that is being read.
func (f *found) commit(offset int64) {
	if len(f.commits) < maxCommits {
		f.commits = append(f.commits, commit{group: f.group, at: f.at, offset: offset})
	}
}

// positions returns how far groups are, as a response says or confirms.
func (r *response) positions(known *topics) []protocol.Level {
	var commits []commit
	switch r.of.key {
	case keyOffsetFetch:
		commits = r.found.commits
	case keyTxnOffsetCommit:
		commits = r.of.commits
	case keyOffsetCommit:
		if r.found.err == 0 { // an error may be of one partition; the next commit tells them all
			commits = r.of.commits
		}
	}
	if len(commits) == 0 {
		return nil
	}
	levels := make([]protocol.Level, 0, len(commits))
	for _, c := range commits {
		l := protocol.Level{Gauge: gaugeGroupLag, Fact: protocol.LevelPosition, Target: c.at.name, Part: c.at.partition, Who: c.group, Value: uint64(c.offset)}
		if c.offset < 0 {
			l.Fact, l.Value = protocol.LevelNoPosition, 0
		}
		if l.Target == "" {
			l.Target = known.name(c.at.id)
		}
		if l.Who == "" {
			l.Who = r.of.group
		}
		if l.Target != "" && l.Who != "" {
			levels = append(levels, l)
		}
	}
	return levels
}
