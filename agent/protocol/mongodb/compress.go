package mongodb

import (
	"bytes"
	"encoding/binary"
	"io"
	"sync"

	"github.com/klauspost/compress/snappy"
	"github.com/klauspost/compress/zlib"
	"github.com/klauspost/compress/zstd"
)

// Compressors of OP_COMPRESSED.
const (
	compressorNone   = 0
	compressorSnappy = 1
	compressorZlib   = 2
	compressorZstd   = 3
)

// maxExpanded bounds what is expanded of a message. The formats without a stream need room for all of it.
const (
	maxExpanded = 64 << 10
	maxWhole    = 1 << 20
)

// expander holds what expanding needs; they are shared by all connections.
type expander struct {
	in   bytes.Reader
	out  []byte
	zlib io.ReadCloser
	zstd *zstd.Decoder
}

var expanders = sync.Pool{New: func() any { return &expander{} }}

// expand returns the original opcode of a compressed message and the first bytes of its body, nil when they cannot be had. They are
// valid until x is given back.
func (x *expander) expand(b []byte) (opcode uint32, body []byte) {
	const begin = 9
	if len(b) < begin {
		return 0, nil
	}
	opcode = binary.LittleEndian.Uint32(b)
	size, data := int(binary.LittleEndian.Uint32(b[4:])), b[begin:]
	if size < 0 || size > maxMessage {
		return opcode, nil
	}
	switch b[8] {
	case compressorNone:
		return opcode, data
	case compressorSnappy:
		if n, err := snappy.DecodedLen(data); err != nil || n != size || n > maxWhole {
			return opcode, nil
		}
		out, err := snappy.Decode(x.room(size), data)
		if err != nil {
			return opcode, nil
		}
		return opcode, out
	case compressorZlib:
		return opcode, x.inflate(data, min(size, maxExpanded))
	case compressorZstd:
		if size > maxWhole {
			return opcode, nil
		}
		return opcode, x.unzstd(data, size)
	}
	return opcode, nil
}

func (x *expander) room(n int) []byte {
	if cap(x.out) < n {
		x.out = make([]byte, n)
	}
	return x.out[:n]
}

// inflate reads a prefix of a zlib stream; it may be cut.
func (x *expander) inflate(data []byte, n int) []byte {
	x.in.Reset(data)
	if x.zlib == nil {
		r, err := zlib.NewReader(&x.in)
		if err != nil {
			return nil
		}
		x.zlib = r
	} else if err := x.zlib.(zlib.Resetter).Reset(&x.in, nil); err != nil {
		return nil
	}
	out := x.room(n)
	got, err := io.ReadFull(x.zlib, out)
	if err != nil && got == 0 {
		return nil
	}
	return out[:got]
}

// unzstd reads a whole frame.
func (x *expander) unzstd(data []byte, size int) []byte {
	if x.zstd == nil {
		d, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true), zstd.WithDecoderMaxMemory(maxWhole))
		if err != nil {
			return nil
		}
		x.zstd = d
	}
	out, err := x.zstd.DecodeAll(data, x.room(size)[:0])
	if err != nil {
		return nil
	}
	return out
}
