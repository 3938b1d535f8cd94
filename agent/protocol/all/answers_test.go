package all_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/sonde-dev/sonde/agent/replay"
)

// memcached answers in order, and some of it by silence: nowhere else is it as easy to take one answer for another. Whatever is lost of a
// conversation, what is told of a key without "partial" is true: a hit is no miss. Not so where a connection is joined while several
// requests wait: nobody can know of them.
func TestNoAnswerIsTakenForAnother(t *testing.T) {
	rounds := 1500
	if testing.Short() {
		rounds = 200
	}
	for seed := range uint64(rounds) {
		r := rand.New(rand.NewPCG(seed, 5))
		conv := &replay.Conversation{Seen: r.IntN(2) == 0}
		most := 1 + 2*r.IntN(2) // commands at once
		for range 2 + r.IntN(6) {
			var req, res string
			for range 1 + r.IntN(most) {
				q, a := command(r)
				req, res = req+q, res+a
			}
			conv.Calls = append(conv.Calls, pieces(r, true, req)...)
			conv.Calls = append(conv.Calls, pieces(r, false, res)...)
		}
		truth, lost := play(conv, whole(conv), nil)
		if len(lost) > 0 {
			t.Fatalf("seed %d: lost %v of a whole conversation", seed, lost)
		}
		for i := range truth { // with several silent ones, it may be known only by guess
			truth[i] = strings.TrimSuffix(truth[i], " partial")
		}
		for range 20 {
			s := damage(r, whole(conv))
			if strings.HasPrefix(s.whatever, "joined") {
				continue
			}
			got, lost := play(conv, s, nil)
			if wrong := untrue(truth, got, s.forgot); len(wrong) > 0 {
				t.Errorf("seed %d: %s: told %q, which is not true of %q; lost %v", seed, s.whatever, wrong, truth, lost)
			}
		}
	}
}

// command returns a command and its answer.
func command(r *rand.Rand) (req, res string) {
	key := fmt.Sprintf("key%c", 'a'+r.IntN(20))
	isFound := r.IntN(2) == 0
	either := func(yes, no string) string {
		if isFound {
			return yes
		}
		return no
	}
	switch r.IntN(7) {
	case 0, 1:
		return "get " + key + "\r\n", either("VALUE "+key+" 0 5\r\nhello\r\n", "") + "END\r\n"
	case 2:
		return "get " + key + " other\r\n", either("VALUE "+key+" 0 5\r\nhello\r\n", "") + "VALUE other 0 3\r\nxyz\r\nEND\r\n"
	case 3:
		return "set " + key + " 0 0 3\r\nabc\r\n", "STORED\r\n"
	case 4:
		return "mg " + key + " v\r\n", either("VA 2\r\nab\r\n", "EN\r\n")
	case 5:
		return "delete " + key + "\r\n", either("DELETED\r\n", "NOT_FOUND\r\n")
	}
	isGet := r.IntN(2) == 0
	for i := range 1 + r.IntN(3) { // quiet ones, and one that is answered
		if isFound = r.IntN(2) == 0; isGet {
			req, res = req+fmt.Sprintf("mg %s%d v k q\r\n", key, i), res+either(fmt.Sprintf("VA 2 k%s%d\r\nab\r\n", key, i), "")
		} else {
			req, res = req+fmt.Sprintf("ms %s%d 2 q\r\nab\r\n", key, i), res+either("NS\r\n", "")
		}
	}
	return req + "mn\r\n", res + "MN\r\n"
}

// pieces sends a text in one call, or a few.
func pieces(r *rand.Rand, isClient bool, text string) (calls []replay.Call) {
	for len(text) > 0 {
		n := len(text)
		if r.IntN(3) == 0 {
			n = 1 + r.IntN(n)
		}
		calls = append(calls, replay.Call{FromClient: isClient, Payload: []byte(text[:n]), Len: uint32(n)})
		text = text[n:]
	}
	return calls
}
