package mysql

import (
	"encoding/binary"

	"github.com/sonde-dev/sonde/agent/protocol"
	"github.com/sonde-dev/sonde/agent/protocol/sqltext"
)

// opExecute is the operation of a statement that was prepared before anybody looked.
const opExecute = "EXECUTE"

// lastPrepared stands for the statement prepared last (MariaDB, COM_STMT_EXECUTE).
const lastPrepared = 1<<32 - 1

// maxStatements bounds the statements that are remembered of a connection. Beyond it they are forgotten, and their
// executions have no text. The server's own bound is 16382 for all connections.
const maxStatements = 1024

// firstOfCommand is called with the command byte.
func (p *parser) firstOfCommand(code byte, sink protocol.Sink) {
	c := commandOf(code)
	if c.answer == endless {
		p.isOpaque = true
		sink.Opaque()
		return
	}
	p.isSending = false
	if c.answer == unheard || code == comQuit {
		return
	}
	if p.queue.len() >= maxQueue {
		p.giveUp(protocol.End{}, sink)
		p.isDoubtful = true
	}
	p.settle(sink)
	p.nextID++
	p.isSending = true
	p.queue.push(entry{id: p.nextID, code: code, answer: c.answer, isPartial: p.isDoubtful})
	sink.RequestBegin(p.nextID)
	p.since.Date(p.nextID, sink)
	p.since.Clear()
}

// command reads a complete command. b begins with the command byte.
func (p *parser) command(b []byte, t packet, sink protocol.Sink) {
	if !p.isSending || p.queue.len() == 0 {
		return
	}
	p.isSending = false
	e := p.queue.back()
	e.seq = t.seq + 1
	r := protocol.Request{Operation: commandOf(e.code).name, Attributes: p.attrs, NoResponse: e.answer == nothing}
	isPartial := t.isGap && len(b) < sqltext.MaxTemplate
	st := p.statementOf(e, b, t.isCut)
	if r.Operation == "" {
		r.Operation = st.Operation
	}
	if r.Operation == "" {
		r.Operation = opExecute
	}
	r.Target = st.Template
	e.isPartial = e.isPartial || isPartial
	sink.RequestHead(e.id, r)
	if text := p.textOf(e, b); text != nil {
		protocol.Tell(sink, e.id, protocol.ToServer, protocol.FormSQL, text)
	}
	sink.RequestEnd(e.id, protocol.End{BodyBytes: t.bytes, Partial: e.isPartial})
	if e.answer == nothing {
		p.queue.dropBack()
	}
}

// textOf returns the statement that a command itself holds, nil for none.
func (p *parser) textOf(e *entry, b []byte) []byte {
	switch e.code {
	case comQuery:
		text, _ := queryText(b[1:])
		return text
	case comPrepare:
		return b[1:]
	}
	return nil
}

// statementOf finds the statement that a command is about; it is empty when there is none or it is not known.
func (p *parser) statementOf(e *entry, b []byte, isCut bool) sqltext.Statement {
	switch e.code {
	case comQuery:
		text, ok := queryText(b[1:])
		if !ok {
			return sqltext.Statement{Operation: sqltext.Other}
		}
		st := p.texts.Describe(p.dialect, text, isCut)
		e.isUse = st.Operation == "USE"
		return st
	case comPrepare:
		e.statement = p.texts.Describe(p.dialect, b[1:], isCut)
		p.lastText = e.statement
		return e.statement
	case comInitDB:
		e.database = string(b[1:min(len(b), 1+maxDatabase)])
	case comExecute, comBulk, comFetch, comClose, comReset, comLongData:
		if len(b) < 5 {
			return sqltext.Statement{}
		}
		id := binary.LittleEndian.Uint32(b[1:])
		st, ok := p.statements[id]
		if id == lastPrepared && !ok {
			st = p.lastText
		}
		if e.code == comClose {
			delete(p.statements, id)
		}
		return st
	}
	return sqltext.Statement{}
}
