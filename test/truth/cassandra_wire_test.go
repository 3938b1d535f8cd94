package truth

import (
	"bufio"
	"encoding/binary"
	"errors"
	"io"
	"net"

	gocql "github.com/apache/cassandra-gocql-driver/v2"
	"github.com/apache/cassandra-gocql-driver/v2/lz4"
	"github.com/apache/cassandra-gocql-driver/v2/snappy"
)

// Opcodes and flags of Cassandra's native protocol (native_protocol_v5.spec §2.2, §2.4).
const (
	cqlError, cqlStartup, cqlReady, cqlAuthenticate, cqlOptions, cqlSupported, cqlQuery, cqlResult = 0x00, 0x01, 0x02, 0x03, 0x05, 0x06, 0x07, 0x08
	cqlPrepare, cqlExecute, cqlRegister, cqlEvent, cqlBatch, cqlAuthResponse, cqlAuthSuccess       = 0x09, 0x0A, 0x0B, 0x0C, 0x0D, 0x0F, 0x10

	cqlFlagCompressed, cqlFlagWarning = 0x01, 0x08
)

// cqlFrame is one message.
type cqlFrame struct {
	version, opcode byte
	stream          uint16
	body            cqlBody
	warns           bool // of a response: its body begins with warnings
}

// cqlBody is read from its start and written at its end (§3).
type cqlBody []byte

func (b *cqlBody) byte(v byte)   { *b = append(*b, v) }
func (b *cqlBody) short(v int)   { *b = binary.BigEndian.AppendUint16(*b, uint16(v)) }
func (b *cqlBody) int(v int)     { *b = binary.BigEndian.AppendUint32(*b, uint32(v)) }
func (b *cqlBody) text(v string) { b.short(len(v)); *b = append(*b, v...) }
func (b *cqlBody) value(v []byte) {
	b.int(len(v))
	*b = append(*b, v...)
}

// texts writes an entry of a map of lists of texts.
func (b *cqlBody) texts(key string, values ...string) {
	b.text(key)
	b.short(len(values))
	for _, v := range values {
		b.text(v)
	}
}

func (b *cqlBody) take(n int) []byte {
	if n < 0 || n > len(*b) {
		n = len(*b)
	}
	v := (*b)[:n]
	*b = (*b)[n:]
	return v
}

func (b *cqlBody) takeShort() int {
	if v := b.take(2); len(v) == 2 {
		return int(binary.BigEndian.Uint16(v))
	}
	return 0
}

func (b *cqlBody) takeInt() int {
	if v := b.take(4); len(v) == 4 {
		return int(int32(binary.BigEndian.Uint32(v)))
	}
	return 0
}

func (b *cqlBody) takeText() string { return string(b.take(b.takeShort())) }
func (b *cqlBody) takeLong() string { return string(b.take(b.takeInt())) }

// cqlWire reads and writes frames of one connection: by themselves, or in segments after STARTUP of version 5.
type cqlWire struct {
	net.Conn
	r          *bufio.Reader
	compressor gocql.Compressor
	inSegments bool
	left       []byte // of the segments read, what is no whole frame yet
}

func (w *cqlWire) compress(name string) {
	w.compressor = map[string]gocql.Compressor{"lz4": lz4.LZ4Compressor{}, "snappy": snappy.SnappyCompressor{}}[name]
}

// read returns the next frame.
func (w *cqlWire) read() (f cqlFrame, err error) {
	var src io.Reader = w.r
	if w.inSegments {
		src = segmentReader{w}
	}
	var head [9]byte
	if _, err := io.ReadFull(src, head[:]); err != nil {
		return f, err
	}
	f = cqlFrame{version: head[0], opcode: head[4], stream: binary.BigEndian.Uint16(head[2:]), body: make([]byte, binary.BigEndian.Uint32(head[5:]))}
	if _, err := io.ReadFull(src, f.body); err != nil {
		return f, err
	}
	if head[1]&cqlFlagCompressed != 0 && !w.inSegments {
		f.body, err = w.compressor.AppendDecompressedWithLength(nil, f.body)
	}
	return f, err
}

