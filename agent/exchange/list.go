package exchange

import "time"

// links are the neighbours of an element of a list, kept in the element itself so that a list costs no allocation.
type links[T any] struct{ prev, next T }

type element[T any] interface {
	comparable
	links() *links[T]
}

// list is a doubly linked list. An element is in at most one list for each links it has.
type list[T element[T]] struct {
	first, last T
	n           int
}

func (l *list[T]) front() T { return l.first }

func (l *list[T]) push(x T) {
	var none T
	n := x.links()
	n.prev, n.next = l.last, none
	if l.last != none {
		l.last.links().next = x
	} else {
		l.first = x
	}
	l.last = x
	l.n++
}

func (l *list[T]) remove(x T) {
	var none T
	n := x.links()
	if n.prev != none {
		n.prev.links().next = n.next
	} else {
		l.first = n.next
	}
	if n.next != none {
		n.next.links().prev = n.prev
	} else {
		l.last = n.prev
	}
	n.prev, n.next = none, none
	l.n--
}

// isDue reports whether a duration has passed since a time; a clock that stands behind has not.
func isDue(since uint64, d time.Duration, now uint64) bool { return now >= since+uint64(d) }
