package http1

import (
	"bytes"

	"github.com/sonde-dev/sonde/agent/protocol/internal/ascii"
)

// framing says where the body of a message ends (RFC 9112 §6.3).
type framing uint8

const (
	noBody     framing = iota
	fixed              // Content-Length
	chunked            // Transfer-Encoding ends in chunked
	untilClose         // a response with neither
	unknown            // the head is cut or contradicts itself
)

// fields are what the header section says of the body and of the host.
type fields struct {
	host        []byte
	length      uint64
	hasLength   bool
	hasCoding   bool // Transfer-Encoding other than identity
	isChunked   bool // its last coding is chunked
	isConflicts bool // two different lengths, or one that is no number
}

// field names one that matters here; noField any other.
type field uint8

const (
	noField field = iota
	host
	contentLength
	transferEncoding
)

// scan reads the lines of a head after its first, up to and with the blank line that ends it, and returns their length; -1 when
// there is no blank line. The last line is left out then: its value may be incomplete.
func (f *fields) scan(b []byte) int {
	in := noField
	for rest := b; ; {
		nl := bytes.IndexByte(rest, '\n')
		if nl < 0 {
			return -1
		}
		line := rest[:nl]
		rest = rest[nl+1:]
		if len(line) == 0 || len(line) == 1 && line[0] == '\r' {
			return len(b) - len(rest)
		}
		value := line
		switch line[0] {
		case ' ', '\t': // obs-fold, RFC 9112 §5.2: goes on with the field before
		case 'h', 'H':
			in, value = splitField(line, "host", host)
		case 'c', 'C':
			in, value = splitField(line, "content-length", contentLength)
		case 't', 'T':
			in, value = splitField(line, "transfer-encoding", transferEncoding)
		default:
			in = noField
		}
		if in != noField {
			f.add(in, trimSpace(value))
		}
	}
}

// splitField returns f and its value if the line has that name. The byte behind the name is looked at first: it alone
// dismisses most lines.
func splitField(line []byte, name string, f field) (field, []byte) {
	if len(line) <= len(name) {
		return noField, nil
	}
	rest := line[len(name):]
	if c := rest[0]; c != ':' { // space before the colon: RFC 9112 §5.1 forbids it, some take it
		if c > ' ' {
			return noField, nil
		}
		if rest = bytes.TrimLeft(rest, " \t\r"); len(rest) == 0 || rest[0] != ':' {
			return noField, nil
		}
	}
	if !ascii.EqualFold(line[:len(name)], name) {
		return noField, nil
	}
	return f, rest[1:]
}

func (f *fields) add(in field, value []byte) {
	switch in {
	case host:
		if len(value) > 0 {
			f.host = value
		}
	case contentLength:
		f.addLength(value)
	case transferEncoding:
		f.addCoding(value)
	}
}

// addLength accepts a number or a list of equal numbers (RFC 9112 §6.3 item 5).
func (f *fields) addLength(v []byte) {
	if n, ok := parseDecimal(v); ok && !f.hasLength {
		f.length, f.hasLength = n, true
		return
	}
	for len(v) > 0 {
		item := v
		if i := bytes.IndexByte(v, ','); i >= 0 {
			item, v = v[:i], v[i+1:]
		} else {
			v = nil
		}
		n, ok := parseDecimal(trimSpace(item))
		if !ok || f.hasLength && n != f.length {
			f.isConflicts = true
			return
		}
		f.length, f.hasLength = n, true
	}
}

func (f *fields) addCoding(v []byte) {
	for len(v) > 0 {
		item := v
		if i := bytes.IndexByte(v, ','); i >= 0 {
			item, v = v[:i], v[i+1:]
		} else {
			v = nil
		}
		if i := bytes.IndexByte(item, ';'); i >= 0 {
			item = item[:i]
		}
		item = trimSpace(item)
		if len(item) == 0 || ascii.EqualFold(item, "identity") { // identity: RFC 2616 §3.6, still sent
			continue
		}
		f.hasCoding = true
		f.isChunked = ascii.EqualFold(item, "chunked")
	}
}

// requestFraming applies RFC 9112 §6.3 to a request.
func (f *fields) requestFraming() framing {
	switch {
	case f.isChunked:
		return chunked
	case f.hasCoding, f.isConflicts:
		return unknown
	case f.hasLength && f.length > 0:
		return fixed
	}
	return noBody
}

// responseFraming applies it to a final response.
func (f *fields) responseFraming(code int, toHead bool) framing {
	switch {
	case toHead, code < 200, code == 204, code == 304: // no body even with Content-Length
		return noBody
	case f.isChunked:
		return chunked
	case f.hasCoding:
		return untilClose
	case f.isConflicts:
		return unknown
	case f.hasLength && f.length == 0:
		return noBody
	case f.hasLength:
		return fixed
	}
	return untilClose
}

// parseDecimal refuses what would not fit a signed 64-bit size: 18 digits always do.
func parseDecimal(b []byte) (n uint64, ok bool) {
	for _, c := range b {
		if !isDigit(c) {
			return 0, false
		}
		if n > 1e17 {
			return 0, false
		}
		n = n*10 + uint64(c-'0')
	}
	return n, len(b) > 0
}
