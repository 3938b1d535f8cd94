package fastcgi

import (
	"bytes"

	"github.com/sonde-dev/sonde/agent/protocol"
)

// output reads the head of a response of CGI (RFC 3875 §6): fields up to an empty line, among them perhaps Status. Only the beginning of each line
// is kept.
type output struct {
	line       [16]byte
	n          int
	size       int // of the line
	isDone     bool
	isLost     bool
	status     int
	isRedirect bool // Location without Status means 302, §6.2.3
	body       uint64
}

// read takes content of FCGI_STDOUT records. It reports whether the head has ended with it.
func (o *output) read(b []byte) (ended bool) {
	for len(b) > 0 && !o.isDone && !o.isLost {
		n := bytes.IndexByte(b, '\n') + 1
		isEnd := n > 0
		if !isEnd {
			n = len(b)
		}
		o.n += copy(o.line[o.n:], b[:n])
		o.size += n
		b = b[n:]
		if isEnd {
			o.takeLine()
			ended = o.isDone
		}
	}
	o.body += uint64(len(b))
	return ended
}

func (o *output) takeLine() {
	line := bytes.TrimRight(o.line[:o.n], "\r\n")
	if o.size <= 2 && len(line) == 0 {
		o.isDone = true
	}
	o.n, o.size = 0, 0
	i := bytes.IndexByte(line, ':')
	if i < 0 {
		return
	}
	switch name := line[:i]; {
	case bytes.EqualFold(name, []byte("Status")):
		code := bytes.TrimLeft(line[i+1:], " \t")
		if len(code) >= 3 && isDigit(code[0]) && isDigit(code[1]) && isDigit(code[2]) && code[0] != '0' {
			o.status = int(code[0]-'0')*100 + int(code[1]-'0')*10 + int(code[2]-'0')
		}
	case bytes.EqualFold(name, []byte("Location")):
		o.isRedirect = true
	}
}

func isDigit(c byte) bool { return c-'0' <= 9 }

// skip says that n bytes are missing.
func (o *output) skip(n uint64) {
	if !o.isDone {
		o.isLost = true
	}
	o.body += n
}

// response says what the head means.
func (o *output) response() protocol.Response {
	code := o.status
	switch {
	case code == 0 && o.isRedirect:
		code = 302
	case code == 0: // RFC 3875 §6.3.3
		code = 200
	}
	r := protocol.Response{Status: statusName(code)}
	if code >= 400 {
		r.ClientError = r.Status
	}
	if code >= 500 {
		r.ServerError = r.Status
	}
	return r
}

var statusNames = func() (names [900]string) {
	for i := range names {
		names[i] = string([]byte{byte('1' + i/100), byte('0' + i/10%10), byte('0' + i%10)})
	}
	return names
}()

// statusName takes codes of three digits.
func statusName(code int) string { return statusNames[code-100] }

// protocolStatus names what FCGI_END_REQUEST says instead of FCGI_REQUEST_COMPLETE (§5.5).
func protocolStatus(c byte) string {
	switch c {
	case 1:
		return "CANT_MPX_CONN"
	case 2:
		return "OVERLOADED"
	case 3:
		return "UNKNOWN_ROLE"
	}
	return "_OTHER"
}
