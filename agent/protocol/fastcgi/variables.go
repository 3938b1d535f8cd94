package fastcgi

import "bytes"

// Bounds of what is kept: a path as http1 keeps it, a name of DNS (RFC 1035 §2.3.4), the longest name of a variable that is looked at.
const (
	maxPath = 1024
	maxName = 14
)

// variables reads the name-value pairs of FCGI_PARAMS (§3.4): two lengths, each of one byte or, with the high bit, of four, then name
// and value. Pairs may be cut anywhere, by records too.
type variables struct {
	step    uint8 // 0: length of the name, 1: length of the value, 2: name, 3: value
	have    uint8 // bytes of a length of four
	long    uint32
	nameLen uint32
	valLen  uint32
	left    uint32
	name    [maxName]byte
	n       int
	buf     []byte // the value, if it matters
	which   variable

	method, path, script, host string
	isLost                     bool
}

// variable is one that matters.
type variable uint8

const (
	noVariable variable = iota
	requestMethod
	requestURI
	scriptName
	httpHost
)

func variableOf(name []byte) variable {
	switch string(name) {
	case "REQUEST_METHOD":
		return requestMethod
	case "REQUEST_URI":
		return requestURI
	case "SCRIPT_NAME":
		return scriptName
	case "HTTP_HOST":
		return httpHost
	}
	return noVariable
}

// read takes content of FCGI_PARAMS records.
func (v *variables) read(b []byte, last *names) {
	for len(b) > 0 {
		if v.step < 2 {
			n, ok := v.length(b[0])
			b = b[1:]
			if !ok {
				continue
			}
			if v.step == 0 {
				v.nameLen = n
			} else {
				v.valLen, v.left, v.n = n, v.nameLen, 0
			}
			v.step++
			v.advance(last)
			continue
		}
		n := int(min(uint32(len(b)), v.left))
		if v.step == 2 {
			v.n += copy(v.name[min(v.n, maxName):], b[:n])
		} else if v.which != noVariable {
			v.buf = append(v.buf, b[:min(n, maxPath-len(v.buf))]...)
		}
		v.left -= uint32(n)
		b = b[n:]
		v.advance(last)
	}
}

// length takes a byte of a length; ok is false while more are missing.
func (v *variables) length(c byte) (n uint32, ok bool) {
	if v.have == 0 {
		if c < 0x80 {
			return uint32(c), true
		}
		v.long, v.have = uint32(c&0x7f), 1
		return 0, false
	}
	v.long = v.long<<8 | uint32(c)
	v.have++
	if v.have < 4 {
		return 0, false
	}
	v.have = 0
	return v.long, true
}

// advance goes on to the value, and to the next pair, where nothing is left.
func (v *variables) advance(last *names) {
	if v.step == 2 && v.left == 0 {
		v.which = noVariable
		if v.nameLen <= maxName {
			v.which = variableOf(v.name[:v.n])
		}
		v.step, v.left, v.buf = 3, v.valLen, v.buf[:0]
	}
	if v.step == 3 && v.left == 0 {
		v.take(last)
		v.step = 0
	}
}

// skip says that n bytes are missing. Inside a value that does not matter they cost nothing.
func (v *variables) skip(n uint32) {
	if v.step == 3 && v.which == noVariable && n < v.left {
		v.left -= n
		return
	}
	v.isLost = true
}

// take keeps a whole value.
func (v *variables) take(last *names) {
	b := v.buf
	switch v.which {
	case requestMethod:
		v.method = methodName(b)
	case requestURI: // never the query
		if i := bytes.IndexAny(b, "?#"); i >= 0 {
			b = b[:i]
		}
		v.path = last.pathOf(b)
	case scriptName:
		v.script = last.scriptOf(b)
	case httpHost:
		v.host = last.hostOf(hostName(b))
	}
}

// hostName returns a host without its port and the brackets of IPv6.
func hostName(b []byte) []byte {
	if len(b) > 0 && b[0] == '[' {
		if i := bytes.IndexByte(b, ']'); i > 0 {
			return b[1:i]
		}
	}
	if i := bytes.IndexByte(b, ':'); i >= 0 {
		b = b[:i]
	}
	return b[:min(len(b), 255)]
}

// methods are those of RFC 9110 §9 and PATCH.
var methods = [...]string{"GET", "POST", "HEAD", "PUT", "DELETE", "PATCH", "OPTIONS", "CONNECT", "TRACE"}

// methodName returns OpenTelemetry's value for others.
func methodName(b []byte) string {
	for _, m := range methods {
		if string(b) == m {
			return m
		}
	}
	return "_OTHER"
}
