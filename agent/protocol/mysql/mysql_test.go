package mysql

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"regexp"
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

type conversation struct {
	name  string
	calls []string
	want  []string
	lost  signal.Losses
}

func conversations() []conversation {
	lostOne := signal.Losses{signal.OrphanResponse: 1}
	return []conversation{
		{"ok", []string{">" + query("UPDATE t SET a = 'x'"), "<" + run(1, ok(3, auto))}, []string{"UPDATE|UPDATE t SET a = ?||0|3"}, nil},
		{"error", []string{">" + query("SELECT b FROM c"), "<" + run(1, fail(1146, "42S02"))}, []string{"SELECT|SELECT b FROM c|1146|0|0|db.mysql.sqlstate=42S02"}, nil},
		{"rows", []string{">" + query("SELECT a FROM t"), "<" + run(1, "\x01", column, eof(auto), row, row, eof(auto))}, []string{"SELECT|SELECT a FROM t||2|0"}, nil},
		{"rows, EOF deprecated", []string{">" + query("SELECT a FROM t"), "<" + run(1, "\x02", column, column, row, "\xfb", "\x00", eofOK(auto))}, []string{"SELECT|SELECT a FROM t||3|0"}, nil},
		{"no rows", []string{">" + query("SELECT a FROM t"), "<" + run(1, "\x01", column, eof(auto), eof(auto))}, []string{"SELECT|SELECT a FROM t||0|0"}, nil},
		{"no rows, EOF deprecated", []string{">" + query("SELECT a FROM t"), "<" + run(1, "\x01", column, eofOK(auto))}, []string{"SELECT|SELECT a FROM t||0|0"}, nil},
		{"metadata flag", []string{">" + query("SELECT a FROM t"), "<" + run(1, "\x01\x01", column, row, eofOK(auto))}, []string{"SELECT|SELECT a FROM t||1|0"}, nil},
		{"no metadata, MySQL", []string{">" + query("SELECT a FROM t"), "<" + run(1, "\x00\x02", row, eofOK(auto))}, []string{"SELECT|SELECT a FROM t||1|0"}, nil},
		{"cached metadata, MariaDB", []string{">" + execute(9), "<" + run(1, "\x01\x00", bin, eofOK(auto))}, []string{"EXECUTE|||1|0"}, nil},
		{"error in rows", []string{">" + query("SELECT a FROM t"), "<" + run(1, "\x01", column, row, fail(1317, "70100"))}, []string{"SELECT|SELECT a FROM t|1317|1|0|db.mysql.sqlstate=70100"}, nil},
		{"several results", []string{">" + query("CALL p(1)"), "<" + run(1, "\x01", column, eof(auto), row, eof(auto|more), ok(2, auto|more), "\x01", column, eof(auto), row, eof(auto|more), ok(1, auto))},
			[]string{"CALL|CALL p(?)||2|3"}, nil},
		{"query attributes", []string{">" + query("\x00\x01SELECT 1"), "<" + run(1, ok(0, auto)), ">" + query("\x02\x01\x00\x01\xfe\x00\x01a\x03\x00\x01b\x03xyz\x05\x00\x00\x00SELECT 2 FROM t"), "<" + run(1, ok(0, auto))},
			[]string{"SELECT|SELECT ?||0|0", "SELECT|SELECT ? FROM t||0|0"}, nil},
		{"prepared", []string{
			">" + prepare("SELECT a FROM t WHERE b = ?"), "<" + run(1, preparedOK(7, 1, 1), column, eof(auto), column, eof(auto)),
			">" + execute(7), "<" + run(1, "\x01", column, eof(auto), bin, bin, eof(auto)),
			">" + com(comLongData, u32(7)+"\x00\x00data"), ">" + com(comReset, u32(7)), "<" + run(1, ok(0, auto)),
			">" + execute(7), "<" + run(1, fail(1210, "HY000")), ">" + com(comClose, u32(7)), ">" + execute(7), "<" + run(1, fail(1243, "HY000")),
		}, []string{
			"PREPARE|SELECT a FROM t WHERE b = ?||0|0", "SELECT|SELECT a FROM t WHERE b = ?||2|0", "SEND_LONG_DATA|SELECT a FROM t WHERE b = ?||0|0", "RESET|SELECT a FROM t WHERE b = ?||0|0",
			"SELECT|SELECT a FROM t WHERE b = ?|1210|0|0|db.mysql.sqlstate=HY000", "CLOSE|SELECT a FROM t WHERE b = ?||0|0", "EXECUTE||1243|0|0|db.mysql.sqlstate=HY000",
		}, nil},
		{"prepared, EOF deprecated", []string{
			">" + query("SELECT a FROM t"), "<" + run(1, "\x01", column, eofOK(auto)),
			">" + prepare("INSERT INTO t VALUES (?, ?)"), "<" + run(1, preparedOK(8, 0, 2), column, column), ">" + execute(8), "<" + run(1, ok(1, auto)),
			">" + prepare("DO 1"), "<" + run(1, preparedOK(9, 0, 0)), ">" + prepare("SELEC"), "<" + run(1, fail(1064, "42000")),
		}, []string{"SELECT|SELECT a FROM t||0|0", "PREPARE|INSERT INTO t VALUES (?)||0|0", "INSERT|INSERT INTO t VALUES (?)||0|1", "PREPARE|DO ?||0|0", "PREPARE|SELEC|1064|0|0|db.mysql.sqlstate=42000"}, nil},
		{"cursor", []string{
			">" + prepare("SELECT a FROM t"), "<" + run(1, preparedOK(7, 1, 0), column, eof(auto)),
			">" + com(comExecute, u32(7)+"\x01"+u32(1)), "<" + run(1, "\x01", column, eof(auto|statusCursorExists)),
			">" + com(comFetch, u32(7)+u32(2)), "<" + run(1, bin, bin, eof(auto|statusCursorExists)), ">" + com(comFetch, u32(7)+u32(2)), "<" + run(1, bin, eof(auto|0x80)),
		}, []string{"PREPARE|SELECT a FROM t||0|0", "SELECT|SELECT a FROM t||0|0", "FETCH|SELECT a FROM t||2|0", "FETCH|SELECT a FROM t||1|0"}, nil},
		{"pipelined as MariaDB does", []string{">" + prepare("DELETE FROM t WHERE a = ?") + execute(lastPrepared), "<" + run(1, preparedOK(7, 0, 1), column, eof(auto)) + run(1, ok(5, auto))},
			[]string{"PREPARE|DELETE FROM t WHERE a = ?||0|0", "DELETE|DELETE FROM t WHERE a = ?||0|5"}, nil},
		{"bulk", []string{">" + prepare("INSERT INTO t VALUES (?)"), "<" + run(1, preparedOK(7, 0, 1), column, eof(auto)), ">" + com(comBulk, u32(7)+u16(128)+"\x03\x00"), "<" + run(1, ok(9, auto))},
			[]string{"PREPARE|INSERT INTO t VALUES (?)||0|0", "INSERT|INSERT INTO t VALUES (?)||0|9"}, nil},
		{"progress", []string{">" + query("ALTER TABLE t ADD b INT"), "<" + run(1, "\xff\xff\xff\x01\x01\x02\x00\x00\x00\x04copy"), "<" + run(2, ok(0, auto))}, []string{"ALTER|ALTER TABLE t ADD b INT||0|0"}, nil},
		{"local file", []string{">" + query("LOAD DATA LOCAL INFILE '/x' INTO TABLE t"), "<" + run(1, "\xfb/x"), ">" + pkt(2, "1\n2\n") + pkt(3, ""), "<" + run(4, ok(2, auto)), ">" + query("DO 1"), "<" + run(1, ok(0, auto))},
			[]string{"LOAD|LOAD DATA LOCAL INFILE ? INTO TABLE t||0|2", "DO|DO ?||0|0"}, nil},
		{"other commands", []string{
			">" + com(comPing, ""), "<" + run(1, ok(0, auto)), ">" + com(comInitDB, "shop"), "<" + run(1, ok(0, auto)), ">" + com(comStatistics, ""), "<" + run(1, "Uptime: 5"),
			">" + com(comFieldList, "t\x00"), "<" + run(1, column, column, eof(auto)), ">" + com(comSetOption, "\x00\x00"), "<" + run(1, eof(auto)),
			">" + com(comChangeUser, "me\x00\x00db\x00"), "<" + run(1, "\xfemysql_native_password\x00salt"), ">" + pkt(2, "secret"), "<" + run(3, ok(0, auto)),
			">" + com(comResetConnection, ""), "<" + run(1, ok(0, auto)), ">" + com(comQuit, ""),
		}, []string{"PING|||0|0", "INIT_DB|||0|0", "STATISTICS|||0|0", "FIELD_LIST|||0|0", "SET_OPTION|||0|0", "CHANGE_USER|||0|0", "RESET_CONNECTION|||0|0"}, nil},
		{"logged in", []string{"<" + greet("8.0.36", caps), ">" + loginAs(caps), "<" + pkt(2, "\xfecaching_sha2_password\x00salt"), ">" + pkt(3, "secret"), "<" + pkt(4, ok(0, auto)), ">" + prepare("SELECT 'it\\'s'"), "<" + run(1, preparedOK(1, 1, 0), column, eof(auto)), ">" + com(comPing, ""), "<" + run(1, ok(0, auto))},
			[]string{"PREPARE|SELECT ?||0|0", "PING|||0|0"}, nil},
		{"no escapes", []string{">" + query("SELECT 1"), "<" + run(1, ok(0, auto|statusNoEscapes)), ">" + query("SELECT 'a\\', 'secret'"), "<" + run(1, ok(0, auto))}, []string{"SELECT|SELECT ?||0|0", "SELECT|SELECT ?...||0|0"}, nil},
		{"refused", []string{"<" + greet("8.0.36", caps), ">" + loginAs(caps), "<" + pkt(2, fail(1045, "28000"))}, nil, nil},
		{"joined in a response", []string{"<" + run(3, row, row) + run(5, eof(auto)), ">" + query("DO 1"), "<" + run(1, ok(0, auto))}, []string{"DO|DO ?||0|0"}, nil},
		{"request lost", []string{">" + query("DO 1"), "<" + run(1, ok(0, auto)), "g", "<" + run(1, ok(5, auto)), ">" + query("DELETE FROM t"), "<" + run(1, ok(2, auto))},
			[]string{"DO|DO ?||0|0", "DELETE|DELETE FROM t||0|2"}, lostOne},
		{"request and response lost", []string{"g", "h", ">" + query("DELETE FROM t"), "<" + run(1, ok(2, auto))}, []string{"DELETE|DELETE FROM t||0|2"}, nil},
		{"request lost, nothing came", []string{"g", ">" + query("DELETE FROM t"), "<" + run(1, ok(2, auto)), ">" + query("DELETE FROM t"), "<" + run(1, ok(2, auto))},
			[]string{"DELETE|DELETE FROM t||0|0|partial", "DELETE|DELETE FROM t||0|2"}, nil},
		{"response lost", []string{">" + query("SELECT a FROM t"), "<" + run(1, "\x01", column, eof(auto), row), "h", ">" + query("DO 1"), "<" + run(1, ok(0, auto))},
			[]string{"SELECT|SELECT a FROM t||0|0|partial", "DO|DO ?||0|0"}, nil},
		{"end of response seen, its middle lost", []string{">" + query("SELECT a FROM t"), "<" + run(1, "\x01", column, eof(auto), row), "h", "<xxx" + run(9, eof(auto)), ">" + query("DO 1"), "<" + run(1, ok(0, auto))},
			[]string{"SELECT|SELECT a FROM t||0|0|partial", "DO|DO ?||0|0"}, nil},
		{"unanswered", []string{">" + query("SELECT 1")}, []string{"SELECT|SELECT ?||0|0|unanswered"}, nil},
	}
}

