package postgres

import (
	"github.com/sonde-dev/sonde/agent/protocol"
	"github.com/sonde-dev/sonde/agent/protocol/sqltext"
)

// Operations of messages that carry no statement.
const (
	opExecute  = "EXECUTE" // of a statement that was prepared before anybody looked
	opPrepare  = "PREPARE"
	opBind     = "BIND"
	opDescribe = "DESCRIBE"
	opClose    = "CLOSE"
	opSync     = "SYNC"
	opFunction = "FUNCTION"
)

// first is called with the first byte of each message: it has the time of the call.
func (p *parser) first(dir protocol.Direction, kind byte, sink protocol.Sink) {
	if dir == protocol.FromServer {
		p.firstOfResponse(kind, sink)
		return
	}
	switch kind {
	case 'Q', 'F':
		p.flushUnit(sink)
		p.beginEntry(simple, sink)
	case 'P', 'B', 'D', 'E', 'C':
		if p.open && kind == 'P' && p.unit.hasParse { // several are prepared at once, each for itself
			p.flushUnit(sink)
		}
		if !p.open {
			p.beginEntry(prepare, sink)
		}
	case 'S':
		if !p.open && !p.hasUnit && !p.copyIn {
			p.beginEntry(prepare, sink)
		}
	}
}

// unit is the exchange whose messages are being sent.
type unit struct {
	operation string // so far
	target    string
	bytes     uint64
	isPartial bool
	hasParse  bool
}

func (p *parser) beginEntry(kind entryKind, sink protocol.Sink) {
	if p.queue.len() >= maxQueue {
		p.giveUp(protocol.End{}, sink)
		p.isDoubtful = true
	}
	p.settle(sink)
	p.nextID++
	p.queue.push(entry{id: p.nextID, kind: kind, isPartial: p.isDoubtful})
	p.open, p.hasUnit = true, true
	p.unit = unit{}
	sink.RequestBegin(p.nextID)
}

// request reads a complete message of the client.
func (p *parser) request(t text, size uint64, sink protocol.Sink) {
	if !p.open || p.queue.len() == 0 { // given up meanwhile, or nothing that counts
		p.plain(t, sink)
		return
	}
	u, e := &p.unit, p.queue.back()
	u.bytes += size
	u.isPartial = u.isPartial || t.isGap && len(t.b) < sqltext.MaxTemplate
	switch t.kind {
	case 'Q':
		q, _, _ := cstring(t.b)
		protocol.Tell(sink, e.id, protocol.ToServer, protocol.FormSQL, q)
		st := p.texts.Describe(sqltext.PostgreSQL, q, t.isCut)
		p.endUnit(st.Operation, st.Template, sink)
	case 'F':
		p.endUnit(opFunction, "", sink)
	case 'P':
		p.parse(t, e, sink)
	case 'B':
		e.expects++
		portal, rest, ok := cstring(t.b)
		name, _, ok2 := cstring(rest)
		if !ok || !ok2 {
			p.forgetAll()
			u.isPartial = true
			break
		}
		u.known(opBind, p.bind(portal, name).Template)
	case 'D':
		p.describe(t, e)
	case 'C':
		e.expects++
		if len(t.b) > 1 {
			name, _, _ := cstring(t.b[1:])
			p.close(t.b[0], name)
		}
		u.known(opClose, "")
	case 'E':
		p.execute(t, e, sink)
	default:
		p.plain(t, sink)
	}
}

// known sets what the unit is if it executes nothing; Parse weighs most, and what came first.
func (u *unit) known(operation, target string) {
	if u.operation == "" || operation == opPrepare {
		u.operation, u.target = operation, target
	}
}

func (p *parser) parse(t text, e *entry, sink protocol.Sink) {
	e.expects++
	name, rest, ok := cstring(t.b)
	if !ok {
		p.forgetAll()
		p.unit.isPartial = true
		return
	}
	q, _, ended := cstring(rest)
	protocol.Tell(sink, e.id, protocol.ToServer, protocol.FormSQL, q)
	st := p.texts.Describe(sqltext.PostgreSQL, q, !ended)
	p.statements.parse(name, st)
	p.unit.hasParse = true
	e.parsed = keyOf(name)
	p.unit.known(opPrepare, st.Template)
}

func (p *parser) describe(t text, e *entry) {
	e.expects++
	if len(t.b) < 1 {
		return
	}
	name, _, _ := cstring(t.b[1:])
	if t.b[0] == 'S' {
		e.expects++ // ParameterDescription besides
		p.unit.known(opDescribe, p.statement(name).Template)
	} else {
		p.unit.known(opDescribe, p.portal(name).Template)
	}
}

func (p *parser) execute(t text, e *entry, sink protocol.Sink) {
	e.kind = execute
	name, _, ok := cstring(t.b)
	st := p.portal(name)
	if !ok {
		st = sqltext.Statement{}
		p.unit.isPartial = true
	}
	if st.Operation == "" {
		e.isUnknown = true
		st.Operation = opExecute
	}
	p.endUnit(st.Operation, st.Template, sink)
}

// plain reads messages that belong to no exchange, or end one.
func (p *parser) plain(t text, sink protocol.Sink) {
	switch t.kind {
	case 'S':
		if p.copyIn {
			return // "the backend ignores Sync while it copies in"
		}
		if p.open && p.unit.operation == "" {
			p.unit.operation = opSync
		}
		p.flushUnit(sink)
		p.hasUnit = false
		p.queue.push(entry{kind: syncing})
	case 'H':
		if p.open && !p.copyIn {
			p.flushUnit(sink)
		}
	case 'c', 'f':
		p.copyIn = false
	}
}

// flushUnit ends an exchange that executes nothing.
func (p *parser) flushUnit(sink protocol.Sink) {
	if p.open {
		p.endUnit(p.unit.operation, p.unit.target, sink)
	}
}

func (p *parser) endUnit(operation, target string, sink protocol.Sink) {
	p.open = false
	u, e := &p.unit, p.queue.back()
	if operation == "" {
		operation = sqltext.Other
	}
	e.isPartial = e.isPartial || u.isPartial
	sink.RequestHead(e.id, protocol.Request{Operation: operation, Target: target, Attributes: p.attrs})
	sink.RequestEnd(e.id, protocol.End{BodyBytes: u.bytes, Partial: u.isPartial || e.isPartial})
}
