package mysql

import (
	"bytes"
	"encoding/binary"

	"github.com/sonde-dev/sonde/agent/protocol"
	"github.com/sonde-dev/sonde/agent/protocol/sqltext"
	"github.com/sonde-dev/sonde/signal"
)

// phase is how far the connection is.
type phase uint8

const (
	unknown  phase = iota // nothing was seen
	greeting              // the server's greeting is to come
	login                 // the client's answer
	auth                  // what follows, up to OK or ERR
	running
)

// Capabilities ("Capability Flags").
const (
	capConnectWithDB = 1 << 3
	capCompress      = 1 << 5
	capProtocol41    = 1 << 9
	capSSL           = 1 << 11
	capSecure        = 1 << 15
	capLenencAuth    = 1 << 21
	capDeprecateEOF  = 1 << 24
	capZstd          = 1 << 26
)

// eofUse says whether EOF packets follow definitions.
type eofUse uint8

const (
	eofUnknown eofUse = iota
	eofSent
	eofDeprecated
)

// parser follows one connection.
type parser struct {
	streams     [2]stream // by protocol.Direction
	phase       phase
	isOpaque    bool
	isMariaDB   bool
	willDeflate bool // once somebody is logged in
	zipped      *[2]outer
	eof         eofUse
	dialect     sqltext.Dialect
	queue       queue
	nextID      uint64
	isSending   bool // the last entry's command goes on
	doubt

	statements map[uint32]sqltext.Statement
	lastText   sqltext.Statement // of the last COM_STMT_PREPARE
	texts      sqltext.Cache
	failures   map[failure]failureText
	database   string
	attrs      []protocol.Attribute // shared by the exchanges that got it; never changed
}

func newParser() *parser { return &parser{dialect: sqltext.MySQLNoEscapes} }

// Data implements protocol.Parser.
func (p *parser) Data(dir protocol.Direction, b []byte, sink protocol.Sink) {
	if p.phase == unknown && len(b) > 0 {
		p.start(dir, b)
	}
	if p.zipped != nil {
		p.unzip(dir, b, true, sink)
	} else {
		p.data(dir, b, true, sink)
	}
}

// start looks at the first bytes of all.
func (p *parser) start(dir protocol.Direction, b []byte) {
	switch {
	case dir == protocol.FromServer && isGreeting(b) != protocol.No:
		p.phase = greeting
	case dir == protocol.ToServer && recognizeCommand(b) == protocol.No && recognizeZipped(b) != protocol.No:
		p.phase = running
		p.zipped = new([2]outer)
	default:
		p.phase = running
	}
}

// Gap implements protocol.Parser.
func (p *parser) Gap(dir protocol.Direction, n uint32, tail []byte, sink protocol.Sink) {
	if int(n) <= len(tail) {
		p.Data(dir, tail[len(tail)-int(n):], sink)
		return
	}
	if p.phase == unknown {
		p.phase = running
	}
	if p.zipped != nil {
		p.gapZipped(dir, uint64(n), sink)
		return
	}
	p.gap(dir, uint64(n), sink)
	if s := &p.streams[dir]; s.state == lost && dir == protocol.FromServer && endsWithEOF(tail) {
		p.endAfterLoss(sink)
	}
}

// Close implements protocol.Parser.
func (p *parser) Close(protocol.Sink) { p.isOpaque = true }

// first is called with the first byte of each payload: it has the time of the call.
func (p *parser) first(dir protocol.Direction, c byte, sink protocol.Sink) {
	switch s := &p.streams[dir]; {
	case p.phase != running:
	case dir == protocol.FromServer:
		p.firstOfResponse(s.seq(), sink)
	case s.seq() == 0:
		p.firstOfCommand(c, sink)
	}
}

// fromClient reads a complete payload of the client.
func (p *parser) fromClient(t packet, sink protocol.Sink) {
	switch {
	case p.phase == login:
		p.login(t, sink)
	case p.phase != running:
	case p.isSending:
		p.command(t.b, t, sink)
	case t.seq > 0 && p.queue.len() > 0: // data of a file, or credentials of COM_CHANGE_USER
		p.queue.front().seq = t.seq + 1
	}
}

// fromServer reads a complete payload of the server.
func (p *parser) fromServer(t packet, sink protocol.Sink) {
	switch p.phase {
	case greeting:
		p.greeting(t)
	case login, auth:
		p.loggedIn(t)
	case running:
		p.response(t, sink)
	}
}

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
	if len(b) < 32 {
		return
	}
	caps := binary.LittleEndian.Uint32(b)
	if caps&capProtocol41 == 0 {
		return
	}
	if caps&capSSL != 0 && t.size == 32 {
		p.isOpaque = true
		sink.Opaque()
		return
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
	_, b, ok := bytes.Cut(b[32:], []byte{0}) // the user
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
