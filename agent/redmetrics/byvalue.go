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
	list   []*valued
}

type valued struct {
	value string
	count uint64
}

// of returns the counter of a value and makes it if need be.
func (b *byValue) of(r *Recorder, g *group, d *signal.Desc, value string) *uint64 {
	for i, v := range b.list {
		if v.value == value {
			if i > 0 {
				b.list[i], b.list[i-1] = b.list[i-1], v
			}
			return &v.count
		}
	}
	if len(b.list) >= valuesPerLabel && value != other {
		return b.of(r, g, d, other)
	}
	v := &valued{value: strings.Clone(value)} // it may point into a large buffer
	r.newCounter(g, d, &v.count, append(b.labels[:len(b.labels):len(b.labels)], v.value)...)
	b.list = append(b.list, v)
	return &v.count
}
