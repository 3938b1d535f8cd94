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
	long := "GET 1 1 http://127.0.0.1:20013/v2/pod-groups OK req=60 res=490502 cut"
	want := [][]string{{get, get, get}, {exists, exists, exists}, {get, get, get}, {long}}
	for i, c := range parsertest.Capture(t, "testdata/redis.pcap", 6379) {
		if i >= len(want) {
			t.Fatalf("%d conversations", i+1)
		}
		for _, joined := range []bool{false, true} {
			r := parsertest.Play(t, Protocol{}, joined, c)
			if diff := cmp.Diff(want[i], r.Lines); diff != "" {
				t.Errorf("%d (-tshark +parser):\n%s", i, diff)
			}
		}
		if v := recognize(c[0].Data); v != 2 {
			t.Errorf("%d: recognize = %v", i, v)
		}
	}
}
