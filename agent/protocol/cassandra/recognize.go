package cassandra

import (
	"bytes"

	"github.com/sonde-dev/sonde/agent/protocol"
	"github.com/sonde-dev/sonde/agent/protocol/sqltext"
)

// recognize wants frames whose bodies begin as their opcodes say, or a segment with a frame in it.
func recognize(b []byte) protocol.Verdict {
	if len(b) >= plainHead+frameHead {
		if _, v := strictSegment(b); v != protocol.No {
			return v
		}
	}
	if len(b) < frameHead {
		return short(b)
	}
	f, ok := parseFrame(b)
	if !ok {
		return protocol.No
	}
	body := b[frameHead:min(uint64(len(b)), frameHead+uint64(f.length))]
	isWhole := uint32(len(body)) == f.length
	if rest := b[frameHead+len(body):]; len(rest) > 0 && rest[0] != b[0] {
		return protocol.No // the next frame has another version or direction
	}
	switch ok, isSure := isBody(&f, body, isWhole); {
	case !ok:
		return protocol.No
	case !isSure:
		return protocol.Maybe
	case f.isResponse:
		return protocol.IsResponse
	}
	return protocol.IsRequest
}

// short judges a cut header.
func short(b []byte) protocol.Verdict {
	for i, c := range b {
		isOdd := false
		switch i {
		case 0:
			isOdd = c&^isResponse < 3 || c&^isResponse > 5
		case 1:
			isOdd = c > knownFlags
		case 4:
			isOdd = c > opAuthSuccess
		case 5:
			isOdd = c > maxFrame>>24
		}
		if isOdd {
			return protocol.No
		}
	}
	return protocol.Maybe
}

// isBody checks the start of a body; isSure: it says enough to believe in it.
func isBody(f *frame, b []byte, isWhole bool) (ok, isSure bool) {
	r := reader{b: b}
	ok, isSure = looksLike(f, &r, isWhole)
	if r.isBroken && !isWhole && !isSure { // too short to tell
		return true, false
	}
	return ok, isSure
}

// looksLike reads the start of a body.
func looksLike(f *frame, r *reader, isWhole bool) (ok, isSure bool) {
	const enough = 16
	b := r.b
	if f.flags&flagCompressed != 0 {
		return isWhole && f.opcode != opStartup, isWhole && f.version < 5 && isCompressed(f, b)
	}
	if f.flags&flagPayload != 0 && f.version == 3 {
		return false, false
	}
	r.prefix(f)
	left := len(r.b)
	switch f.opcode {
	case opOptions:
		return true, f.flags == 0
	case opStartup:
		const most = 16
		n, key := r.short(), r.string()
		ok = n > 0 && n <= most && isUpper(key)
		return ok || r.isBroken && !isWhole, ok
	case opQuery, opPrepare:
		n := r.int()
		ok = n > 0 && uint32(n)+4 <= f.length && isText(r.b[:min(n, len(r.b))]) && isStatement(r.b[:min(n, len(r.b))])
		return ok, ok && (len(r.b) >= enough || isWhole)
	case opExecute:
		const md5, maxConsistency = 16, 10
		n := len(r.string())
		ok = n == md5 && uint32(n)+2 <= f.length || r.isBroken
		next := r.short() // version 5: the length of another id
		return ok, ok && left > enough && (next <= maxConsistency || f.version == 5 && next == md5) && !r.isBroken
	case opBatch:
		kind, n, prepared := r.byte(), r.short(), r.byte()
		return kind <= 2 && n > 0 && prepared <= 1 && isWhole, isWhole
	case opRegister, opAuthenticate:
		const few = 200
		return f.length < few, false // a name and nothing else
	case opEvent:
		name := r.string()
		return isUpper(name), isUpper(name)
	case opError:
		_, known := errorCodes[r.int()]
		text := r.string()
		return known && (isText(text) || r.isBroken), known && (isWhole || len(r.b) >= enough)
	case opResult:
		kind := r.int()
		ok = kind >= 1 && kind <= 5 && (kind != 1 || !isWhole || left == 4)
		return ok, ok && f.length < 1<<20 && isResult(kind, r)
	case opSupported:
		n, key := r.short(), r.string()
		return n > 0 && (isUpper(key) || r.isBroken), isUpper(key)
	case opReady:
		return true, false
	}
	return isWhole, false
}

// isResult looks behind the kind of a result.
func isResult(kind int, r *reader) bool {
	const knownMeta, most = 0x0f, 4096
	switch kind {
	case resultVoid:
		return len(r.b) == 0
	case resultRows:
		flags, columns := r.int(), r.int()
		return !r.isBroken && flags >= 0 && flags <= knownMeta && columns >= 0 && columns < most
	case resultKeyspace:
		return isText(r.string()) && !r.isBroken
	case resultPrepared:
		return r.short() == 16
	}
	return isUpper(r.string())
}

// isCompressed checks what the formats say of the size.
func isCompressed(f *frame, b []byte) bool {
	p := parser{}
	out, isWhole := p.expand(b)
	plain := *f
	plain.flags &^= flagCompressed
	plain.length = uint32(len(out))
	_, isSure := isBody(&plain, out, true)
	return isWhole && isSure
}

func isUpper(b []byte) bool {
	for _, c := range b {
		if (c < 'A' || c > 'Z') && c != '_' {
			return false
		}
	}
	return len(b) > 2
}

// isStatement accepts the verbs of CQL that begin most statements.
func isStatement(b []byte) bool {
	const few = 10 // letters
	return len(b) < few || sqltext.Begins(sqltext.PostgreSQL, b) || isList(b)
}

// isText accepts what a statement is made of.
func isText(b []byte) bool {
	for _, c := range b {
		if c < ' ' && c != '\t' && c != '\n' && c != '\r' || c == 0x7f {
			return false
		}
	}
	return bytes.IndexByte(b, 0) < 0 && len(b) > 0
}
