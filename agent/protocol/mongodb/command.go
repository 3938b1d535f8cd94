package mongodb

import (
	"bytes"
	"encoding/binary"

	"github.com/sonde-dev/sonde/agent/protocol"
)

// command takes a message of the client.
func (p *parser) command(h *header, opcode uint32, body []byte) {
	m := &p.reading[protocol.ToServer]
	q := protocol.Request{Operation: other}
	switch opcode {
	case opMsg:
		p.readMsg(body, &q)
	case opQuery:
		p.readQuery(body, &q)
	case opInsert, opUpdate, opDelete, opGetMore:
		q.Operation = legacy[opcode]
		q.NoResponse = opcode != opGetMore
		if len(body) > 4 {
			p.namespace(cstring(body[4:]), &q)
		}
	case opKillCursors:
		q.Operation, q.NoResponse = "killCursors", true
	}
	if !q.NoResponse && len(p.waiting) >= maxWaiting {
		if _, ok := p.waiting[h.requestID]; !ok {
			q.NoResponse = true
			p.untracked++
		}
	}
	m.hasHead = true
	p.sink.RequestHead(m.id, q)
	if !q.NoResponse {
		p.await(h.requestID, m.id)
	}
}

var legacy = map[uint32]string{opInsert: "insert", opUpdate: "update", opDelete: "delete", opGetMore: "getMore"}

// readMsg reads the sections of an OP_MSG: documents of kind 1 may come before the command, which is of kind 0.
func (p *parser) readMsg(b []byte, q *protocol.Request) {
	if len(b) < 4 {
		return
	}
	q.NoResponse = binary.LittleEndian.Uint32(b)&flagMoreToCome != 0
	for b = b[4:]; len(b) >= 5; {
		n := binary.LittleEndian.Uint32(b[1:])
		if b[0] == 0 {
			p.readCommand(open(b[1:]), q)
			return
		}
		if n < 4 || uint64(n) > uint64(len(b)-1) {
			return
		}
		b = b[1+n:]
	}
}

// readCommand reads the document of a command.
func (p *parser) readCommand(d document, q *protocol.Request) {
	e, ok := d.next()
	if !ok {
		return
	}
	if string(e.key) == "$query" || string(e.key) == "query" && e.kind == typeDocument { // of old drivers to mongos
		d = open(e.value)
		if e, ok = d.next(); !ok {
			return
		}
	}
	name, known := commands[string(e.key)]
	if !known {
		name = other
	}
	q.Operation = name
	if name == "explain" && e.kind == typeDocument {
		inner := open(e.value)
		e, _ = inner.next()
	}
	q.Target = p.names.String(e.text())
	for {
		e, ok := d.next()
		if !ok {
			return
		}
		switch string(e.key) {
		case "$db":
			q.Attributes = p.database(e.text())
			return // always the last but for what drivers add
		case "collection":
			if name == "getMore" {
				q.Target = p.names.String(e.text())
			}
		case "maxAwaitTimeMS": // hello: the server answers when the topology changes
			q.Waits = q.Waits || name == "hello"
		case "maxTimeMS": // getMore takes it only for a cursor that awaits data
			q.Waits = q.Waits || name == "getMore"
		}
	}
}

// readQuery reads an OP_QUERY: a command where the collection is $cmd.
func (p *parser) readQuery(b []byte, q *protocol.Request) {
	if len(b) < 5 {
		return
	}
	full := cstring(b[4:])
	const skipAndReturn = 8
	if rest := 4 + len(full) + 1 + skipAndReturn; rest <= len(b) && bytes.HasSuffix(full, []byte(".$cmd")) {
		p.readCommand(open(b[rest:]), q)
		if q.Attributes == nil {
			q.Attributes = p.database(full[:len(full)-len(".$cmd")])
		}
		return
	}
	q.Operation = "find"
	p.namespace(full, q)
}

// namespace splits database.collection.
func (p *parser) namespace(full []byte, q *protocol.Request) {
	if i := bytes.IndexByte(full, '.'); i >= 0 {
		q.Attributes, q.Target = p.database(full[:i]), p.names.String(full[i+1:])
	}
}

// database returns the attribute of one.
func (p *parser) database(name []byte) []protocol.Attribute {
	if len(name) == 0 {
		return nil
	}
	if len(p.attrs) == 0 || p.attrs[0].Value != string(name) {
		p.attrs = []protocol.Attribute{{Key: "db.namespace", Value: string(name)}}
	}
	return p.attrs
}

// cstring returns the bytes up to a zero, none when they are cut.
func cstring(b []byte) []byte { return b[:max(0, bytes.IndexByte(b, 0))] }
