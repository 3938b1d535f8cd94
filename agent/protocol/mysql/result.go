package mysql

import (
	"encoding/binary"

	"github.com/sonde-dev/sonde/agent/protocol"
	"github.com/sonde-dev/sonde/agent/protocol/sqltext"
	"github.com/sonde-dev/sonde/signal"
)

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
	e.counts[protocol.RowsReturned]++
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
			e.counts[protocol.RowsAffected] += rows
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
