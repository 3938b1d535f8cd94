package postgres

import (
	"bytes"

	"github.com/sonde-dev/sonde/agent/protocol"
)

// count adds the rows since the last command tag.
func (p *parser) count(e *entry) {
	e.counts[protocol.RowsReturned] += e.rows
	e.rows = 0
}

// tag reads a command tag: "SELECT 5", "INSERT 0 5", "CREATE TABLE" ("Message Formats", CommandComplete).
func (p *parser) tag(e *entry, b []byte) {
	b, _, ok := cstring(b)
	e.isPartial = e.isPartial || !ok // its end was not seen
	verb := b
	if i := bytes.IndexByte(b, ' '); i >= 0 {
		verb = b[:i]
	}
	n := lastNumber(b)
	hasRows := e.rows > 0
	p.count(e)
	e.verb = verbOf(verb)
	switch e.verb {
	case "INSERT", "UPDATE", "DELETE", "MERGE":
		e.counts[protocol.RowsAffected] += n
	case "SELECT":
		if !hasRows { // CREATE TABLE AS and SELECT INTO: nothing was sent
			e.counts[protocol.RowsAffected] += n
		}
	case "COPY":
		if e.isCopyIn {
			e.counts[protocol.RowsAffected] += n
		} else if e.isCopyOut {
			e.counts[protocol.RowsReturned] += n
		}
		e.isCopyIn, e.isCopyOut = false, false
	}
}

// lastNumber returns the number at the end of a tag, 0 when there is none.
func lastNumber(b []byte) uint64 {
	i := bytes.LastIndexByte(b, ' ')
	if i < 0 || len(b)-i > 20 {
		return 0
	}
	var n uint64
	for _, c := range b[i+1:] {
		if c < '0' || c > '9' {
			return 0
		}
		n = n*10 + uint64(c-'0')
	}
	return n
}

// fail reads an ErrorResponse: fields of a type and a string ("Error and Notice Message Fields").
func (p *parser) fail(e *entry, b []byte, sink protocol.Sink) {
	isFatal := false
	for len(b) > 1 {
		field := b[0]
		value, rest, ok := cstring(b[1:])
		if !ok {
			break
		}
		switch {
		case field == 'C' && isState(value):
			e.status = p.code(value)
		case field == 'M' && e.kind != syncing && e.kind != phantom:
			protocol.Tell(sink, e.id, protocol.FromServer, protocol.FormSQL, value)
		case field == 'V': // not translated
			isFatal = string(value) == "FATAL" || string(value) == "PANIC"
		}
		b = rest
	}
	p.count(e)
	if e.kind == syncing || e.kind == phantom {
		return // an error at commit whose Execute was over, or of what nobody saw
	}
	e.isFailed = true
	p.copyIn = false
	p.isSkipping = e.kind != simple
	if e.parsed != 0 {
		p.forget(e.parsed)
	}
	if isFatal { // no ReadyForQuery follows
		p.finish(e, protocol.End{}, sink)
	}
}

// isState accepts an SQLSTATE: five digits and upper-case letters.
func isState(b []byte) bool {
	for _, c := range b {
		if (c < '0' || c > '9') && (c < 'A' || c > 'Z') {
			return false
		}
	}
	return len(b) == 5
}

// maxCodes bounds the SQLSTATEs that are remembered.
const maxCodes = 16

func (p *parser) code(b []byte) string {
	if s, ok := p.codes[string(b)]; ok {
		return s
	}
	if p.codes == nil || len(p.codes) >= maxCodes {
		p.codes = make(map[string]string)
	}
	s := string(b)
	p.codes[s] = s
	return s
}
