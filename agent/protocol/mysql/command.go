package mysql

import (
	"encoding/binary"

	"github.com/sonde-dev/sonde/agent/protocol"
	"github.com/sonde-dev/sonde/agent/protocol/sqltext"
)

// Commands (MySQL Internals, "Text Protocol", "Prepared Statements"), and MariaDB's COM_STMT_BULK_EXECUTE.
const (
	comQuit, comInitDB, comQuery, comFieldList              = 0x01, 0x02, 0x03, 0x04
	comStatistics, comProcessInfo, comPing, comChangeUser   = 0x09, 0x0a, 0x0e, 0x11
	comPrepare, comExecute, comLongData, comClose, comReset = 0x16, 0x17, 0x18, 0x19, 0x1a
	comSetOption, comFetch, comResetConnection, comBulk     = 0x1b, 0x1c, 0x1f, 0xfa
)

// answer is the form of a response.
type answer uint8

const (
	unheard  answer = iota // not a command
	okOnly                 // OK, EOF or ERR
	anything               // one packet
	nothing                // none
	fields                 // column definitions up to EOF
	results                // OK, ERR or result sets
	prepared               // COM_STMT_PREPARE_OK and definitions
	fetched                // rows up to EOF
	dialog                 // authentication anew
	endless                // replication
)

// command is what is known of a command: the bounds of its payload, the command byte included.
type command struct {
	name     string // "" for none that is reported, or for a statement
	answer   answer
	min, max uint32
}

const anySize = 1<<32 - 1

func commandOf(code byte) command {
	if code == comBulk {
		return command{"", results, 8, anySize}
	}
	if int(code) < len(commands) {
		return commands[code]
	}
	return command{}
}

var commands = [0x21]command{
	comQuit:            {"QUIT", nothing, 1, 1},
	comInitDB:          {"INIT_DB", okOnly, 1, 257},
	comQuery:           {"", results, 1, anySize},
	comFieldList:       {"FIELD_LIST", fields, 2, 1024},
	0x05:               {"CREATE_DB", okOnly, 2, 257},
	0x06:               {"DROP_DB", okOnly, 2, 257},
	0x07:               {"REFRESH", okOnly, 2, 2},
	0x08:               {"SHUTDOWN", okOnly, 1, 2},
	comStatistics:      {"STATISTICS", anything, 1, 1},
	comProcessInfo:     {"PROCESS_INFO", results, 1, 1},
	0x0c:               {"PROCESS_KILL", okOnly, 5, 5},
	0x0d:               {"DEBUG", okOnly, 1, 1},
	comPing:            {"PING", okOnly, 1, 1},
	comChangeUser:      {"CHANGE_USER", dialog, 3, 1 << 16},
	0x12:               {"BINLOG_DUMP", endless, 11, 1024},
	0x13:               {"TABLE_DUMP", endless, 3, 1024},
	0x15:               {"REGISTER_REPLICA", okOnly, 18, 1024},
	comPrepare:         {"PREPARE", prepared, 1, anySize},
	comExecute:         {"", results, 10, anySize},
	comLongData:        {"SEND_LONG_DATA", nothing, 7, anySize},
	comClose:           {"CLOSE", nothing, 5, 5},
	comReset:           {"RESET", okOnly, 5, 5},
	comSetOption:       {"SET_OPTION", okOnly, 3, 3},
	comFetch:           {"FETCH", fetched, 9, 9},
	0x1e:               {"BINLOG_DUMP_GTID", endless, 19, anySize},
	comResetConnection: {"RESET_CONNECTION", okOnly, 1, 1},
	0x20:               {"CLONE", endless, 1, 1024},
}

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
	sink.RequestEnd(e.id, protocol.End{BodyBytes: t.bytes, Partial: e.isPartial})
	if e.answer == nothing {
		p.queue.dropBack()
	}
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

// queryText passes over the attributes before a statement (CLIENT_QUERY_ATTRIBUTES, "COM_QUERY").
func queryText(b []byte) (text []byte, ok bool) {
	const sets = 1
	if len(b) < 2 || b[1] != sets {
		return b, true
	}
	n := int(b[0])
	if b = b[2:]; n == 0 {
		return b, true
	}
	nulls := b
	size := (n + 7) / 8
	if n > 0xfa || len(b) < size+1 || b[size] != 1 { // new-params-bind-flag
		return nil, false
	}
	nulls, b = b[:size], b[size+1:]
	var types [0xfb]byte
	for i := range n {
		if len(b) < 2 {
			return nil, false
		}
		types[i] = b[0]
		if b, ok = skipString(b[2:]); !ok {
			return nil, false
		}
	}
	for i := range n {
		if nulls[i/8]>>(i%8)&1 == 1 {
			continue
		}
		if b, ok = skipValue(b, types[i]); !ok {
			return nil, false
		}
	}
	return b, true
}

// skipValue passes over a value of the binary protocol ("Binary Protocol Value").
func skipValue(b []byte, kind byte) (rest []byte, ok bool) {
	n := 0
	switch kind {
	case 0x01: // TINY
		n = 1
	case 0x02, 0x0d: // SHORT, YEAR
		n = 2
	case 0x03, 0x04, 0x09: // LONG, FLOAT, INT24
		n = 4
	case 0x05, 0x08: // DOUBLE, LONGLONG
		n = 8
	case 0x06: // NULL
	case 0x07, 0x0a, 0x0b, 0x0c: // TIMESTAMP, DATE, TIME, DATETIME
		if len(b) < 1 {
			return nil, false
		}
		n = 1 + int(b[0])
	default:
		return skipString(b)
	}
	if len(b) < n {
		return nil, false
	}
	return b[n:], true
}

// skipString passes over a string with its length before it.
func skipString(b []byte) (rest []byte, ok bool) {
	n, k := lenenc(b)
	if k == 0 || uint64(len(b)-k) < n {
		return nil, false
	}
	return b[k+int(n):], true
}

// lenenc reads a length-encoded integer and the bytes it takes, 0 when it is none.
func lenenc(b []byte) (v uint64, n int) {
	if len(b) == 0 {
		return 0, 0
	}
	switch b[0] {
	case 0xfc:
		n = 3
	case 0xfd:
		n = 4
	case 0xfe:
		n = 9
	case 0xfb, 0xff:
		return 0, 0
	default:
		return uint64(b[0]), 1
	}
	if len(b) < n {
		return 0, 0
	}
	for i := n - 1; i > 0; i-- {
		v = v<<8 | uint64(b[i])
	}
	return v, n
}
