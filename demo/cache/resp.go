// Package cache speaks RESP2, the protocol of Redis, at both ends: a small cache in memory, and a client of it.
//
// In: commands on a connection. Out: replies. It must not know the shop, nor who watches.
// The protocol: https://redis.io/docs/latest/develop/reference/protocol-spec/
package cache

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
)

const (
	maxArgs = 64
	maxBulk = 1 << 20 // bytes of one argument or value
)

// errProtocol: the other side does not speak RESP. The connection is of no use any more.
var errProtocol = errors.New("not RESP2")

// Reply is what the cache answered to one command.
type Reply struct {
	Kind byte   // '+', '-', ':' or '$', as on the wire
	Text string // without the kind; for errors with their first word
	Nil  bool   // there is no such key
}

// Status is OK, NIL, or the first word of an error.
func (r Reply) Status() string {
	switch {
	case r.Nil:
		return "NIL"
	case r.Kind == '-':
		word, _, _ := strings.Cut(r.Text, " ")
		return word
	}
	return "OK"
}

func (r Reply) append(b []byte) []byte {
	switch {
	case r.Nil:
		return append(b, "$-1\r\n"...)
	case r.Kind == '$':
		return fmt.Appendf(b, "$%d\r\n%s\r\n", len(r.Text), r.Text)
	}
	return fmt.Appendf(b, "%c%s\r\n", r.Kind, r.Text)
}

func appendCommand(b []byte, words []string) []byte {
	b = fmt.Appendf(b, "*%d\r\n", len(words))
	for _, w := range words {
		b = fmt.Appendf(b, "$%d\r\n%s\r\n", len(w), w)
	}
	return b
}

// readCommand reads an array of bulk strings. io.EOF means that the client ended between two commands.
func readCommand(r *bufio.Reader) ([]string, error) {
	kind, text, err := readLine(r)
	if err != nil {
		return nil, err
	}
	n, err := strconv.Atoi(text)
	if kind != '*' || err != nil || n < 1 || n > maxArgs {
		return nil, errProtocol
	}
	words := make([]string, n)
	for i := range words {
		kind, text, err := readLine(r)
		if err != nil {
			return nil, err
		}
		if kind != '$' {
			return nil, errProtocol
		}
		if words[i], err = readBulk(r, text); err != nil {
			return nil, err
		}
	}
	return words, nil
}

func readReply(r *bufio.Reader) (Reply, error) {
	kind, text, err := readLine(r)
	if err != nil {
		return Reply{}, err
	}
	switch kind {
	case '+', '-', ':':
		return Reply{Kind: kind, Text: text}, nil
	case '$':
		if text == "-1" {
			return Reply{Kind: kind, Nil: true}, nil
		}
		text, err = readBulk(r, text)
		return Reply{Kind: kind, Text: text}, err
	}
	return Reply{}, errProtocol
}

func readLine(r *bufio.Reader) (kind byte, text string, err error) {
	b, err := r.ReadSlice('\n')
	switch {
	case err == io.EOF && len(b) > 0:
		return 0, "", io.ErrUnexpectedEOF
	case err != nil:
		return 0, "", err
	case len(b) < 3 || b[len(b)-2] != '\r':
		return 0, "", errProtocol
	}
	return b[0], string(b[1 : len(b)-2]), nil
}

func readBulk(r *bufio.Reader, size string) (string, error) {
	n, err := strconv.Atoi(size)
	if err != nil || n < 0 || n > maxBulk {
		return "", errProtocol
	}
	b := make([]byte, n+2)
	if _, err := io.ReadFull(r, b); err != nil {
		return "", err
	}
	if string(b[n:]) != "\r\n" {
		return "", errProtocol
	}
	return string(b[:n]), nil
}
