package clickhouse

import (
	"encoding/binary"

	"github.com/sonde-dev/sonde/agent/protocol"
)

// Bounds of blocks, far beyond what servers send: they cut results into blocks of 65536 rows.
const (
	maxColumns = 1 << 16
	maxRows    = 1 << 32
	maxTypes   = 64 // kept for a connection
)

// blockPart takes a part of a block:
//
//	info        fields 1 (overflows, a byte) and 2 (bucket, four bytes) until 0
//	columns     two numbers
//	column      name, type, from 54454 on a flag; then the rows, if there are any
func (p *parser) blockPart(d *decoder, o op) bool {
	switch v := d.length; o.code {
	case opInfo:
		switch v {
		case 0:
			d.pop()
		case 1, 2:
			d.clean()
			d.add(opSkip, v*3-2, nil)
		default:
			return false
		}
	case opColumns:
		d.clean()
		if o.t == nil { // the first number; the second is the rows
			p.columns = v
			d.top().t = &column{}
			return v <= maxColumns
		}
		d.pop()
		p.rows = v
		if d == &p.in && p.columns == 0 {
			p.call.isOpen = false
		}
		d.add(opColumn, p.columns, nil)
		return v <= maxRows
	case opTypeName:
		return p.columnType(d, o.n)
	case opLast:
		n := binary.LittleEndian.Uint64(d.buf)
		d.pop()
		d.add(opRows, n, o.t)
		return n <= maxRows
	case opLowCard:
		return p.dictionary(d, o.t)
	case opKeys:
		n := binary.LittleEndian.Uint64(d.buf)
		d.pop()
		d.add(opSkip, n*o.n, nil)
		return n <= maxRows
	}
	return true
}

// columnType takes the name of a type and enters the steps for its rows.
func (p *parser) columnType(d *decoder, rows uint64) bool {
	t, known := p.types[string(d.buf)]
	if !known {
		if len(p.types) >= maxTypes {
			clear(p.types)
		}
		if p.types == nil {
			p.types = make(map[string]*column)
		}
		t = typeNamed(string(d.buf), 0)
		p.types[string(d.buf)] = t
	}
	d.pop()
	if rows > 0 {
		if t == nil {
			return false
		}
		d.add(opRows, rows, t)
		d.add(opSkip, 8*t.dictionaries(), nil)
	}
	if p.rev >= withSerialization {
		d.add('c', 0, nil) // 0: as usual; sparse columns are not read
	}
	return true
}

// dictionary takes the head of rows of a LowCardinality type: the size of its keys with flags, and the size of the dictionary.
func (p *parser) dictionary(d *decoder, t *column) bool {
	const global = 1 << 8 // a dictionary shared by blocks, which this protocol does not use
	meta, n := binary.LittleEndian.Uint64(d.buf), binary.LittleEndian.Uint64(d.buf[8:])
	d.pop()
	if meta&0xff > 3 || meta&global != 0 || n > maxRows {
		return false
	}
	d.add(opKeys, 1<<(meta&0xff), nil)
	d.add(opRows, n, t.of[0])
	return true
}

// dictionaries counts the types whose version comes before the rows.
func (c *column) dictionaries() (n uint64) {
	if c.shape == lowCard {
		return 1
	}
	for _, t := range c.of {
		n += t.dictionaries()
	}
	return n
}

// A compressed frame: a checksum of 16 bytes, the method, its size with these nine bytes, the size of what is in it. The methods are
// none, LZ4 and ZSTD.
const (
	frameHeader = 25
	frameOwn    = 9
	emptyBlock  = 10      // both fields of its info, their end, no columns, no rows
	fullBuffer  = 1 << 20 // DBMS_DEFAULT_BUFFER_SIZE: a block that fills it goes on in another frame
	maxFrame    = 1 << 31
)

// isFrame judges the head of what may be a frame, and returns what follows it and what is in it.
func isFrame(b []byte) (size, content uint64, ok bool) {
	method := b[16]
	size, content = uint64(binary.LittleEndian.Uint32(b[17:])), uint64(binary.LittleEndian.Uint32(b[21:]))
	ok = (method == 0x02 || method == 0x82 || method == 0x90) && size >= frameOwn && size <= maxFrame && content <= maxFrame
	return size - frameOwn, content, ok
}

// frame takes the head of a frame, or what came after one that was full.
func (p *parser) frame(dir protocol.Direction, d *decoder, code byte, sink protocol.Sink) bool {
	size, content, ok := isFrame(d.buf)
	if !ok && code == opFrame {
		return false
	}
	if !ok { // a packet, or several
		again := append([]byte(nil), d.buf...)
		d.pop()
		p.count(dir, -len(again))
		if !p.settle(dir, sink) {
			return false
		}
		for len(again) > 0 {
			n, ok := p.step(dir, again, sink)
			if !ok {
				return false
			}
			again = again[n:]
		}
		return true
	}
	d.pop()
	if dir == protocol.ToServer && content <= emptyBlock {
		p.call.isOpen = false
	}
	if content >= fullBuffer {
		d.add(opPeek, 0, nil)
	}
	d.add(opSkip, size, nil)
	return true
}
