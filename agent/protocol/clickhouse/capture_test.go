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
	"SELECT select_? OK rows=1",
	"SELECT select_number,_toString(number),_[number,_?],_toNullable(number),_now(),_toDate(?),_cast(?_as_Enum8(?=?)),_tuple(?)_from_system.numbers_limit_? OK rows=1000",
	"CREATE create_table_t_(a_UInt64,_s_String,_l_LowCardinality(String))_engine=Memory 44 rows=0",
	"CREATE create_table_t_(a_UInt64,_s_String,_l_String)_engine=Memory OK rows=0",
	"INSERT insert_into_t_format_TSV OK rows=0", // the log counts the rows written
	"SELECT select_*_from_t_where_a_=_? OK rows=1",
	"SELECT select_nosuch_from_t 47 rows=0",
	"SELECT select_number,_toString(number)_from_system.numbers_limit_? OK rows=200000", // compressed, most of it not captured
	"SELECT select_count(),_sum(a)_from_t_with_totals OK rows=1",
	"SELECT select_count()_from_t OK rows=1",
	"SET set_max_threads=? OK rows=0",
	"SELECT select_? OK rows=1",
	"SELECT select_? OK rows=1",
	"DROP drop_table_t OK rows=0",
}

func TestCapture(t *testing.T) {
	all := parsertest.Capture(t, "testdata/clickhouse.pcap", 19000)
	for _, joined := range []bool{false, true} {
		var got []string
		hellos, pings := 0, 0
		for _, c := range all {
			steps := c.Steps
			if joined { // after the greeting
				steps = steps[2:]
			}
			r := parsertest.Play(t, Protocol{}, joined, steps, true)
			if len(r.Losses) > 0 {
				t.Errorf("joined=%v %s: losses %v", joined, c.Client, r.Losses)
			}
			for _, x := range r.Done {
				op, _, _ := strings.Cut(x, " ")
				switch head, tail, _ := strings.Cut(x, " req="); {
				case op == "HELLO":
					hellos++
				case op == "PING":
					pings++
				default:
					rows := "0"
					if _, after, ok := strings.Cut(tail, "counts=["); ok {
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
