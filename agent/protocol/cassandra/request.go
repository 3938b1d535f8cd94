package cassandra

import (
	"bytes"

	"github.com/sonde-dev/sonde/agent/protocol"
	"github.com/sonde-dev/sonde/agent/protocol/sqltext"
	"github.com/sonde-dev/sonde/signal"
)

// statement is what is known of one.
type statement struct{ operation, template string }

var operations = map[byte]string{
	opStartup: "STARTUP", opOptions: "OPTIONS", opQuery: "QUERY", opPrepare: "PREPARE", opExecute: "EXECUTE", opRegister: "REGISTER",
	opBatch: "BATCH", opAuthResponse: "AUTH_RESPONSE",
}

// request takes a frame of the client. Credentials are not looked at.
func (p *parser) request(f *frame, r *reader) {
	m := &p.reading[protocol.ToServer]
	q := protocol.Request{Operation: operations[f.opcode]}
	w := waiting{id: m.id, opcode: f.opcode}
	switch f.opcode {
	case opStartup:
		p.startup(r)
	case opQuery:
		s := p.statement(r)
		if s.operation != "" {
			q.Operation, q.Target = s.operation, s.template
		}
	case opPrepare:
		w.text = p.statement(r)
		q.Target = w.text.template
	case opExecute:
		if s, ok := preparedTexts.get(r.string()); ok {
			q.Operation, q.Target = s.operation, s.template
		}
	case opBatch:
		q.Target = p.batch(r)
	}
	if _, isUsed := p.waiting[f.stream]; !isUsed && len(p.waiting) >= maxWaiting {
		q.NoResponse = true
		p.untracked++
	}
	m.hasHead = true
	p.sink.RequestHead(m.id, q)
	if !q.NoResponse {
		p.await(f.stream, w)
	}
}

// await enters a request. A stream that is in use begins anew: its response was not seen.
func (p *parser) await(stream int16, w waiting) {
	if old, ok := p.waiting[stream]; ok {
		p.sink.ResponseEnd(old.id, protocol.End{Partial: true})
		p.sink.Lost(signal.ParserGaveUp, 1)
	}
	p.waiting[stream] = w
}

// startup reads which compression the client asks for (§4.1.1).
func (p *parser) startup(r *reader) {
	p.compression = compressionUnknown
	for n := r.short(); n > 0 && !r.isBroken; n-- {
		key, value := r.string(), r.string()
		if string(key) != "COMPRESSION" {
			continue
		}
		switch string(bytes.ToLower(value)) {
		case "lz4":
			p.compression = compressionLZ4
		case "snappy":
			p.compression = compressionSnappy
		}
	}
}

// statement reads a text. CQL writes strings and names as PostgreSQL does.
func (p *parser) statement(r *reader) statement {
	b := r.longString()
	if len(b) == 0 {
		return statement{}
	}
	s := p.texts.Describe(sqltext.PostgreSQL, b, r.isBroken)
	if s.Operation == sqltext.Other && isList(b) {
		s.Operation = "LIST"
	}
	return statement{operation: s.Operation, template: s.Template}
}

// isList reports whether b is a statement that only CQL has (CQL, "Database roles": LIST ROLES, LIST USERS, LIST ALL PERMISSIONS).
func isList(b []byte) bool {
	b = bytes.TrimLeft(b, " \t\r\n")
	return len(b) >= 5 && bytes.EqualFold(b[:5], []byte("LIST "))
}

// batch returns the first statement of a BATCH (§4.1.7).
func (p *parser) batch(r *reader) string {
	r.byte() // logged, unlogged, counter
	if r.short() == 0 {
		return ""
	}
	if isPrepared := r.byte() == 1; isPrepared {
		s, _ := preparedTexts.get(r.string())
		return s.template
	}
	return p.statement(r).template
}

// Template bounds a statement that has no literals any more.
func Template(text string) string { return text }
