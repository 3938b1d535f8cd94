package mysql

import (
	"encoding/binary"

	"github.com/sonde-dev/sonde/agent/protocol"
	"github.com/sonde-dev/sonde/agent/protocol/sqltext"
	"github.com/sonde-dev/sonde/signal"
)

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
