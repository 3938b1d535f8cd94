package prefix_test

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sonde-dev/sonde/agent/protocol"
	"github.com/sonde-dev/sonde/agent/protocol/internal/prefix"
)

// toy has messages of a letter, a digit for the number of bytes that follow, and these; it keeps two of them.
type toy struct{ got []string }

func (t *toy) Measure(_ protocol.Direction, b []byte) (uint64, int, bool) {
	switch {
	case b[0] < 'a' || b[0] > 'z':
		return 0, 0, false
	case len(b) < 2:
		return 0, 0, true
	}
	n := int(b[1] - '0')
	return uint64(2 + n), 4, n < 10
}

func (t *toy) Strict(_ protocol.Direction, b []byte) protocol.Verdict {
	switch _, _, ok := t.Measure(0, b); {
	case !ok:
		return protocol.No
	case len(b) < 4:
		return protocol.Maybe
	}
	return protocol.IsRequest
}

func (t *toy) Message(_ protocol.Direction, b []byte, size uint64, isCut bool) bool {
	t.got = append(t.got, fmt.Sprintf("%s of %d cut=%v", b, size, isCut))
	return true
}

func (t *toy) End(protocol.Direction)  { t.got = append(t.got, "end") }
func (t *toy) Lost(protocol.Direction) { t.got = append(t.got, "lost") }

// A script is calls: text, or a number of lost bytes.
func TestReader(t *testing.T) {
	for _, tt := range []struct {
		name   string
		isLost bool
		script []any
		want   []string
	}{
		{"two in a call", false, []any{"a3xyzb0"}, []string{"a3xy of 5 cut=false", "end", "b0 of 2 cut=false", "end"}},
		{"bytewise", false, []any{"a", "3", "x", "y", "z", "b", "0"}, []string{"a3xy of 5 cut=false", "end", "b0 of 2 cut=false", "end"}},
		{"gap in the rest", false, []any{"a9wx", 6, "yb0"}, []string{"a9wx of 11 cut=false", "end", "b0 of 2 cut=false", "end"}},
		{"gap in what is kept", false, []any{"a9w", 8, "b0"}, []string{"a9w of 11 cut=true", "end", "b0 of 2 cut=false", "end"}},
		{"gap at a header", false, []any{"a0", 3, "zz", "b2xy"}, []string{"a0 of 2 cut=false", "end", "lost", "lost", "b2xy of 4 cut=false", "end"}},
		{"garbage", false, []any{"?", "b2xy"}, []string{"lost", "b2xy of 4 cut=false", "end"}},
		{"joined, header in pieces", true, []any{"Rest", 4, "??", "b2", "xyc0"}, []string{"lost", "lost", "lost", "b2xy of 4 cut=false", "end", "c0 of 2 cut=false", "end"}},
		{"joined, messages in pieces", true, []any{"b0", "c0"}, []string{"b0 of 2 cut=false", "end", "c0 of 2 cut=false", "end"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			h, r := &toy{}, prefix.Reader{}
			if tt.isLost {
				r.StartLost()
			}
			for _, step := range tt.script {
				switch s := step.(type) {
				case string:
					r.Data([]byte(s), true, h)
				case int:
					r.Gap(uint32(s), nil, h)
				}
			}
			if diff := cmp.Diff(tt.want, h.got); diff != "" {
				t.Errorf("told (-want +got):\n%s", diff)
			}
		})
	}
}
