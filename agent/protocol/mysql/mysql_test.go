package mysql

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sonde-dev/sonde/agent/protocol"
	"github.com/sonde-dev/sonde/agent/protocol/parsertest"
	"github.com/sonde-dev/sonde/signal"
)

// pkt writes a packet.
func pkt(seq byte, payload string) string {
	n := len(payload)
	return string([]byte{byte(n), byte(n >> 8), byte(n >> 16), seq}) + payload
}

// run numbers payloads as packets from seq on.
func run(seq byte, payloads ...string) (s string) {
	for i, p := range payloads {
		s += pkt(seq+byte(i), p)
	}
	return s
}

func u16(n int) string { return string(binary.LittleEndian.AppendUint16(nil, uint16(n))) }
func u32(n int) string { return string(binary.LittleEndian.AppendUint32(nil, uint32(n))) }

// Commands.
func com(code byte, rest string) string { return pkt(0, string([]byte{code})+rest) }
func query(text string) string          { return com(comQuery, text) }
func prepare(text string) string        { return com(comPrepare, text) }
func execute(id int) string             { return com(comExecute, u32(id)+"\x00"+u32(1)) }

// Payloads of the server.
func ok(rows, status int) string {
	return "\x00" + string(rune(rows)) + "\x00" + u16(status) + "\x00\x00"
}
func eof(status int) string   { return "\xfe\x00\x00" + u16(status) }
func eofOK(status int) string { return "\xfe\x00\x00" + u16(status) + "\x00\x00" }
func fail(code int, state string) string {
	return "\xff" + u16(code) + "#" + state + "no"
}

func preparedOK(id, columns, params int) string {
	return "\x00" + u32(id) + u16(columns) + u16(params) + "\x00\x00\x00"
}

const (
	column = "\x03def\x00\x00\x00\x01a\x00\x0c\x3f\x00\x0b\x00\x00\x00\x03\x00\x00\x00\x00\x00"
	row    = "\x0242"
	bin    = "\x00\x00\x2a\x00\x00\x00"
	more   = 0x0008
	auto   = 0x0002
)

const salt = "12345678"

func greet(version string, caps uint32) string {
	return pkt(0, "\x0a"+version+"\x00\x01\x00\x00\x00"+salt+"\x00"+u16(int(caps&0xffff))+"\x21\x02\x00"+u16(int(caps>>16))+"\x15"+strings.Repeat("\x00", 10)+"123456789012\x00mysql_native_password\x00")
}

func loginAs(caps uint32) string { return loginNumbered(1, caps) }

// loginNumbered is a login with a number: 2 inside TLS.
func loginNumbered(seq byte, caps uint32) string {
	return pkt(seq, u32(int(caps))+"\x00\x00\x00\x01\x21"+strings.Repeat("\x00", 23)+"me\x00\x14"+strings.Repeat("x", 20)+"shop\x00mysql_native_password\x00")
}

const caps = 1 | capProtocol41 | capSecure | capConnectWithDB

