package memcached

import (
	"github.com/sonde-dev/sonde/agent/protocol"
	"github.com/sonde-dev/sonde/agent/protocol/inorder"
	"github.com/sonde-dev/sonde/signal"
)

// findText brings the command that a line belongs to to the front; those before it were answered by silence. It returns false when
// nobody waits for the line.
func (p *parser) findText(word string, w *words, sink protocol.Sink) bool {
	for p.queue.Len() > 0 {
		e := p.queue.Front()
		if !e.Data.isQuiet || e.Data.isBegun {
			return true
		}
		if e.Data.cmd != nil && answers(word, w, e) {
			if p.queue.Len() > 1 {
				next := p.queue.At(1)
				_, hasToken := w.flag(1, 'O')
				if !hasToken && next.Data.isQuiet && next.Data.cmd != nil && answers(word, w, next) {
					e.Data.isEither, next.Data.isEither = true, true
				}
			}
			return true
		}
		p.endSilent(sink)
	}
	return false
}

// answers reports whether a line may answer a quiet meta command.
func answers(word string, w *words, e *inorder.Entry[waiting]) bool {
	c := e.Data.cmd
	if isError(word) {
		return true
	}
	if metaStatus(word, c) == "" || c.name != "mn" && (word == "MN") {
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
