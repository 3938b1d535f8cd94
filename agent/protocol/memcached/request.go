package memcached

import (
	"github.com/sonde-dev/sonde/agent/protocol"
	"github.com/sonde-dev/sonde/agent/protocol/inorder"
)

// maxTarget is how much is kept of a key: a key space shows in less.
const maxTarget = 128

// requests is the direction of commands.
type requests struct {
	state       state
	id          uint64
	bytes       uint64
	left        uint64 // of the value, with CR LF
	isPartial   bool
	isAnnounced bool
	line        line
	head        []byte // of a binary message that is cut
	lastTarget  string // of the command before: mostly the same, and then free
}

// readRequest reads some of b and returns how much, at least one byte.
func (p *parser) readRequest(b []byte, atCall bool, sink protocol.Sink) int {
	r := &p.req
	switch r.state {
	case between:
		p.beginRequest(b[0], atCall, sink)
		return p.readRequest(b, false, sink)
	case inLine:
		return p.readCommand(b, sink)
	case inHead:
		return p.readBinary(b, sink)
	case inValue:
		n := min(uint64(len(b)), r.left)
		p.skipValue(n, sink)
		return int(n)
	}
	if atCall && recognize(b) == protocol.IsRequest {
		r.state = between
		return p.readRequest(b, true, sink)
	}
	p.queue.LoseRequests()
	return len(b)
}

func (p *parser) beginRequest(first byte, atCall bool, sink protocol.Sink) {
	r := &p.req
	if atCall && p.isOpen() && p.queue.IsDoubtful() && !p.queue.IsPipelined { // misread after a loss: it is over
		p.loseResponse(sink)
		p.queue.GiveUp(sink)
	}
	for p.queue.Len() >= inorder.MaxWaiting && p.queue.Front().Data.isQuiet {
		p.endSilent(sink)
	}
	r.state = inLine
	if first == magicReq {
		r.state = inHead
	}
	r.head = r.head[:0]
	r.bytes, r.isAnnounced = 0, false
	r.id = p.queue.Begin(atCall, sink).ID
	r.isPartial = p.queue.IsDoubtful()
}

// readCommand reads some of a line.
func (p *parser) readCommand(b []byte, sink protocol.Sink) int {
	r := &p.req
	text, n := r.line.take(b)
	r.bytes += uint64(n)
	if text == nil {
		if r.bytes > maxLineSize {
			p.loseRequest(sink)
		}
		return n
	}
	w := split(text)
	if w.n == 0 { // the server answers ERROR
		p.announce(&other, nil, false, sink)
		p.endRequest(sink)
		return n
	}
	c, ok := commands[string(w.w[0])]
	if !ok {
		c = &other
	}
	noReply := c.kind == never || w.n > 1 && (c.kind == oneLine || c.kind == store) && string(w.w[w.n-1]) == "noreply"
	e := p.queue.Find(r.id)
	if c.kind >= meta && c.kind <= metaSet && e != nil {
		from := 2 + int(c.size)/2 // ms has a size before its flags
		if token, ok := w.flag(from, 'O'); ok {
			e.Data.opaque = hash(token)
		}
		if w.n > 1 {
			e.Data.key = hash(w.w[1])
		}
		_, e.Data.isQuiet = w.flag(from, 'q')
	}
	var key []byte
	if i := 1; c.isKey && w.n > i {
		key = w.w[i]
	} else if c.kind == get && w.n > 2 { // gat: the time comes first
		key = w.w[2]
	}
	if e != nil && c.kind == get {
		if e.Data.isSingle = c.isKey && w.n == 2 || !c.isKey && w.n == 3; e.Data.isSingle {
			e.Data.key = hash(key)
		}
	}
	p.announce(c, key, noReply, sink)
	if c.size > 0 && w.n > int(c.size) {
		if size, ok := decimal(w.w[c.size]); ok && size <= maxValue {
			r.state, r.left = inValue, size+2
			return n
		}
	}
	p.endRequest(sink)
	return n
}

