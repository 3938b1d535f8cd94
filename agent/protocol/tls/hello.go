package tls

import (
	"bytes"

	"github.com/sonde-dev/sonde/agent/protocol"
)

// Extensions, RFC 8446 §4.2, RFC 6066 §3, RFC 7301.
const (
	extServerName        = 0
	extALPN              = 16
	extSupportedVersions = 43
)

// helloBytes is how much of a ClientHello is checked before it is believed: up to the session id.
const helloBytes = headerBytes + 4 + 2 + 32 + 1

// recognize judges the first bytes of a call.
func recognize(b []byte) protocol.Verdict {
	if len(b) == 0 {
		return protocol.Maybe
	}
	if b[0] != typeHandshake && b[0] != typeData || len(b) > 1 && b[1] != 3 || len(b) > 2 && b[2] > 4 {
		return protocol.No
	}
	if len(b) < headerBytes {
		return protocol.Maybe
	}
	h, ok := parseHeader(b)
	switch {
	case !ok:
		return protocol.No
	case h.kind == typeHandshake:
		return recognizeHello(b, h)
	case h.kind == typeData && h.n >= minSealed:
		return recognizeSealed(b)
	}
	return protocol.No
}

// recognizeHello wants a ClientHello at the start of a record.
func recognizeHello(b []byte, h header) protocol.Verdict {
	const smallest = 4 + 2 + 32 + 1 + 2 + 2 + 1 + 1 // RFC 8446 §4.1.2: one cipher suite, one compression method
	if h.n < smallest {
		return protocol.No
	}
	if len(b) < helloBytes {
		if len(b) > headerBytes && b[headerBytes] != msgClientHello {
			return protocol.No
		}
		return protocol.Maybe
	}
	r := reader{b: b[headerBytes:]}
	if r.number(1) != msgClientHello || r.number(3)+4 < h.n || r.number(1) != 3 || r.number(1) > 3 {
		return protocol.No // the version is at most 1.2 here, RFC 8446 §4.1.2
	}
	r.take(32)
	if len(r.vector(1)) > 32 {
		return protocol.No
	}
	if r.isShort {
		return protocol.Maybe
	}
	if len(r.b) < 2 {
		return protocol.Maybe
	}
	n := r.number(2)
	if n < 2 || n%2 != 0 || n > h.n {
		return protocol.No
	}
	r.take(n)
	compressions := r.vector(1)
	switch {
	case r.isShort:
		return protocol.Maybe
	case len(compressions) > 4 || !bytes.Contains(compressions, []byte{0}): // all must offer none, RFC 5246 §7.4.1.2
		return protocol.No
	}
	return protocol.IsRequest
}

// recognizeSealed wants a call of whole records of encrypted data: 40 bits that cannot be there by chance.
func recognizeSealed(b []byte) protocol.Verdict {
	for rest := b; ; {
		if len(rest) == 0 {
			return protocol.IsRequest
		}
		if len(rest) < headerBytes {
			return protocol.No
		}
		h, ok := parseHeader(rest)
		if !ok || h.kind != typeData || rest[2] != 3 || h.n < minSealed {
			return protocol.No
		}
		if len(rest) == headerBytes && len(b) == headerBytes {
			return protocol.Maybe // a library that reads headers by themselves
		}
		if len(rest) < headerBytes+h.n {
			return protocol.No
		}
		rest = rest[headerBytes+h.n:]
	}
}

// clientHello is what matters of one.
type clientHello struct {
	name string
	alpn string // what the client offers first
}

// parseClientHello reads a whole handshake message without its header, RFC 8446 §4.1.2.
func parseClientHello(b []byte) (h clientHello, ok bool) {
	r := reader{b: b}
	r.take(2 + 32)
	r.vector(1) // session
	r.vector(2) // cipher suites
	r.vector(1) // compression
	if r.isShort {
		return h, false
	}
	if len(r.b) == 0 {
		return h, true // TLS 1.2 may have no extensions
	}
	extensions(r.vector(2), func(kind int, r reader) {
		switch kind {
		case extServerName:
			list := reader{b: r.vector(2)}
			if list.number(1) == 0 { // host_name
				h.name = printable(list.vector(2))
			}
		case extALPN:
			list := reader{b: r.vector(2)}
			h.alpn = printable(list.vector(1))
		}
	})
	return h, true
}

// serverHello is what matters of one.
type serverHello struct {
	version int
	alpn    string // TLS 1.2; later it is encrypted
	isRetry bool
}

// retryRandom marks a HelloRetryRequest, RFC 8446 §4.1.3.
var retryRandom = []byte("\xcf\x21\xad\x74\xe5\x9a\x61\x11\xbe\x1d\x8c\x02\x1e\x65\xb8\x91\xc2\xa2\x11\x16\x7a\xbb\x8c\x5e\x07\x9e\x09\xe2\xc8\xa8\x33\x9c")

func parseServerHello(b []byte) (h serverHello, ok bool) {
	r := reader{b: b}
	h.version = r.number(2)
	h.isRetry = bytes.Equal(r.take(32), retryRandom)
	r.vector(1) // session
	r.take(2 + 1)
	if r.isShort {
		return h, false
	}
	if len(r.b) > 0 {
		extensions(r.vector(2), func(kind int, r reader) {
			switch kind {
			case extSupportedVersions:
				h.version = r.number(2)
			case extALPN:
				list := reader{b: r.vector(2)}
				h.alpn = printable(list.vector(1))
			}
		})
	}
	return h, true
}

// extensions calls f for each extension, RFC 8446 §4.2.
func extensions(b []byte, f func(kind int, r reader)) {
	for r := (reader{b: b}); len(r.b) > 0 && !r.isShort; {
		kind := r.number(2)
		if data := r.vector(2); !r.isShort {
			f(kind, reader{b: data})
		}
	}
}

// maxName: RFC 1035 §2.3.4.
const maxName = 255

// printable returns a name if it is one: visible ASCII.
func printable(b []byte) string {
	if len(b) > maxName {
		return ""
	}
	for _, c := range b {
		if c <= ' ' || c > '~' {
			return ""
		}
	}
	return string(b)
}
