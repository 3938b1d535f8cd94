package postgres

import (
	"testing"

	"github.com/google/go-cmp/cmp"
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
		// psycopg2, then pgbench -M prepared and -M extended, with PostgreSQL 15.
		{"psycopg2-pgbench", 41432, []string{
			"BEGIN|BEGIN||0|0", "CREATE|create temp table k(a int primary key, b text)||0|0", "INSERT|insert into k select g, ? from generate_series(?) g||0|40",
			"SELECT|select * from k where a<?||20|0", "COMMIT|COMMIT||0|0", "BEGIN|BEGIN||0|0", "COPY|copy k from stdin||0|50", "COPY|copy (select a from k limit ?) to stdout||30|0",
			"INSERT|insert into k values (?)|23505|0|0", "ROLLBACK|ROLLBACK||0|0", "BEGIN|BEGIN||0|0", "DECLARE|DECLARE \"n\" CURSOR WITHOUT HOLD FOR select g from generate_series(?) g||0|0",
			"FETCH|FETCH FORWARD ? FROM \"n\"||8|0", "FETCH|FETCH FORWARD ? FROM \"n\"||8|0", "FETCH|FETCH FORWARD ? FROM \"n\"||4|0", "FETCH|FETCH FORWARD ? FROM \"n\"||0|0", "COMMIT|COMMIT||0|0",

			"PREPARE|SELECT abalance FROM pgbench_accounts WHERE aid = ?||0|0", "SELECT|SELECT abalance FROM pgbench_accounts WHERE aid = ?||1|0", "SELECT|SELECT abalance FROM pgbench_accounts WHERE aid = ?||1|0",
			"SELECT|SELECT abalance FROM pgbench_accounts WHERE aid = ?||1|0", "SELECT|SELECT abalance FROM pgbench_accounts WHERE aid = ?||1|0", "SELECT|SELECT abalance FROM pgbench_accounts WHERE aid = ?||1|0",

			"BEGIN|BEGIN||0|0", "UPDATE|UPDATE pgbench_accounts SET abalance = abalance + ? WHERE aid = ?||0|1", "SELECT|SELECT abalance FROM pgbench_accounts WHERE aid = ?||1|0",
			"UPDATE|UPDATE pgbench_tellers SET tbalance = tbalance + ? WHERE tid = ?||0|1", "UPDATE|UPDATE pgbench_branches SET bbalance = bbalance + ? WHERE bid = ?||0|1",
			"INSERT|INSERT INTO pgbench_history (tid, bid, aid, delta, mtime) VALUES (?, CURRENT_TIMESTAMP)||0|1", "END|END||0|0",
		}},
	} {
		got := dialogues().Captured(t, "testdata/"+tt.file+".pcap", tt.port)
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.file, diff)
		}
	}
}
