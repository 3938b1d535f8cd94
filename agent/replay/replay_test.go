package replay

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sonde-dev/sonde/agent/probe/event"
)

func conversations(t *testing.T, frames []frame) []*Conversation {
	t.Helper()
	path := filepath.Join(t.TempDir(), "x.pcap")
	must(t, os.WriteFile(path, capture(t, frames), 0o600))
	cs, err := Conversations(path)
	must(t, err)
	return cs
}

// turns writes what was said as one string for each turn, with its gaps.
func turns(c *Conversation) (out []string) {
	last := ""
	for _, k := range c.Calls {
		from := "server "
		if k.FromClient {
			from = "client "
		}
		if from != last {
			out = append(out, from)
			last = from
		}
		text := string(k.Payload)
		if k.Missing > 0 {
			text = fmt.Sprintf("[%d lost]%s", k.Missing, text)
		}
		if n := int(k.Len) - len(k.Payload); n > 0 {
			text += fmt.Sprintf("[%d cut]", n)
		}
		out[len(out)-1] += text
	}
	return out
}

// dialogue is a connection of three requests; the handshake is 3 frames.
func dialogue(t *testing.T) (*talk, []string) {
	k := newTalk(t)
	k.handshake()
	var want []string
	for i := range 3 {
		request, response := fmt.Sprintf("ask %d", i)+strings.Repeat("?", 20), fmt.Sprintf("answer %d", i)+strings.Repeat(".", 50)
		k.say(0, request, 7)
		k.say(1, response, 11)
		want = append(want, "client "+request, "server "+response)
	}
	k.fin(0)
	k.fin(1)
	k.segment(0, nil, nil)
	return k, want
}

func TestInOrder(t *testing.T) {
	k, want := dialogue(t)
	cs := conversations(t, k.frames)
	if len(cs) != 1 || !cs[0].Seen || !cs[0].Closed || cs[0].Reset || cs[0].Client != clientEnd || cs[0].Server != serverEnd {
		t.Fatalf("conversations = %+v", cs)
	}
	if diff := cmp.Diff(want, turns(cs[0])); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// Packets that were delayed, repeated, or cut anew by a retransmission make no difference.
func TestDisorder(t *testing.T) {
	for seed := range uint64(500) {
		r := rand.New(rand.NewPCG(seed, 3))
		k, want := dialogue(t)
		frames := k.frames[3:]
		for range 1 + r.IntN(12) {
			switch i := r.IntN(len(frames) - 1); r.IntN(3) {
			case 0:
				frames[i], frames[i+1] = frames[i+1], frames[i]
			case 1: // a repetition, later
				j := min(len(frames), i+1+r.IntN(6))
				frames = slices.Insert(frames, j, frames[i])
			case 2: // far late
				f, j := frames[i], min(len(frames)-1, i+r.IntN(6))
				frames = slices.Insert(slices.Delete(frames, i, i+1), j, f)
			}
		}
		for i := range frames {
			frames[i].at = time.Duration(i+10) * time.Millisecond
		}
		cs := conversations(t, append(slices.Clone(k.frames[:3]), frames...))
		if len(cs) != 1 || !cs[0].Closed {
			t.Fatalf("seed %d: conversations = %+v", seed, cs)
		}
		if diff := cmp.Diff(want, turns(cs[0])); diff != "" {
			t.Fatalf("seed %d: -want +got:\n%s", seed, diff)
		}
	}
}

// A segment that the capture lacks is a gap of exactly its size, once the receiver has acknowledged it.
func TestMissing(t *testing.T) {
	k, want := dialogue(t)
	for i := 4; i < len(k.frames)-3; i++ {
		cs := conversations(t, slices.Delete(slices.Clone(k.frames), i, i+1))
		if len(cs) != 1 {
			t.Fatalf("%d conversations", len(cs))
		}
		lost, said := uint32(0), 0
		for _, c := range cs[0].Calls {
			lost += c.Missing
			said += len(c.Payload)
		}
		all := len(strings.Join(want, "")) - len("client ")*len(want)
		if lost == 0 || int(lost)+said != all {
			t.Errorf("without frame %d: %d bytes lost and %d said, want %d in all; %q", i, lost, said, all, turns(cs[0]))
		}
	}
}

func TestCutBySnapLength(t *testing.T) {
	k := newTalk(t)
	k.handshake()
	k.say(0, "question", 100)
	k.say(1, "long answer", 100)
	k.frames[4].cut = 6
	k.say(0, "next", 100)
	got := turns(conversations(t, k.frames)[0])
	if want := []string{"client question", "server long [6 cut]", "client next"}; !slices.Equal(got, want) {
		t.Errorf("turns = %q, want %q", got, want)
	}
}

func TestJoinedAndReused(t *testing.T) {
	k := newTalk(t)
	k.say(0, "one", 100)
	k.say(1, "two", 100)
	k.seq = [2]uint32{5000, 6000}
	k.handshake()
	k.say(0, "three", 100)
	k.segment(1, nil, nil)
	cs := conversations(t, k.frames)
	if len(cs) != 2 || cs[0].Seen || !cs[1].Seen {
		t.Fatalf("conversations = %+v", cs)
	}
	if got := append(turns(cs[0]), turns(cs[1])...); !slices.Equal(got, []string{"client one", "server two", "client three"}) {
		t.Errorf("turns = %q", got)
	}
}

func TestCutFile(t *testing.T) {
	k, _ := dialogue(t)
	whole := capture(t, k.frames)
	for n := range len(whole) {
		s, err := New(bytes.NewReader(whole[:n]))
		if err == nil {
			err = s.Run(context.Background(), func(*event.Event) {}, func(uint64) {})
		}
		isBoundary := err == nil
		if isBoundary && (n < 24 || s.Packets == 0 && n > 24) {
			t.Errorf("%d bytes of a capture: no error", n)
		}
	}
}

func TestForeignFile(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	for range 2000 {
		b := make([]byte, r.IntN(200))
		for i := range b {
			b[i] = byte(r.Uint32())
		}
		if _, err := New(bytes.NewReader(b)); err == nil {
			t.Fatalf("%x is taken for a capture", b)
		}
	}
}
