package redmetrics

import (
	"strings"

	"github.com/sonde-dev/sonde/signal"
)

// valuesPerLabel bounds the values of a status or an error label in one record; there are 63 registered HTTP status codes.
// What comes beyond is counted under "other".
const valuesPerLabel = 64

// byValue are the counters of one record that differ in the value of their last label. There are few, so a list that
// moves what is used to the front is quicker than hashing strings.
type byValue struct {
	labels []string // of the record
	list   []valued
}

type valued struct {
	value  string
	series *series
}

// of returns the counter of a value and makes it if need be.
func (b *byValue) of(r *Recorder, g *group, d *signal.Desc, value string) *series {
	for i := range b.list {
		if b.list[i].value == value {
			s := b.list[i].series
			if i > 0 {
				b.list[i], b.list[i-1] = b.list[i-1], b.list[i]
			}
			return s
		}
	}
	if len(b.list) >= valuesPerLabel && value != other {
		return b.of(r, g, d, other)
	}
	value = strings.Clone(value) // it may point into a large buffer
	s := r.newCounter(g, d, append(b.labels[:len(b.labels):len(b.labels)], value)...)
	b.list = append(b.list, valued{value, s})
	return s
}