func conversations() []parsertest.Dialogue {
	lostOne := signal.Losses{signal.OrphanResponse: 1}
	return []parsertest.Dialogue{
		{Name: "ok", Calls: []string{">" + query("UPDATE t SET a = 'x'"), "<" + run(1, ok(3, auto))}, Want: []string{"UPDATE|UPDATE t SET a = ?||0|3"}},
		{Name: "error", Calls: []string{">" + query("SELECT b FROM c"), "<" + run(1, fail(1146, "42S02"))}, Want: []string{"SELECT|SELECT b FROM c|1146|0|0|db.mysql.sqlstate=42S02"}},
		{Name: "rows", Calls: []string{">" + query("SELECT a FROM t"), "<" + run(1, "\x01", column, eof(auto), row, row, eof(auto))}, Want: []string{"SELECT|SELECT a FROM t||2|0"}},
		{Name: "rows, EOF deprecated", Calls: []string{">" + query("SELECT a FROM t"), "<" + run(1, "\x02", column, column, row, "\xfb", "\x00", eofOK(auto))}, Want: []string{"SELECT|SELECT a FROM t||3|0"}},
		{Name: "no rows", Calls: []string{">" + query("SELECT a FROM t"), "<" + run(1, "\x01", column, eof(auto), eof(auto))}, Want: []string{"SELECT|SELECT a FROM t||0|0"}},
		{Name: "no rows, EOF deprecated", Calls: []string{">" + query("SELECT a FROM t"), "<" + run(1, "\x01", column, eofOK(auto))}, Want: []string{"SELECT|SELECT a FROM t||0|0"}},
		{Name: "metadata flag", Calls: []string{">" + query("SELECT a FROM t"), "<" + run(1, "\x01\x01", column, row, eofOK(auto))}, Want: []string{"SELECT|SELECT a FROM t||1|0"}},
		{Name: "no metadata, MySQL", Calls: []string{">" + query("SELECT a FROM t"), "<" + run(1, "\x00\x02", row, eofOK(auto))}, Want: []string{"SELECT|SELECT a FROM t||1|0"}},
		{Name: "cached metadata, MariaDB", Calls: []string{">" + execute(9), "<" + run(1, "\x01\x00", bin, eofOK(auto))}, Want: []string{"EXECUTE|||1|0"}},
		{Name: "error in rows", Calls: []string{">" + query("SELECT a FROM t"), "<" + run(1, "\x01", column, row, fail(1317, "70100"))}, Want: []string{"SELECT|SELECT a FROM t|1317|1|0|db.mysql.sqlstate=70100"}},
		{Name: "several results", Calls: []string{">" + query("CALL p(1)"), "<" + run(1, "\x01", column, eof(auto), row, eof(auto|more), ok(2, auto|more), "\x01", column, eof(auto), row, eof(auto|more), ok(1, auto))},
			Want: []string{"CALL|CALL p(?)||2|3"}},
		{Name: "query attributes", Calls: []string{">" + query("\x00\x01SELECT 1"), "<" + run(1, ok(0, auto)), ">" + query("\x02\x01\x00\x01\xfe\x00\x01a\x03\x00\x01b\x03xyz\x05\x00\x00\x00SELECT 2 FROM t"), "<" + run(1, ok(0, auto))},
			Want: []string{"SELECT|SELECT ?||0|0", "SELECT|SELECT ? FROM t||0|0"}},
		{Name: "prepared", Calls: []string{
			">" + prepare("SELECT a FROM t WHERE b = ?"), "<" + run(1, preparedOK(7, 1, 1), column, eof(auto), column, eof(auto)),
			">" + execute(7), "<" + run(1, "\x01", column, eof(auto), bin, bin, eof(auto)),
			">" + com(comLongData, u32(7)+"\x00\x00data"), ">" + com(comReset, u32(7)), "<" + run(1, ok(0, auto)),
			">" + execute(7), "<" + run(1, fail(1210, "HY000")), ">" + com(comClose, u32(7)), ">" + execute(7), "<" + run(1, fail(1243, "HY000")),
		}, Want: []string{
			"PREPARE|SELECT a FROM t WHERE b = ?||0|0", "SELECT|SELECT a FROM t WHERE b = ?||2|0", "SEND_LONG_DATA|SELECT a FROM t WHERE b = ?||0|0", "RESET|SELECT a FROM t WHERE b = ?||0|0",
			"SELECT|SELECT a FROM t WHERE b = ?|1210|0|0|db.mysql.sqlstate=HY000", "CLOSE|SELECT a FROM t WHERE b = ?||0|0", "EXECUTE||1243|0|0|db.mysql.sqlstate=HY000",
		}},
		{Name: "prepared, EOF deprecated", Calls: []string{
			">" + query("SELECT a FROM t"), "<" + run(1, "\x01", column, eofOK(auto)),
			">" + prepare("INSERT INTO t VALUES (?, ?)"), "<" + run(1, preparedOK(8, 0, 2), column, column), ">" + execute(8), "<" + run(1, ok(1, auto)),
			">" + prepare("DO 1"), "<" + run(1, preparedOK(9, 0, 0)), ">" + prepare("SELEC"), "<" + run(1, fail(1064, "42000")),
		}, Want: []string{"SELECT|SELECT a FROM t||0|0", "PREPARE|INSERT INTO t VALUES (?)||0|0", "INSERT|INSERT INTO t VALUES (?)||0|1", "PREPARE|DO ?||0|0", "PREPARE|SELEC|1064|0|0|db.mysql.sqlstate=42000"}},
		{Name: "cursor", Calls: []string{
			">" + prepare("SELECT a FROM t"), "<" + run(1, preparedOK(7, 1, 0), column, eof(auto)),
			">" + com(comExecute, u32(7)+"\x01"+u32(1)), "<" + run(1, "\x01", column, eof(auto|statusCursorExists)),
			">" + com(comFetch, u32(7)+u32(2)), "<" + run(1, bin, bin, eof(auto|statusCursorExists)), ">" + com(comFetch, u32(7)+u32(2)), "<" + run(1, bin, eof(auto|0x80)),
		}, Want: []string{"PREPARE|SELECT a FROM t||0|0", "SELECT|SELECT a FROM t||0|0", "FETCH|SELECT a FROM t||2|0", "FETCH|SELECT a FROM t||1|0"}},
		{Name: "pipelined as MariaDB does", Calls: []string{">" + prepare("DELETE FROM t WHERE a = ?") + execute(lastPrepared), "<" + run(1, preparedOK(7, 0, 1), column, eof(auto)) + run(1, ok(5, auto))},
			Want: []string{"PREPARE|DELETE FROM t WHERE a = ?||0|0", "DELETE|DELETE FROM t WHERE a = ?||0|5"}},
		{Name: "bulk", Calls: []string{">" + prepare("INSERT INTO t VALUES (?)"), "<" + run(1, preparedOK(7, 0, 1), column, eof(auto)), ">" + com(comBulk, u32(7)+u16(128)+"\x03\x00"), "<" + run(1, ok(9, auto))},
			Want: []string{"PREPARE|INSERT INTO t VALUES (?)||0|0", "INSERT|INSERT INTO t VALUES (?)||0|9"}},
		{Name: "progress", Calls: []string{">" + query("ALTER TABLE t ADD b INT"), "<" + run(1, "\xff\xff\xff\x01\x01\x02\x00\x00\x00\x04copy"), "<" + run(2, ok(0, auto))}, Want: []string{"ALTER|ALTER TABLE t ADD b INT||0|0"}},
		{Name: "local file", Calls: []string{">" + query("LOAD DATA LOCAL INFILE '/x' INTO TABLE t"), "<" + run(1, "\xfb/x"), ">" + pkt(2, "1\n2\n") + pkt(3, ""), "<" + run(4, ok(2, auto)), ">" + query("DO 1"), "<" + run(1, ok(0, auto))},
			Want: []string{"LOAD|LOAD DATA LOCAL INFILE ? INTO TABLE t||0|2", "DO|DO ?||0|0"}},
		{Name: "other commands", Calls: []string{
			">" + com(comPing, ""), "<" + run(1, ok(0, auto)), ">" + com(comInitDB, "shop"), "<" + run(1, ok(0, auto)), ">" + com(comStatistics, ""), "<" + run(1, "Uptime: 5"),
			">" + com(comFieldList, "t\x00"), "<" + run(1, column, column, eof(auto)), ">" + com(comSetOption, "\x00\x00"), "<" + run(1, eof(auto)),
			">" + com(comChangeUser, "me\x00\x00db\x00"), "<" + run(1, "\xfemysql_native_password\x00salt"), ">" + pkt(2, "secret"), "<" + run(3, ok(0, auto)),
			">" + com(comResetConnection, ""), "<" + run(1, ok(0, auto)), ">" + com(comQuit, ""),
		}, Want: []string{"PING|||0|0", "INIT_DB|||0|0", "STATISTICS|||0|0", "FIELD_LIST|||0|0", "SET_OPTION|||0|0", "CHANGE_USER|||0|0", "RESET_CONNECTION|||0|0"}},
		{Name: "logged in", Calls: []string{"<" + greet("8.0.36", caps), ">" + loginAs(caps), "<" + pkt(2, "\xfecaching_sha2_password\x00salt"), ">" + pkt(3, "secret"), "<" + pkt(4, ok(0, auto)), ">" + prepare("SELECT 'it\\'s'"), "<" + run(1, preparedOK(1, 1, 0), column, eof(auto)), ">" + com(comPing, ""), "<" + run(1, ok(0, auto))},
			Want: []string{"PREPARE|SELECT ?||0|0", "PING|||0|0"}},
		{Name: "no escapes", Calls: []string{">" + query("SELECT 1"), "<" + run(1, ok(0, auto|statusNoEscapes)), ">" + query("SELECT 'a\\', 'secret'"), "<" + run(1, ok(0, auto))}, Want: []string{"SELECT|SELECT ?||0|0", "SELECT|SELECT ?...||0|0"}},
		{Name: "refused", Calls: []string{"<" + greet("8.0.36", caps), ">" + loginAs(caps), "<" + pkt(2, fail(1045, "28000"))}},
		{Name: "joined in a response", Calls: []string{"<" + run(3, row, row) + run(5, eof(auto)), ">" + query("DO 1"), "<" + run(1, ok(0, auto))}, Want: []string{"DO|DO ?||0|0"}},
		{Name: "request lost", Calls: []string{">" + query("DO 1"), "<" + run(1, ok(0, auto)), "g", "<" + run(1, ok(5, auto)), ">" + query("DELETE FROM t"), "<" + run(1, ok(2, auto))},
			Want: []string{"DO|DO ?||0|0", "DELETE|DELETE FROM t||0|2"}, Lost: lostOne},
		{Name: "request and response lost", Calls: []string{"g", "h", ">" + query("DELETE FROM t"), "<" + run(1, ok(2, auto))}, Want: []string{"DELETE|DELETE FROM t||0|2"}},
		{Name: "request lost, nothing came", Calls: []string{"g", ">" + query("DELETE FROM t"), "<" + run(1, ok(2, auto)), ">" + query("DELETE FROM t"), "<" + run(1, ok(2, auto))},
			Want: []string{"DELETE|DELETE FROM t||0|0|partial", "DELETE|DELETE FROM t||0|2"}},
		{Name: "response lost", Calls: []string{">" + query("SELECT a FROM t"), "<" + run(1, "\x01", column, eof(auto), row), "h", ">" + query("DO 1"), "<" + run(1, ok(0, auto))},
			Want: []string{"SELECT|SELECT a FROM t||0|0|partial", "DO|DO ?||0|0"}},
		{Name: "end of response seen, its middle lost", Calls: []string{">" + query("SELECT a FROM t"), "<" + run(1, "\x01", column, eof(auto), row), "h", "|xxx" + run(9, eof(auto)), ">" + query("DO 1"), "<" + run(1, ok(0, auto))},
			Want: []string{"SELECT|SELECT a FROM t||0|0|partial", "DO|DO ?||0|0"}},
		{Name: "unanswered", Calls: []string{">" + query("SELECT 1")}, Want: []string{"SELECT|SELECT ?||0|0|unanswered"}},
	}
}