// readBinary reads some of a header with the key.
func (p *parser) readBinary(b []byte, sink protocol.Sink) int {
	r := &p.req
	size := headerSize // first the header, then the key
	switch had := len(r.head); {
	case had >= headerSize:
		size = headSize(r.head)
	case had == 0 && len(b) >= headerSize:
		size = headSize(b)
	}
	n, msg := collect(&r.head, b, size)
	r.bytes += uint64(n)
	switch {
	case msg == nil, size == headerSize && headSize(msg) > size:
		return n
	case !isBinaryCommand(msg):
		p.loseRequest(sink)
		return len(b)
	}
	h := readHeader(msg)
	c := opcode(h.opcode)
	e := p.queue.Find(r.id)
	if e != nil {
		e.Data.isBinary, e.Data.opcode, e.Data.isQuiet = true, h.opcode, c.quiet != ""
		e.Data.opaque = uint64(h.opaque)
	}
	var key []byte
	if c.isKey {
		key = msg[headerSize+int(h.extras) : size]
	}
	p.announce(c, key, c.kind == never, sink)
	r.head = release(r.head)
	r.state, r.left = inValue, uint64(h.body)-uint64(h.extras)-uint64(h.key)
	if r.left == 0 {
		p.endRequest(sink)
	}
	return n
}

// headSize returns the length of a header with extras and key, that of the header alone if it makes no sense.
func headSize(b []byte) int {
	if !isBinaryCommand(b[:headerSize]) {
		return headerSize
	}
	h := readHeader(b)
	return headerSize + int(h.extras) + int(h.key)
}

// isBinaryCommand accepts known commands, and others with a consistent header.
func isBinaryCommand(b []byte) bool {
	if recognizeBinary(b, true) == protocol.IsRequest {
		return true
	}
	h := readHeader(b)
	return b[0] == magicReq && opcode(h.opcode) == &other && b[5] == 0 && h.key <= maxKey && uint32(h.extras)+uint32(h.key) <= h.body && h.body <= maxBody
}

// collect returns the first size bytes of a message, of which kept came before b, and how many bytes of b they take. Until they are
// there, they are kept.
func collect(kept *[]byte, b []byte, size int) (n int, msg []byte) {
	had := len(*kept)
	if had == 0 && len(b) >= size {
		return size, b[:size]
	}
	n = min(len(b), size-had)
	*kept = append(*kept, b[:n]...)
	if had+n < size {
		return n, nil
	}
	return n, *kept
}

func release(b []byte) []byte {
	if cap(b) > 128 {
		return nil
	}
	return b[:0]
}

// announce reports the head of a command.
func (p *parser) announce(c *command, key []byte, noReply bool, sink protocol.Sink) {
	r := &p.req
	r.isAnnounced = true
	key = key[:min(len(key), maxTarget)]
	if string(key) != r.lastTarget {
		r.lastTarget = string(key)
	}
	sink.RequestHead(r.id, protocol.Request{Operation: c.name, Target: r.lastTarget, NoResponse: noReply})
	if noReply {
		p.queue.Remove(r.id)
	} else if e := p.queue.Find(r.id); e != nil {
		e.Data.cmd = c
	}
}

func (p *parser) endRequest(sink protocol.Sink) {
	r := &p.req
	id := r.id
	r.id, r.state = 0, between
	sink.RequestEnd(id, protocol.End{BodyBytes: r.bytes, Partial: r.isPartial})
}

func (p *parser) skipValue(n uint64, sink protocol.Sink) {
	r := &p.req
	r.left -= n
	r.bytes += n
	if r.left == 0 {
		p.endRequest(sink)
	}
}

// skipRequest passes over some of n unknown bytes and returns how many.
func (p *parser) skipRequest(n uint64, sink protocol.Sink) uint64 {
	if p.req.state == inValue {
		k := min(n, p.req.left)
		p.skipValue(k, sink)
		return k
	}
	p.loseRequest(sink)
	return n
}
