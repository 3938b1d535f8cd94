package dns_test

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sonde-dev/sonde/agent/exchange"
	"github.com/sonde-dev/sonde/agent/probe/event"
	"github.com/sonde-dev/sonde/agent/protocol"
	"github.com/sonde-dev/sonde/agent/protocol/dns"
	"github.com/sonde-dev/sonde/agent/replay"
)

// seen is an exchange as testdata/expected.txt has it, but for its time.
type seen struct {
	line string
	took time.Duration
	x    exchange.Exchange
}

// replayed runs a capture and returns the exchanges of one side, by start.
func replayed(t *testing.T, path string, side exchange.Side) (out []seen) {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	source, err := replay.New(f)
	if err != nil {
		t.Fatal(err)
	}
	e := exchange.New(exchange.DefaultConfig, []protocol.Protocol{dns.Protocol{}}, func(x *exchange.Exchange) {
		if x.Side == side {
			out = append(out, seen{describe(x), time.Duration(x.Duration()), *x})
		}
	}, nil)
	var last uint64
	if err := source.Run(context.Background(), func(ev *event.Event) { last = ev.Time; e.Handle(ev) }, e.Tick); err != nil {
		t.Fatal(err)
	}
	e.Tick(last + uint64(time.Minute) + 1)
	if l := e.Losses(); len(l) > 0 {
		t.Errorf("%s: lost %v", path, l)
	}
	slices.SortStableFunc(out, func(a, b seen) int { return int(int64(a.x.RequestStart) - int64(b.x.RequestStart)) })
	return out
}

var codes = map[string]string{"NOERROR": "0", "SERVFAIL": "2", "NXDOMAIN": "3", "REFUSED": "5", "": "-"}

func describe(x *exchange.Exchange) string {
	client := x.Conn.Local
	if x.Side == exchange.Server {
		client = x.Conn.Remote
	}
	truncated, answers, response := "0", "-", strconv.FormatUint(x.ResponseBytes, 10)
	for _, a := range x.Attributes {
		switch a.Key {
		case dns.AttrTruncated:
			truncated = "1"
		case dns.AttrAnswers:
			answers = a.Value
		}
	}
	if x.Status == "" {
		truncated, response = "-", "-"
	}
	return fmt.Sprintf("%s %s %s %s %s %d %s %s", client, x.Operation, x.Target, codes[x.Status], truncated, x.RequestBytes, response, answers)
}

// What tshark says of the captures is in testdata/expected.txt.
func TestCapturesAreAsTsharkSays(t *testing.T) {
	b, err := os.ReadFile("testdata/expected.txt")
	if err != nil {
		t.Fatal(err)
	}
	want, times := map[string][]string{}, map[string][]time.Duration{}
	for line := range strings.Lines(string(b)) {
		f := strings.Fields(line)
		if f[0] == "#" || strings.HasPrefix(line, "# ") {
			continue
		}
		file := f[0]
		want[file] = append(want[file], strings.Join(slices.Delete(slices.Clone(f[1:]), 7, 8), " "))
		seconds, _ := strconv.ParseFloat(f[8], 64) // 0 for "-"
		times[file] = append(times[file], time.Duration(seconds*1e9))
	}
	if len(want) != 3 {
		t.Fatalf("%d files", len(want))
	}
	for file, want := range want {
		for _, side := range []exchange.Side{exchange.Client, exchange.Server} {
			t.Run(file+"/"+side.String(), func(t *testing.T) {
				var got []string
				for i, s := range replayed(t, "testdata/"+file, side) {
					got = append(got, s.line)
					if i < len(want) && times[file][i] != 0 && (s.took-times[file][i]).Abs() > time.Microsecond {
						t.Errorf("%s took %v, want %v", s.line, s.took, times[file][i])
					}
					if s.x.Status == "" && s.x.Error != exchange.ErrorTimeout || s.x.Partial {
						t.Errorf("%s: error %q, partial %v", s.line, s.x.Error, s.x.Partial)
					}
				}
				if diff := cmp.Diff(want, got); diff != "" {
					t.Errorf("-tshark +got:\n%s", diff)
				}
			})
		}
	}
}