// dialogues may be compressed: a byte stands for as many as 1000.
func dialogues() *parsertest.Dialogues {
	return &parsertest.Dialogues{Protocol: Protocol{}, Growth: 1000, All: conversations()}
}

func play(t *testing.T, most int, calls ...string) *parsertest.Recorder {
	t.Helper()
	return dialogues().Play(t, calls, most, nil)
}

func TestConversations(t *testing.T) { dialogues().Expect(t) }

func TestSizes(t *testing.T) { dialogues().ExpectSizes(t, "") }

// zip compresses what one call says, in packets of at most size bytes before compression.
func zip(seq byte, text string, size int) (s string) {
	for ; len(text) > 0; seq++ {
		part := text[:min(len(text), size)]
		text = text[len(part):]
		if len(part) < 50 {
			s += pkt(seq, part)[:4] + "\x00\x00\x00" + part
			continue
		}
		var b bytes.Buffer
		z := zlib.NewWriter(&b)
		z.Write([]byte(part))
		z.Close()
		n := len(part)
		s += pkt(seq, b.String())[:4] + string([]byte{byte(n), byte(n >> 8), byte(n >> 16)}) + b.String()
	}
	return s
}

// zipped are the calls, compressed.
func zipped(calls []string) (out []string) {
	for _, call := range calls {
		out = append(out, call[:1]+zip(0, call[1:], 70))
	}
	return out
}

