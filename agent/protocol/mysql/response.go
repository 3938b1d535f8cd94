package mysql

import (
	"encoding/binary"

	"github.com/sonde-dev/sonde/agent/protocol"
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
	if t.isGap && p.isDecisive(e, t) { // and what it says is missing
		p.lose(protocol.FromServer, sink)
		return
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

// isDecisive reports whether a payload is more than a row or a definition, whose content does not matter.
func (p *parser) isDecisive(e *entry, t packet) bool {
	switch e.part {
	case inDefinitions, inPrepared:
		return false
	case inRows:
		return t.b[0] == headErr || t.b[0] == headEOF && t.size < fullPacket
	}
	return true
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
