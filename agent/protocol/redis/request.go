package redis

import (
	"github.com/sonde-dev/sonde/agent/protocol"
)

// requestState is the place inside a command.
type requestState uint8

const (
	requestBetween requestState = iota // the next byte begins a command
	requestCount                       // in the line that says how many arguments
	requestLength                      // in or before the line that says how long the next argument is
	requestArg                         // in an argument, or in the CR LF behind it
	requestInline                      // in a command without lengths
	requestLost                        // until a call begins with a command
)

// maxArg is how much is kept of an argument that matters and is cut: a key space shows in less.
const maxArg = 128

// requests is the direction of commands.
type requests struct {
	state     requestState
	id        uint64
	bytes     uint64
	isPartial bool
	atCall    bool // the command begins a call

	args   int64  // of the command
	index  int64  // of the argument being read
	size   uint64 // of it
	left   uint64 // of it, with CR LF
	isCut  bool   // bytes of it are missing
	line   lineBuffer
	buf    [maxArg]byte // what is kept of it
	n      int
	cmd    *command
	key    uint8 // index of the argument that is the key; 0: none or not known yet
	isWord bool  // XREAD: the next argument may be BLOCK or STREAMS
	waits  bool

	isAnnounced bool
	target      string
	lastTarget  string // of the command before: mostly the same, and then free
	lastName    []byte // as it was written, and what it stands for
	lastCmd     *command
	reply       [8]byte
}

// readRequest reads some of b and returns how much, at least one byte.
func (p *parser) readRequest(b []byte, atCall bool, sink protocol.Sink) int {
	r := &p.req
	switch r.state {
	case requestBetween:
		return p.beginRequest(b, atCall, sink)
	case requestCount, requestLength:
		if r.line.n == 0 {
			if v, size, ok := number(b); ok && size > 0 && size <= maxLine { // the whole line is there: the rule
				r.bytes += uint64(size)
				if !p.takeHeader(b[0], v, sink) {
					p.loseRequest(sink)
					return len(b)
				}
				return size
			}
		}
		line, n, complete, ok := r.line.take(b)
		r.bytes += uint64(n)
		if !ok || complete && !p.readHeader(line, sink) {
			p.loseRequest(sink)
			return len(b)
		}
		return n
	case requestArg:
		return p.readArg(b, sink)
	case requestInline:
		return p.readInline(b, sink)
	}
	if atCall && p.startsCommand(b) {
		r.state = requestBetween
		return p.beginRequest(b, true, sink)
	}
	p.queue.LoseRequests()
	return len(b)
}

// startsCommand judges a call after a loss.
func (p *parser) startsCommand(b []byte) bool {
	return recognizeCommand(b[:min(len(b), 512)]) == protocol.IsRequest && b[0] == '*'
}

func (p *parser) beginRequest(b []byte, atCall bool, sink protocol.Sink) int {
	r := &p.req
	switch c := b[0]; {
	case c == '\r' || c == '\n': // an empty inline command has no reply
		return 1
	case c == '*':
		r.state = requestCount
	case c|0x20 >= 'a' && c|0x20 <= 'z':
		r.state = requestInline
	default:
		lost(sink)
		r.state = requestLost
		p.queue.LoseRequests()
		return len(b)
	}
	p.endStaleReply(atCall, sink)
	r.id, r.bytes, r.isPartial, r.atCall = 0, 0, false, atCall
	r.args, r.index, r.cmd, r.key, r.isWord, r.waits, r.n, r.isCut = 0, 0, nil, 0, false, false, 0, false
	r.isAnnounced, r.target, r.line.n = false, "", 0
	if r.state == requestCount && len(b) > 1 && (b[1] == '0' || b[1] == '-') {
		return p.skipEmpty(b)
	}
	r.id = p.queue.Begin(atCall, sink).ID
	r.isPartial = p.queue.IsDoubtful()
	if r.state == requestInline {
		return p.readInline(b, sink)
	}
	return p.readRequest(b, false, sink)
}

// skipEmpty passes over a command without arguments, which has no reply: "*0\r\n", "*-1\r\n".
func (p *parser) skipEmpty(b []byte) int {
	p.req.state = requestCount
	line, n, complete, ok := p.req.line.take(b)
	if v, size, isNumber := number(line); complete && ok && isNumber && size > 0 && v <= 0 {
		p.req.state = requestBetween
	} else if complete || !ok {
		p.req.state = requestLost
		p.queue.LoseRequests()
	}
	return n
}

