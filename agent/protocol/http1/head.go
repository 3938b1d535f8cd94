package http1

import "bytes"

// head is what one pass over the start of a message finds.
type head struct {
	raw    []byte // as far as it is there
	line   []byte // the first line without its LF; nil when it is cut
	fields fields
}

// scan reads a head and returns its length with the blank line that ends it, or -1.
func (h *head) scan(b []byte) int {
	h.raw = b
	nl := bytes.IndexByte(b, '\n')
	if nl < 0 {
		return -1
	}
	h.line = b[:nl]
	n := h.fields.scan(b[nl+1:])
	if n < 0 {
		return -1
	}
	h.raw = b[:nl+1+n]
	return nl + 1 + n
}

// headEnd returns the index after the blank line that ends a head, looking from index from on, or -1. A bare LF ends a line too
// (RFC 9112 §2.2).
func headEnd(b []byte, from int) int {
	for from < len(b) {
		i := bytes.IndexByte(b[from:], '\n')
		if i < 0 {
			return -1
		}
		from += i + 1
		if from < len(b) && b[from] == '\n' {
			return from + 1
		}
		if from+1 < len(b) && b[from] == '\r' && b[from+1] == '\n' {
			return from + 2
		}
	}
	return -1
}

// requestLine is a parsed "method SP target SP version"; target points into the input.
type requestLine struct {
	method string
	target []byte
	minor  byte // the digit after "HTTP/1."
}

// parseRequestLine parses a line given without its LF.
func parseRequestLine(line []byte) (requestLine, bool) {
	const version = " HTTP/1.d"
	line = trimCR(line)
	sp := bytes.IndexByte(line[:min(len(line), maxMethod+1)], ' ')
	at := len(line) - len(version)
	if sp <= 0 || at <= sp+1 || string(line[at:len(line)-1]) != version[:len(version)-1] || !isDigit(line[len(line)-1]) {
		return requestLine{}, false
	}
	method, known := knownMethod(line[:sp])
	if !known {
		for _, c := range line[:sp] {
			if !isToken(c) {
				return requestLine{}, false
			}
		}
		method = otherMethod
	}
	target := line[sp+1 : at]
	for _, c := range target {
		if c <= ' ' || c == 0x7f {
			return requestLine{}, false
		}
	}
	return requestLine{method: method, target: target, minor: line[len(line)-1]}, true
}

// parseStatusLine parses "HTTP/1.x ddd[ reason]", given without its LF.
func parseStatusLine(line []byte) (code int, minor byte, ok bool) {
	const digits = len("HTTP/1.1 ")
	line = trimCR(line)
	if len(line) < digits+3 || string(line[:7]) != "HTTP/1." || !isDigit(line[7]) || line[8] != ' ' {
		return 0, 0, false
	}
	for _, c := range line[digits : digits+3] {
		if !isDigit(c) {
			return 0, 0, false
		}
		code = code*10 + int(c-'0')
	}
	if len(line) > digits+3 && line[digits+3] != ' ' || code < 100 {
		return 0, 0, false
	}
	return code, line[7], true
}

func trimCR(line []byte) []byte {
	if n := len(line); n > 0 && line[n-1] == '\r' {
		return line[:n-1]
	}
	return line
}
