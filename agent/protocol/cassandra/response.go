package cassandra

import (
	"fmt"

	"github.com/sonde-dev/sonde/agent/protocol"
)

// Kinds of a RESULT (§4.2.5).
const (
	resultVoid     = 1
	resultRows     = 2
	resultKeyspace = 3
	resultPrepared = 4
)

// errorCodes are those of §8 and of Cassandra's later versions.
var errorCodes = func() map[int]string {
	m := map[int]string{}
	for _, code := range []int{
		0x0000, 0x000A, 0x0100, 0x1000, 0x1001, 0x1002, 0x1003, 0x1100, 0x1200, 0x1300, 0x1400, 0x1500, 0x1600, 0x1700,
		0x2000, 0x2100, 0x2200, 0x2300, 0x2400, 0x2500,
	} {
		m[code] = fmt.Sprintf("0x%04X", code)
	}
	return m
}()

const statusOK = "ok"

// response takes a frame of the server.
func (p *parser) response(f *frame, r *reader) {
	m := &p.reading[protocol.FromServer]
	if f.opcode == opEvent {
		p.event(m, r)
		return
	}
	if f.version == 5 && m.was.opcode == opStartup && (f.opcode == opReady || f.opcode == opAuthenticate) && p.framing == framingPlain {
		p.isSwitching = true
	}
	if m.id == 0 {
		return
	}
	res := protocol.Response{Status: statusOK}
	switch f.opcode {
	case opError:
		res = failed(r)
	case opResult:
		p.result(f, r, m, &res)
	}
	p.sink.ResponseHead(m.id, res)
}

// event is what the client has registered for; its kind is a name of the protocol's.
func (p *parser) event(m *message, r *reader) {
	kind := r.string()
	q := protocol.Request{Operation: "EVENT", NoResponse: true}
	p.nextID++
	p.sink.RequestBegin(p.nextID)
	p.sink.RequestHead(p.nextID, q)
	switch string(kind) {
	case "TOPOLOGY_CHANGE", "STATUS_CHANGE", "SCHEMA_CHANGE":
		p.sink.ResponseHead(p.nextID, protocol.Response{Status: string(kind)})
	}
	p.sink.RequestEnd(p.nextID, protocol.End{BodyBytes: m.size})
}

// failed reads an ERROR. Up to 0x1FFF it is the server that could not, but for the protocol and credentials; above, the
// request was wrong.
func failed(r *reader) protocol.Response {
	code := r.int()
	if r.isBroken {
		return protocol.Response{ClientError: "other"}
	}
	name, known := errorCodes[code]
	if !known {
		name = "other"
	}
	res := protocol.Response{Status: name, ClientError: name}
	if code == 0 || code >= 0x1000 && code < 0x2000 {
		res.ServerError = name
	}
	return res
}

// result counts rows, and remembers what is prepared.
func (p *parser) result(f *frame, r *reader, m *message, res *protocol.Response) {
	switch r.int() {
	case resultRows:
		if n, ok := rows(f, r); ok {
			res.Counts[protocol.RowsReturned] = n
		}
	case resultPrepared:
		if id := r.string(); len(id) > 0 && m.was.text.operation != "" {
			preparedTexts.put(id, m.was.text)
		}
	}
}

// rows reads the metadata of rows up to their number (§4.2.5.2).
func rows(f *frame, r *reader) (uint64, bool) {
	const global, more, none, changed = 1, 2, 4, 8
	flags, columns := r.int(), r.int()
	if flags&more != 0 {
		r.bytes()
	}
	if flags&changed != 0 && f.version >= 5 {
		r.string()
	}
	if flags&none == 0 {
		if flags&global != 0 {
			r.string()
			r.string()
		}
		for ; columns > 0 && !r.isBroken; columns-- {
			if flags&global == 0 {
				r.string()
				r.string()
			}
			r.string()
			r.skipType(0)
		}
	}
	n := r.int()
	return uint64(max(n, 0)), !r.isBroken
}

// skipType skips an option that describes a type.
func (r *reader) skipType(depth int) {
	const custom, list, mapping, set, udt, tuple, deepest = 0x0000, 0x0020, 0x0021, 0x0022, 0x0030, 0x0031, 16
	if depth > deepest {
		r.isBroken = true
	}
	if r.isBroken {
		return
	}
	switch r.short() {
	case custom:
		r.string()
	case list, set:
		r.skipType(depth + 1)
	case mapping:
		r.skipType(depth + 1)
		r.skipType(depth + 1)
	case udt:
		r.string()
		r.string()
		for n := r.short(); n > 0 && !r.isBroken; n-- {
			r.string()
			r.skipType(depth + 1)
		}
	case tuple:
		for n := r.short(); n > 0 && !r.isBroken; n-- {
			r.skipType(depth + 1)
		}
	}
}
