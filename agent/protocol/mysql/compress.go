package mysql

import (
	"bytes"
	"compress/zlib"
	"io"
	"sync"

	"github.com/sonde-dev/sonde/agent/protocol"
	"github.com/sonde-dev/sonde/signal"
)

// outerSize is the header of a compressed packet: its length, its number, the length before compression, 0 for a payload that is
// not compressed ("Compressed Packet").
const outerSize = 7

// maxZipped bounds the compressed payload that is kept to be inflated. Servers compress 16 KiB at a time (net_buffer_length), and
// longer statements and rows as they are. What is longer is passed over by its size.
const maxZipped = 64 << 10

// outer is one direction of a compressed connection.
type outer struct {
	state   state
	header  [outerSize]byte
	have    int
	remain  uint32
	buf     []byte
	isHoled bool
}

func (o *outer) length() uint32 {
	return uint32(o.header[0]) | uint32(o.header[1])<<8 | uint32(o.header[2])<<16
}

// plain is the length before compression.
func (o *outer) plain() uint32 {
	return uint32(o.header[4]) | uint32(o.header[5])<<8 | uint32(o.header[6])<<16
}

// unzip reads compressed packets and hands on what is in them.
func (p *parser) unzip(dir protocol.Direction, b []byte, atCall bool, sink protocol.Sink) {
	o := &p.zipped[dir]
	for len(b) > 0 && !p.isOpaque {
		switch o.state {
		case lost:
			if !atCall || dir == protocol.FromServer && !isOuter(b) || dir == protocol.ToServer && recognizeZipped(b) == protocol.No {
				return
			}
			o.state = between
		case between:
			o.state = inHeader
		case inHeader:
			n := copy(o.header[o.have:], b)
			o.have += n
			b = b[n:]
			if o.have == outerSize {
				o.have, o.state, o.remain, o.isHoled = 0, inBody, o.length(), false
				p.endZipped(dir, nil, sink)
			}
		default:
			n := min(len(b), int(o.remain))
			o.remain -= uint32(n)
			p.zippedBody(dir, b[:n], sink)
			b = b[n:]
		}
		atCall = false
	}
}

// zippedBody takes bytes of a packet's payload.
func (p *parser) zippedBody(dir protocol.Direction, b []byte, sink protocol.Sink) {
	o := &p.zipped[dir]
	switch {
	case o.plain() == 0:
		p.data(dir, b, o.remain+uint32(len(b)) == o.length(), sink)
		p.endZipped(dir, nil, sink)
	case o.remain == 0 && len(o.buf) == 0 && !o.isHoled:
		p.endZipped(dir, b, sink)
	default:
		if room := maxZipped - len(o.buf); room < len(b) {
			o.isHoled = true
		} else if !o.isHoled {
			o.buf = append(o.buf, b...)
		}
		p.endZipped(dir, o.buf, sink)
	}
}

// endZipped ends a packet whose bytes have all come.
func (p *parser) endZipped(dir protocol.Direction, b []byte, sink protocol.Sink) {
	o := &p.zipped[dir]
	if o.remain > 0 {
		return
	}
	o.state = between
	if n := o.plain(); n > 0 {
		if o.isHoled || !p.inflate(dir, b, n, sink) {
			p.gap(dir, uint64(n), sink)
		}
	}
	o.buf = o.buf[:0]
	if cap(o.buf) > keepBuf {
		o.buf = nil
	}
}

// inflater is what zlib and its output need; many connections share a few.
type inflater struct {
	in  bytes.Reader
	z   io.ReadCloser
	out [4096]byte
}

var inflaters = sync.Pool{New: func() any { return new(inflater) }}

// inflate hands on what b holds, n bytes. It is false when b is not what it says and nothing was handed on.
func (p *parser) inflate(dir protocol.Direction, b []byte, n uint32, sink protocol.Sink) bool {
	f := inflaters.Get().(*inflater)
	defer inflaters.Put(f)
	if !f.reset(b) {
		sink.Lost(signal.ParserGaveUp, 1)
		return false
	}
	atCall := true
	for n > 0 && !p.isOpaque {
		k, err := f.z.Read(f.out[:min(n, uint32(len(f.out)))])
		p.data(dir, f.out[:k], atCall, sink)
		n -= uint32(k)
		atCall = atCall && k == 0
		if err != nil && n > 0 {
			sink.Lost(signal.ParserGaveUp, 1)
			p.gap(dir, uint64(n), sink)
			break
		}
	}
	return true
}

func (f *inflater) reset(b []byte) bool {
	f.in.Reset(b)
	if f.z == nil {
		z, err := zlib.NewReader(&f.in)
		f.z = z
		return err == nil
	}
	return f.z.(zlib.Resetter).Reset(&f.in, nil) == nil
}

// gapZipped passes over n bytes that are not known.
func (p *parser) gapZipped(dir protocol.Direction, n uint64, sink protocol.Sink) {
	o := &p.zipped[dir]
	for n > 0 && !p.isOpaque {
		if o.state != inBody {
			o.state, o.have, o.buf = lost, 0, nil
			p.lose(dir, sink)
			return
		}
		k := min(n, uint64(o.remain))
		n -= k
		o.remain -= uint32(k)
		if o.plain() == 0 {
			p.gap(dir, k, sink)
		} else {
			o.isHoled = true
		}
		p.endZipped(dir, o.buf, sink)
	}
}
