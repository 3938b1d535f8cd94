package clickhouse

// op is a step that waits. Letters are those of packets.go; others are below.
type op struct {
	code byte
	n    uint64 // bytes, rows or strings
	t    *column
}

// Steps that packets.go does not have.
const (
	opSkip     = '#' // n bytes
	opStrings  = '*' // n strings
	opInfo     = 'I' // the information of a block: fields until 0
	opColumns  = 'K' // the numbers of columns and rows
	opColumn   = 'L' // n columns, the next of which has t unset
	opRows     = 'T' // n rows of type t
	opLast     = 'A' // offsets of n arrays of t: the last one says how many values there are
	opPrefix   = 'X' // what comes once before the rows of t
	opLowCard  = 'W' // n rows of a dictionary type
	opKeys     = 'Y' // n rows of keys of a dictionary, t being the type of the key's size
	opFrame    = 'Z' // a compressed frame
	opPeek     = 'z' // perhaps another
	opPacket   = '>' // the number of a packet
	opNested   = 'e' // whether another exception follows
	opTypeName = 'M' // the type of a column; n rows
)

// maxText is how much of a string is looked at: a statement's shape shows in it.
const maxText = 4096

// maxOps bounds the steps that wait: nested types are the deepest.
const maxOps = 256

// decoder reads one direction step by step; any step may be cut anywhere.
type decoder struct {
	ops    []op
	buf    []byte // of the step being read
	need   int    // bytes of text to keep; beyond it they are skipped
	value  uint64 // of the number being read
	shift  uint
	length uint64 // of the string being read
	inText bool
	isLost bool
}

// push enters steps so that the first is done first.
func (d *decoder) push(steps string) {
	for i := len(steps) - 1; i >= 0; i-- {
		d.ops = append(d.ops, op{code: steps[i]})
	}
}

func (d *decoder) add(code byte, n uint64, t *column) {
	d.ops = append(d.ops, op{code: code, n: n, t: t})
}

func (d *decoder) top() *op { return &d.ops[len(d.ops)-1] }

func (d *decoder) pop() {
	d.ops = d.ops[:len(d.ops)-1]
	d.clean()
}

func (d *decoder) clean() {
	d.buf, d.value, d.shift, d.length, d.inText = d.buf[:0], 0, 0, 0, false
	if cap(d.buf) > maxText {
		d.buf = nil
	}
}

// reset forgets what was under way.
func (d *decoder) reset() {
	d.ops = d.ops[:0]
	d.clean()
}

// number reads a number of variable length (LEB128, up to 64 bits).
func (d *decoder) number(b []byte) (n int, v uint64, done, ok bool) {
	for _, c := range b {
		n++
		if d.shift > 63 || d.shift == 63 && c > 1 {
			return n, 0, false, false
		}
		d.value |= uint64(c&0x7f) << d.shift
		d.shift += 7
		if c < 0x80 {
			v = d.value
			d.value, d.shift = 0, 0
			return n, v, true, true
		}
	}
	return n, 0, false, true
}

// maxString bounds strings that are skipped.
const maxString = 1 << 32

// text reads a string; its first keep bytes are then in buf, and its length in length.
func (d *decoder) text(b []byte, keep int) (n int, done, ok bool) {
	if !d.inText {
		var l uint64
		n, l, done, ok = d.number(b)
		if !done || !ok {
			return n, false, ok
		}
		if l > maxString {
			return n, false, false
		}
		d.inText, d.length, d.need = true, l, int(min(l, uint64(keep)))
		d.value = l // what is left
		b = b[n:]
	}
	k := min(uint64(len(b)), d.value)
	if len(d.buf) < d.need {
		d.buf = append(d.buf, b[:min(int(k), d.need-len(d.buf))]...)
	}
	d.value -= k
	return n + int(k), d.value == 0, true
}

// fixed reads size bytes into buf.
func (d *decoder) fixed(b []byte, size int) (n int, done bool) {
	n = min(len(b), size-len(d.buf))
	d.buf = append(d.buf, b[:n]...)
	return n, len(d.buf) == size
}

// skipRun passes over bytes of the current step that need not be seen, up to n of them, and returns how many.
func (d *decoder) skipRun(n uint64) uint64 {
	if len(d.ops) == 0 {
		return 0
	}
	switch o := d.top(); {
	case o.code == opSkip:
		k := min(n, o.n)
		o.n -= k
		if o.n == 0 {
			d.pop()
		}
		return k
	case o.code == opLast && o.n > 8: // all but the last offset
		k := min(n, o.n-8)
		o.n -= k
		return k
	case d.inText && d.value > 0 && len(d.buf) >= d.need:
		k := min(n, d.value-min(d.value, 1)) // the last byte is left, so that the step ends as usual
		d.value -= k
		return k
	}
	return 0
}