// segmentReader reads what is inside segments, checking both sums.
type segmentReader struct{ *cqlWire }

func (s segmentReader) Read(p []byte) (int, error) {
	for len(s.left) == 0 {
		payload, err := s.segment()
		if err != nil {
			return 0, err
		}
		s.left = payload
	}
	n := copy(p, s.left)
	s.left = s.left[n:]
	return n, nil
}

func (w *cqlWire) segment() ([]byte, error) {
	head := make([]byte, 6)
	if w.compressor != nil {
		head = make([]byte, 8)
	}
	if _, err := io.ReadFull(w.r, head); err != nil {
		return nil, err
	}
	n := len(head) - 3
	if crc := uint32(head[n]) | uint32(head[n+1])<<8 | uint32(head[n+2])<<16; crc != gocql.Crc24(head[:n]) {
		return nil, errors.New("a segment's header has another sum")
	}
	var bits uint64
	for i := range n {
		bits |= uint64(head[i]) << (8 * i)
	}
	payload := make([]byte, bits&(1<<17-1)+4)
	if _, err := io.ReadFull(w.r, payload); err != nil {
		return nil, err
	}
	payload, sum := payload[:len(payload)-4], payload[len(payload)-4:]
	if binary.LittleEndian.Uint32(sum) != gocql.Crc32(payload) {
		return nil, errors.New("a segment's payload has another sum")
	}
	if size := uint32(bits >> 17 & (1<<17 - 1)); w.compressor != nil && size > 0 {
		return w.compressor.AppendDecompressed(nil, payload, size)
	}
	return payload, nil
}

// write sends frames at once: one after the other, or as few segments as hold them.
func (w *cqlWire) write(frames []cqlFrame) error {
	var all []byte
	for _, f := range frames {
		body, flag := []byte(f.body), byte(0)
		if f.warns {
			flag = cqlFlagWarning
		}
		if w.compressor != nil && !w.inSegments && len(body) > 0 {
			var err error
			if body, err = w.compressor.AppendCompressedWithLength(nil, body); err != nil {
				return err
			}
			flag |= cqlFlagCompressed
		}
		b := []byte{f.version | 0x80, flag, byte(f.stream >> 8), byte(f.stream), f.opcode}
		b = append(binary.BigEndian.AppendUint32(b, uint32(len(body))), body...)
		const most = 1<<17 - 1
		if w.inSegments && len(b) > most { // a frame of several segments begins at the start of one and shares none
			all = w.seal(all)
			for ; len(b) > 0; b = b[min(len(b), most):] {
				if err := w.send(b[:min(len(b), most)], false); err != nil {
					return err
				}
			}
			continue
		}
		if w.inSegments && len(all)+len(b) > most {
			all = w.seal(all)
		}
		all = append(all, b...)
	}
	if w.inSegments {
		if len(all) > 0 {
			return w.send(all, true)
		}
		return nil
	}
	_, err := w.Write(all)
	return err
}

// seal sends what is there as a segment of whole frames.
func (w *cqlWire) seal(frames []byte) []byte {
	if len(frames) > 0 {
		w.send(frames, true) // an error shows with the next
	}
	return nil
}

func (w *cqlWire) send(payload []byte, isSelfContained bool) error {
	size := len(payload)
	if w.compressor != nil {
		small, err := w.compressor.AppendCompressed(nil, payload)
		if err != nil {
			return err
		}
		if len(small) > 0 && len(small) < size {
			payload = small
		} else {
			size = 0 // it is sent as it is (§2.2)
		}
	}
	bits, n := uint64(len(payload)), 3
	shift := 17
	if w.compressor != nil {
		bits |= uint64(size) << 17
		shift, n = 34, 5
	}
	if isSelfContained {
		bits |= 1 << shift
	}
	var b []byte
	for i := range n {
		b = append(b, byte(bits>>(8*i)))
	}
	crc := gocql.Crc24(b)
	b = append(b, byte(crc), byte(crc>>8), byte(crc>>16))
	b = append(b, payload...)
	_, err := w.Write(binary.LittleEndian.AppendUint32(b, gocql.Crc32(payload)))
	return err
}
