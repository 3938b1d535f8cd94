package probe

import (
	"fmt"
	"strconv"
	"testing"

	"github.com/sonde-dev/sonde/agent/probe/event"
)

// wordBytes is the size of each message of sceneWords.
const wordBytes = 200

// sceneWords exchanges messages that are not HTTP on several connections, one each way after each pause.
func sceneWords(k *kid, args []string) error {
	conns, _ := strconv.Atoi(args[0])
	steps, _ := strconv.Atoi(args[1])
	pairs := make([][2]*sock, conns)
	for i := range pairs {
		client, server, err := k.pair("tcp4")
		if err != nil {
			return err
		}
		pairs[i] = [2]*sock{client, server}
	}
	write, read := senderNamed("write"), receiverNamed("read")
	for step := range steps {
		if err := k.pause(); err != nil {
			return err
		}
		word := append(fmt.Appendf(nil, "\xff\x01 word %d", step), body(wordBytes)...)[:wordBytes]
		for _, p := range pairs {
			if err := converse(p[0], p[1], write, read, word, word); err != nil {
				return err
			}
		}
	}
	return nil
}

// generation is that of the selection, as the programs see it.
func (r *recorder) generation(t *testing.T) (n uint32) {
	t.Helper()
	if err := r.selection.generation.Get(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

// said adds up what was reported and copied of some connections by some events, by direction.
func said(events []event.Event, conns []uint64) (moved, copied [2]int) {
	mine := map[uint64]bool{}
	for _, c := range conns {
		mine[c] = true
	}
	for _, e := range events {
		if e.Kind == event.Data && mine[e.Conn] {
			moved[e.Direction] += int(e.Len)
			copied[e.Direction] += len(e.Payload)
		}
	}
	return moved, copied
}

// TestFirstVerdict gives verdicts on connections that are not known: they have them in their next call, without a new generation
// that would make all others ask again, and no message is missing. A second verdict needs one.
func TestFirstVerdict(t *testing.T) {
	inBothTiers(t, func(t *testing.T, r *recorder) {
		const pairs = 4
		c := start(t, "words", fmt.Sprint(pairs), "4")
		c.untilPause()
		r.settle(t)
		step := func() []event.Event {
			before := len(r.of(c.pid()))
			c.proceed()
			c.untilPause()
			r.settle(t)
			return r.of(c.pid())[before:]
		}
		var claimed, silenced []uint64
		first := step()
		for _, e := range first {
			switch {
			case e.Kind != event.Open:
			case len(claimed) <= len(silenced):
				claimed = append(claimed, e.Conn)
			default:
				silenced = append(silenced, e.Conn)
			}
		}
		if len(claimed) != pairs || len(silenced) != pairs {
			t.Fatalf("%d and %d ends announced, want %d of each:\n%s", len(claimed), len(silenced), pairs, show(first))
		}
		before := r.generation(t)
		for i := range pairs {
			r.Copy(claimed[i], 30, 40, true)
			r.Copy(silenced[i], 0, 0, true)
		}
		second := step() // at once: nothing was published
		if moved, copied := said(second, claimed); moved != [2]int{pairs * wordBytes, pairs * wordBytes} || copied != [2]int{pairs * 30, pairs * 40} {
			t.Errorf("after the verdict %v bytes were reported and %v copied, want %d and 30 in, 40 out, %d times", moved, copied, pairs*wordBytes, pairs)
		}
		if moved, _ := said(second, silenced); moved != [2]int{} {
			t.Errorf("%v bytes of silenced connections were reported", moved)
		}
		if now := r.generation(t); now != before {
			t.Errorf("the generation went from %d to %d for first verdicts", before, now)
		}
		for _, conn := range claimed {
			r.Copy(conn, 50, 60, false)
		}
		r.settle(t)
		if _, copied := said(step(), claimed); copied != [2]int{pairs * 50, pairs * 60} {
			t.Errorf("after the second verdict %v bytes were copied, want 50 in and 60 out, %d times", copied, pairs)
		}
		if now := r.generation(t); now == before {
			t.Error("the generation is as before, after a second verdict")
		}
		c.proceed()
		c.finish()
		c.leave()
	})
}
