package postgres

import (
	"hash/maphash"

	"github.com/sonde-dev/sonde/agent/protocol"
	"github.com/sonde-dev/sonde/agent/protocol/sqltext"
)

// maxStatements bounds the statements and portals that are remembered of a connection; libraries keep up to 512 prepared. Beyond it
// they are forgotten, and their executions have no text.
const maxStatements = 512

// statements remembers what was prepared and bound, by hashes of the names.
type statements struct {
	unnamed, bound sqltext.Statement // the unnamed statement and the one of the unnamed portal
	named          map[uint64]sqltext.Statement
	portals        map[uint64]sqltext.Statement
}

var seed = maphash.MakeSeed()

// keyOf is never 0.
func keyOf(name []byte) uint64 { return maphash.Bytes(seed, name) | 1 }

func (s *statements) parse(name []byte, st sqltext.Statement) {
	if len(name) == 0 {
		s.unnamed = st
		return
	}
	s.named = remember(s.named, keyOf(name), st)
}

func remember(m map[uint64]sqltext.Statement, key uint64, st sqltext.Statement) map[uint64]sqltext.Statement {
	if m == nil {
		m = make(map[uint64]sqltext.Statement)
	} else if len(m) >= maxStatements {
		clear(m)
	}
	m[key] = st
	return m
}

// statement returns what a name stands for; its operation is "" when that is not known.
func (s *statements) statement(name []byte) sqltext.Statement {
	if len(name) == 0 {
		return s.unnamed
	}
	return s.named[keyOf(name)]
}

// bind makes a portal of a statement, and returns the statement.
func (s *statements) bind(portal, name []byte) sqltext.Statement {
	st := s.statement(name)
	if len(portal) == 0 {
		s.bound = st
	} else {
		s.portals = remember(s.portals, keyOf(portal), st)
	}
	return st
}

func (s *statements) portal(name []byte) sqltext.Statement {
	if len(name) == 0 {
		return s.bound
	}
	return s.portals[keyOf(name)]
}

// forget drops a statement whose Parse failed: what the name stands for now is not known.
func (s *statements) forget(key uint64) {
	if key == keyOf(nil) {
		s.unnamed = sqltext.Statement{}
	}
	delete(s.named, key)
}

// close drops a statement ('S') or a portal ('P').
func (s *statements) close(kind byte, name []byte) {
	if kind == 'S' {
		s.forget(keyOf(name))
	} else {
		delete(s.portals, keyOf(name))
	}
}

// forgetAll is called when requests were not seen: they may have given the names another meaning.
func (s *statements) forgetAll() { *s = statements{} }

// summaries are the attributes of executions whose statement is not known: the server says at least the verb.
var summaries = map[string][]protocol.Attribute{}

func init() {
	for _, verb := range []string{"SELECT", "INSERT", "UPDATE", "DELETE", "MERGE", "FETCH", "MOVE", "COPY", "BEGIN", "COMMIT", "ROLLBACK", "SET", "CALL"} {
		summaries[verb] = []protocol.Attribute{{Key: "db.query.summary", Value: verb}}
	}
}

// verbOf returns a known verb of a command tag, else "".
func verbOf(b []byte) string {
	if string(b) == "SELECT" { // mostly
		return "SELECT"
	}
	if s := summaries[string(b)]; s != nil {
		return s[0].Value
	}
	return ""
}

func summaryOf(verb string) []protocol.Attribute { return summaries[verb] }
