package postgres

import (
	"encoding/binary"

	"github.com/sonde-dev/sonde/agent/protocol"
	"github.com/sonde-dev/sonde/agent/protocol/sqltext"
	"github.com/sonde-dev/sonde/signal"
)

// phase is how far the connection is.
type phase uint8

const (
	unknown  phase = iota // nothing was seen
	starting              // the client's next message is a start-up packet
	asked                 // for encryption: the server's answer is a single byte
	entering              // from the start-up packet to the first ReadyForQuery
	running
)

// parser follows one connection.
type parser struct {
	streams  [2]stream // by protocol.Direction
	phase    phase
	isOpaque bool
	queue    queue
	nextID   uint64
	statements
	unit unit
	doubt

	open       bool // the last entry's request goes on: no Execute, Sync or Flush yet
	hasUnit    bool // there was an entry since the last Sync
	isSkipping bool // after an error, until ReadyForQuery
	copyIn     bool // the client sends data
	endsLate   bool // a ReadyForQuery may come whose Sync was not seen

	texts  sqltext.Cache
	codes  map[string]string
	attrs  []protocol.Attribute // shared by the exchanges that got it; never changed
	second int                  // bytes of a start-up packet that are to come
}

func newParser() *parser { return &parser{} }

// Data implements protocol.Parser.
func (p *parser) Data(dir protocol.Direction, b []byte, sink protocol.Sink) {
	if p.phase == unknown && len(b) > 0 {
		p.phase = running
		if dir == protocol.ToServer && b[0] == 0 {
			p.phase = starting
		}
	}
	p.data(dir, b, true, sink)
}

// Gap implements protocol.Parser.
func (p *parser) Gap(dir protocol.Direction, n uint32, tail []byte, sink protocol.Sink) {
	if p.phase != entering {
		p.phase = running // whatever it was, it is over
	}
	if int(n) <= len(tail) {
		p.data(dir, tail[len(tail)-int(n):], true, sink)
		return
	}
	p.gap(dir, uint64(n), tail, sink)
}

// Close implements protocol.Parser. What is complete but for its ReadyForQuery is complete.
func (p *parser) Close(sink protocol.Sink) {
	if p.isOpaque {
		return
	}
	p.isOpaque = true
	for p.queue.len() > 0 {
		e := p.queue.front()
		if e.id != 0 && (e.isDone || e.isFailed) {
			p.finish(e, protocol.End{Before: true}, sink)
		}
		p.queue.pop()
	}
}

// readStartup reads a start-up packet, which has no type. It keeps nothing but the name of the database.
func (p *parser) readStartup(b []byte, sink protocol.Sink) int {
	s := &p.streams[protocol.ToServer]
	n := 0
	if len(s.buf) < 4 {
		n = min(len(b), 4-len(s.buf))
		s.buf = append(s.buf, b[:n]...)
		if len(s.buf) < 4 {
			return n
		}
		p.second = int(binary.BigEndian.Uint32(s.buf)) - 4
		if p.second < 4 || p.second > maxStartup {
			sink.Lost(signal.ParserGaveUp, 1)
			p.phase = running
			s.lose()
			return len(b)
		}
	}
	k := min(len(b)-n, p.second)
	s.buf = append(s.buf, b[n:n+k]...)
	if p.second -= k; p.second == 0 {
		p.startup(s.buf[4:], sink)
		s.end()
	}
	return n + k
}

// startup acts on a start-up packet without its length.
func (p *parser) startup(b []byte, sink protocol.Sink) {
	switch binary.BigEndian.Uint32(b) {
	case codeSSL, codeGSS:
		p.phase = asked
		return
	case codeCancel:
		return // the connection is closed without a word
	}
	p.phase = entering
	database := ""
	for b = b[4:]; ; {
		name, rest, _ := cstring(b)
		value, rest, ok := cstring(rest)
		if !ok || len(name) == 0 {
			break
		}
		switch {
		case string(name) == "database":
			database = string(value)
		case string(name) == "user" && database == "":
			database = string(value) // the default
		case string(name) == "replication" && string(value) != "false" && string(value) != "0":
			p.isOpaque = true
		}
		b = rest
	}
	if p.isOpaque {
		sink.Opaque()
		return
	}
	if database != "" {
		p.attrs = []protocol.Attribute{{Key: "db.namespace", Value: database}}
	}
}

// answer reads the byte that answers a request for encryption and returns whether it did, as a number of bytes.
func (p *parser) answer(c byte, sink protocol.Sink) int {
	switch c {
	case 'S', 'G':
		p.isOpaque = true
		sink.Opaque()
	case 'N':
		p.phase = starting
	default: // an error, of a server that does not know the question
		p.phase = entering
		return 0
	}
	return 1
}
