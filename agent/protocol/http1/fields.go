package http1

import "bytes"

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

// parseFields reads the lines of a head after its first; b may end anywhere. Only three names are looked at.
func parseFields(b []byte) (f fields) {
	const (
		none = iota
		host
		length
		coding
	)
	kind := none
	for len(b) > 0 {
		nl := bytes.IndexByte(b, '\n')
		if nl < 0 {
			return f // cut: the value may be incomplete
		}
		line := b[:nl]
		b = b[nl+1:]
		value := line
		if len(line) == 0 || line[0] != ' ' && line[0] != '\t' { // otherwise obs-fold, RFC 9112 §5.2: goes on with the field before
			kind = none
			if len(line) == 0 || !isWanted(line[0]) {
				continue
			}
			colon := bytes.IndexByte(line, ':')
			if colon < 0 {
				continue
			}
			name := trimSpace(line[:colon])
			switch len(name) {
			case len("host"):
				if equalFold(name, "host") {
					kind = host
				}
			case len("content-length"):
				if equalFold(name, "content-length") {
					kind = length
				}
			case len("transfer-encoding"):
				if equalFold(name, "transfer-encoding") {
					kind = coding
				}
			}
			value = line[colon+1:]
		}
		switch kind {
		case host:
			if v := trimSpace(value); len(v) > 0 {
				f.host = v
			}
		case length:
			f.addLength(trimSpace(value))
		case coding:
			f.addCoding(trimSpace(value))
		}
	}
	return f
}

// isWanted reports whether one of the three names begins with c.
func isWanted(c byte) bool { c |= 0x20; return c == 'h' || c == 'c' || c == 't' }

// addLength accepts a number or a list of equal numbers (RFC 9112 §6.3 item 5).
func (f *fields) addLength(v []byte) {
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
		if len(item) == 0 || equalFold(item, "identity") { // identity: RFC 2616 §3.6, still sent
			continue
		}
		f.hasCoding = true
		f.isChunked = equalFold(item, "chunked")
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
