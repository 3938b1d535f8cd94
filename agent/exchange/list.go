package exchange

import "time"

// node is the place of an element in a list. It lies in the element itself, so that a list costs no allocation.
type node[T any] struct {
	prev, next *node[T]
	of         *T
}

// list is a doubly linked list. An element is in at most one list for each node it has.
type list[T any] struct {
	first, last *node[T]
	n           int
}

// front returns the first element, nil when there is none.
func (l *list[T]) front() *T {
	if l.first == nil {
		return nil
	}
	return l.first.of
}

// push enters x, whose node is n, as the last.
func (l *list[T]) push(x *T, n *node[T]) {
	n.of, n.prev, n.next = x, l.last, nil
	if l.last != nil {
		l.last.next = n
	} else {
		l.first = n
	}
	l.last = n
	l.n++
}

func (l *list[T]) remove(n *node[T]) {
	if n.prev != nil {
		n.prev.next = n.next
	} else {
		l.first = n.next
	}
	if n.next != nil {
		n.next.prev = n.prev
	} else {
		l.last = n.prev
	}
	n.prev, n.next = nil, nil
	l.n--
}

// isDue reports whether a duration has passed since a time; a clock that stands behind has not.
func isDue(since uint64, d time.Duration, now uint64) bool { return now >= since+uint64(d) }
