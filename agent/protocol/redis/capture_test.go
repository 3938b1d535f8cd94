package redis

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sonde-dev/sonde/agent/protocol/parsertest"
)

// What tshark says of the capture:
//
//	tshark -r redis.pcap -d tcp.port==6379,resp -Y resp -T fields -e tcp.stream -e _ws.col.Info
//	tshark -r redis.pcap -q -z follow,tcp,raw,N    for the sizes
func TestCapture(t *testing.T) {
	get := "GET user_conf_config_1 OK req=38 res=1116"
	exists := "EXISTS verify_code OK req=34 res=4"
	// The last reply is longer than what was captured of it: its header says 490493, its last two bytes are missing.
	long := "GET 1_1_http://127.0.0.1:20013/v2/pod-groups OK req=60 res=490502 cut"
	want := [][]string{{get, get, get}, {exists, exists, exists}, {get, get, get}, {long}}
	for i, c := range parsertest.Capture(t, "testdata/redis.pcap", 6379) {
		if i >= len(want) {
			t.Fatalf("a conversation of %s more than expected", c.Client)
		}
		for _, joined := range []bool{false, true} {
			r := parsertest.Play(t, Protocol{}, joined, c.Steps, true)
			if diff := cmp.Diff(want[i], r.Done); diff != "" {
				t.Errorf("%s (-tshark +parser):\n%s", c.Client, diff)
			}
		}
		if v := recognize(c.Steps[0].Data); v != 2 {
			t.Errorf("%s: recognize = %v", c.Client, v)
		}
	}
}