// play runs calls, each cut into pieces of at most most bytes. Of those in kept only so many bytes are copied, and the last 8 known.
func play(t *testing.T, c conversation, most int, kept map[int]int) *parsertest.Recorder {
	t.Helper()
	p, r := newParser(), parsertest.NewRecorder(t)
	for i, call := range c.calls {
		dir := protocol.ToServer
		if call[0] == '<' || call[0] == 'h' {
			dir = protocol.FromServer
		}
		if call[0] == 'g' || call[0] == 'h' {
			n := uint32(30 + len(call))
			r.Moved += uint64(n)
			p.Gap(dir, n, nil, r)
			continue
		}
		if n, ok := kept[i]; ok {
			b := []byte(call[1:])
			r.Moved += uint64(len(b))
			if n > 0 {
				p.Data(dir, b[:n], r)
			}
			p.Gap(dir, uint32(len(b)-n), b[max(n, len(b)-8):], r)
			continue
		}
		for b := []byte(call[1:]); len(b) > 0; {
			n := min(len(b), most)
			if strings.HasPrefix(call, "<xxx") {
				n = len(b)
			}
			r.Moved += uint64(n) * 1000 // it may be compressed
			piece := append([]byte(nil), b[:n]...)
			p.Data(dir, piece, r)
			for i := range piece {
				piece[i] = 0xee // nothing may be kept
			}
			b = b[n:]
		}
	}
	if !r.IsOpaque {
		p.Close(r)
		r.Finish()
	}
	return r
}

