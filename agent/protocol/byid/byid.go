// Package byid finds the request that a response names by a number.
//
// In: requests with their number on the wire. Out: which of them a response belongs to. It must not know what a message looks like. Package
// inorder is for protocols whose responses come in the order of requests.
package byid

import "slices"

// maxPending bounds what waits for responses.
const maxPending = 1024

// Pending are requests that wait for responses, which name them by a key of the wire: a correlation id, a sequence number. Few wait at
// a time, so that a list is searched faster than a map. Its zero value is empty.
type Pending[K comparable] struct {
	list []pending[K]
}

type pending[K comparable] struct {
	key  K
	id   uint64
	note uint32
}

// Len returns how many wait.
func (p *Pending[K]) Len() int { return len(p.list) }

// Add remembers a request: its id for the sink, 0 when it was not reported, and a note for whoever reads the response. When there are
// too many, the oldest is forgotten and its id returned; else 0.
func (p *Pending[K]) Add(key K, id uint64, note uint32) (forgotten uint64) {
	if len(p.list) >= maxPending {
		forgotten = p.list[0].id
		p.list = p.list[:copy(p.list, p.list[1:])]
	}
	p.list = append(p.list, pending[K]{key, id, note})
	return forgotten
}

// Has reports whether a request waits for a key.
func (p *Pending[K]) Has(key K) bool { return p.find(key) >= 0 }

// Take removes the oldest request of a key.
func (p *Pending[K]) Take(key K) (id uint64, note uint32, ok bool) {
	i := p.find(key)
	if i < 0 {
		return 0, 0, false
	}
	e := p.list[i]
	p.list = append(p.list[:i], p.list[i+1:]...)
	return e.id, e.note, true
}

// maxOvertaken bounds those without id before one that is answered.
const maxOvertaken = 16

// Overtake calls f for each reported request before the oldest of a key, and goes on without its id, but with the note that f returns:
// where responses come in order, none will come to them.
func (p *Pending[K]) Overtake(key K, f func(id uint64, note uint32) uint32) {
	n := p.find(key)
	for i := range max(0, n) {
		if e := &p.list[i]; e.id != 0 {
			e.note = f(e.id, e.note)
			e.id = 0
		}
	}
	if n > maxOvertaken {
		p.list = slices.Delete(p.list, 0, n-maxOvertaken)
	}
}

// Clear forgets the requests without id, when it is known that no response to them will come.
func (p *Pending[K]) Clear() {
	p.list = slices.DeleteFunc(p.list, func(e pending[K]) bool { return e.id == 0 })
}

// Forget calls f for each reported request and goes on without their ids: responses that come after all belong to none.
func (p *Pending[K]) Forget(f func(id uint64)) {
	for i := range p.list {
		if e := &p.list[i]; e.id != 0 {
			f(e.id)
			e.id = 0
		}
	}
}

func (p *Pending[K]) find(key K) int {
	for i := range p.list {
		if p.list[i].key == key {
			return i
		}
	}
	return -1
}
