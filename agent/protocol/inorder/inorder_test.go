package inorder

import (
	"testing"

	"github.com/sonde-dev/sonde/agent/protocol"
	"github.com/sonde-dev/sonde/agent/protocol/parsertest"
)

// ends hears which requests were given up.
type ends struct {
	parsertest.Discard
	givenUp []uint64
}

func (e *ends) ResponseEnd(id uint64, _ protocol.End) { e.givenUp = append(e.givenUp, id) }

// Each step is r: a request begins a call; R: one begins inside a call; a: the front is answered; q, p: bytes of requests, of responses are
// missing; j: joined. want is which requests are in doubt as they begin (d) or certain (c).
func TestDoubt(t *testing.T) {
	for _, tt := range []struct {
		name, steps, want string
		givenUp           int
	}{
		{"one after the other", "rarara", "ccc", 0},
		{"pipelined", "rRRaaaraR", "ccccc", 0},
		{"requests lost while quiet", "raqrarara", "cdcc", 0},
		{"requests lost while some wait", "rRqRaaarara", "ccddc", 0},
		{"a response lost while one waits", "rprarara", "cdcc", 1},
		{"a response lost, the next request is there already", "rrparara", "ccdc", 1},
		{"responses lost in a pipeline", "rRRaprRRaaara", "cccdddc", 2},
		{"joined", "jrara", "cc", 0},
		{"never quiet again", "rRqrarararara", "ccddddd", 0},
	} {
		var q Queue[struct{}]
		var e ends
		got := ""
		for _, s := range tt.steps {
			switch s {
			case 'r', 'R':
				if q.Begin(s == 'r', &e).Partial {
					got += "d"
				} else {
					got += "c"
				}
			case 'a':
				q.Answer()
				q.Pop()
			case 'q':
				q.LoseRequests()
			case 'p':
				q.LoseResponses(&e)
			case 'j':
				q.Join()
			}
		}
		if got != tt.want || len(e.givenUp) != tt.givenUp {
			t.Errorf("%s: %s → %s, %d given up; want %s, %d", tt.name, tt.steps, got, len(e.givenUp), tt.want, tt.givenUp)
		}
	}
}

func TestQueueIsBounded(t *testing.T) {
	var q Queue[int]
	var e ends
	for range 3 * MaxWaiting {
		q.Begin(false, &e)
	}
	if q.Len() > MaxWaiting || len(e.givenUp)+q.Len() != 3*MaxWaiting {
		t.Errorf("%d wait, %d were given up", q.Len(), len(e.givenUp))
	}
	for q.Len() > 0 {
		q.Pop()
	}
	if n := cap(q.entries); n > idleEntries {
		t.Errorf("an empty queue keeps %d places", n)
	}
	if first := q.Begin(true, &e); q.Find(first.ID) == nil || q.At(0) != q.Front() {
		t.Error("a request that waits is not found")
	}
	q.Remove(q.Front().ID)
	if q.Len() != 0 {
		t.Error("a removed request waits")
	}
}
