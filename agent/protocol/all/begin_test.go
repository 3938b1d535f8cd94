package all_test

import (
	"bytes"
	"fmt"
	"path/filepath"
	"testing"

	"github.com/sonde-dev/sonde/agent/exchange"
	"github.com/sonde-dev/sonde/agent/replay"
)

// A request begins with its first byte: where the first call of a turn is cut, the first request in it begins with the first piece.
func TestRequestsBeginWithTheirFirstByte(t *testing.T) {
	tested := map[string]int{}
	for _, c := range captures(t) {
		for i, conv := range c.conversations {
			if !isWhole(conv) || !conv.Seen {
				continue
			}
			turns := join(conv.Calls)
			whole := beginnings(conv, turns)
			if len(whole) == 0 {
				continue
			}
			for _, k := range []int{1, 2, 3, 5, 8, 13, 21, 34} {
				var calls []replay.Call
				var first []int // by turn: its first call
				for _, turn := range turns {
					first = append(first, len(calls))
					if n := uint32(k); n < turn.Len {
						head, rest := turn, turn
						head.Len, head.Payload = n, turn.Payload[:n]
						rest.Len, rest.Payload = turn.Len-n, turn.Payload[n:]
						calls = append(calls, head, rest)
					} else {
						calls = append(calls, turn)
					}
				}
				cut := beginnings(conv, calls)
				for turn := range turns {
					if isNoRequest(turns[turn].Payload) {
						continue
					}
					if name := whole[turn]; name != "" && cut[first[turn]] == "" {
						t.Errorf("%s/%s/%d: turn %d, cut behind %d bytes of %q: %s begins later", c.folder, filepath.Base(c.path), i, turn, k, turns[turn].Payload[:min(len(turns[turn].Payload), 20)], name)
					} else if name != "" {
						tested[c.folder]++
					}
				}
			}
		}
	}
	if len(tested) < 9 {
		t.Errorf("turns of %v only", tested)
	}
}

// isNoRequest says whether a turn begins with a message that is no request, but answers one or prepares the connection.
func isNoRequest(b []byte) bool {
	const settings, windowUpdate = 4, 8 // frames of HTTP/2, RFC 9113 §6; their type is behind a length of three bytes
	for _, answer := range []string{
		"+OK\r\n", "PONG\r\n", // NATS
		"PRI * HTTP/2.0\r\n",                                                                           // RFC 9113 §3.4
		"\x01\x00\x00\x00\x00\x00\x0c\x00\x0a\x00\x1f", "\x01\x00\x01\x00\x00\x00\x0a\x00\x3c\x00\x15", // AMQP: connection.tune-ok, basic.consume-ok
	} {
		if bytes.HasPrefix(b, []byte(answer)) {
			return true
		}
	}
	return len(b) > 9 && b[0] == 0 && (b[3] == settings || b[3] == windowUpdate) && b[1] == 0
}

// beginnings returns by call an exchange whose request begins with it.
func beginnings(conv *replay.Conversation, calls []replay.Call) map[int]string {
	at := map[int]string{}
	play(conv, scene{calls: calls, isSeen: conv.Seen}, func(x *exchange.Exchange) {
		at[int((x.RequestStart-1e9)/1e6)-1] = fmt.Sprintf("%s %s %s", x.Protocol.Name(), x.Operation, x.Target)
	})
	return at
}
