package http2

import (
	"github.com/sonde-dev/sonde/agent/protocol"
	"github.com/sonde-dev/sonde/signal"
)

// state is the place of a direction inside its frames.
type state uint8

const (
	lost      state = iota // until a call begins with frames
	inPreface              // of a client
	inHeader               // of a frame; its first byte may be next
	inPayload
)

// half is one direction.
type half struct {
	state  state
	header [headerSize]byte
	n      int            // bytes of the header, or of the preface, that are there
	since  protocol.Since // when the frame began of which only a part of the header is there
	frame  frame
	remain uint32 // bytes of the payload to come
	data   uint32 // of them, and of a DATA frame: bytes that are not padding

	buf   []byte // the payload, when it is needed and cut
	block []byte // the fragments of a field block that is continued
	// opened is the frame that began the field block being read; kind 0 (no block begins with DATA) for none.
	opened frame
	isCut  bool // some of the block is missing
	isUsed bool // bytes of it were seen

	table table
}

// read reads some of b and returns how much, at least one byte.
func (p *parser) read(dir protocol.Direction, b []byte, atCall bool, sink protocol.Sink) int {
	h := &p.halves[dir]
	switch h.state {
	case lost:
		switch {
		case !atCall:
			return len(b)
		case dir == protocol.ToServer && !p.hasPreface && startsPreface(b):
			h.state, h.n = inPreface, 0
		case resumes(b), !p.isJoined && !h.isUsed && startsSettings(b):
			h.state, h.n = inHeader, 0
		default:
			h.isUsed = true
			return len(b)
		}
		h.isUsed = true
		return p.read(dir, b, false, sink)
	case inPreface:
		n := min(len(b), len(preface)-h.n)
		if string(b[:n]) != preface[h.n:h.n+n] {
			h.state = lost
			return len(b)
		}
		if h.n += n; h.n == len(preface) {
			h.state, h.n = inHeader, 0
			p.hasPreface = true
		}
		return n
	case inHeader:
		n := copy(h.header[h.n:], b)
		if h.n += n; h.n == headerSize {
			h.n = 0
			p.beginFrame(dir, parseFrame(h.header[:]), sink)
			h.since.Clear()
		}
		return n
	}
	n := min(len(b), int(h.remain))
	p.payload(dir, b[:n], sink)
	return n
}

func startsPreface(b []byte) bool {
	n := min(len(b), len(preface))
	return string(b[:n]) == preface[:n]
}

// startsSettings reports whether a call too short for a frame's header may begin the settings that a server sends first.
func startsSettings(b []byte) bool {
	const shape = "\x00\x00n\x04\x00\x00\x00\x00\x00"
	for i := range min(len(b), len(shape)) {
		if b[i] != shape[i] && shape[i] != 'n' {
			return false
		}
	}
	return true
}

// beginFrame acts on a header. Frames that break the rules show that this is no frame: the place is lost.
func (p *parser) beginFrame(dir protocol.Direction, f frame, sink protocol.Sink) {
	h := &p.halves[dir]
	isContinued := h.opened.kind != 0
	if !f.isValid() || isContinued != (f.kind == frameContinuation) || isContinued && f.stream != h.opened.stream {
		sink.Lost(signal.ParserGaveUp, 1)
		p.lose(dir, sink)
		return
	}
	h.frame, h.remain, h.state = f, f.length, inPayload
	switch f.kind {
	case frameData:
		h.data = f.length
	case frameHeaders, framePushPromise:
		h.opened = f
		if f.kind == frameHeaders {
			p.beginHeaders(dir, f.stream, sink)
		}
	}
	if f.length == 0 {
		p.endFrame(dir, nil, sink)
	}
}

// payload reads bytes of the frame; it does not reach beyond it.
func (p *parser) payload(dir protocol.Direction, b []byte, sink protocol.Sink) {
	h := &p.halves[dir]
	switch h.frame.kind {
	case frameData:
		first, n := h.unpadded(b, uint32(len(b)))
		p.body(dir, b[first:first+n], n, false, sink)
	case frameHeaders, framePushPromise, frameContinuation, frameReset, frameGoAway:
		if len(h.buf) == 0 && len(b) == int(h.remain) {
			h.remain = 0
			p.endFrame(dir, b, sink)
			return
		}
		h.keep(b)
	}
	if h.remain -= uint32(len(b)); h.remain == 0 {
		p.endFrame(dir, h.buf, sink)
	}
}

// skip passes over n bytes of the frame that are not known.
func (p *parser) skip(dir protocol.Direction, n uint32, sink protocol.Sink) {
	h := &p.halves[dir]
	switch h.frame.kind {
	case frameData:
		isPadLost := h.frame.has(flagPadded) && h.remain == h.frame.length
		_, known := h.unpadded(nil, n)
		p.body(dir, nil, known, isPadLost, sink)
	default:
		h.isCut = true
	}
	if h.remain -= n; h.remain == 0 {
		p.endFrame(dir, h.buf, sink)
	}
}

// unpadded returns which of the next n bytes of a DATA frame are neither padding nor its length (RFC 9113 §6.1). b is nil when the
// bytes are not known; the frame counts as if it had no padding then.
func (h *half) unpadded(b []byte, n uint32) (first, length uint32) {
	if n > 0 && h.frame.has(flagPadded) && h.remain == h.frame.length {
		first = 1
		n--
		h.data--
		if len(b) > 0 {
			h.data -= min(h.data, uint32(b[0]))
		}
	}
	n = min(n, h.data)
	h.data -= n
	return first, n
}

// endFrame acts on a frame that is over. payload is nil where it is not needed.
func (p *parser) endFrame(dir protocol.Direction, payload []byte, sink protocol.Sink) {
	h := &p.halves[dir]
	f := h.frame
	h.state = inHeader
	switch f.kind {
	case frameData:
		if f.has(flagEndStream) {
			p.endStream(dir, f.stream, sink)
		}
	case frameHeaders, framePushPromise, frameContinuation:
		p.endFragment(dir, payload, sink)
	case frameReset, frameGoAway:
		isCut := h.isCut
		h.isCut = false
		p.control(dir, f, payload, isCut, sink)
	default:
		h.isCut = false
	}
	h.release()
}
