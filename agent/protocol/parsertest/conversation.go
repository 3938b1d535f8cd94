package parsertest

import (
	"fmt"
	"iter"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sonde-dev/sonde/agent/protocol"
)

// Conversation is one that is written in Go.
type Conversation struct {
	Name  string
	Calls []Call
	Want  []string // see Expect
}

// Each runs a test for each conversation: Expect, AnySplit, and more.
func Each(t *testing.T, p protocol.Protocol, all []Conversation, more func(t *testing.T, c Conversation)) {
	for _, c := range all {
		t.Run(c.Name, func(t *testing.T) {
			Expect(t, p, false, c.Calls, c.Want...)
			AnySplit(t, p, false, c.Calls)
			more(t, c)
		})
	}
}

// Conversations runs the files of a folder. The language is that of agent/exchange:
//
//	client> TEXT               a call of the client, Go escapes
//	server< TEXT
//	skip SIDE N [tail="TEXT"]  a hole
//	joined | close | end       end: without close, what is under way is given out
//	= LINE                     an exchange, as Recorder.Lines has it
//	= loss CAUSE N
//	= opaque
//
// Every conversation without a hole is also played byte by byte and with pairs of calls in one, and must come out the same.
func Conversations(t *testing.T, p protocol.Protocol, glob string) {
	for name, lines := range Texts(t, glob) {
		t.Run(name, func(t *testing.T) { converse(t, p, lines) })
	}
}

// Texts reads files of conversations that begin with "## NAME", and yields "FILE/NAME" and the lines of each.
func Texts(t *testing.T, glob string) iter.Seq2[string, string] {
	t.Helper()
	files, err := filepath.Glob(glob)
	if err != nil || len(files) == 0 {
		t.Fatalf("no conversations: %v", err)
	}
	return func(yield func(name, lines string) bool) {
		for _, file := range files {
			b, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			base := strings.TrimSuffix(filepath.Base(file), ".txt")
			for _, text := range strings.Split("\n"+string(b), "\n## ")[1:] {
				if name, lines, _ := strings.Cut(text, "\n"); !yield(base+"/"+name, lines) {
					return
				}
			}
		}
	}
}

func converse(t *testing.T, p protocol.Protocol, text string) {
	var steps []Call
	var want, wantLoss []string
	joined, closes, hasHole := false, false, false
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		word, rest, _ := strings.Cut(line, " ")
		switch word {
		case "", "#":
		case "client>", "server<":
			b, err := unescape(rest)
			if err != nil {
				t.Fatalf("%q: %v", line, err)
			}
			steps = append(steps, Call{Dir: dirOf(word[:6]), Data: b})
		case "skip":
			side, rest, _ := strings.Cut(rest, " ")
			size, tail, _ := strings.Cut(rest, " tail=")
			n, err := strconv.Atoi(size)
			b, err2 := unescape(strings.Trim(tail, `"`))
			if err != nil || err2 != nil {
				t.Fatalf("%q: %v %v", line, err, err2)
			}
			steps = append(steps, Call{Dir: dirOf(side), Skip: uint32(n), Tail: b})
			hasHole = true
		case "joined":
			joined = true
		case "close":
			closes = true
		case "end":
		case "=":
			if strings.HasPrefix(rest, "loss ") {
				wantLoss = append(wantLoss, rest)
			} else {
				want = append(want, rest)
			}
		default:
			if !strings.HasPrefix(word, "#") {
				t.Fatalf("unknown word in %q", line)
			}
		}
	}
	want = append(want, slices.Sorted(slices.Values(wantLoss))...)
	if diff := cmp.Diff(want, outcomeOf(t, p, joined, steps, closes)); diff != "" {
		t.Errorf("exchanges (-want +got):\n%s", diff)
	}
	if hasHole || joined {
		return
	}
	for _, how := range []string{"bytes", "pairs", "odd"} {
		if diff := cmp.Diff(want, outcomeOf(t, p, joined, resegment(steps, how), closes)); diff != "" {
			t.Errorf("as %s (-want +got):\n%s", how, diff)
		}
	}
}

// outcomeOf plays calls, and gives out what is open in the end.
func outcomeOf(t *testing.T, p protocol.Protocol, joined bool, calls []Call, closes bool) []string {
	r := NewRecorder(t)
	Drive(p.NewParser(protocol.Start{Joined: joined}), r, calls, closes)
	r.Finish()
	lines := r.Lines
	if r.IsOpaque {
		lines = append(lines, "opaque")
	}
	return append(lines, slices.Sorted(slices.Values(r.losses()))...)
}

// resegment cuts the calls of a conversation otherwise: byte by byte, neighbours of one direction in one call, or in parts of odd sizes.
func resegment(steps []Call, how string) []Call {
	var out []Call
	for i, s := range steps {
		switch {
		case s.Skip > 0:
			out = append(out, s)
		case how == "bytes":
			for j := range s.Data {
				out = append(out, Call{Dir: s.Dir, Data: s.Data[j : j+1]})
			}
		case how == "odd":
			for b, n := s.Data, 1; len(b) > 0; n = n*3%17 + 1 {
				k := min(n, len(b))
				out = append(out, Call{Dir: s.Dir, Data: b[:k]})
				b = b[k:]
			}
		case i > 0 && len(out) > 0 && out[len(out)-1].Dir == s.Dir && out[len(out)-1].Skip == 0:
			last := &out[len(out)-1]
			last.Data = append(append([]byte(nil), last.Data...), s.Data...)
		default:
			out = append(out, s)
		}
	}
	return out
}

func dirOf(side string) protocol.Direction {
	if side == "client" {
		return protocol.ToServer
	}
	return protocol.FromServer
}

func unescape(s string) ([]byte, error) {
	u, err := strconv.Unquote(`"` + strings.ReplaceAll(s, `"`, `\"`) + `"`)
	if err != nil {
		return nil, fmt.Errorf("unescape %q: %w", s, err)
	}
	return []byte(u), nil
}
