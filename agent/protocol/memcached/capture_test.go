package memcached

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sonde-dev/sonde/agent/protocol/parsertest"
)

// What tshark says of the capture, uncut: the payloads of each side from
//
//	tshark -r memcached-userdata.pcap -c 1200 -T fields -e tcp.srcport -e tcp.len -e tcp.payload
//
// joined, cut into lines and values by a script, and counted: the n-th command with the n-th answer, END alone being a miss. Here
// packets are cut to 300 bytes, so that the ends of most values are missing.
func TestCapture(t *testing.T) {
	want := map[string]int{"get MISS": 498, "get HIT": 8, "gets HIT": 74, "set STORED": 1, "request bytes": 27284, "response bytes": 33149}
	all := parsertest.Capture(t, "testdata/memcached.pcap", 11211)
	if len(all) != 1 {
		t.Fatalf("%d conversations", len(all))
	}
	for _, joined := range []bool{false, true} {
		r := parsertest.Play(t, Protocol{}, joined, all[0])
		got := map[string]int{}
		for _, x := range r.Lines {
			var op, target, status string
			var req, res int
			if _, err := fmt.Sscanf(x, "%s %s %s req=%d res=%d", &op, &target, &status, &req, &res); err != nil || strings.Contains(x, "partial") {
				t.Errorf("%q: %v", x, err)
			}
			got[op+" "+status]++
			got["request bytes"] += req
			got["response bytes"] += res
		}
		if diff := cmp.Diff(want, got); diff != "" || len(r.Losses) > 0 {
			t.Errorf("losses %v, (-tshark +parser):\n%s", r.Losses, diff)
		}
	}
}