// A compressed connection says the same.
func TestCompressed(t *testing.T) {
	login := []string{"<" + greet("8.0.36", caps|capCompress), ">" + loginAs(caps|capCompress), "<" + pkt(2, ok(0, auto))}
	for _, c := range conversations() {
		if strings.Contains(c.Name, "lost") || strings.Contains(c.Name, "joined") || c.Name == "logged in" || c.Name == "refused" {
			continue
		}
		z := zipped(c.Calls)
		for _, most := range []int{1 << 20, 1, 5} {
			if diff := cmp.Diff(c.Want, play(t, most, slices.Concat(login, z)...).BareRows()); diff != "" {
				t.Errorf("%s in pieces of %d (-want +got):\n%s", c.Name, most, diff)
			}
		}
		if c.Calls[0][0] == '>' && strings.HasPrefix(c.Name, "rows") { // joined: found out from the first command
			if diff := cmp.Diff(c.Want, play(t, 1<<20, z...).BareRows()); diff != "" {
				t.Errorf("%s, joined (-want +got):\n%s", c.Name, diff)
			}
		}
	}
}

// Inside TLS the plain text begins with the login. Servers read the headers of packets first.
func TestInsideTLS(t *testing.T) {
	const inside = caps&^1 | capSSL | capCompress
	calls := []string{">" + loginNumbered(2, inside), "<" + pkt(3, ok(0, auto)), ">" + zip(0, query("SELECT 1"), 1000), "<" + zip(1, pkt(1, ok(0, auto)), 1000)}
	for _, most := range []int{1 << 20, 4, 7} {
		r := play(t, most, calls...)
		if len(r.Lines) != 1 || !strings.HasPrefix(r.Lines[0], "SELECT") {
			t.Fatalf("in pieces of %d: %q", most, r.Lines)
		}
		if want := []protocol.Attribute{{Key: "db.system.name", Value: "mariadb"}, {Key: "db.namespace", Value: "shop"}}; !cmp.Equal(r.Told[0].Request.Attributes, want) {
			t.Errorf("in pieces of %d: attributes %v, want %v", most, r.Told[0].Request.Attributes, want)
		}
	}
}

