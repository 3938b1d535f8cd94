package mysql

import (
	"bytes"
	"encoding/binary"

	"github.com/sonde-dev/sonde/agent/protocol"
	"github.com/sonde-dev/sonde/signal"
)

// greeting reads Protocol::HandshakeV10.
func (p *parser) greeting(t packet) {
	p.phase = login
	if len(t.b) < 2 || t.b[0] != protocolVersion {
		return
	}
	version, rest, _ := bytes.Cut(t.b[1:], []byte{0})
	// "5.5.5-10.11.6-MariaDB": the prefix is for replication; newer ones do without the name, and leave out CLIENT_MYSQL instead
	p.isMariaDB = bytes.Contains(version, []byte("MariaDB")) || len(rest) > 14 && rest[13]&1 == 0
	p.describe()
}

// login reads Protocol::HandshakeResponse41: the flags, and the database. It keeps nothing else.
func (p *parser) login(t packet, sink protocol.Sink) {
	p.phase = auth
	b := t.b
	if len(b) < loginFlags {
		return
	}
	caps := binary.LittleEndian.Uint32(b)
	if caps&capProtocol41 == 0 {
		return
	}
	if caps&capSSL != 0 && t.size == loginFlags {
		p.isOpaque = true
		sink.Opaque()
		return
	}
	if p.attrs == nil && caps&capLongPassword == 0 { // inside TLS, where the greeting was not seen: left out by MariaDB's clients
		p.isMariaDB = true
		p.describe()
	}
	p.willDeflate = caps&capCompress != 0
	if caps&capZstd != 0 && !p.willDeflate && !p.isMariaDB {
		sink.Lost(signal.ParserGaveUp, 1)
		p.isOpaque = true
		sink.Opaque()
		return
	}
	p.eof = eofSent
	if caps&capDeprecateEOF != 0 {
		p.eof = eofDeprecated
	}
	if caps&capConnectWithDB == 0 {
		return
	}
	_, b, ok := bytes.Cut(b[loginFlags:], []byte{0}) // the user
	switch {
	case !ok:
		return
	case caps&capLenencAuth != 0:
		b, ok = skipString(b)
	case caps&capSecure != 0:
		if ok = len(b) > int(b[0]); ok {
			b = b[1+int(b[0]):]
		}
	default:
		_, b, ok = bytes.Cut(b, []byte{0})
	}
	if name, _, ended := bytes.Cut(b, []byte{0}); ok && ended && len(name) <= maxDatabase {
		p.database = string(name)
		p.describe()
	}
}

// loggedIn waits for OK or ERR.
func (p *parser) loggedIn(t packet) {
	if len(t.b) == 0 || t.b[0] != headOK {
		return
	}
	p.phase = running
	if _, _, status, ok := readOK(t.b); ok {
		p.learn(status)
	}
	if p.willDeflate {
		p.zipped = new([2]outer)
	}
}

// describe makes the attributes anew.
func (p *parser) describe() {
	p.attrs = nil
	if p.isMariaDB {
		p.attrs = append(p.attrs, protocol.Attribute{Key: "db.system.name", Value: "mariadb"})
	}
	if p.database != "" {
		p.attrs = append(p.attrs, protocol.Attribute{Key: "db.namespace", Value: p.database})
	}
}
