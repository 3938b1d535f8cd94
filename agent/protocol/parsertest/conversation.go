package parsertest

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sonde-dev/sonde/agent/protocol"
)

// Step is one call, or a hole.
type Step struct {
	Dir  protocol.Direction
	Data []byte // the bytes captured
	Gap  uint32 // and those that were not
	Tail []byte // of them
}

// Conversations runs the files of a folder. The language is that of agent/exchange:
//
//	client> TEXT               a call of the client, Go escapes
//	server< TEXT
//	skip SIDE N [tail="TEXT"]  a hole
//	joined | close | end       end: without close, what is under way is given out
//	= LINE                     an exchange, as Recorder.Done has it
//	= loss CAUSE N
//	= opaque
//
// Every conversation without a hole is also played byte by byte and with pairs of calls in one, and must come out the same.
func Conversations(t *testing.T, p protocol.Protocol, glob string) {
	files, err := filepath.Glob(glob)
	if err != nil || len(files) == 0 {
		t.Fatalf("no conversations: %v", err)
	}
	for _, file := range files {
		b, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, text := range strings.Split("\n"+string(b), "\n## ")[1:] {
			name, lines, _ := strings.Cut(text, "\n")
			t.Run(strings.TrimSuffix(filepath.Base(file), ".txt")+"/"+name, func(t *testing.T) { converse(t, p, lines) })
		}
	}
}

func converse(t *testing.T, p protocol.Protocol, text string) {
	var steps []Step
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
			steps = append(steps, Step{Dir: dirOf(word[:6]), Data: b})
		case "skip":
			side, rest, _ := strings.Cut(rest, " ")
			size, tail, _ := strings.Cut(rest, " tail=")
			n, err := strconv.Atoi(size)
			b, err2 := unescape(strings.Trim(tail, `"`))
			if err != nil || err2 != nil {
				t.Fatalf("%q: %v %v", line, err, err2)
			}
			steps = append(steps, Step{Dir: dirOf(side), Gap: uint32(n), Tail: b})
			hasHole = true
		case "joined":
			joined = true
		case "close":
			closes = true
		case "end":
		case "=":
			if loss, ok := strings.CutPrefix(rest, "loss "); ok {
				wantLoss = append(wantLoss, loss)
			} else {
				want = append(want, rest)
			}
		default:
			if !strings.HasPrefix(word, "#") {
				t.Fatalf("unknown word in %q", line)
			}
		}
	}
	r := Play(t, p, joined, steps, closes)
	if diff := cmp.Diff(want, r.Done); diff != "" {
		t.Errorf("exchanges (-want +got):\n%s", diff)
	}
	for _, l := range wantLoss {
		cause, n, _ := strings.Cut(l, " ")
		if got := r.Losses[cause]; strconv.FormatUint(got, 10) != n {
			t.Errorf("loss %s = %d, want %s", cause, got, n)
		}
	}
	if len(wantLoss) == 0 && len(r.Losses) > 0 {
		t.Errorf("losses = %v, want none", r.Losses)
	}
	if hasHole || joined {
		return
	}
	for _, how := range []string{"bytes", "pairs", "odd"} {
		if r := Play(t, p, joined, Resegment(steps, how), closes); !cmp.Equal(want, r.Done) {
			t.Errorf("as %s (-want +got):\n%s", how, cmp.Diff(want, r.Done))
		}
	}
}

// Play drives a new parser.
func Play(t testing.TB, p protocol.Protocol, joined bool, steps []Step, closes bool) *Recorder {
	r := NewRecorder(t)
	x := p.NewParser(protocol.Start{Joined: joined})
	for _, s := range steps {
		if len(s.Data) > 0 && !r.IsOpaque {
			own := append([]byte(nil), s.Data...)
			x.Data(s.Dir, own, r)
			for i := range own { // it must not have kept them
				own[i] = 0xee
			}
		}
		if s.Gap > 0 && !r.IsOpaque {
			x.Gap(s.Dir, s.Gap, s.Tail, r)
		}
	}
	if closes && !r.IsOpaque {
		x.Close(r)
	}
	r.Finish()
	if r.IsOpaque {
		r.Done = append(r.Done, "opaque")
	}
	return r
}

// Resegment cuts the calls of a conversation otherwise: byte by byte, neighbours of one direction in one call, or in parts of odd sizes.
func Resegment(steps []Step, how string) []Step {
	var out []Step
	for i, s := range steps {
		switch {
		case s.Gap > 0:
			out = append(out, s)
		case how == "bytes":
			for j := range s.Data {
				out = append(out, Step{Dir: s.Dir, Data: s.Data[j : j+1]})
			}
		case how == "odd":
			for b, n := s.Data, 1; len(b) > 0; n = n*3%17 + 1 {
				k := min(n, len(b))
				out = append(out, Step{Dir: s.Dir, Data: b[:k]})
				b = b[k:]
			}
		case i > 0 && len(out) > 0 && out[len(out)-1].Dir == s.Dir && out[len(out)-1].Gap == 0:
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
