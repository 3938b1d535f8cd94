package mongodb

import (
	"bytes"
	"encoding/binary"
)

// Types of BSON elements (bsonspec.org) that are looked into.
const (
	typeDouble   = 0x01
	typeString   = 0x02
	typeDocument = 0x03
	typeArray    = 0x04
	typeInt32    = 0x10
	typeInt64    = 0x12
)

// element is one of a document. value may be cut where the bytes end.
type element struct {
	kind  byte
	key   []byte
	value []byte
	isCut bool
}

// document walks over the elements of a document. Nothing is copied.
type document []byte

// open returns the elements behind the length of a document, as far as they are there; nil when it is none.
func open(b []byte) document {
	const least = 5
	if len(b) < 4 {
		return nil
	}
	n := binary.LittleEndian.Uint32(b)
	if n < least || n > maxMessage {
		return nil
	}
	return document(b[4:min(len(b), int(n))])
}

// next takes the first element; !ok at the end, or where the document makes no sense.
func (d *document) next() (e element, ok bool) {
	b := []byte(*d)
	if len(b) < 2 || b[0] == 0 {
		return e, false
	}
	end := bytes.IndexByte(b[1:], 0)
	if end < 0 {
		return e, false
	}
	e.kind, e.key = b[0], b[1:1+end]
	b = b[1+end+1:]
	n := valueSize(e.kind, b)
	if n < 0 {
		return e, false
	}
	if n > len(b) {
		e.isCut, n = true, len(b)
	}
	e.value = b[:n]
	*d = document(b[n:])
	return e, true
}

// valueSize returns the size of a value, which may reach beyond b, and -1 for what is none.
func valueSize(kind byte, b []byte) int {
	const cut = maxMessage + 1 // longer than anything
	length := func(more int) int {
		if len(b) < 4 {
			return cut
		}
		n := binary.LittleEndian.Uint32(b)
		if n > maxMessage {
			return -1
		}
		return int(n) + more
	}
	switch kind {
	case typeDouble, 0x09, 0x11, typeInt64:
		return 8
	case typeString, 0x0d, 0x0e: // string, JavaScript, symbol
		return length(4)
	case typeDocument, typeArray, 0x0f:
		return length(0)
	case 0x05: // binary
		return length(5)
	case 0x06, 0x0a, 0x7f, 0xff:
		return 0
	case 0x07:
		return 12
	case 0x08:
		return 1
	case 0x0b: // regular expression: two strings
		i := bytes.IndexByte(b, 0)
		if i < 0 {
			return cut
		}
		j := bytes.IndexByte(b[i+1:], 0)
		if j < 0 {
			return cut
		}
		return i + 1 + j + 1
	case 0x0c:
		return length(4 + 12)
	case typeInt32:
		return 4
	case 0x13:
		return 16
	}
	return -1
}

// text returns the characters of a string; nil for anything else.
func (e *element) text() []byte {
	if e.kind != typeString || e.isCut || len(e.value) < 5 {
		return nil
	}
	return e.value[4 : len(e.value)-1]
}

// number returns the value of a number that is whole.
func (e *element) number() (int64, bool) {
	if e.isCut {
		return 0, false
	}
	switch e.kind {
	case typeInt32:
		return int64(int32(binary.LittleEndian.Uint32(e.value))), true
	case typeInt64:
		return int64(binary.LittleEndian.Uint64(e.value)), true
	case typeDouble:
		return fromDouble(binary.LittleEndian.Uint64(e.value))
	case 0x08: // bool
		return int64(e.value[0]), true
	}
	return 0, false
}

// fromDouble knows the two values that "ok" may have.
func fromDouble(bits uint64) (int64, bool) {
	const one = 0x3ff0000000000000
	switch bits {
	case one:
		return 1, true
	case 0:
		return 0, true
	}
	return 0, false
}

// count returns the number of elements of an array; !ok when it is cut.
func (e *element) count() (n uint64, ok bool) {
	if e.isCut {
		return 0, false
	}
	d := open(e.value)
	for {
		if _, more := d.next(); !more {
			return n, true
		}
		n++
	}
}

// isName accepts what the key of a command may look like.
func isName(b []byte) bool {
	const longest = 64
	if len(b) == 0 || len(b) > longest {
		return false
	}
	for _, c := range b {
		if c <= ' ' || c >= 0x7f {
			return false
		}
	}
	return true
}
