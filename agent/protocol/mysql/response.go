package mysql

import (
	"encoding/binary"

	"github.com/sonde-dev/sonde/agent/protocol"
	"github.com/sonde-dev/sonde/agent/protocol/sqltext"
	"github.com/sonde-dev/sonde/signal"
)

// First bytes of packets ("Generic Response Packets", "COM_QUERY Response").
const (
	headOK   = 0x00
	headFile = 0xfb
	headEOF  = 0xfe
	headErr  = 0xff
)

// Status flags ("SERVER_STATUS_flags_enum").
const (
	statusMoreResults  = 0x0008
	statusCursorExists = 0x0040
	statusNoEscapes    = 0x0200
)

const eofSize = 5 // 0xFE, warnings, status

// progress is what stands in place of an error number in MariaDB's reports of progress.
const progress = 0xffff

// part is the place inside a response.
type part uint8

const (
	atHead        part = iota // of a result
	inDefinitions             // columns of a result set
	afterColumns              // EOF, or a row
	inRows
	inPrepared      // definitions of a prepared statement
	betweenPrepared // EOF, or the first column after the parameters
	afterPrepared   // EOF
)

// firstOfResponse is called with the first byte of each payload.
func (p *parser) firstOfResponse(seq byte, sink protocol.Sink) {
	if p.queue.len() == 0 {
		return
	}
	e := p.queue.front()
	if p.isSending && p.queue.len() == 1 || p.zipped == nil && seq != e.seq {
		if e.hasBegun || p.isSending && p.queue.len() == 1 {
			p.lose(protocol.FromServer, sink)
		}
		return // an answer to something else
	}
	if !e.hasBegun {
		e.hasBegun = true
		sink.ResponseBegin(e.id)
	}
}

// response reads a complete payload of the server.
func (p *parser) response(t packet, sink protocol.Sink) {
	if p.queue.len() == 0 || !p.queue.front().hasBegun {
		p.orphan(t, sink)
		return
	}
	e := p.queue.front()
	e.bytes += t.bytes
	e.seq = t.seq + 1
	p.isLate = false
	if len(t.b) == 0 {
		if e.part != atHead || e.answer != anything { // a row always has a byte
			p.lose(protocol.FromServer, sink)
			return
		}
		t.b = []byte{headOK}
	}
	if t.b[0] == headErr && e.answer != anything && e.part != inDefinitions {
		p.fail(e, t.b, sink)
		return
	}
	switch e.part {
	case atHead:
		p.head(e, t, sink)
	case inDefinitions:
		if e.definitions--; e.definitions == 0 {
			e.part = afterColumns
		}
	case afterColumns:
		e.part = inRows
		if t.b[0] == headEOF && t.size == eofSize {
			p.eof = eofSent
			status := binary.LittleEndian.Uint16(t.b[3:])
			p.learn(status)
			if e.code == comExecute && status&statusCursorExists != 0 { // the rows wait for COM_STMT_FETCH
				p.finish(e, protocol.End{}, sink)
				p.queue.pop()
			}
			return
		}
		p.eof = eofDeprecated
		p.row(e, t, sink)
	case inRows:
		p.row(e, t, sink)
	default:
		p.definition(e, t, sink)
	}
}

// orphan counts a response that nobody asked for, once.
func (p *parser) orphan(t packet, sink protocol.Sink) {
	if p.isLate && len(t.b) > 0 && t.b[0] == headEOF && t.size == eofSize {
		p.isLate = false // of a prepared statement whose response was over
		p.eof = eofSent
		return
	}
	if t.seq == 1 || p.zipped != nil && !p.orphanSeen {
		sink.Lost(signal.OrphanResponse, 1)
		p.orphanSeen = true
	}
}

// head reads the first packet of a result.
func (p *parser) head(e *entry, t packet, sink protocol.Sink) {
	switch e.answer {
	case anything:
		p.finish(e, protocol.End{}, sink)
		p.queue.pop()
	case okOnly:
		p.ok(e, t, sink)
	case dialog:
		if t.b[0] == headOK { // otherwise it goes on with credentials
			clear(p.statements)
			p.database = ""
			p.describe()
			p.ok(e, t, sink)
		}
	case fields:
		if t.b[0] == headEOF && t.size < fullPacket {
			p.ok(e, t, sink)
		}
	case fetched:
		p.row(e, t, sink)
	case prepared:
		p.prepared(e, t, sink)
	case results:
		const smallestOK = 7 // a column count with a flag before it may begin with 0 as well
		switch {
		case t.b[0] == headOK && t.size >= smallestOK:
			p.ok(e, t, sink)
		case t.b[0] == headFile: // LOAD DATA LOCAL: the client sends the file now
		default:
			p.columns(e, t, sink)
		}
	}
}

