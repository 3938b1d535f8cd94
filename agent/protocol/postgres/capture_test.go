package postgres

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sonde-dev/sonde/agent/protocol/parsertest"
	"github.com/sonde-dev/sonde/agent/protocol/sqltext/sqltest"
)

// TestCaptures reads recorded connections. What is expected was taken from tshark 4.0: tshark -r FILE -V.
func TestCaptures(t *testing.T) {
	for _, tt := range []struct {
		file string
		port uint16
		want []string
	}{
		// The capture lacks what was sent after the Parse, and its answer: what came back belongs to an Execute, so the
		// Parse cannot have a whole response.
		{"prepare_stat", 5432, []string{"PREPARE|delete from test where id=? returning id||0|0|partial"}},
	} {
		for _, c := range parsertest.Capture(t, "testdata/"+tt.file+".pcap", tt.port) {
			p, r := newParser(), sqltest.New(t)
			r.Bytes = 1 << 20
			for _, s := range c.Steps {
				if len(s.Data) > 0 {
					p.Data(s.Dir, s.Data, r)
				}
				if s.Gap > 0 {
					p.Gap(s.Dir, s.Gap, nil, r)
				}
			}
			p.Close(r)
			r.Unanswered()
			if diff := cmp.Diff(tt.want, withoutSizes(r.Lines)); diff != "" {
				t.Errorf("%s (-want +got):\n%s", tt.file, diff)
			}
		}
	}
}
