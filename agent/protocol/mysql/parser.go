package mysql

import (
	"github.com/sonde-dev/sonde/agent/protocol"
	"github.com/sonde-dev/sonde/agent/protocol/sqltext"
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
	capLongPassword  = 1 << 0 // MariaDB calls it CLIENT_MYSQL
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
	begun       []byte // of the client, while they may be more than one thing
	eof         eofUse
	dialect     sqltext.Dialect
	queue       queue
	nextID      uint64
	isSending   bool           // the last entry's command goes on
	since       protocol.Since // when the command began of which only a header was seen
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
	p.read(dir, b, sink)
	if dir == protocol.ToServer {
		p.since.Stamp(p.isInHeader(), sink)
	}
}

// isInHeader says whether what was read of the client ends in or behind the header of a packet.
func (p *parser) isInHeader() bool {
	if p.begun != nil {
		return true
	}
	if p.zipped != nil {
		if o := &p.zipped[protocol.ToServer]; o.state == inHeader || o.state == inBody && o.remain > 0 && (len(o.buf) > 0 || o.remain == o.length()) {
			return true
		}
	}
	s := &p.streams[protocol.ToServer]
	return s.state == inHeader || s.state == inBody && !s.hasFirst && !s.isNext
}

// read is Data of one direction.
func (p *parser) read(dir protocol.Direction, b []byte, sink protocol.Sink) {
	if p.phase == unknown && len(b) > 0 {
		if b = p.start(dir, b); b == nil {
			return
		}
	}
	if p.zipped != nil {
		p.unzip(dir, b, true, sink)
	} else {
		p.data(dir, b, true, sink)
	}
}

// start looks at the first bytes of all and returns what is to be read. It waits for more where they may be the header of a compressed
// packet: nothing but its payload tells.
func (p *parser) start(dir protocol.Direction, b []byte) []byte {
	if dir == protocol.ToServer && p.begun != nil {
		b = append(p.begun, b...)
		p.begun = nil
	} else if dir == protocol.ToServer && recognizeCommand(b) == protocol.No && recognizeLogin(b) == protocol.No && recognizeZipped(b) == protocol.Maybe {
		p.begun = append([]byte(nil), b...) // outerSize bytes
		return nil
	}
	switch {
	case dir == protocol.FromServer && isGreeting(b) != protocol.No:
		p.phase = greeting
	case dir == protocol.ToServer && recognizeLogin(b) != protocol.No:
		p.phase = login
	case dir == protocol.ToServer && recognizeCommand(b) == protocol.No && recognizeZipped(b) != protocol.No:
		p.phase = running
		p.zipped = new([2]outer)
	default:
		p.phase = running
	}
	return b
}

// Gap implements protocol.Parser.
func (p *parser) Gap(dir protocol.Direction, n uint32, tail []byte, sink protocol.Sink) {
	if int(n) <= len(tail) {
		p.Data(dir, tail[len(tail)-int(n):], sink)
		return
	}
	if p.phase == unknown {
		p.phase, p.begun = running, nil
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