// columns reads the number of columns, and the flag before or after it that says whether definitions follow.
func (p *parser) columns(e *entry, t packet, sink protocol.Sink) {
	b := t.b
	hasDefinitions := true
	switch t.size {
	case 2, 4:
		switch last := len(b) - 1; {
		case b[0] <= 1 && !(b[0] == 1 && t.size == 2 && b[1] == 0): // MySQL's
			hasDefinitions = b[0] == 1
			b = b[1:]
		case b[last] <= 1: // MariaDB's
			hasDefinitions = b[last] == 1
			b = b[:last]
		}
	}
	const maxColumns = 4096 // MySQL, "Limits on Table Column Count"; a join may select from 61 tables
	n, k := lenenc(b)
	if k != len(b) || n == 0 || n > 64*maxColumns {
		p.lose(protocol.FromServer, sink)
		sink.Lost(signal.ParserGaveUp, 1)
		return
	}
	e.definitions, e.part = uint32(n), inDefinitions
	if !hasDefinitions {
		e.part = afterColumns
	}
}

// row reads a row or what ends the rows.
func (p *parser) row(e *entry, t packet, sink protocol.Sink) {
	e.part = inRows
	if t.b[0] == headEOF && t.size < fullPacket {
		p.ok(e, t, sink)
		return
	}
	e.counts[returned]++
}

// ok reads an OK or EOF packet. It ends a result, and the response unless more results follow.
func (p *parser) ok(e *entry, t packet, sink protocol.Sink) {
	var status uint16
	switch {
	case t.b[0] == headEOF && t.size == eofSize:
		status = binary.LittleEndian.Uint16(t.b[3:])
	case t.b[0] == headOK || t.b[0] == headEOF:
		rows, _, flags, ok := readOK(t.b)
		if !ok {
			p.lose(protocol.FromServer, sink)
			sink.Lost(signal.ParserGaveUp, 1)
			return
		}
		if t.b[0] == headOK {
			e.counts[affected] += rows
		}
		status = flags
	default:
		p.lose(protocol.FromServer, sink)
		sink.Lost(signal.ParserGaveUp, 1)
		return
	}
	p.learn(status)
	if status&statusMoreResults != 0 && e.answer == results {
		e.part = atHead
		return
	}
	switch {
	case e.code == comInitDB:
		p.database = e.database
		p.describe()
	case e.isUse: // its name is not read
		p.database = ""
		p.describe()
	case e.code == comResetConnection:
		clear(p.statements)
	}
	p.finish(e, protocol.End{}, sink)
	p.queue.pop()
}

// readOK reads OK_Packet.
func readOK(b []byte) (rows, lastID uint64, status uint16, ok bool) {
	rows, n := lenenc(b[1:])
	if n == 0 {
		return 0, 0, 0, false
	}
	b = b[1+n:]
	if lastID, n = lenenc(b); n == 0 || len(b) < n+2 {
		return 0, 0, 0, false
	}
	return rows, lastID, binary.LittleEndian.Uint16(b[n:]), true
}

// learn takes over what the status says about the connection.
func (p *parser) learn(status uint16) {
	p.dialect = sqltext.MySQL
	if status&statusNoEscapes != 0 {
		p.dialect = sqltext.MySQLNoEscapes
	}
}

// prepared reads COM_STMT_PREPARE_OK: status, id, columns, parameters, filler, warnings, perhaps whether definitions follow.
func (p *parser) prepared(e *entry, t packet, sink protocol.Sink) {
	const least = 12
	if t.b[0] != headOK || len(t.b) < least {
		p.lose(protocol.FromServer, sink)
		sink.Lost(signal.ParserGaveUp, 1)
		return
	}
	p.remember(binary.LittleEndian.Uint32(t.b[1:]), e.statement)
	e.next, e.definitions = uint32(binary.LittleEndian.Uint16(t.b[5:])), uint32(binary.LittleEndian.Uint16(t.b[7:]))
	if e.definitions == 0 {
		e.definitions, e.next = e.next, 0
	}
	e.part = inPrepared
	if e.definitions == 0 || len(t.b) > least && t.b[least] == 0 {
		p.finish(e, protocol.End{}, sink)
		p.queue.pop()
	}
}

func (p *parser) remember(id uint32, st sqltext.Statement) {
	if p.statements == nil {
		p.statements = make(map[uint32]sqltext.Statement)
	} else if len(p.statements) >= maxStatements {
		clear(p.statements)
	}
	p.statements[id] = st
}

// definition reads the definitions after COM_STMT_PREPARE_OK: parameters, then columns, each with or without EOF.
func (p *parser) definition(e *entry, t packet, sink protocol.Sink) {
	isEOF := t.b[0] == headEOF && t.size == eofSize
	switch e.part {
	case afterPrepared:
		p.finish(e, protocol.End{}, sink)
		p.queue.pop()
		return
	case betweenPrepared:
		e.definitions, e.next, e.part = e.next, 0, inPrepared
		p.eof = eofDeprecated
		if isEOF {
			p.eof = eofSent
			return
		}
	}
	if e.definitions--; e.definitions > 0 {
		return
	}
	switch {
	case e.next > 0:
		e.part = betweenPrepared
	case p.eof == eofSent:
		e.part = afterPrepared
	default:
		p.isLate = p.eof == eofUnknown
		p.finish(e, protocol.End{}, sink)
		p.queue.pop()
	}
}
