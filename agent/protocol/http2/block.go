package http2

import (
	"github.com/sonde-dev/sonde/agent/protocol"
	"github.com/sonde-dev/sonde/signal"
)

// maxBlock bounds the bytes kept of a field block that is cut or continued; servers take 4 to 64 KiB, Go 1 MiB.
const maxBlock = 64 << 10

// keep remembers a part of a payload that is cut.
func (h *half) keep(b []byte) {
	if h.isCut || len(h.buf)+len(h.block)+len(b) > maxBlock {
		h.isCut = true
		return
	}
	h.buf = append(h.buf, b...)
}

// release empties the buffer of a payload, and frees a large one.
func (h *half) release() {
	h.buf = shrink(h.buf)
	if h.opened.kind == 0 {
		h.block = shrink(h.block)
	}
}

func shrink(b []byte) []byte {
	if cap(b) > 4096 {
		return nil
	}
	return b[:0]
}

// endFragment adds a fragment to the field block, and reads the block when it is complete. A block that is not continued is read
// where it lies.
func (p *parser) endFragment(dir protocol.Direction, payload []byte, sink protocol.Sink) {
	h := &p.halves[dir]
	fragment := payload
	if h.frame.kind != frameContinuation && !h.isCut {
		var ok bool
		if fragment, ok = h.frame.unpad(payload); !ok {
			h.isCut = true
		}
	}
	isEnd := h.frame.has(flagEndHeaders)
	if !isEnd || len(h.block) > 0 {
		if h.isCut = h.isCut || len(h.block)+len(fragment) > maxBlock; !h.isCut {
			h.block = append(h.block, fragment...)
		}
		fragment = h.block
	}
	if !isEnd {
		return
	}
	opened, isCut := h.opened, h.isCut
	h.opened, h.isCut = frame{}, false
	var f fields
	if isCut || !h.table.decode(fragment, &f, &p.names) {
		sink.Lost(signal.ParserGaveUp, 1)
		h.table.forget()
		f.hasUnknown = true
	}
	if opened.kind == frameHeaders {
		p.headers(dir, opened, &f, sink)
	}
}
