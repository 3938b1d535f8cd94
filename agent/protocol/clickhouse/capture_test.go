package clickhouse

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sonde-dev/sonde/agent/protocol/parsertest"
)

// What the server itself logged while the capture was taken (error codes are from clickhouse-client's output):
//
//	select type, result_rows, query from system.query_log where type != 1 order by event_time
//
// A HELLO begins each connection, a PING each statement of clickhouse-client. "selectx 1" was refused by the client and never sent.
var logged = []string{
	"SELECT select ? OK rows=1",
	"SELECT select number, toString(number), [number, ?], toNullable(number), now(), toDate(?), cast(? as Enum8(?=?)), tuple(?) from system.numbers limit ? OK rows=1000",
	"CREATE create table t (a UInt64, s String, l LowCardinality(String)) engine=Memory 44 rows=0",
	"CREATE create table t (a UInt64, s String, l String) engine=Memory OK rows=0",
	"INSERT insert into t format TSV OK rows=0", // the log counts the rows written
	"SELECT select * from t where a = ? OK rows=1",
	"SELECT select nosuch from t 47 rows=0",
	"SELECT select number, toString(number) from system.numbers limit ? OK rows=200000", // compressed, most of it not captured
	"SELECT select count(), sum(a) from t with totals OK rows=1",
	"SELECT select count() from t OK rows=1",
	"SET set max_threads=? OK rows=0",
	"SELECT select ? OK rows=1",
	"SELECT select ? OK rows=1",
	"DROP drop table t OK rows=0",
}

func TestCapture(t *testing.T) {
	all := parsertest.Capture(t, "testdata/clickhouse.pcap", 19000)
	for _, joined := range []bool{false, true} {
		var got []string
		hellos, pings := 0, 0
		for i, c := range all {
			steps := c
			if joined { // after the greeting
				steps = steps[2:]
			}
			r := parsertest.Play(t, Protocol{}, joined, steps)
			if len(r.Losses) > 0 {
				t.Errorf("joined=%v %d: losses %v", joined, i, r.Losses)
			}
			for _, x := range r.Lines {
				op, _, _ := strings.Cut(x, " ")
				switch head, tail, _ := strings.Cut(x, " req="); {
				case op == "HELLO":
					hellos++
				case op == "PING":
					pings++
				default:
					rows := "0"
					if _, after, ok := strings.Cut(tail, "count0="); ok {
						rows, _, _ = strings.Cut(after, " ")
					}
					if strings.Contains(tail, "partial") {
						rows += " partial"
					}
					got = append(got, head+" rows="+rows)
				}
			}
		}
		if diff := cmp.Diff(logged, got); diff != "" {
			t.Errorf("joined=%v (-server's log +parser):\n%s", joined, diff)
		}
		if !joined && (hellos != len(all) || pings != len(logged)) {
			t.Errorf("%d HELLO, %d PING, want %d, %d", hellos, pings, len(all), len(logged))
		}
	}
}
