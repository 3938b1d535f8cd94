package memcached

import (
	"github.com/sonde-dev/sonde/agent/protocol"
	"github.com/sonde-dev/sonde/agent/protocol/inorder"
	"github.com/sonde-dev/sonde/signal"
)

// findText brings the command that a line belongs to to the front; those before it were answered by silence, so far as the line tells. It returns
// false when nobody waits for the line; ok is false when whoever does cannot get it.
func (p *parser) findText(word string, w *words, sink protocol.Sink) (found, ok bool) {
	n := p.queue.Len()
	i := 0
	for i < n && p.queue.At(i).Data.isQuiet && !p.queue.At(i).Data.isBegun && !answers(word, w, p.queue.At(i)) {
		i++
	}
	found = i < n
	ok = found && fits(word, w, p.queue.At(i))
	for range i {
		e := p.queue.Front()
		e.Data.isEither = e.Data.isEither || !ok
		p.endSilent(sink)
	}
	if found {
		p.doubt(word, w)
	}
	return found, ok
}

// doubt marks a quiet command in front that gets an answer which may be that of another.
func (p *parser) doubt(word string, w *words) {
	e := p.queue.Front()
	if !e.Data.isQuiet || e.Data.isBegun {
		return
	}
	e.Data.isEither = e.Data.isEither || p.queue.IsDoubtful() // one that was not seen
	if p.queue.Len() < 2 {
		return
	}
	next := p.queue.At(1)
	if _, hasToken := w.flag(1, 'O'); !hasToken && next.Data.isQuiet && answers(word, w, next) {
		e.Data.isEither, next.Data.isEither = true, true
	}
}

// fits reports whether a line may be the answer to a command that gets one anyway, or a part of it.
func fits(word string, w *words, e *inorder.Entry[waiting]) bool {
	switch c := e.Data.cmd; {
	case c == nil, isError(word):
		return true
	case c.kind >= meta && c.kind <= metaSet:
		return isMeant(word, w, e)
	case word == "VALUE" && e.Data.isSingle:
		return w.n > 1 && e.Data.key == hash(w.w[1])
	}
	return true
}

// isMeant compares a line with a meta command: its word, and what it repeats.
func isMeant(word string, w *words, e *inorder.Entry[waiting]) bool {
	if c := e.Data.cmd; metaStatus(word, c) == "" || (c.name == "mn") != (word == "MN") {
		return false
	}
	from := 1
	if word == "VA" {
		from = 2
	}
	if token, ok := w.flag(from, 'O'); ok {
		return e.Data.opaque == hash(token)
	}
	if key, ok := w.flag(from, 'k'); ok {
		return e.Data.key == hash(key)
	}
	return true
}

// answers reports whether a line may answer a quiet meta command.
func answers(word string, w *words, e *inorder.Entry[waiting]) bool {
	c := e.Data.cmd
	switch {
	case c == nil:
		return false
	case isError(word):
		return true
	case !isMeant(word, w, e):
		return false
	}
	from := 1
	if word == "VA" {
		from = 2
	}
	_, hasToken := w.flag(from, 'O')
	if _, hasKey := w.flag(from, 'k'); hasToken || hasKey {
		return true
	}
	switch c.kind {
	case metaMiss:
		return word == "VA" || word == "HD" || word == "ME"
	case metaSet:
		return word == "NS" || word == "EX" || word == "NF"
	}
	return word == "EX" || word == "NS" || word == "VA"
}

// takeHeader takes the header of a binary answer. It returns false if that makes no sense.
func (p *parser) takeHeader(msg []byte, sink protocol.Sink) bool {
	r := &p.res
	h := readHeader(msg)
	r.head = release(r.head)
	if msg[5] != 0 || h.body > maxBody || uint32(h.extras)+uint32(h.key) > h.body {
		return false
	}
	n := r.n
	r.n = 0
	r.state, r.left, r.ends = inValue, uint64(h.body), true
	for p.queue.Len() > 0 && p.queue.Front().Data.isQuiet && !isAnswered(p.queue.Front(), &h) {
		p.endSilent(sink)
	}
	if p.queue.Len() == 0 {
		sink.Lost(signal.OrphanResponse, 1)
		if r.left == 0 {
			r.state = between
		}
		return true
	}
	e := p.queue.Front()
	if !isAnswered(e, &h) || e.Data.cmd == nil {
		return false
	}
	if next := p.queue.Len() > 1; next && e.Data.isQuiet && isAnswered(p.queue.At(1), &h) {
		e.Data.isEither, p.queue.At(1).Data.isEither = true, true
	}
	e = p.beginAnswer(sink)
	e.Data.bytes += n
	status, ok := binaryStatus(h.status, e.Data.cmd)
	if !ok {
		status = serverError // memcached has no such code; others may
	}
	if h.opcode == opStat && h.status == 0 && h.key > 0 { // one of many
		r.ends = false
	} else {
		p.report(status, sink)
	}
	if r.left == 0 {
		r.state = between
		if r.ends {
			p.endAnswer("", sink)
		}
	}
	return true
}

// isAnswered compares what an answer repeats of its command.
func isAnswered(e *inorder.Entry[waiting], h *header) bool {
	return e.Data.isBinary && e.Data.opcode == h.opcode && e.Data.opaque == uint64(h.opaque)
}