var sizes = regexp.MustCompile(`\|req=\d+\|res=\d+`)

func withoutSizes(lines []string) (out []string) {
	for _, l := range lines {
		out = append(out, sizes.ReplaceAllString(l, ""))
	}
	return out
}

func TestConversations(t *testing.T) {
	for _, c := range conversations() {
		for _, most := range []int{1 << 20, 1, 2, 3, 7, 20} {
			if strings.Contains(c.name, "lost") && most < 20 {
				continue // after a loss a call must show that it begins a packet
			}
			r := play(t, c, most, nil)
			if diff := cmp.Diff(c.want, withoutSizes(r.Rows())); diff != "" {
				t.Errorf("%s in pieces of %d (-want +got):\n%s", c.name, most, diff)
			}
			if c.lost == nil {
				c.lost = signal.Losses{}
			}
			if diff := cmp.Diff(c.lost, r.Losses); diff != "" {
				t.Errorf("%s in pieces of %d, losses (-want +got):\n%s", c.name, most, diff)
			}
		}
	}
}

// Where one call is the request and one the response, their sizes are those of the exchange.
func TestSizes(t *testing.T) {
	for _, c := range conversations() {
		if len(c.calls) != 2 || len(c.want) != 1 || c.calls[0][0] != '>' || c.calls[1][0] != '<' {
			continue
		}
		want := fmt.Sprintf("|req=%d|res=%d", len(c.calls[0])-1, len(c.calls[1])-1)
		if r := play(t, c, 9, nil); !strings.Contains(r.Rows()[0], want) {
			t.Errorf("%s: %s, want %s", c.name, r.Rows()[0], want)
		}
	}
}

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

