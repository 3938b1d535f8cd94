package kafka

// walker goes through the fields of one message as its bytes come, in pieces of any size, and keeps what has a meaning. It
// remembers no more than one field: records and other long values are passed over by their length, so that they need not be known.
type walker struct {
	levels   [maxDepth]level
	depth    int
	version  int8
	compact  bool // flexible version: compact lengths, tagged fields
	inHeader bool // at the tagged fields of the header
	done     bool // nothing further is of interest
	broken   bool // and it ended too early: bytes are missing, or do not make sense
	short    bool // some records were not counted

	left    uint64 // bytes of the message that are not passed yet
	skip    uint64 // of them, to be passed over
	length  int64  // of the text that begins here; -1 when none does
	tags    uint64 // tagged fields to come
	inTags  bool   // their number is known
	records uint64 // bytes of record batches to come behind skip
	pend    []byte // the start of a field that is cut

	found *found
}

// level is a structure inside the message.
type level struct {
	fields  []field
	at      int
	left    uint64 // elements of the array, with this one
	isPlain bool   // without tagged fields
}

const (
	maxDepth = 8
	// maxText is the longest text that is kept; a topic's name has 249 bytes at most.
	maxText = 512
)

// start prepares for a body of so many bytes.
func (w *walker) start(fields []field, version int16, isFlexible, hasHeaderTags bool, size uint64, f *found) {
	*w = walker{version: int8(version), compact: isFlexible, inHeader: hasHeaderTags, left: size, length: -1, pend: w.pend[:0], found: f}
	w.levels[0] = level{fields: fields, left: 1}
	w.depth = 1
	w.settle()
}

// data reads the next bytes of the message.
func (w *walker) data(b []byte) {
	for len(b) > 0 && !w.done {
		if w.skip > 0 {
			k := min(w.skip, uint64(len(b)))
			w.skip -= k
			b = b[k:]
			w.settle()
			continue
		}
		had := len(w.pend)
		if had == 0 {
			n := w.field(b)
			if n == 0 && !w.done {
				w.pend = append(w.pend, b...)
				return
			}
			b = b[n:]
			w.settle()
			continue
		}
		w.pend = append(w.pend, b[0])
		if n := w.field(w.pend); n > 0 {
			w.pend = w.pend[:0]
			b = b[1:]
			w.settle()
			continue
		}
		b = b[1:]
	}
}

// gap passes over bytes that are not known.
func (w *walker) gap(n uint64) {
	if w.done {
		return
	}
	k := min(n, w.skip)
	w.skip -= k
	n -= k
	if n > 0 && w.records > 0 { // batches are among them
		w.short, w.found.isUnsure = true, true
		w.found.endRecords()
		total := w.records - uint64(len(w.pend))
		w.pend = w.pend[:0]
		k = min(n, total)
		w.left -= min(w.left, w.records)
		w.skip, w.records = total-k, 0
		n -= k
	}
	if n > 0 {
		w.done = true
		w.broken = !w.isTrailing()
		return
	}
	w.settle()
}

// isTrailing reports whether what is still to come has no meaning: tagged fields at the ends of structures, texts.
func (w *walker) isTrailing() bool {
	if w.inHeader || w.length >= 0 {
		return false
	}
	for i, l := range w.levels[:w.depth] {
		at := l.at
		if i < w.depth-1 { // behind the array that is being read
			at++
		}
		if l.left > 1 || at < len(l.fields) && w.hasMeaning(l.fields[at:]) {
			return false
		}
	}
	return true
}

func (w *walker) hasMeaning(fields []field) bool {
	for i := range fields {
		f := &fields[i]
		if w.version >= f.since && w.version <= f.until && (f.kind > stop || w.hasMeaning(f.of)) {
			return true
		}
	}
	return false
}

func (w *walker) fail() { w.done, w.broken = true, true }

// settle goes to the next place that has bytes.
func (w *walker) settle() {
	for !w.done && w.skip == 0 && w.records == 0 && w.length < 0 && !w.inHeader {
		l := &w.levels[w.depth-1]
		if l.at < len(l.fields) {
			f := &l.fields[l.at]
			if w.version < f.since || w.version > f.until {
				l.at++
				continue
			}
			if f.kind == stop {
				w.done = true
			}
			return
		}
		if w.compact && !l.isPlain && (!w.inTags || w.tags > 0) {
			return
		}
		w.inTags = false
		if l.left--; l.left > 0 {
			l.at = 0
			continue
		}
		w.depth--
		if w.depth == 0 {
			w.done, w.broken = true, w.left > 0
			return
		}
		w.levels[w.depth-1].at++
	}
}

// pass counts n bytes as read, or to be skipped. It reports false when the message does not have them.
func (w *walker) pass(n uint64) bool {
	if n > w.left {
		w.fail()
		return false
	}
	w.left -= n
	return true
}

// field reads the field that begins with b and returns its bytes; 0 when b is too short, or on failure.
func (w *walker) field(b []byte) int {
	if w.inHeader {
		n := w.tagged(b)
		if w.inTags && w.tags == 0 {
			w.inHeader, w.inTags = false, false
		}
		return n
	}
	if w.records > 0 {
		return w.batch(b)
	}
	l := &w.levels[w.depth-1]
	if l.at >= len(l.fields) {
		return w.tagged(b)
	}
	f := &l.fields[l.at]
	if w.length >= 0 {
		return w.text(f.kind, b)
	}
	if f.size > 0 {
		n := int(f.size)
		if uint64(n) > w.left {
			w.fail()
			return 0
		}
		if len(b) < n {
			return 0
		}
		w.left -= uint64(n)
		if f.kind != fixed {
			w.found.value(f.kind, b[:n])
		}
		l.at++
		return n
	}
	return w.begin(f, b)
}

// begin reads the length or number before a value of variable size.
func (w *walker) begin(f *field, b []byte) int {
	v, n := w.prefix(f.kind, b)
	if n == 0 || !w.pass(uint64(n)) {
		return 0
	}
	l := &w.levels[w.depth-1]
	switch f.kind {
	case array, list:
		if v <= 0 {
			l.at++
			return n
		}
		if uint64(v) > w.left || w.depth == maxDepth { // each element has a byte or more
			w.fail()
			return 0
		}
		w.levels[w.depth] = level{fields: f.of, left: uint64(v), isPlain: f.kind == list}
		w.depth++
	case records:
		w.found.beginRecords(max(v, 0))
		l.at++
		if v > 0 {
			if uint64(v) > w.left {
				w.fail()
				return 0
			}
			w.records = uint64(v)
		}
	default:
		switch {
		case v <= 0:
			w.found.text(f.kind, nil)
			l.at++
		case f.kind == text || f.kind == blob || v > maxText:
			if !w.pass(uint64(v)) {
				return 0
			}
			w.found.text(f.kind, nil)
			w.skip = uint64(v)
			l.at++
		case uint64(v) > w.left:
			w.fail()
			return 0
		default:
			w.length = v
		}
	}
	return n
}
