package http2

import "github.com/sonde-dev/sonde/agent/protocol/dialect"

// The decoder of field blocks (RFC 7541). golang.org/x/net/http2/hpack gives up on an index that it does not know, and a connection
// that was joined in the middle has many. Here such a field is unknown, nothing more: an index counts from the newest entry
// (RFC 7541 §2.3.3), so that whatever was added since is found, and what was there before lies behind it.
//
//	index    62    63    64  | 65 …
//	entry    new   …     …   | added before we came, or dropped to save memory: unknown
//
// For the same reason the true size of the peer's table does not matter: dropping entries does not renumber the others.

// staticEntries is the number of entries of the static table (RFC 7541 Appendix A).
const staticEntries = 61

// static has the entries that matter here; the others are fields of no interest.
var static = func() (t [staticEntries + 1]entry) {
	t[1] = entry{kind: fieldAuthority}
	t[2] = entry{kind: fieldMethod, value: "GET"}
	t[3] = entry{kind: fieldMethod, value: "POST"}
	t[4] = entry{kind: fieldPath, value: "/"}
	t[5] = entry{kind: fieldPath, value: "/index.html"}
	t[6], t[7] = entry{kind: fieldScheme}, entry{kind: fieldScheme}
	for i, code := range [...]string{"200", "204", "206", "304", "400", "404", "500"} {
		t[8+i] = entry{kind: fieldStatus, value: code}
	}
	for i, name := range map[int]string{19: "accept", 23: "authorization", 26: "content-encoding"} {
		t[i] = entry{kind: kindOf([]byte(name), false)}
	}
	t[31] = entry{kind: fieldContentType}
	t[38] = entry{kind: fieldHost}
	return t
}()

// entry is a field as far as it matters: its value is kept for known kinds only.
type entry struct {
	kind  fieldKind
	value string
	query string        // of a path, with its question mark
	signs dialect.Signs // what the value says to the dialects
	size  int
}

const (
	// maxTable bounds the bytes of entries by HPACK's count; the default of a peer's table is 4096, browsers ask for 65536.
	maxTable     = 64 << 10
	defaultTable = 4096
	// entryOverhead is what an entry counts besides its text (RFC 7541 §4.1).
	entryOverhead = 32
)

// table is the dynamic table of one direction. Its zero value is empty.
type table struct {
	entries []entry // oldest first, from head on
	head    int
	size    int
	resized bool
	limit   int
}

// lookup returns the field of an index from 1 on.
func (t *table) lookup(i uint64) entry {
	if i <= staticEntries {
		return static[i]
	}
	if i -= staticEntries; i <= uint64(len(t.entries)-t.head) {
		return t.entries[len(t.entries)-int(i)]
	}
	return entry{kind: fieldUnknown}
}

func (t *table) add(e entry) {
	e.size += entryOverhead
	t.evict(e.size)
	if t.head > 0 && len(t.entries) == cap(t.entries) {
		n := copy(t.entries, t.entries[t.head:])
		clear(t.entries[n:])
		t.entries, t.head = t.entries[:n], 0
	}
	t.entries = append(t.entries, e)
	t.size += e.size
}

// evict makes room for n bytes.
func (t *table) evict(n int) {
	limit := defaultTable
	if t.resized {
		limit = t.limit
	}
	for t.head < len(t.entries) && t.size+n > limit {
		t.size -= t.entries[t.head].size
		t.entries[t.head] = entry{}
		t.head++
	}
}

// resize follows a change of the table's size (RFC 7541 §6.3), up to our own bound.
func (t *table) resize(limit uint64) {
	t.resized, t.limit = true, int(min(limit, maxTable))
	t.evict(0)
}

// forget makes all that was added so far unknown: entries may have been added that were not seen.
func (t *table) forget() {
	clear(t.entries)
	t.entries, t.head, t.size = t.entries[:0], 0, 0
}

// decode reads a field block into f. It returns false when the block makes no sense; f has what came before.
func (t *table) decode(b []byte, f *fields, n *names) bool {
	for len(b) > 0 {
		var i uint64
		var ok bool
		switch c := b[0]; {
		case c&0x80 != 0: // indexed, RFC 7541 §6.1
			if i, b, ok = readInt(b, 7); !ok || i == 0 {
				return false
			}
			f.set(t.lookup(i))
		case c&0xe0 == 0x20: // size update, §6.3
			if i, b, ok = readInt(b, 5); !ok {
				return false
			}
			t.resize(i)
		default: // literal: with indexing §6.2.1, without §6.2.2, never §6.2.3
			bits, isAdded := uint(4), c&0xc0 == 0x40
			if isAdded {
				bits = 6
			}
			if i, b, ok = readInt(b, bits); !ok {
				return false
			}
			var e entry
			if e, b, ok = t.literal(i, b, n); !ok {
				return false
			}
			f.set(e)
			if isAdded {
				t.add(e)
			}
		}
	}
	return true
}

// literal reads a field whose name is that of an index, or, with index 0, stands before the value.
func (t *table) literal(i uint64, b []byte, n *names) (e entry, rest []byte, ok bool) {
	var text []byte
	var isHuffman bool
	if i > 0 {
		e.kind = t.lookup(i).kind
	} else {
		if text, isHuffman, b, ok = readString(b); !ok {
			return e, nil, false
		}
		e.kind = kindOf(text, isHuffman)
		e.size = len(text)
	}
	if text, isHuffman, rest, ok = readString(b); !ok {
		return e, nil, false
	}
	e.size += len(text) // at most what HPACK counts: we drop entries late rather than early
	if e.kind > fieldUnknown {
		ok = n.read(&e, text, isHuffman)
	}
	return e, rest, ok
}

// readInt reads an integer whose first byte has so many bits of it (RFC 7541 §5.1).
func readInt(b []byte, bits uint) (v uint64, rest []byte, ok bool) {
	const largest = 1 << 28 // no index, size or length is near it
	full := uint64(1)<<bits - 1
	if v = uint64(b[0]) & full; v < full {
		return v, b[1:], true
	}
	for i, shift := 1, uint(0); i < len(b) && shift < 28; i, shift = i+1, shift+7 {
		v += uint64(b[i]&0x7f) << shift
		if b[i] < 0x80 {
			return v, b[i+1:], v < largest
		}
	}
	return 0, nil, false
}

// readString splits off a string literal (RFC 7541 §5.2).
func readString(b []byte) (text []byte, isHuffman bool, rest []byte, ok bool) {
	if len(b) == 0 {
		return nil, false, nil, false
	}
	isHuffman = b[0]&0x80 != 0
	n, b, ok := readInt(b, 7)
	if !ok || n > uint64(len(b)) {
		return nil, false, nil, false
	}
	return b[:n], isHuffman, b[n:], true
}
