package redis

import (
	"bytes"

	"github.com/sonde-dev/sonde/agent/protocol"
)

// replyState is the place inside a reply.
type replyState uint8

const (
	replyBetween replyState = iota // the next byte begins a reply or an element of it
	replyHeader                    // in the line with a length or a count
	replyLine                      // in a line that is a value
	replyBulk                      // in a value of known length, or in the CR LF behind it
	replyLost                      // until a call begins with a reply
)

// maxDepth bounds nested replies: those of Redis have six levels (COMMAND DOCS), those of scripts fewer.
const maxDepth = 32

// level is an aggregate being read.
type level struct {
	left       uint64 // elements
	isStreamed bool   // until "."
	isText     bool   // a string in parts, until ";0"
	isAside    bool   // attributes of what follows: no element
}

// replies is the direction from the server.
type replies struct {
	state  replyState
	levels []level
	bytes  uint64
	left   uint64 // of a bulk string, with CR LF
	size   uint64
	line   lineBuffer
	mark   byte // type of the line being read
	last   byte // of it, before what comes

	isOpen  bool // a top-level reply has begun
	isTold  bool // its request was told so
	isAlone bool // nobody waited for it when it began
	isMaybe bool // it may be a message; its first element decides
	isMine  bool // it answers nothing and is not counted: a confirmation that nobody waits for
	isPush  bool // of the RESP3 type
	pushID  uint64
	status  string
	element int // of the top-level aggregate
	word    [maxArg]byte
	n       int
	isCut   bool // bytes of the element are missing
	message message
}

// readReply reads some of b and returns how much, at least one byte.
func (p *parser) readReply(b []byte, atCall bool, sink protocol.Sink) int {
	r := &p.res
	switch r.state {
	case replyBetween:
		return p.beginElement(b, sink)
	case replyHeader:
		if r.line.n == 0 {
			if v, size, ok := number(b); ok && size > 0 && size <= maxLine { // the whole line is there: the rule
				r.bytes += uint64(size)
				if !p.takeHeaderOfReply(b[0], v, sink) {
					p.loseReply(sink)
					return len(b)
				}
				return size
			}
		}
		line, n, complete, ok := r.line.take(b)
		r.bytes += uint64(n)
		if !ok || complete && !p.replyHeader(line, sink) {
			p.loseReply(sink)
			return len(b)
		}
		return n
	case replyLine:
		return p.readLine(b, sink)
	case replyBulk:
		n := int(min(uint64(len(b)), r.left))
		if p.wants() {
			text := b[:n]
			if keep := r.size - min(r.size, r.size+2-r.left); uint64(len(text)) > keep {
				text = text[:keep]
			}
			r.n += copy(r.word[r.n:], text)
		}
		p.skipBulk(uint64(n), sink)
		return n
	}
	if atCall && startsReply(b) {
		r.state = replyBetween
		return p.beginElement(b, sink)
	}
	if p.queue.Len() > 0 { // whatever this is, it may be the rest of the reply that is waited for
		p.queue.LoseResponses(sink)
	}
	return len(b)
}

// wants reports whether the text of the element being read matters: those of a message that name it and its channel.
func (p *parser) wants() bool {
	r := &p.res
	return r.isMaybe && len(r.levels) == 1 && r.element < 2 || r.message != notMessage && len(r.levels) == 1 && r.element == 1
}

func (p *parser) skipBulk(n uint64, sink protocol.Sink) {
	r := &p.res
	r.left -= n
	r.bytes += n
	if r.left == 0 {
		r.state = replyBetween
		p.endElement(sink)
	}
}

// beginElement reads the type of what comes next.
func (p *parser) beginElement(b []byte, sink protocol.Sink) int {
	r := &p.res
	r.n, r.line.n, r.isCut = 0, 0, false
	switch b[0] {
	case '$', '*', '!', '=', '~', '%', '|', '>', ';':
		r.state = replyHeader
	case '+', '-', ':', '_', '#', ',', '(', '.':
		r.state, r.mark, r.last = replyLine, b[0], 0
	case '\n': // a master that prepares a snapshot shows that it lives
		if !r.isOpen && p.queue.Len() > 0 && p.queue.Front().Data.kind == replicates {
			return 1
		}
		fallthrough
	default:
		p.loseReply(sink)
		return len(b)
	}
	if !r.isOpen {
		p.openReply(b[0], sink)
	}
	return p.readReply(b, false, sink)
}

// readLine reads some of a value that ends with CR LF.
func (p *parser) readLine(b []byte, sink protocol.Sink) int {
	r := &p.res
	n := bytes.IndexByte(b, '\n') + 1
	isEnd := n > 0
	if !isEnd {
		n = len(b)
	}
	if r.n < len(r.word) {
		r.n += copy(r.word[r.n:], b[:n])
	}
	if r.mark == '-' && len(r.levels) == 0 && r.isTold && !r.isAlone && p.queue.Len() > 0 {
		protocol.Tell(sink, p.queue.Front().ID, protocol.FromServer, protocol.FormText, b[:n])
	}
	r.bytes += uint64(n)
	if n > 1 {
		r.last = b[n-2]
	}
	if !isEnd {
		r.last = b[n-1]
		return n
	}
	if r.last != '\r' {
		p.loseReply(sink)
		return len(b)
	}
	line := bytes.TrimRight(r.word[:r.n], "\r\n")
	r.state = replyBetween
	p.takeLine(line, sink)
	return n
}

