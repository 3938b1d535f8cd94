package rocketmq

import "encoding/binary"

// Stored messages begin with their size and one of two numbers (MessageDecoder); those of a batch that is sent have none yet.
const (
	messageMagic   = 0xdaa320a7
	messageMagicV2 = 0xdaa320ab
	messageHead    = 8
)

// messages counts those in a body, as its bytes come.
type messages struct {
	isStored bool // they have numbers
	skip     uint64
	left     uint64 // of the body behind skip
	head     [messageHead]byte
	has      int // bytes of head
	count    uint64
	short    bool // some were not counted
}

func (m *messages) start(size uint64, isStored bool) { *m = messages{left: size, isStored: isStored} }

func (m *messages) data(b []byte) {
	for len(b) > 0 && !m.short {
		if m.skip > 0 {
			k := min(m.skip, uint64(len(b)))
			m.skip -= k
			b = b[k:]
			continue
		}
		k := copy(m.head[m.has:], b)
		m.has += k
		b = b[k:]
		if m.has == messageHead {
			m.message()
		}
	}
}

// message reads the start of one.
func (m *messages) message() {
	m.has = 0
	size := uint64(binary.BigEndian.Uint32(m.head[:]))
	magic := binary.BigEndian.Uint32(m.head[4:])
	if size < messageHead || size > m.left || m.isStored && magic != messageMagic && magic != messageMagicV2 {
		m.short = true
		return
	}
	m.count++
	m.skip = size - messageHead
	m.left -= size
}

func (m *messages) gap(n uint64) {
	k := min(n, m.skip)
	m.skip -= k
	m.short = m.short || n > k
}

// isWhole reports whether the body was nothing but messages, all of them counted.
func (m *messages) isWhole() bool { return !m.short && m.skip == 0 && m.has == 0 && m.left == 0 }