// A compressed connection says the same.
func TestCompressed(t *testing.T) {
	for _, c := range conversations() {
		if strings.Contains(c.name, "lost") || strings.Contains(c.name, "joined") || c.name == "logged in" || c.name == "refused" {
			continue
		}
		z := conversation{calls: []string{"<" + greet("8.0.36", caps|capCompress), ">" + loginAs(caps|capCompress), "<" + pkt(2, ok(0, auto))}}
		for _, call := range c.calls {
			z.calls = append(z.calls, call[:1]+zip(0, call[1:], 70))
		}
		for _, most := range []int{1 << 20, 1, 5} {
			if diff := cmp.Diff(c.want, withoutSizes(play(t, z, most, nil).Rows())); diff != "" {
				t.Errorf("%s in pieces of %d (-want +got):\n%s", c.name, most, diff)
			}
		}
		if c.calls[0][0] == '>' && strings.HasPrefix(c.name, "rows") { // joined: found out from the first command
			z.calls = z.calls[3:]
			if diff := cmp.Diff(c.want, withoutSizes(play(t, z, 1<<20, nil).Rows())); diff != "" {
				t.Errorf("%s, joined (-want +got):\n%s", c.name, diff)
			}
		}
	}
}

// Inside TLS the plain text begins with the login. Servers read the headers of packets first.
func TestInsideTLS(t *testing.T) {
	const inside = caps&^1 | capSSL | capCompress
	z := conversation{calls: []string{">" + loginNumbered(2, inside), "<" + pkt(3, ok(0, auto)), ">" + zip(0, query("SELECT 1"), 1000), "<" + zip(1, pkt(1, ok(0, auto)), 1000)}}
	for _, most := range []int{1 << 20, 4, 7} {
		r := play(t, z, most, nil)
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
		if r := play(t, conversation{calls: calls}, 3, nil); !r.IsOpaque {
			t.Errorf("%q: not opaque", calls)
		}
	}
}

func TestAttributes(t *testing.T) {
	r := play(t, conversation{calls: []string{"<" + greet("5.5.5-10.11.6-MariaDB", caps), ">" + loginAs(caps), "<" + pkt(2, ok(0, auto)), ">" + query("SELECT 1")}}, 5, nil)
	want := []protocol.Attribute{{Key: "db.system.name", Value: "mariadb"}, {Key: "db.namespace", Value: "shop"}}
	if !cmp.Equal(r.Told[len(r.Told)-1].Request.Attributes, want) {
		t.Errorf("attributes %v, want %v", r.Told[len(r.Told)-1].Request.Attributes, want)
	}
}

