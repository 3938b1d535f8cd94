package amqp

import "slices"

// maxTags bounds the messages of a channel that wait for their acknowledgement; those beyond are counted without.
const maxTags = 1024

// tagged is a message that waits for its acknowledgement.
type tagged struct {
	tag, id uint64 // id 0: it was counted without
	from    *consumer
}

// tags are in order.
type tags []tagged

func (t *tags) push(e tagged) bool {
	if len(*t) >= maxTags || len(*t) > 0 && (*t)[len(*t)-1].tag >= e.tag {
		return false
	}
	*t = append(*t, e)
	return true
}

// take removes a tag, or all up to it, or all where it is 0 (basic.ack: "zero with multiple means all"), and calls f for each.
func (t *tags) take(tag uint64, isMultiple bool, f func(tagged)) {
	from, to := 0, len(*t)
	if tag != 0 {
		i, found := slices.BinarySearchFunc(*t, tag, func(e tagged, tag uint64) int {
			switch {
			case e.tag < tag:
				return -1
			case e.tag > tag:
				return 1
			}
			return 0
		})
		if from, to = i, i; found {
			to++
		}
	}
	if isMultiple {
		from = 0
	}
	for _, e := range (*t)[from:to] {
		f(e)
	}
	*t = slices.Delete(*t, from, to)
}
