package memcached

import (
	"github.com/sonde-dev/sonde/agent/protocol"
	"github.com/sonde-dev/sonde/agent/protocol/inorder"
	"github.com/sonde-dev/sonde/signal"
)

// responses is the direction from the server.
type responses struct {
	state state
	left  uint64 // of the value
	n     uint64 // bytes that are not yet known to whom they belong
	ends  bool   // the answer ends with the value
	line  line
	head  []byte
}

// isOpen reports whether an answer has begun and goes on.
func (p *parser) isOpen() bool { return p.queue.Len() > 0 && p.queue.Front().Data.isBegun }

// readResponse reads some of b and returns how much, at least one byte.
func (p *parser) readResponse(b []byte, atCall bool, sink protocol.Sink) int {
	r := &p.res
	switch r.state {
	case between:
		r.state = inLine
		if b[0] == magicRes {
			r.state = inHead
		}
		r.head = r.head[:0]
		if p.queue.Len() > 0 && !p.queue.Front().Data.isQuiet {
			p.beginAnswer(sink)
		}
		return p.readResponse(b, false, sink)
	case inLine:
		text, n := r.line.take(b)
		r.n += uint64(n)
		if text == nil {
			if r.n > maxLineSize {
				p.loseResponse(sink)
			}
			return n
		}
		r.state = between
		if !p.takeLine(text, sink) {
			p.loseResponse(sink)
			return len(b)
		}
		return n
	case inHead:
		n, msg := collect(&r.head, b, headerSize)
		r.n += uint64(n)
		if msg != nil && !p.takeHeader(msg, sink) {
			p.loseResponse(sink)
			return len(b)
		}
		return n
	case inValue:
		n := min(uint64(len(b)), r.left)
		p.skipAnswer(n, sink)
		return int(n)
	}
	if atCall && startsResponse(b) {
		r.state = between
		return p.readResponse(b, false, sink)
	}
	if p.queue.Len() > 0 { // whatever this is, it may be the rest of the answer that is waited for
		p.queue.LoseResponses(sink)
	}
	return len(b)
}

// beginAnswer tells the command in front that its answer begins.
func (p *parser) beginAnswer(sink protocol.Sink) *inorder.Entry[waiting] {
	e := p.queue.Front()
	if !e.Data.isBegun {
		p.queue.Answer()
		e.Data.isBegun = true
		sink.ResponseBegin(e.ID)
	}
	return e
}

// endAnswer ends it.
func (p *parser) endAnswer(status string, sink protocol.Sink) {
	e := p.queue.Front()
	if status != "" {
		p.report(status, sink)
	}
	if e.ID == p.req.id && !isError(status) { // only what is wrong is answered before its end, so that is missing
		p.req.isPartial = true
	}
	id, end := e.ID, protocol.End{BodyBytes: e.Data.bytes, Partial: e.Partial || e.Data.isEither}
	isWatch := e.Data.cmd != nil && e.Data.cmd.kind == watch && status == done
	p.queue.Pop()
	sink.ResponseEnd(id, end)
	if isWatch {
		p.isEnd = true
		sink.Opaque()
	}
}

func (p *parser) report(status string, sink protocol.Sink) {
	if p.queue.IsGuess() {
		status = ""
	}
	r := protocol.Response{Status: status}
	switch status {
	case clientError, unknown:
		r.ClientError = status
	case serverError:
		r.ClientError, r.ServerError = status, status
	}
	sink.ResponseHead(p.queue.Front().ID, r)
}

// takeLine takes a line of an answer. It returns false if that makes no sense.
func (p *parser) takeLine(text []byte, sink protocol.Sink) bool {
	r := &p.res
	n := r.n
	r.n = 0
	w := split(text)
	if w.n == 0 {
		return false
	}
	word, isKnown := known[string(w.w[0])]
	switch found, ok := p.findText(word, &w, sink); {
	case !found:
		return p.takeOrphan(word, &w, sink)
	case !ok:
		return false
	}
	e := p.beginAnswer(sink)
	e.Data.bytes += n
	c := e.Data.cmd
	if c == nil { // answered before the command was complete
		c = &other
	}
	switch {
	case word == "VALUE" && c.kind == get:
		e.Data.hasValue = true
		return p.startValue(&w, 3, false)
	case word == "VA" && c.kind >= meta && c.kind <= metaSet:
		p.report(c.done, sink)
		return p.startValue(&w, 1, true)
	case word == "END" && c.kind == get:
		status := miss
		if e.Data.hasValue {
			status = hit
		}
		p.endAnswer(status, sink)
		return true
	case c.kind == stats && (word == "END" || word == "EN"):
		p.endAnswer(done, sink)
		return true
	}
	if status := lineStatus(word, c); status != "" && (c.kind != get || isError(status)) {
		p.endAnswer(status, sink)
		return true
	}
	if c.kind == stats {
		return true // one of its lines
	}
	if _, isNumber := decimal(w.w[0]); !isKnown && (isNumber || len(w.w[0]) > 12) && c.done == done && w.n == 1 { // incr
		p.endAnswer(done, sink)
		return true
	}
	return false
}

func isError(status string) bool {
	return status == unknown || status == clientError || status == serverError
}

// startValue finds the size of a value among the words of its line.
func (p *parser) startValue(w *words, at int, ends bool) bool {
	if w.n <= at {
		return false
	}
	size, ok := decimal(w.w[at])
	if !ok || size > maxValue {
		return false
	}
	p.res.state, p.res.left, p.res.ends = inValue, size+2, ends
	return true
}

// takeOrphan passes over a line that nobody waits for.
func (p *parser) takeOrphan(word string, w *words, sink protocol.Sink) bool {
	switch word {
	case "VALUE":
		return p.startValue(w, 3, false)
	case "STAT", "ITEM", "PREFIX":
		return true
	case "VA":
		sink.Lost(signal.OrphanResponse, 1)
		return p.startValue(w, 1, true)
	}
	sink.Lost(signal.OrphanResponse, 1)
	return true
}

// skipAnswer passes over n bytes of a value.
func (p *parser) skipAnswer(n uint64, sink protocol.Sink) {
	r := &p.res
	r.left -= n
	if p.isOpen() {
		p.queue.Front().Data.bytes += n
	}
	if r.left > 0 {
		return
	}
	r.state = between
	if r.ends && p.isOpen() {
		p.endAnswer("", sink)
	}
}

// skipResponse passes over some of n unknown bytes and returns how many.
func (p *parser) skipResponse(n uint64, sink protocol.Sink) uint64 {
	const end = uint64(len("END\r\n"))
	r := &p.res
	switch {
	case r.state == inValue:
		k := min(n, r.left)
		p.skipAnswer(k, sink)
		return k
	case n >= end && r.state == between && p.isOpen() && p.queue.Front().Data.isSingle: // nothing else can follow the value
		p.queue.Front().Data.bytes += end
		p.endAnswer(hit, sink)
		return end
	case r.state == lost, r.state == between && p.queue.Len() == 0:
		p.queue.LoseResponses(sink)
		r.state = lost
	default:
		p.loseResponse(sink)
	}
	return n
}