func TestOpaque(t *testing.T) {
	ssl := pkt(1, u32(caps|capSSL)+"\x00\x00\x00\x01\x21"+strings.Repeat("\x00", 23))
	for _, calls := range [][]string{
		{"<" + greet("8.0.36", caps|capSSL), ">" + ssl}, {"<" + greet("8.0.36", caps|capZstd), ">" + loginAs(caps|capZstd)},
		{">" + com(0x12, u32(4)+u16(0)+u32(7)+"log")},
	} {
		if r := play(t, 3, calls...); !r.IsOpaque {
			t.Errorf("%q: not opaque", calls)
		}
	}
}

func TestAttributes(t *testing.T) {
	r := play(t, 5, "<"+greet("5.5.5-10.11.6-MariaDB", caps), ">"+loginAs(caps), "<"+pkt(2, ok(0, auto)), ">"+query("SELECT 1"))
	want := []protocol.Attribute{{Key: "db.system.name", Value: "mariadb"}, {Key: "db.namespace", Value: "shop"}}
	if !cmp.Equal(r.Told[len(r.Told)-1].Request.Attributes, want) {
		t.Errorf("attributes %v, want %v", r.Told[len(r.Told)-1].Request.Attributes, want)
	}
}

// A statement of 60 KiB over many calls is seen whole, and one of 17 MiB is one command.
func TestLongStatement(t *testing.T) {
	text := "SELECT a FROM t WHERE id IN (" + strings.Repeat("123456, ", 7500) + "1) AND last = 'x'"
	r := play(t, 1400, ">"+query(text), "<"+run(1, ok(0, auto)))
	if len(r.Rows()) != 1 || !strings.HasPrefix(r.Rows()[0], "SELECT|SELECT a FROM t WHERE id IN (?) AND last = ?||") {
		t.Errorf("got %q", r.Rows())
	}
	body := "\x03INSERT INTO t VALUES ('" + strings.Repeat("x", 17<<20) + "')"
	r = play(t, 1<<16, ">"+pkt(0, body[:fullPacket])+pkt(1, body[fullPacket:]), "<"+run(2, ok(1, auto)))
	if want := fmt.Sprintf("INSERT|INSERT INTO t VALUES (?...||0|1|req=%d|res=11", len(body)+8); len(r.Rows()) != 1 || r.Rows()[0] != want {
		t.Errorf("got %q, want %q", r.Rows(), want)
	}
}

