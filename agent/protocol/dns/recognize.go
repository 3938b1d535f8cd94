package dns

import (
	"bytes"
	"encoding/binary"

	"github.com/sonde-dev/sonde/agent/protocol"
)

const lengthBytes = 2 // before each message over TCP, RFC 1035 §4.2.2

// recognizeStream judges the start of a call on a TCP connection.
func recognizeStream(b []byte) protocol.Verdict {
	if len(b) < lengthBytes {
		if len(b) == 1 && b[0] <= largestFirst>>8 {
			return protocol.Maybe
		}
		return protocol.No
	}
	n := int(binary.BigEndian.Uint16(b))
	if n < smallestQuery {
		return protocol.No
	}
	if len(b) < lengthBytes+3 && n > largestFirst {
		return protocol.No // too little is there to believe in so long a message
	}
	rest := b[lengthBytes:]
	return recognizeMessage(rest[:min(n, len(rest))], n)
}

// largestFirst is more than a query takes: header, the longest name, an OPT record with a cookie and a subnet.
const largestFirst = 1024

// recognizeMessage judges a message of n bytes of which b has the first. All that is there must be right, and a whole message must end where its
// records end. Maybe means that not even the question is there.
func recognizeMessage(b []byte, n int) protocol.Verdict {
	if n < smallestQuery {
		return protocol.No
	}
	if !mayBeHeader(b) {
		return protocol.No
	}
	h, ok := readHeader(b)
	if !ok {
		return protocol.Maybe
	}
	q, end, ok := readQuestion(b)
	switch {
	case !ok && q.isTruncated && len(b) < n && isPrintable(b[headerBytes:]):
		return protocol.Maybe
	case !ok || end > n || !isPrintable(q.name) || !mayBeAsked(q.qtype) || !isKnownClass(q.class):
		return protocol.No
	case isMulticast(h, q.name):
		return protocol.No
	}
	for range int(h.answers) + int(h.authorities) + int(h.more) {
		var isCut bool
		if _, end, ok, isCut = readRecord(b, end); !ok {
			if isCut && (len(b) < n || h.isResponse()) {
				break // the copy ends here
			}
			return protocol.No
		}
	}
	if ok && end != n {
		return protocol.No
	}
	if h.isResponse() {
		return protocol.IsResponse
	}
	return protocol.IsRequest
}

// mayBeHeader checks as much of a header as is there.
func mayBeHeader(b []byte) bool {
	var whole [headerBytes]byte
	whole[5] = 1 // what is not there is taken for right
	copy(whole[:], b)
	h, _ := readHeader(whole[:])
	if h.opcode() != opcodeQuery || h.flags&flagZero != 0 || h.questions != 1 {
		return false
	}
	const (
		flagAuthoritative      = 1 << 10
		flagRecursionAvailable = 1 << 7
		maxMore                = 2 // OPT and TSIG
	)
	if h.isResponse() {
		return h.flags&rcodeMask <= rcodeNotZone && h.more < 1024 && h.answers < 4096 && h.authorities < 1024
	}
	return h.flags&(flagAuthoritative|flagTruncated|flagRecursionAvailable|rcodeMask) == 0 &&
		h.answers == 0 && h.authorities == 0 && h.more <= maxMore
}

// isPrintable reports whether a name, or the start of one, is of labels as names have them.
func isPrintable(name []byte) bool {
	for at := 0; at < len(name) && name[at] != 0; {
		label := name[at+1 : min(len(name), at+1+int(name[at]))]
		for _, c := range label {
			if c <= ' ' || c >= 0x7f {
				return false
			}
		}
		at += 1 + int(name[at])
	}
	return true
}

// isMulticast recognises what multicast DNS sends to its own port: id zero (RFC 6762 §18.1) for a name below "local".
func isMulticast(h header, name []byte) bool {
	return h.id == 0 && bytes.HasSuffix(bytes.ToLower(name), []byte("\x05local\x00")) &&
		!bytes.HasSuffix(bytes.ToLower(name), []byte("\x07cluster\x05local\x00"))
}