// readHeader takes a whole header line.
func (p *parser) readHeader(line []byte, sink protocol.Sink) bool {
	n, size, ok := number(line)
	return ok && size == len(line) && p.takeHeader(line[0], n, sink)
}

// takeHeader takes the number in a header line that begins with mark.
func (p *parser) takeHeader(mark byte, n int64, sink protocol.Sink) bool {
	r := &p.req
	if r.state == requestCount {
		if r.id == 0 || n <= 0 { // an empty command whose header was cut
			r.state = requestBetween
			if r.id != 0 {
				p.queue.Remove(r.id)
				sink.RequestEnd(r.id, protocol.End{Partial: true}) // it was none
				r.id = 0
			}
			return n <= 0
		}
		r.args, r.state = n, requestLength
		return n <= maxArgs
	}
	if mark != '$' || n < 0 || n > maxBulk {
		return false
	}
	r.state, r.size, r.left, r.n, r.isCut = requestArg, uint64(n), uint64(n)+2, 0, false
	return true
}

// matters reports whether the argument being read is looked at.
func (r *requests) matters() bool {
	switch {
	case r.index == 0:
		return true
	case r.isAnnounced || r.cmd == nil:
		return false
	case r.index == 1 && r.cmd.isContainer, r.isWord:
		return true
	case r.cmd.kind == replySwitch:
		return r.index == 2
	}
	return r.index == int64(r.key) || r.cmd.counts != 0 && r.index == int64(r.cmd.counts)
}

// readArg reads some of an argument.
func (p *parser) readArg(b []byte, sink protocol.Sink) int {
	r := &p.req
	n := int(min(uint64(len(b)), r.left))
	if r.matters() {
		text := b[:n]
		if keep := r.size - min(r.size, r.size+2-r.left); uint64(len(text)) > keep {
			text = text[:keep]
		}
		if n == int(r.left) && r.n == 0 && !r.isCut && uint64(len(text)) == r.size {
			r.skip(uint64(n))
			p.takeArg(text[:min(len(text), maxArg)], sink)
			p.nextArg(sink)
			return n
		}
		r.n += copy(r.buf[r.n:], text)
	}
	r.skip(uint64(n))
	if r.left == 0 {
		p.endArg(sink)
	}
	return n
}

func (r *requests) skip(n uint64) {
	r.left -= n
	r.bytes += n
}

// endArg is called at the end of an argument that came in pieces.
func (p *parser) endArg(sink protocol.Sink) {
	r := &p.req
	if r.matters() {
		if r.isCut {
			r.isPartial = true
			r.n = 0
			if r.index == 0 {
				r.cmd = &other
			} else if r.isWord || r.cmd.isContainer {
				p.announce(sink)
			}
			if r.index == int64(r.key) {
				p.announce(sink)
			}
		} else {
			p.takeArg(r.buf[:r.n], sink)
		}
	}
	p.nextArg(sink)
}

func (p *parser) nextArg(sink protocol.Sink) {
	r := &p.req
	r.n = 0
	r.index++
	if r.index < r.args {
		r.state = requestLength
		return
	}
	p.announce(sink)
	p.endRequest(protocol.End{}, sink)
}

// endRequest reports the end of a command.
func (p *parser) endRequest(e protocol.End, sink protocol.Sink) {
	r := &p.req
	e.BodyBytes, e.Partial = r.bytes, e.Partial || r.isPartial
	id := r.id
	r.id, r.state = 0, requestBetween
	sink.RequestEnd(id, e)
}

// loseRequest is called where the bytes of a command make no sense or are missing.
func (p *parser) loseRequest(sink protocol.Sink) {
	r := &p.req
	lost(sink)
	if r.id != 0 {
		isKnown := r.isAnnounced || r.cmd != nil
		if isKnown {
			p.announce(sink)
		} else {
			p.queue.Remove(r.id)
		}
		p.endRequest(protocol.End{Partial: true}, sink)
	}
	r.line.n = 0
	r.state = requestLost
	p.queue.LoseRequests()
}

// skipRequest passes over some of n unknown bytes and returns how many.
func (p *parser) skipRequest(n uint64, sink protocol.Sink) uint64 {
	r := &p.req
	switch r.state {
	case requestArg:
		k := min(n, r.left)
		r.isCut = r.isCut || r.left > 2 // else only CR LF is missing
		r.skip(k)
		if r.left == 0 {
			p.endArg(sink)
		}
		return k
	case requestBetween:
		r.state = requestLost
		p.queue.LoseRequests()
	case requestLost:
		p.queue.LoseRequests()
	default:
		p.loseRequest(sink)
	}
	return n
}
