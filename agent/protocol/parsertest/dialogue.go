package parsertest

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sonde-dev/sonde/agent/protocol"
	"github.com/sonde-dev/sonde/signal"
)

// Dialogue is a conversation with a database whose messages are built in Go. Each call is a letter and what it says:
//
//	>TEXT  the client
//	<TEXT  the server
//	|TEXT  the server, in one call however calls are cut: what shows where a message begins after a loss
//	gTEXT  the client, and it is lost; the text stands for its length, beside 30 bytes more
//	hTEXT  the server, and it is lost
type Dialogue struct {
	Name  string
	Calls []string
	Want  []string // what Recorder.BareRows has in the end
	Lost  signal.Losses
}

// Dialogues are those of a protocol.
type Dialogues struct {
	Protocol protocol.Protocol
	// Growth is that of Recorder.
	Growth uint64
	All    []Dialogue
}

// Play runs calls, each cut into pieces of at most most bytes. Of those in kept only so many bytes are copied, and the last 8 known.
func (d *Dialogues) Play(t testing.TB, calls []string, most int, kept map[int]int) *Recorder {
	return d.drive(t, pieces(calls, most, kept))
}

// Captured reads a capture as Capture does, and returns the BareRows of its connections.
func (d *Dialogues) Captured(t testing.TB, file string, port uint16) (rows []string) {
	t.Helper()
	for _, calls := range Capture(t, file, port) {
		rows = append(rows, d.drive(t, calls).BareRows()...)
	}
	return rows
}

func (d *Dialogues) drive(t testing.TB, calls []Call) *Recorder {
	r := NewRecorder(t)
	r.Growth = d.Growth
	Drive(d.Protocol.NewParser(protocol.Start{}), r, calls, true)
	if !r.IsOpaque {
		r.Finish()
	}
	return r
}

func pieces(calls []string, most int, kept map[int]int) (out []Call) {
	for i, call := range calls {
		kind, dir, b := call[0], directionOf(call), []byte(call[1:])
		n, isKept := kept[i]
		switch {
		case kind == 'g' || kind == 'h':
			out = append(out, Gap(dir, 30+len(call)))
		case isKept:
			out = append(out, Call{Dir: dir, Data: b[:n], Skip: uint32(len(b) - n), Tail: b[max(n, len(b)-8):]})
		case kind == '|':
			out = append(out, Call{Dir: dir, Data: b})
		default:
			for len(b) > 0 {
				n := min(len(b), most)
				out = append(out, Call{Dir: dir, Data: b[:n]})
				b = b[n:]
			}
		}
	}
	return out
}

func directionOf(call string) protocol.Direction {
	if call[0] == '>' || call[0] == 'g' {
		return protocol.ToServer
	}
	return protocol.FromServer
}

// Script makes a script of the calls that are not lost, as Recorder.Script takes it.
func (c *Dialogue) Script() (orders, client, server []byte) {
	calls := slices.DeleteFunc(pieces(c.Calls, math.MaxInt, nil), func(c Call) bool { return c.Skip > 0 })
	orders, _ = Orders(calls, math.MaxInt)
	for _, call := range calls {
		if call.Dir == protocol.ToServer {
			client = append(client, call.Data...)
		} else {
			server = append(server, call.Data...)
		}
	}
	return orders, client, server
}

// Expect holds the parser to telling what each wants, in whole calls and in pieces.
func (d *Dialogues) Expect(t *testing.T) {
	t.Helper()
	for _, c := range d.All {
		for _, most := range []int{1 << 20, 1, 2, 3, 7, 20} {
			if strings.Contains(c.Name, "lost") && most < 20 {
				continue // after a loss a call must show that it begins a message
			}
			r := d.Play(t, c.Calls, most, nil)
			if diff := cmp.Diff(c.Want, r.BareRows()); diff != "" {
				t.Errorf("%s in pieces of %d (-want +got):\n%s", c.Name, most, diff)
			}
			if c.Lost == nil {
				c.Lost = signal.Losses{}
			}
			if diff := cmp.Diff(c.Lost, r.Losses); diff != "" {
				t.Errorf("%s in pieces of %d, losses (-want +got):\n%s", c.Name, most, diff)
			}
		}
	}
}

// ExpectSizes holds the parser, where one call is the request and one the response, to their sizes being those of the exchange. Behind a
// request, trailer is not counted, unless it is all there is.
func (d *Dialogues) ExpectSizes(t *testing.T, trailer string) {
	t.Helper()
	for _, c := range d.All {
		if len(c.Calls) != 2 || len(c.Want) != 1 || c.Calls[0][0] != '>' || c.Calls[1][0] != '<' {
			continue
		}
		request, response := c.Calls[0][1:], c.Calls[1][1:]
		if request != trailer {
			request = strings.TrimSuffix(request, trailer)
		}
		want := fmt.Sprintf("|req=%d|res=%d", len(request), len(response))
		if r := d.Play(t, c.Calls, 9, nil); !strings.Contains(r.Rows()[0], want) {
			t.Errorf("%s: %s, want %s", c.Name, r.Rows()[0], want)
		}
	}
}

// AnyLoss strings some of All together, loses calls and ends of calls, and holds the parser to telling nothing that was never said: all that is not partial
// and answered, unless mayBe accepts it.
func (d *Dialogues) AnyLoss(t *testing.T, rounds int, isApart func(Dialogue) bool, mayBe func(row string) bool) {
	t.Helper()
	r := rand.New(rand.NewPCG(5, 6))
	full := 0
	for i := range rounds {
		calls, truth := d.some(r, isApart)
		for range 1 + r.IntN(4) {
			if len(calls) == 0 {
				break
			}
			k := r.IntN(len(calls))
			switch calls[k][0] {
			case '>':
				calls[k] = "g" + calls[k][1:]
			case '<':
				calls[k] = "h" + calls[k][1:]
			}
		}
		kept := map[int]int{}
		for range r.IntN(3) { // calls of which the kernel side copies only the first bytes
			if k := r.IntN(len(calls) + 1); k < len(calls) && len(calls[k]) > 1 && (calls[k][0] == '<' || calls[k][0] == '>') {
				kept[k] = r.IntN(len(calls[k]) - 1)
			}
		}
		told := d.Play(t, calls, 1<<20, kept)
		for _, row := range told.BareRows() {
			if strings.Contains(row, "|partial") || strings.Contains(row, "|unanswered") || mayBe(row) {
				continue
			}
			full++
			if truth[row]--; truth[row] < 0 {
				t.Fatalf("round %d: %s was never said; calls %q; all %q", i, row, calls, told.Rows())
			}
		}
	}
	t.Logf("%d complete", full)
}

// some returns up to six of All in a row, apart from those that stand apart, and how often each row is true.
func (d *Dialogues) some(r *rand.Rand, isApart func(Dialogue) bool) (calls []string, truth map[string]int) {
	truth = map[string]int{}
	for range 1 + r.IntN(6) {
		next := d.All[r.IntN(len(d.All))]
		if isApart(next) {
			continue
		}
		calls = append(calls, next.Calls...)
		for _, w := range next.Want {
			truth[w]++
		}
	}
	return calls, truth
}
