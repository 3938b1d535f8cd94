package http1

import "strconv"

// otherMethod is OpenTelemetry's value for a method outside the known list.
const otherMethod = "_OTHER"

// maxKnownMethod is the length of the longest of them, BASELINE-CONTROL.
const maxKnownMethod = 16

// maxMethod bounds an unknown method; the longest registered with IANA (UPDATEREDIRECTREF) has 17 bytes.
const maxMethod = 32

// methods are those of RFC 9110 §9, RFC 5789 (PATCH) and WebDAV (RFC 4918, 3253, 3648, 3744, 4791, 5323, 5842), the
// frequent ones first.
var methods = [...]string{
	"GET", "POST", "PUT", "HEAD", "DELETE", "PATCH", "OPTIONS", "CONNECT", "TRACE",
	"PROPFIND", "PROPPATCH", "MKCOL", "COPY", "MOVE", "LOCK", "UNLOCK", "REPORT", "SEARCH", "MKCALENDAR", "ACL",
	"VERSION-CONTROL", "CHECKOUT", "CHECKIN", "UNCHECKOUT", "MKWORKSPACE", "UPDATE", "LABEL", "MERGE",
	"BASELINE-CONTROL", "MKACTIVITY", "ORDERPATCH", "BIND", "UNBIND", "REBIND",
}

// knownMethod returns the constant equal to b.
func knownMethod(b []byte) (string, bool) {
	for _, m := range methods {
		if string(b) == m {
			return m, true
		}
	}
	return "", false
}

// isMethodPrefix reports whether a known method may begin with b.
func isMethodPrefix(b []byte) bool {
	for _, m := range methods {
		if len(b) <= len(m) && string(b) == m[:len(b)] {
			return true
		}
	}
	return false
}

// statusNames[c-100] is the decimal text of status code c, so that a response needs no allocation.
var statusNames = func() (names [500]string) {
	for i := range names {
		names[i] = strconv.Itoa(100 + i)
	}
	return names
}()

func statusName(code int) string {
	if i := code - 100; i >= 0 && i < len(statusNames) {
		return statusNames[i]
	}
	return strconv.Itoa(code)
}

func isDigit(c byte) bool { return c-'0' <= 9 }

func isAlphanumeric(c byte) bool { return isDigit(c) || (c|0x20)-'a' <= 'z'-'a' }

// isToken reports whether c may be part of a method or field name (tchar of RFC 9110 §5.6.2).
func isToken(c byte) bool {
	if isAlphanumeric(c) {
		return true
	}
	switch c {
	case '!', '#', '$', '%', '&', '\'', '*', '+', '-', '.', '^', '_', '`', '|', '~':
		return true
	}
	return false
}

func trimSpace(b []byte) []byte {
	for len(b) > 0 && (b[0] == ' ' || b[0] == '\t') {
		b = b[1:]
	}
	for len(b) > 0 && (b[len(b)-1] == ' ' || b[len(b)-1] == '\t' || b[len(b)-1] == '\r') {
		b = b[:len(b)-1]
	}
	return b
}
