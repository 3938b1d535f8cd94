package exchange

import "github.com/sonde-dev/sonde/agent/probe/event"

// call is one socket call, or a hole of n bytes where calls are missing.
type call struct {
	dir           event.Direction
	isGap         bool
	time          uint64
	pid, tid      uint32
	seq, n        uint32
	other         uint32 // see event.Event
	hasOther      bool
	payload, tail []byte
	buf           []byte // backs payload and tail of a kept call
}

// set makes k the call that ev reports. It is not a hole and not kept, nor was the one before it.
func (k *call) set(ev *event.Event) {
	k.dir, k.time, k.pid, k.tid, k.seq, k.n = ev.Direction, ev.Time, ev.PID, ev.TID, ev.Seq, ev.Len
	k.other, k.hasOther = ev.Other, ev.HasOther
	k.payload, k.tail = ev.Payload[:min(uint64(len(ev.Payload)), uint64(ev.Len))], ev.Tail
}

// trim drops the first n bytes.
func (k *call) trim(n uint32) {
	k.seq += n
	k.n -= n
	k.payload = k.payload[min(uint64(n), uint64(len(k.payload))):]
}

// hold keeps copies of calls; whoever inserts asks for room first.
type hold struct {
	calls []call
	bytes int
}

func (h *hold) n() int { return len(h.calls) }

// hasRoom reports whether one more call fits.
func (h *hold) hasRoom(k *call, calls int) bool {
	return len(h.calls) < calls && h.bytes+len(k.payload) <= maxHeldBytes
}

// insert keeps a copy of k at index i.
func (h *hold) insert(e *Engine, i int, k *call) {
	own := *k
	own.buf = append(append(e.buffer(), k.payload...), k.tail...)
	own.payload, own.tail = own.buf[:len(k.payload)], own.buf[len(k.payload):]
	h.calls = append(h.calls, call{})
	copy(h.calls[i+1:], h.calls[i:])
	h.calls[i] = own
	h.bytes += len(k.payload)
}

// shift takes out the first call.
func (h *hold) shift() call { return h.remove(0) }

// remove takes out a call; its bytes are valid until recycle.
func (h *hold) remove(i int) call {
	k := h.calls[i]
	n := i + copy(h.calls[i:], h.calls[i+1:])
	h.calls[n] = call{}
	h.calls = h.calls[:n]
	h.bytes -= len(k.payload)
	return k
}

func (h *hold) drop(e *Engine) {
	for h.n() > 0 {
		k := h.shift()
		e.recycle(&k)
	}
	h.calls = nil
}

// Spare buffers: as many as a burst of held calls needs, none of them large.
const (
	maxSpare      = 64
	maxSpareBytes = 16 << 10
)

func (e *Engine) buffer() []byte {
	if n := len(e.spare); n > 0 {
		b := e.spare[n-1]
		e.spare = e.spare[:n-1]
		return b
	}
	return nil
}

func (e *Engine) recycle(k *call) {
	if b := k.buf; cap(b) > 0 && cap(b) <= maxSpareBytes && len(e.spare) < maxSpare {
		e.spare = append(e.spare, b[:0])
	}
	k.buf, k.payload, k.tail = nil, nil, nil
}
