package thrift

import "encoding/binary"

// Types of values, as the binary protocol numbers them. Those of the compact protocol are translated.
const (
	typeStop   = 0
	typeBool   = 2
	typeByte   = 3
	typeDouble = 4
	typeI16    = 6
	typeI32    = 8
	typeI64    = 10
	typeString = 11
	typeStruct = 12
	typeMap    = 13
	typeSet    = 14
	typeList   = 15
	typeUUID   = 16
)

// binarySizes are the bytes of values of fixed size; 0 for others.
var binarySizes = [...]uint8{typeBool: 1, typeByte: 1, typeDouble: 8, typeI16: 2, typeI32: 4, typeI64: 8, typeUUID: 16}

// compactSizes: numbers are varints there.
var compactSizes = [...]uint8{typeBool: 1, typeByte: 1, typeDouble: 8, typeUUID: 16}

// compactTypes translates types of the compact protocol. 1 and 2 are true and false: as fields, they are their own value.
var compactTypes = [...]byte{typeStop, typeBool, typeBool, typeByte, typeI16, typeI32, typeI64, typeDouble, typeString, typeList, typeSet,
	typeMap, typeStruct, typeUUID}

// maxDepth bounds structures inside structures. Libraries take 64; what anybody sends is flatter.
const maxDepth = 32

// walker finds the end of a structure as its bytes come. Texts are passed over by their length, so that they need not be known.
type walker struct {
	isCompact, isFailure bool
	done, broken         bool
	depth                uint8
	next                 byte // type of the value that begins here; 0 for none
	skip                 uint64
	pend                 []byte // the start of something that is cut
	levels               [maxDepth]level

	isEmpty bool  // the outermost structure has no field so far
	first   int16 // the number of its first field
	field   int16 // and of the one being read
	failure int32 // the second field of a TApplicationException: its kind
}

// level is a structure, or a container with values to come.
type level struct {
	isStruct bool
	keys     byte   // type of the values, or of the keys of a map
	values   byte   // of a map
	left     uint64 // values to come, with keys
	last     int16  // field of a structure
}

// start prepares for a structure. isFailure: it is a TApplicationException.
func (w *walker) start(isCompact, isFailure bool) {
	w.isCompact, w.isFailure, w.done, w.broken = isCompact, isFailure, false, false
	w.next, w.skip, w.pend, w.isEmpty, w.first, w.failure = 0, 0, w.pend[:0], true, 0, 0
	w.levels[0] = level{isStruct: true}
	w.depth = 1
}

// data reads bytes until the structure ends, and returns how many.
func (w *walker) data(b []byte) int {
	n := 0
	for n < len(b) && !w.done {
		if w.skip > 0 {
			k := min(w.skip, uint64(len(b)-n))
			w.skip -= k
			n += int(k)
			w.settle()
			continue
		}
		if len(w.pend) > 0 {
			w.pend = append(w.pend, b[n])
			n++
			if w.step(w.pend) > 0 {
				w.pend = w.pend[:0]
				w.settle()
			}
			continue
		}
		k := w.step(b[n:])
		if k == 0 {
			if !w.broken {
				w.pend = append(w.pend, b[n:]...)
				n = len(b)
			}
			break
		}
		n += k
		w.settle()
	}
	return n
}

// gap passes over bytes that are not known, and returns how many of them belong to what is passed over anyhow.
func (w *walker) gap(n uint64) uint64 {
	if w.done {
		return 0
	}
	k := min(n, w.skip)
	w.skip -= k
	if k < n && w.skip == 0 {
		w.settle()
	}
	if k < n && !w.done {
		w.fail()
	}
	return k
}

func (w *walker) fail() { w.done, w.broken = true, true }

// settle goes to the next value of the container, or out of it.
func (w *walker) settle() {
	for w.skip == 0 && w.next == 0 && !w.done {
		l := &w.levels[w.depth-1]
		switch {
		case l.isStruct:
			return
		case l.left == 0:
			w.depth--
		default:
			w.next = l.keys
			if l.values != 0 && l.left&1 == 1 {
				w.next = l.values
			}
			l.left--
		}
	}
}

// step reads the head of a field or a value, and returns its bytes; 0 when it is cut, or on failure.
func (w *walker) step(b []byte) int {
	if w.next != 0 {
		return w.value(b)
	}
	l := &w.levels[w.depth-1]
	if b[0] == typeStop {
		if w.depth--; w.depth == 0 {
			w.done = true
		}
		return 1
	}
	if !w.isCompact {
		if len(b) < 3 {
			return 0
		}
		w.begin(l, b[0], int16(binary.BigEndian.Uint16(b[1:])))
		return 3
	}
	id, n := l.last+int16(b[0]>>4), 1
	if b[0]>>4 == 0 {
		v, k := varint(b[1:])
		if k <= 0 {
			if k < 0 {
				w.fail()
			}
			return 0
		}
		id, n = int16(v>>1)^-int16(v&1), 1+k
	}
	t := b[0] & 15
	if int(t) >= len(compactTypes) {
		w.fail()
		return 0
	}
	w.begin(l, compactTypes[t], id)
	if t <= 2 { // true and false
		w.next = 0
	}
	return n
}

// begin enters a field.
func (w *walker) begin(l *level, t byte, id int16) {
	if t > typeUUID || binarySizes[t] == 0 && (t < typeString || t == typeUUID) {
		w.fail()
		return
	}
	l.last, w.next = id, t
	if w.depth == 1 {
		if w.isEmpty {
			w.first = id
		}
		w.isEmpty, w.field = false, id
	}
}

// value reads a value of type next, or its head.
func (w *walker) value(b []byte) int {
	t := w.next
	switch t {
	case typeString:
		size, n := w.size(b)
		if n > 0 {
			w.skip, w.next = size, 0
		}
		return n
	case typeStruct:
		w.next = 0
		w.push(level{isStruct: true})
		// It has no head: what is here is its first field.
		return w.step(b)
	case typeList, typeSet:
		return w.list(b)
	case typeMap:
		return w.dict(b)
	}
	isFailure := w.isFailure && w.depth == 1 && w.field == 2 && t == typeI32
	if size := int(w.fixed(t)); size > 0 {
		if isFailure {
			if len(b) < size {
				return 0
			}
			w.failure = int32(binary.BigEndian.Uint32(b))
		}
		w.next = 0
		n := min(len(b), size)
		w.skip = uint64(size - n)
		return n
	}
	v, n := varint(b)
	if n < 0 {
		w.fail()
		return 0
	}
	if n > 0 {
		w.next = 0
		if isFailure {
			w.failure = int32(v>>1) ^ -int32(v&1)
		}
	}
	return n
}

// fixed returns the size of values of a type; 0 when it varies.
func (w *walker) fixed(t byte) uint8 {
	switch {
	case !w.isCompact:
		return binarySizes[t]
	case int(t) < len(compactSizes):
		return compactSizes[t]
	}
	return 0
}

// size reads a length.
func (w *walker) size(b []byte) (size uint64, n int) {
	if !w.isCompact {
		if len(b) < 4 {
			return 0, 0
		}
		size, n = uint64(binary.BigEndian.Uint32(b)), 4
	} else if size, n = varint(b); n <= 0 {
		if n < 0 {
			w.fail()
		}
		return 0, 0
	}
	if size > maxFrame {
		w.fail()
		return 0, 0
	}
	return size, n
}

func (w *walker) push(l level) {
	if w.depth == maxDepth {
		w.fail()
		return
	}
	w.levels[w.depth] = l
	w.depth++
}