// takeLine looks at a value in a line.
func (p *parser) takeLine(line []byte, sink protocol.Sink) {
	r := &p.res
	if r.mark == '.' {
		if len(r.levels) == 0 || !r.levels[len(r.levels)-1].isStreamed || len(line) != 1 {
			p.loseReply(sink)
			return
		}
		p.closeLevel(sink)
		return
	}
	switch {
	case len(r.levels) == 0:
		p.takeStatus(r.mark, line[1:], sink)
	case r.mark == '-' && p.isExec() && r.status == statusOK:
		r.status = errorWord(line[1:]) // the first of a transaction's commands that failed
	case r.mark == ':' && r.message == confirmation && len(r.levels) == 1 && r.element == 2:
		p.isSubscribed = !bytes.Equal(line, []byte(":0"))
	}
	r.n = copy(r.word[:], line[1:])
	p.endElement(sink)
}

// replyHeader takes a whole line with a length or a count.
func (p *parser) replyHeader(line []byte, sink protocol.Sink) bool {
	mark := line[0]
	if len(line) == 4 && line[1] == '?' && line[2] == '\r' { // RESP3: the length is not known yet
		p.res.state = replyBetween
		switch mark {
		case '$':
			return p.push(level{isText: true}, statusOK, sink)
		case '*', '~', '%', '>', '|':
			return p.push(level{isStreamed: true, isAside: mark == '|'}, statusOK, sink)
		}
		return false
	}
	n, size, ok := number(line)
	return ok && size == len(line) && p.takeHeaderOfReply(mark, n, sink)
}

// takeHeaderOfReply takes the number in a header line that begins with mark.
func (p *parser) takeHeaderOfReply(mark byte, n int64, sink protocol.Sink) bool {
	r := &p.res
	r.state = replyBetween
	switch mark {
	case '$', '!', '=':
		if n > maxBulk || n < 0 && mark != '$' {
			return false
		}
		if n < 0 {
			p.takeNil(sink)
			return true
		}
		if len(r.levels) == 0 && mark != '!' {
			p.head(statusOK, sink)
		}
		if mark == '!' { // its text begins with the word, as in a line
			if len(r.levels) == 0 {
				p.head("other", sink)
			}
		}
		r.state, r.size, r.left = replyBulk, uint64(n), uint64(n)+2
		return true
	case ';':
		return p.textPart(n, sink)
	}
	if n < 0 {
		if mark != '*' {
			return false
		}
		p.takeNil(sink)
		return true
	}
	if n > maxArgs {
		return false
	}
	if mark == '%' || mark == '|' {
		n *= 2
	}
	if n == 0 {
		if mark == '|' {
			return true
		}
		if len(r.levels) == 0 {
			p.head(statusOK, sink)
		}
		p.endElement(sink)
		return true
	}
	if len(r.levels) == 0 && r.isMaybe && n != 3 && n != 4 && mark != '>' {
		r.isMaybe = false
		p.tell(sink)
	}
	return p.push(level{left: uint64(n), isAside: mark == '|'}, statusOK, sink)
}

// textPart takes the header of a part of a streamed string.
func (p *parser) textPart(n int64, sink protocol.Sink) bool {
	r := &p.res
	if len(r.levels) == 0 || !r.levels[len(r.levels)-1].isText || n < 0 || n > maxBulk {
		return false
	}
	if n == 0 {
		p.closeLevel(sink)
		return true
	}
	r.state, r.size, r.left = replyBulk, uint64(n), uint64(n)+2
	return true
}

func (p *parser) push(l level, status string, sink protocol.Sink) bool {
	r := &p.res
	if len(r.levels) >= maxDepth {
		return false
	}
	if len(r.levels) == 0 && !l.isAside {
		r.element = 0
		p.head(status, sink)
	}
	r.levels = append(r.levels, l)
	return true
}

func (p *parser) takeNil(sink protocol.Sink) {
	if len(p.res.levels) == 0 {
		p.head(statusNil, sink)
	}
	p.endElement(sink)
}

// closeLevel ends the innermost aggregate.
func (p *parser) closeLevel(sink protocol.Sink) {
	r := &p.res
	last := r.levels[len(r.levels)-1]
	r.levels = r.levels[:len(r.levels)-1]
	if !last.isAside {
		p.endElement(sink)
	}
}

// endElement is called after each value: it may be the last of aggregates, or the whole reply.
func (p *parser) endElement(sink protocol.Sink) {
	r := &p.res
	if len(r.levels) == 0 {
		p.endReply(sink)
		return
	}
	l := &r.levels[len(r.levels)-1]
	if len(r.levels) == 1 && !l.isAside {
		p.judge(sink)
		r.element++
	}
	if l.isStreamed || l.isText {
		return
	}
	if l.left--; l.left == 0 {
		p.closeLevel(sink)
	}
}

// skipReply passes over some of n unknown bytes and returns how many.
func (p *parser) skipReply(n uint64, sink protocol.Sink) uint64 {
	r := &p.res
	if r.state == replyBulk {
		k := min(n, r.left)
		if r.left > 2 {
			r.isCut = true
		}
		p.skipBulk(k, sink)
		return k
	}
	if r.state == replyLost || r.state == replyBetween && !r.isOpen && p.queue.Len() == 0 {
		p.queue.LoseResponses(sink)
		r.state = replyLost
		return n
	}
	p.loseReply(sink)
	return n
}
