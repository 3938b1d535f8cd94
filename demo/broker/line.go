// Package broker speaks the client protocol of NATS at both ends: a broker that hands messages on, and a client.
//
// In: messages with a subject. Out: the same to those who subscribed. It must not know the shop, nor who watches.
// The protocol: https://docs.nats.io/reference/reference-protocols/nats-protocol. There are no headers, no accounts, no
// JetStream; INFO says so.
package broker

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
)

const (
	maxPayload = 1 << 20
	maxLine    = 4096 // nats-server's max_control_line
)

var errProtocol = errors.New("not NATS")

// readLine returns the words of a control line, the first in upper case.
func readLine(r *bufio.Reader) ([]string, error) {
	b, err := r.ReadSlice('\n')
	if err != nil {
		return nil, err
	}
	words := strings.Fields(string(b))
	if len(words) == 0 {
		return nil, errProtocol
	}
	words[0] = strings.ToUpper(words[0])
	return words, nil
}

// readPayload reads as many bytes as a word says, and the line end behind them.
func readPayload(r *bufio.Reader, size string) ([]byte, error) {
	n, err := strconv.Atoi(size)
	if err != nil || n < 0 || n > maxPayload {
		return nil, errProtocol
	}
	b := make([]byte, n+2)
	if _, err := io.ReadFull(r, b); err != nil {
		return nil, err
	}
	if string(b[n:]) != "\r\n" {
		return nil, errProtocol
	}
	return b[:n], nil
}

// Matches says whether a subscription wants a subject: * stands for one word, > at the end for one or more.
func Matches(pattern, subject string) bool {
	ps, ss := strings.Split(pattern, "."), strings.Split(subject, ".")
	for i, p := range ps {
		switch {
		case i >= len(ss):
			return false
		case p == ">" && i == len(ps)-1:
			return true
		case p != "*" && p != ss[i]:
			return false
		}
	}
	return len(ps) == len(ss)
}

func appendMessage(b []byte, subject, sid, reply string, payload []byte) []byte {
	if reply != "" {
		reply += " "
	}
	b = fmt.Appendf(b, "MSG %s %s %s%d\r\n", subject, sid, reply, len(payload))
	return append(append(b, payload...), "\r\n"...)
}
