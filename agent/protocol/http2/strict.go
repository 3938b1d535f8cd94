package http2

import (
	"golang.org/x/net/http2/hpack"

	"github.com/sonde-dev/sonde/agent/protocol/http1"
)

// strictField reads one representation without a table and checks its texts. Only registered methods count.
func strictField(b []byte) (kind fieldKind, rest []byte, ok bool) {
	const farthest = staticEntries + maxTable/entryOverhead
	var i uint64
	switch c := b[0]; {
	case c&0x80 != 0:
		if i, rest, ok = readInt(b, 7); !ok || i == 0 || i > farthest {
			return 0, nil, false
		}
		return staticKind(i), rest, true
	case c&0xe0 == 0x20:
		i, rest, ok = readInt(b, 5)
		return fieldOther, rest, ok && i <= 1<<24
	case c&0xc0 == 0x40:
		i, rest, ok = readInt(b, 6)
	default:
		i, rest, ok = readInt(b, 4)
	}
	if !ok || i > farthest {
		return 0, nil, false
	}
	kind = staticKind(i)
	var text []byte
	var isHuffman bool
	if i == 0 {
		if text, isHuffman, rest, ok = readString(rest); !ok || len(text) == 0 || !isText(text, isHuffman, true) {
			return 0, nil, false
		}
		kind = kindOf(text, isHuffman)
	}
	if text, isHuffman, rest, ok = readString(rest); !ok || !isText(text, isHuffman, false) {
		return 0, nil, false
	}
	var n names
	e := entry{kind: kind}
	n.read(&e, text, isHuffman)
	switch kind {
	case fieldStatus:
		ok = e.value != ""
	case fieldMethod:
		ok = e.value != http1.Method(nil)
	case fieldPath:
		ok = e.value[0] == '/' || e.value == "*"
	}
	return kind, rest, ok
}

func staticKind(i uint64) fieldKind {
	if i <= staticEntries {
		return static[i].kind
	}
	return fieldOther
}

// isText accepts the characters of field values (RFC 9110 §5.5), or of names, which are in lower case (RFC 9113 §8.2.1).
func isText(b []byte, isHuffman, isName bool) bool {
	if isHuffman {
		s, err := hpack.HuffmanDecodeToString(b)
		if err != nil {
			return false
		}
		b = []byte(s)
	}
	for _, c := range b {
		if c < ' ' && c != '\t' || c == 0x7f || isName && (c <= ' ' || c >= 0x80 || 'A' <= c && c <= 'Z') {
			return false
		}
	}
	return true
}
