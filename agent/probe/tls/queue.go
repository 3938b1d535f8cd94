package tls

import "time"

// queue holds processes that are to be looked at later. Times are added in any order; there are few distinct delays, so that a
// scan of the whole is cheap enough once a second.
type queue struct {
	looks []look
	next  time.Time
}

type look struct {
	at  time.Time
	pid uint32
}

// add returns false when there is no room.
func (q *queue) add(at time.Time, pid uint32) bool {
	if len(q.looks) >= maxWaiting {
		return false
	}
	if len(q.looks) == 0 || at.Before(q.next) {
		q.next = at
	}
	q.looks = append(q.looks, look{at, pid})
	return true
}

// until returns how long it is to the next look, at least 50 ms: several are taken at a time.
func (q *queue) until(now time.Time) time.Duration {
	if len(q.looks) == 0 {
		return time.Hour
	}
	return max(q.next.Sub(now), 50*time.Millisecond)
}

// due takes out the processes whose time has come.
func (q *queue) due(now time.Time) (pids []uint32) {
	kept := q.looks[:0]
	for _, l := range q.looks {
		if !l.at.After(now) {
			pids = append(pids, l.pid)
			continue
		}
		if len(kept) == 0 || l.at.Before(q.next) {
			q.next = l.at
		}
		kept = append(kept, l)
	}
	q.looks = kept
	return pids
}
