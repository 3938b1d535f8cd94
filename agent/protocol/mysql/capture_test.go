package mysql

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestCaptures reads recorded connections. What is expected was taken from tshark 4.0:
//
//	tshark -r FILE -d tcp.port==PORT,mysql -Y mysql -T fields -e mysql.command -e mysql.query -e mysql.response_code -e mysql.error_code -e mysql.num_fields -e mysql.packet_number
//
// and -V for the kinds of packets. It does not read a compressed connection whose greeting it has not seen; those rows were counted
// with Python's zlib.
func TestCaptures(t *testing.T) {
	for _, tt := range []struct {
		file string
		port uint16
		want []string
	}{
		{"mysql", 20130, []string{"SET|SET NAMES utf8||0|0", "SET|set autocommit=?||0|0", "SET|SET NAMES utf8||0|0", "SHOW|SHOW WARNINGS||1|0", "ROLLBACK|rollback||0|0"}},
		{"mysql-error", 20130, []string{"SELECT|select @@version_comment limit ?||1|0", "SELECT|SELECT DATABASE()||1|0", "INIT_DB||1049|0|0|db.mysql.sqlstate=42000"}},
		{"mysql-statement-id", 30130, []string{"PREPARE|SELECT * FROM `controller` WHERE ip <> ?||0|0"}},
		{"mysql-compressed-response", 30130, []string{"SELECT|SELECT * FROM `az_controller_connection`||5|0"}},
		// mariadb -C, mariadb, DBD::mysql, with MariaDB 10.11. The first says the same as the second, compressed.
		{"mariadb-cli-dbd", 41306, []string{
			"SELECT|select user from user||5|0", "SELECT|select nothing|1054|0|0|db.mysql.sqlstate=42S22",
			"SELECT|select user from user||5|0", "PREPARE|prepare s from ?||0|0", "SET|set @x=?||0|0", "EXECUTE|execute s using @x||1|0",
			"PREPARE|select seq from seq_1_to_9 where seq<?||0|0", "SELECT|select seq from seq_1_to_9 where seq<?||2|0", "SELECT|select seq from seq_1_to_9 where seq<?||5|0",
			"PREPARE|select * from nope|1146|0|0|db.mysql.sqlstate=42S02",
		}},
		{"truncate-1024", 6033, []string{
			"PREPARE|SELECT * FROM `domain` WHERE state != ?||0|0", "SELECT|SELECT * FROM `domain` WHERE state != ?||3|0",
			"CLOSE|SELECT * FROM `domain` WHERE state != ?||0|0", "SELECT|SELECT * FROM `controller`||3|0",
		}},
	} {
		got := dialogues().Captured(t, "testdata/"+tt.file+".pcap", tt.port)
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.file, diff)
		}
	}
}
