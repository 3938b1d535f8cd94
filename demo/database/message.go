// Package database speaks version 3 of PostgreSQL's protocol at both ends: a server that gives canned answers, and a client.
//
// In: statements, simple or prepared. Out: rows as text, command tags, errors with an SQLSTATE. It must not know the shop, nor
// who watches. The protocol: https://www.postgresql.org/docs/current/protocol.html
package database

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"strings"
)

// Codes of the first message, which has no type ("Message Formats": StartupMessage, SSLRequest, GSSENCRequest, CancelRequest).
const (
	version3      = 3 << 16
	cancelRequest = 1234<<16 | 5678
	sslRequest    = 1234<<16 | 5679
	gssRequest    = 1234<<16 | 5680
)

const (
	textOID    = 25 // pg_type.oid of text: every column and parameter here
	maxMessage = 1 << 20
	lengthSize = 4
)

var errProtocol = errors.New("not PostgreSQL's protocol")

// message is one of either side; kind is 0 for the first of a client.
type message struct {
	kind byte
	body []byte
}

func readMessage(r *bufio.Reader) (m message, err error) {
	if m.kind, err = r.ReadByte(); err != nil {
		return m, err
	}
	m.body, err = readBody(r)
	return m, err
}

func readBody(r *bufio.Reader) ([]byte, error) {
	var head [lengthSize]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return nil, err
	}
	n := binary.BigEndian.Uint32(head[:])
	if n < lengthSize || n > maxMessage {
		return nil, errProtocol
	}
	body := make([]byte, n-lengthSize)
	_, err := io.ReadFull(r, body)
	return body, err
}

// add appends a message. Parts are strings (written with their end), raw bytes, and integers of 16 and 32 bits.
func add(b []byte, kind byte, parts ...any) []byte {
	if kind != 0 {
		b = append(b, kind)
	}
	at := len(b)
	b = append(b, 0, 0, 0, 0)
	for _, p := range parts {
		switch p := p.(type) {
		case string:
			b = append(append(b, p...), 0)
		case []byte:
			b = append(b, p...)
		case int16:
			b = binary.BigEndian.AppendUint16(b, uint16(p))
		case int32:
			b = binary.BigEndian.AppendUint32(b, uint32(p))
		}
	}
	binary.BigEndian.PutUint32(b[at:], uint32(len(b)-at))
	return b
}

// reader takes a message apart. Its first error stays.
type reader struct {
	b   []byte
	err error
}

func (r *reader) text() string {
	s, rest, ok := strings.Cut(string(r.b), "\x00")
	if !ok {
		r.err = errProtocol
	}
	r.b = []byte(rest)
	return s
}

func (r *reader) bytes(n int) []byte {
	if n < 0 || n > len(r.b) {
		r.err = errProtocol
		return nil
	}
	b := r.b[:n]
	r.b = r.b[n:]
	return b
}

func (r *reader) int16() int {
	b := r.bytes(2)
	if r.err != nil {
		return 0
	}
	return int(int16(binary.BigEndian.Uint16(b)))
}

func (r *reader) int32() int {
	b := r.bytes(4)
	if r.err != nil {
		return 0
	}
	return int(int32(binary.BigEndian.Uint32(b)))
}

// A StateError is an error that the server answered with, by its SQLSTATE ("Appendix A. PostgreSQL Error Codes").
type StateError struct{ Code, Message string }

func (e *StateError) Error() string { return fmt.Sprintf("%s (SQLSTATE %s)", e.Message, e.Code) }
