package http1

import (
	"github.com/sonde-dev/sonde/agent/protocol"
	"github.com/sonde-dev/sonde/agent/protocol/dialect"
)

// maxHead bounds the bytes kept of a head that is cut over several calls. Servers refuse longer ones: nginx 32 KiB,
// Apache 8 KiB a line, Node 16 KiB, Tomcat 8 KiB, Go 1 MiB.
const maxHead = 64 << 10

// state is the place of a stream inside its messages.
type state uint8

const (
	between    state = iota // the next byte begins a message
	inHead                  // the head is not complete
	inFixed                 // remain bytes of body
	inChunked               // in a body with exact chunk framing
	inLostBody              // in a chunked body whose framing is lost
	inUntilEnd              // in a body that lasts until close
	inUnknown               // after a cut head: nobody knows where the body ends
	lost                    // until a call begins like a message
	inTunnel                // after a CONNECT or Upgrade request that waits for its answer
)

// stream is one direction.
type stream struct {
	state     state
	id        uint64 // of the message being read; 0 for a response without a request
	buf       []byte // the head, while it is cut
	scanned   int    // of buf
	remain    uint64 // of a fixed body
	body      uint64 // bytes after the head so far
	partial   bool
	afterLoss bool // the message that begins is the first after lost bytes
	chunk     chunkReader
	end       ending
	dialect   dialect.Reader // of the exchange, nil for plain HTTP
}

// parser follows one connection.
type parser struct {
	req, res stream
	queue    queue
	nextID   uint64

	isOpaque    bool
	isPipelined bool // responses came while several requests waited
	isDoubtful  bool // requests were hidden; see queue.go
	hidden      bool // bytes since the last request may hide others
	orphanSeen  bool // a response since the last request had none
	gapSeen     bool // response bytes since the last request are missing while none waited
	hasTail     bool // of the gap being skipped
	hasEaten    bool // a response went to a phantom
	isWhole     bool // all bytes of the connection were asked for

	names names
}

func newParser(joined bool) *parser {
	p := &parser{}
	if joined {
		p.req.state, p.res.state = lost, lost
	}
	return p
}

// Data implements protocol.Parser.
func (p *parser) Data(dir protocol.Direction, b []byte, sink protocol.Sink) {
	p.data(dir, b, true, sink)
}

// data reads b; atCall is true when it begins where a socket call began.
func (p *parser) data(dir protocol.Direction, b []byte, atCall bool, sink protocol.Sink) {
	for len(b) > 0 && !p.isOpaque {
		var n int
		if dir == protocol.ToServer {
			n = p.readRequest(b, atCall, sink)
		} else {
			n = p.readResponse(b, atCall, sink)
		}
		b = b[n:]
		atCall = false
	}
}

// Gap implements protocol.Parser. The bytes that are not known are skipped by size; those of tail are read.
func (p *parser) Gap(dir protocol.Direction, n uint32, tail []byte, sink protocol.Sink) {
	if uint64(len(tail)) > uint64(n) {
		tail = tail[len(tail)-int(n):]
	}
	p.hasTail = len(tail) > 0
	isWhole := n > 0 && int(n) == len(tail)
	for left := uint64(n) - uint64(len(tail)); left > 0 && !p.isOpaque; {
		if dir == protocol.ToServer {
			left -= p.skipRequest(left, sink)
		} else {
			left -= p.skipResponse(left, sink)
		}
	}
	p.data(dir, tail, isWhole, sink)
}

// Close implements protocol.Parser.
func (p *parser) Close(sink protocol.Sink) {
	if p.isOpaque {
		return
	}
	p.isOpaque = true
	if e, ok := p.req.closeEnd(); ok {
		sink.RequestEnd(p.req.id, e)
	}
	if e, ok := p.res.closeEnd(); ok && p.res.id != 0 {
		e.Partial = e.Partial || p.queue.len() > 0 && p.queue.front().isDoubtful
		p.res.tellView(e.Partial, sink)
		sink.ResponseEnd(p.res.id, e)
		p.queue.pop()
	}
	switch p.res.state {
	case inLostBody, inUnknown, lost: // what was not understood may have held the responses of the others
		p.giveUp(sink)
	}
}

// closeEnd says how the message being read ends with the connection; false when there is none.
func (s *stream) closeEnd() (protocol.End, bool) {
	e := protocol.End{BodyBytes: s.body, Partial: s.partial, Before: true}
	switch s.state {
	case inFixed, inChunked:
		e.Cut = true
	case inLostBody, inUnknown:
		e.Partial = true
	case inUntilEnd:
	default:
		return e, false
	}
	return e, true
}

// begin resets a stream for a message.
func (s *stream) begin(id uint64) {
	*s = stream{state: inHead, id: id, buf: s.buf[:0]}
}

// readHead reads b into h, together with what was kept of a head that is cut. It returns how many bytes of b belong to the head,
// and whether it is complete; if not, they are kept. full: no more can be kept. A head that is in b as a whole is not copied.
func (s *stream) readHead(b []byte, h *head) (n int, complete, full bool) {
	if len(s.buf) == 0 {
		if n = h.scan(b); n >= 0 && n <= maxHead {
			return n, true, false
		}
	}
	had := len(s.buf)
	n = min(len(b), maxHead-had)
	s.buf = append(s.buf, b[:n]...)
	// The blank line may have begun up to 2 bytes before what is new, after the LF of the line before it.
	if end := headEnd(s.buf, s.scanned); end >= 0 {
		*h = head{}
		h.scan(s.buf[:end])
		return end - had, true, false
	}
	s.scanned = max(0, len(s.buf)-2)
	return n, false, len(s.buf) == maxHead
}

// release frees a large head buffer; small ones are kept for the next cut head.
func (s *stream) release() {
	s.buf = s.buf[:0]
	if cap(s.buf) > 4096 {
		s.buf = nil
	}
	s.scanned = 0
}

// skipChunk passes over unknown bytes inside a chunk and returns how many; 0 where the framing is among them.
func (s *stream) skipChunk(n uint64) uint64 {
	if s.chunk.state != chunkData {
		return 0
	}
	k := min(n, s.chunk.remain)
	s.chunk.skip(k)
	s.body += k
	return k
}

// startBody enters the state for a framing and reports whether there is a body at all.
func (s *stream) startBody(f framing, length uint64) bool {
	s.body, s.chunk, s.end = 0, chunkReader{}, ending{}
	switch f {
	case noBody:
		return false
	case fixed:
		s.state, s.remain = inFixed, length
	case chunked:
		s.state = inChunked
	case untilClose:
		s.state = inUntilEnd
	case unknown:
		s.state, s.partial = inUnknown, true
	}
	return true
}
