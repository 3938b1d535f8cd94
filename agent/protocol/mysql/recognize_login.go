package mysql

import (
	"bytes"
	"encoding/binary"

	"github.com/sonde-dev/sonde/agent/protocol"
)

// loginFlags is the size of what is fixed in HandshakeResponse41: flags, longest packet, character set, 23 bytes that are not used.
const loginFlags = 4 + 4 + 1 + 23

// recognizeLogin wants Protocol::HandshakeResponse41 as it begins the plain text inside TLS; the greeting came before TLS, and so it has
// number 2: a packet as long as the call, flags with CLIENT_PROTOCOL_41 and CLIENT_SSL, unused bytes that are 0 (MariaDB
// has flags in the last 4), a user that ends with NUL. Servers may read the header first.
func recognizeLogin(b []byte) protocol.Verdict {
	const least, most = loginFlags + 2, maxLogin
	if len(b) < headerSize || b[3] != 2 {
		return protocol.No
	}
	n := int(b[0]) | int(b[1])<<8 | int(b[2])<<16
	body := b[headerSize:]
	switch {
	case n < least || n > most || len(body) > n:
		return protocol.No
	case len(body) < 4:
		return protocol.Maybe
	}
	const need = capProtocol41 | capSSL
	if binary.LittleEndian.Uint32(body)&need != need {
		return protocol.No
	}
	if len(body) < n {
		return protocol.Maybe
	}
	unused := body[9 : loginFlags-4]
	if bytes.Count(unused, []byte{0}) != len(unused) || body[8] == 0 || bytes.IndexByte(body[loginFlags:], 0) < 0 {
		return protocol.No
	}
	return protocol.IsRequest
}