// A statement of 60 KiB over many calls is seen whole, and one of 17 MiB is one command.
func TestLongStatement(t *testing.T) {
	text := "SELECT a FROM t WHERE id IN (" + strings.Repeat("123456, ", 7500) + "1) AND last = 'x'"
	r := play(t, conversation{calls: []string{">" + query(text), "<" + run(1, ok(0, auto))}}, 1400, nil)
	if len(r.Rows()) != 1 || !strings.HasPrefix(r.Rows()[0], "SELECT|SELECT a FROM t WHERE id IN (?) AND last = ?||") {
		t.Errorf("got %q", r.Rows())
	}
	body := "\x03INSERT INTO t VALUES ('" + strings.Repeat("x", 17<<20) + "')"
	r = play(t, conversation{calls: []string{">" + pkt(0, body[:fullPacket]) + pkt(1, body[fullPacket:]), "<" + run(2, ok(1, auto))}}, 1<<16, nil)
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
	r := rand.New(rand.NewPCG(5, 6))
	full := 0
	all := conversations()
	for i := range 8000 {
		var c conversation
		truth := map[string]int{}
		for range 1 + r.IntN(6) {
			next := all[r.IntN(20)]
			if strings.Contains(next.name, "pipelined") || strings.Contains(next.name, "prepared") || next.name == "cursor" || next.name == "bulk" {
				continue
			}
			c.calls = append(c.calls, next.calls...)
			for _, w := range next.want {
				truth[w]++
			}
		}
		for range 1 + r.IntN(4) {
			if len(c.calls) == 0 {
				break
			}
			k := r.IntN(len(c.calls))
			switch c.calls[k][0] {
			case '>':
				c.calls[k] = "g" + c.calls[k][1:]
			case '<':
				c.calls[k] = "h" + c.calls[k][1:]
			}
		}
		kept := map[int]int{}
		for range r.IntN(3) { // calls of which the kernel side copies only the first bytes
			if k := r.IntN(len(c.calls) + 1); k < len(c.calls) && len(c.calls[k]) > 1 && (c.calls[k][0] == '<' || c.calls[k][0] == '>') {
				kept[k] = r.IntN(len(c.calls[k]) - 1)
			}
		}
		rec := play(t, c, 1<<20, kept)
		for _, l := range withoutSizes(rec.Rows()) {
			if strings.Contains(l, "|partial") || strings.Contains(l, "|unanswered") {
				continue
			}
			full++
			if truth[l]--; truth[l] < 0 {
				t.Fatalf("round %d: %s was never said; calls %q; all %q", i, l, c.calls, rec.Rows())
			}
		}
	}
	t.Logf("%d complete", full)
}

func BenchmarkParse(b *testing.B) {
	for name, calls := range map[string][2]string{
		"query":   {query("SELECT c FROM t WHERE id = 4711"), run(1, "\x01", column, eof(auto), row, eof(auto))},
		"execute": {execute(7), run(1, "\x01", column, eof(auto), bin, bin, bin, bin, bin, bin, bin, bin, bin, bin, eof(auto))},
	} {
		b.Run(name, func(b *testing.B) {
			p := newParser()
			p.Data(protocol.ToServer, []byte(prepare("SELECT * FROM t WHERE id = ?")), null{})
			p.Data(protocol.FromServer, []byte(run(1, preparedOK(7, 1, 1), column, eof(auto), column, eof(auto))), null{})
			request, response := []byte(calls[0]), []byte(calls[1])
			b.ReportAllocs()
			for b.Loop() {
				p.Data(protocol.ToServer, request, null{})
				p.Data(protocol.FromServer, response, null{})
			}
		})
	}
}

type null struct{}

func (null) RequestBegin(uint64)                    {}
func (null) RequestHead(uint64, protocol.Request)   {}
func (null) RequestEnd(uint64, protocol.End)        {}
func (null) ResponseBegin(uint64)                   {}
func (null) ResponseHead(uint64, protocol.Response) {}
func (null) ResponseEnd(uint64, protocol.End)       {}
func (null) Opaque()                                {}
func (null) Lost(signal.Cause, uint64)              {}
