package http2

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sonde-dev/sonde/agent/protocol"
	"github.com/sonde-dev/sonde/agent/protocol/parsertest"
)

// playCapture returns the exchanges of each connection, in order of text, and the calls.
func playCapture(t *testing.T, file string, port uint16) (got [][]string, calls [][]segment) {
	for i, conv := range parsertest.Capture(t, file, port) {
		var of []segment
		for _, s := range conv {
			if len(s.Data) > 0 {
				of = append(of, segment{dir: s.Dir, b: s.Data})
			}
			if s.Skip > 0 {
				of = append(of, segment{dir: s.Dir, skip: int(s.Skip)})
			}
		}
		x, r := exchangesOf(t, of)
		if len(r.losses) > 0 {
			t.Errorf("%s, %d: losses %v", file, i, r.losses)
		}
		got, calls = append(got, x), append(calls, of)
	}
	return got, calls
}

// What tshark sees; see testdata/README.
func TestCapturesOfServers(t *testing.T) {
	for file, port := range map[string]uint16{"nginx": 23181, "node": 23183} {
		b, err := os.ReadFile("testdata/" + file + ".txt")
		if err != nil {
			t.Fatal(err)
		}
		var want [][]string
		for line := range strings.Lines(string(b)) {
			f := strings.Fields(line)
			if f[0] == fmt.Sprint(len(want)) {
				want = append(want, nil)
			}
			want[len(want)-1] = append(want[len(want)-1], strings.Join(f[2:], " "))
		}
		got, calls := playCapture(t, "testdata/"+file+".pcap", port)
		for i, of := range got {
			for k := range of { // tshark has the numbers of gRPC's status, and no errors
				f := strings.Fields(of[k])
				f = slices.DeleteFunc(f, func(s string) bool { return strings.HasPrefix(s, "server=") || strings.HasPrefix(s, "client=") })
				if f[0] == "grpc" {
					f[3] = fmt.Sprint(slices.Index(grpcNames[:], f[3]))
				}
				of[k] = strings.Join(f, " ")
			}
			slices.Sort(of)
			slices.Sort(want[i])
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-tshark +ours):\n%s", file, diff)
		}
		for _, of := range calls {
			if v := recognize(of[0].b); v != protocol.IsRequest {
				t.Errorf("%s: verdict %d for the first call of a connection", file, v)
			}
		}
	}
}

// Connections joined in the middle. tshark (-d tcp.port==PORT,http2 -V) shows "<unknown>" for the same fields.
func TestCapturesJoined(t *testing.T) {
	for _, tt := range []struct {
		file string
		port uint16
		want []string
	}{
		{"grpc-unary", 30035, []string{"grpc - agent.Synchronizer/Sync - req=242 res=1336 cut"}},
		{"http2-multi", 3550, []string{"grpc - - - req=17 res=148 partial", "grpc - - - req=17 res=150 partial"}}, // gRPC by its body
		{"httpv2-stream-id", 11800, nil}, // only the head of a request
	} {
		got, calls := playCapture(t, "testdata/"+tt.file+".pcap", tt.port)
		if diff := cmp.Diff([][]string{tt.want}, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.file, diff)
		}
		if v := recognize(calls[0][0].b); v != protocol.IsRequest {
			t.Errorf("%s: verdict %d", tt.file, v)
		}
	}
}
