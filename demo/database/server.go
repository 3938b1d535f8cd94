package database

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
)

// Statements is what a server knows. Its methods must be safe for concurrent use.
type Statements interface {
	// Columns names the columns of a statement's rows; none: it returns no rows.
	Columns(sql string) []string
	// Run runs a statement as long as it takes. The tag is that of CommandComplete, "SELECT 1". An error that is no
	// *StateError becomes an internal one (XX000).
	Run(sql string, args []string) (rows [][]string, tag string, err error)
}

// maxPrepared bounds the statements that one connection may prepare.
const maxPrepared = 256

// ServeConn answers one client until it leaves; that is no error. Whatever user and database are let in.
func ServeConn(c net.Conn, s Statements) error {
	conn := &serverConn{c: c, r: bufio.NewReader(c), statements: s, prepared: map[string]string{}, portals: map[string]portal{}}
	err := conn.welcome()
	for err == nil {
		var m message
		if m, err = readMessage(conn.r); err != nil {
			break
		}
		if m.kind == 'X' {
			return nil
		}
		err = conn.take(m)
	}
	if errors.Is(err, io.EOF) {
		return nil
	}
	return err
}

type serverConn struct {
	c          net.Conn
	r          *bufio.Reader
	statements Statements
	prepared   map[string]string // name → statement
	portals    map[string]portal
	out        []byte // replies not sent yet
	isSkipping bool   // until Sync, because something failed ("Extended Query")
}

type portal struct {
	sql  string
	args []string
}

// welcome reads the start-up and lets the client in. Encryption is refused: clients then go on without.
func (s *serverConn) welcome() error {
	for {
		body, err := readBody(s.r)
		if err != nil {
			return err
		}
		in := reader{b: body}
		switch code := in.int32(); code {
		case sslRequest, gssRequest:
			if _, err := s.c.Write([]byte{'N'}); err != nil {
				return fmt.Errorf("refuse encryption: %w", err)
			}
		case version3:
			b := add(nil, 'R', int32(0)) // AuthenticationOk
			for _, p := range [][2]string{{"server_version", "16.4"}, {"client_encoding", "UTF8"}, {"server_encoding", "UTF8"},
				{"standard_conforming_strings", "on"}, {"DateStyle", "ISO, MDY"}, {"integer_datetimes", "on"}, {"TimeZone", "UTC"}} {
				b = add(b, 'S', p[0], p[1])
			}
			s.out = add(b, 'K', int32(1), int32(0)) // BackendKeyData: nothing can be cancelled
			return s.ready()
		case cancelRequest:
			return io.EOF
		default:
			return errProtocol
		}
	}
}

func (s *serverConn) take(m message) error {
	in := &reader{b: m.body}
	switch {
	case m.kind == 'S':
		s.isSkipping = false
		return s.ready()
	case m.kind == 'H':
		return s.flush()
	case s.isSkipping:
		return nil
	case m.kind == 'Q':
		sql := in.text()
		s.describeRows(sql)
		s.run(portal{sql: sql})
		return errors.Join(in.err, s.ready())
	case m.kind == 'P':
		s.parse(in)
	case m.kind == 'B':
		s.bind(in)
	case m.kind == 'D':
		s.describe(in)
	case m.kind == 'E':
		if p, ok := s.portals[in.text()]; ok {
			s.run(p)
		} else {
			s.fail(&StateError{"34000", "portal does not exist"})
		}
	case m.kind == 'C':
		if kind, name := in.bytes(1), in.text(); in.err == nil && kind[0] == 'S' {
			delete(s.prepared, name)
		}
		s.out = add(s.out, '3')
	default:
		return errProtocol
	}
	return in.err
}

func (s *serverConn) parse(in *reader) {
	name, sql := in.text(), in.text()
	if _, ok := s.prepared[name]; ok && name != "" {
		s.fail(&StateError{"42P05", "prepared statement already exists"})
		return
	}
	if len(s.prepared) >= maxPrepared {
		s.fail(&StateError{"54000", "too many prepared statements"})
		return
	}
	s.prepared[name] = sql
	s.out = add(s.out, '1')
}

// bind reads parameters as text, whatever format the client says: all are of type text.
func (s *serverConn) bind(in *reader) {
	name, statement := in.text(), in.text()
	in.bytes(2 * in.int16()) // formats
	var args []string
	for range in.int16() {
		n := in.int32()
		if n < 0 { // NULL
			args = append(args, "")
			continue
		}
		args = append(args, string(in.bytes(n)))
		if in.err != nil {
			return
		}
	}
	sql, ok := s.prepared[statement]
	if !ok {
		s.fail(&StateError{"26000", "prepared statement does not exist"})
		return
	}
	clear(s.portals) // one at a time is enough
	s.portals[name] = portal{sql, args}
	s.out = add(s.out, '2')
}

func (s *serverConn) describe(in *reader) {
	kind, name := in.bytes(1), in.text()
	if in.err != nil {
		return
	}
	sql, ok := s.portals[name].sql, true
	if kind[0] == 'S' {
		if sql, ok = s.prepared[name]; !ok {
			s.fail(&StateError{"26000", "prepared statement does not exist"})
			return
		}
		n := parameters(sql)
		parts := []any{int16(n)}
		for range n {
			parts = append(parts, int32(textOID))
		}
		s.out = add(s.out, 't', parts...)
	}
	if !s.describeRows(sql) {
		s.out = add(s.out, 'n')
	}
}

// parameters counts $1, $2 and so on.
func parameters(sql string) (n int) {
	for strings.Contains(sql, fmt.Sprintf("$%d", n+1)) {
		n++
	}
	return n
}

func (s *serverConn) describeRows(sql string) bool {
	columns := s.statements.Columns(sql)
	if len(columns) == 0 {
		return false
	}
	parts := []any{int16(len(columns))}
	for _, c := range columns { // name, table, column, type, its size, its modifier, format
		parts = append(parts, c, int32(0), int16(0), int32(textOID), int16(-1), int32(-1), int16(0))
	}
	s.out = add(s.out, 'T', parts...)
	return true
}

func (s *serverConn) run(p portal) {
	rows, tag, err := s.statements.Run(p.sql, p.args)
	if err != nil {
		s.fail(err)
		return
	}
	for _, row := range rows {
		parts := []any{int16(len(row))}
		for _, v := range row {
			parts = append(parts, int32(len(v)), []byte(v))
		}
		s.out = add(s.out, 'D', parts...)
	}
	s.out = add(s.out, 'C', tag)
}

func (s *serverConn) fail(err error) {
	state := &StateError{"XX000", err.Error()}
	errors.As(err, &state)
	s.out = add(s.out, 'E', "SERROR", "VERROR", "C"+state.Code, "M"+state.Message, []byte{0})
	s.isSkipping = true
}

// ready ends a query, or a run of messages that a Sync ended.
func (s *serverConn) ready() error {
	s.isSkipping = false
	s.out = add(s.out, 'Z', []byte{'I'})
	return s.flush()
}

func (s *serverConn) flush() error {
	_, err := s.c.Write(s.out)
	s.out = s.out[:0]
	if err != nil {
		return fmt.Errorf("write replies: %w", err)
	}
	return nil
}