// A row over a gap is skipped by its size: what is counted stays exact.
func TestGapInRow(t *testing.T) {
	p, r := newParser(), parsertest.NewRecorder(t)
	r.Moved = 1 << 20
	p.Data(protocol.ToServer, []byte(query("SELECT a FROM t")), r)
	big := "\xfc" + u16(5000) + strings.Repeat("x", 5000)
	res := run(1, "\x01", column, eof(auto), big, row, eof(auto))
	at := strings.Index(res, "xxx") + 10
	p.Data(protocol.FromServer, []byte(res[:at]), r)
	p.Gap(protocol.FromServer, 4000, nil, r)
	p.Data(protocol.FromServer, []byte(res[at+4000:]), r)
	want := fmt.Sprintf("SELECT|SELECT a FROM t||2|0|req=20|res=%d", len(res))
	if len(r.Rows()) != 1 || r.Rows()[0] != want {
		t.Errorf("got %q, want %q", r.Rows(), want)
	}
}

// Lost parts never make a wrong line: what is not partial is as it was said.
func TestLossIsHonest(t *testing.T) {
	d := dialogues()
	d.All = d.All[:20]
	d.AnyLoss(t, 8000, func(c parsertest.Dialogue) bool {
		return strings.Contains(c.Name, "pipelined") || strings.Contains(c.Name, "prepared") || c.Name == "cursor" || c.Name == "bulk"
	}, func(string) bool { return false })
}

func BenchmarkParse(b *testing.B) {
	for name, calls := range map[string][2]string{
		"query":   {query("SELECT c FROM t WHERE id = 4711"), run(1, "\x01", column, eof(auto), row, eof(auto))},
		"execute": {execute(7), run(1, "\x01", column, eof(auto), bin, bin, bin, bin, bin, bin, bin, bin, bin, bin, eof(auto))},
	} {
		b.Run(name, func(b *testing.B) {
			p := newParser()
			p.Data(protocol.ToServer, []byte(prepare("SELECT * FROM t WHERE id = ?")), parsertest.Discard{})
			p.Data(protocol.FromServer, []byte(run(1, preparedOK(7, 1, 1), column, eof(auto), column, eof(auto))), parsertest.Discard{})
			request, response := []byte(calls[0]), []byte(calls[1])
			b.ReportAllocs()
			for b.Loop() {
				p.Data(protocol.ToServer, request, parsertest.Discard{})
				p.Data(protocol.FromServer, response, parsertest.Discard{})
			}
		})
	}
}
