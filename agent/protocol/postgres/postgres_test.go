package postgres

import (
	"encoding/binary"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sonde-dev/sonde/agent/protocol"
	"github.com/sonde-dev/sonde/agent/protocol/parsertest"
	"github.com/sonde-dev/sonde/signal"
)

// msg writes a message.
func msg(kind byte, body string) string {
	return string(binary.BigEndian.AppendUint32([]byte{kind}, uint32(len(body)+4))) + body
}

// Messages of the client.
func query(text string) string       { return msg('Q', text+"\x00") }
func parse(name, text string) string { return msg('P', name+"\x00"+text+"\x00\x00\x00") }
func bind(portal, name string) string {
	return msg('B', portal+"\x00"+name+"\x00\x00\x00\x00\x01\x00\x00\x00\x0242\x00\x00")
}
func exec(portal string) string    { return msg('E', portal+"\x00\x00\x00\x00\x00") }
func describeS(name string) string { return msg('D', "S"+name+"\x00") }

const (
	sync_ = "S\x00\x00\x00\x04"
	flush = "H\x00\x00\x00\x04"
)

// Messages of the server.
func ready(s string) string   { return msg('Z', s) }
func tag(s string) string     { return msg('C', s+"\x00") }
func rows(n int) string       { return strings.Repeat(msg('D', "\x00\x01\x00\x00\x00\x0242"), n) }
func fail(code string) string { return msg('E', "SERROR\x00VERROR\x00C"+code+"\x00Mno \x00\x00") }

var (
	described = msg('T', "\x00\x01a\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x17\x00\x04\xff\xff\xff\xff\x00\x00")
	params    = msg('t', "\x00\x01\x00\x00\x00\x17")
	parsed    = msg('1', "")
	bound     = msg('2', "")
	closed    = msg('3', "")
	noData    = msg('n', "")
	notice    = msg('N', "SNOTICE\x00C00000\x00Mhi\x00\x00")
)

func startup(parameters string) string {
	body := "\x00\x03\x00\x00" + parameters + "\x00"
	return string(binary.BigEndian.AppendUint32(nil, uint32(len(body)+4))) + body
}

var entry1 = msg('R', "\x00\x00\x00\x00") + msg('S', "server_version\x0015\x00") + msg('K', "12345678") + ready("I")

func conversations() []parsertest.Dialogue {
	return []parsertest.Dialogue{
		{Name: "simple", Calls: []string{">" + query("SELECT * FROM t WHERE a = 'x'"), "<" + described + rows(3) + tag("SELECT 3") + ready("I")},
			Want: []string{"SELECT|SELECT * FROM t WHERE a = ?||3|0"}},
		{Name: "several statements", Calls: []string{">" + query("INSERT INTO t VALUES (1); SELECT 1; DELETE FROM t"), "<" + tag("INSERT 0 1") + described + rows(1) + tag("SELECT 1") + tag("DELETE 7") + ready("I")},
			Want: []string{"INSERT|INSERT INTO t VALUES (?); SELECT ?; DELETE FROM t||1|8"}},
		{Name: "error", Calls: []string{">" + query("SELEC 1"), "<" + fail("42601") + ready("I")}, Want: []string{"other|SELEC ?|42601|0|0"}},
		{Name: "empty", Calls: []string{">" + query(""), "<" + msg('I', "") + ready("I")}, Want: []string{"other|||0|0"}},
		{Name: "unasked", Calls: []string{"<" + notice, ">" + query("SELECT 1"), "<" + notice + described, "<" + notice, "<" + rows(1) + tag("SELECT 1") + msg('A', "\x00\x00\x00\x01c\x00\x00") + ready("I")},
			Want: []string{"SELECT|SELECT ?||1|0"}},
		{Name: "created from a query", Calls: []string{">" + query("CREATE TABLE u AS SELECT 1"), "<" + tag("SELECT 5") + ready("I")}, Want: []string{"CREATE|CREATE TABLE u AS SELECT ?||0|5"}},
		{Name: "started", Calls: []string{">" + startup("user\x00u\x00database\x00d\x00"), "<" + msg('R', "\x00\x00\x00\x05salt"), ">" + msg('p', "md5secret\x00"), "<" + entry1, ">" + query("BEGIN"), "<" + tag("BEGIN") + ready("T"), ">" + msg('X', "")},
			Want: []string{"BEGIN|BEGIN||0|0"}},
		{Name: "refused", Calls: []string{">" + startup("user\x00u\x00"), "<" + fail("28P01")}},
		{Name: "no TLS", Calls: []string{">\x00\x00\x00\x08\x04\xd2\x16\x2f", "<N", ">" + startup("user\x00u\x00"), "<" + entry1, ">" + query("SELECT 1"), "<" + described + rows(1) + tag("SELECT 1") + ready("I")},
			Want: []string{"SELECT|SELECT ?||1|0"}},
		{Name: "cancel", Calls: []string{">\x00\x00\x00\x10\x04\xd2\x16\x2e12345678"}},
		{Name: "extended", Calls: []string{">" + parse("", "SELECT a FROM t WHERE b = $1") + bind("", "") + msg('D', "P\x00") + exec("") + sync_, "<" + parsed + bound + described + rows(2) + tag("SELECT 2") + ready("I")},
			Want: []string{"SELECT|SELECT a FROM t WHERE b = ?||2|0"}},
		{Name: "prepared", Calls: []string{
			">" + parse("s1", "UPDATE t SET a = $1") + describeS("s1") + sync_, "<" + parsed + params + noData + ready("I"),
			">" + bind("", "s1") + exec("") + sync_, "<" + bound + tag("UPDATE 4") + ready("I"),
			">" + bind("p", "s1") + exec("p") + sync_, "<" + bound + tag("UPDATE 0") + ready("I"),
			">" + msg('C', "Ss1\x00") + sync_, "<" + closed + ready("I"),
			">" + bind("", "s1") + exec("") + sync_, "<" + fail("26000") + ready("I"),
		}, Want: []string{
			"PREPARE|UPDATE t SET a = ?||0|0", "UPDATE|UPDATE t SET a = ?||0|4",
			"UPDATE|UPDATE t SET a = ?||0|0", "CLOSE|||0|0", "EXECUTE||26000|0|0",
		}},
		{Name: "prepared before", Calls: []string{">" + bind("", "old") + exec("") + sync_, "<" + bound + rows(1) + tag("SELECT 1") + ready("I")},
			Want: []string{"EXECUTE|||1|0|db.query.summary=SELECT"}},
		{Name: "failed to prepare", Calls: []string{">" + parse("s", "SELECT x") + sync_, "<" + fail("42703") + ready("I"), ">" + bind("", "s") + exec("") + sync_, "<" + fail("26000") + ready("I")},
			Want: []string{"PREPARE|SELECT x|42703|0|0", "EXECUTE||26000|0|0"}},
		{Name: "pipelined", Calls: []string{
			">" + parse("", "INSERT INTO t VALUES ($1)") + bind("", "") + exec("") + bind("", "") + exec("") + parse("", "SELECT 1") + bind("", "") + exec("") + sync_ + query("COMMIT"),
			"<" + parsed + bound + tag("INSERT 0 1") + bound + tag("INSERT 0 1") + parsed + bound + rows(1) + tag("SELECT 1") + ready("T") + tag("COMMIT") + ready("I"),
		}, Want: []string{
			"INSERT|INSERT INTO t VALUES (?)||0|1", "INSERT|INSERT INTO t VALUES (?)||0|1",
			"SELECT|SELECT ?||1|0", "COMMIT|COMMIT||0|0",
		}},
		{Name: "pipelined error", Calls: []string{
			">" + parse("", "INSERT INTO t VALUES ($1)") + bind("", "") + exec("") + bind("", "") + exec("") + bind("", "") + exec("") + sync_ + query("ROLLBACK"),
			"<" + parsed + bound + tag("INSERT 0 1") + bound + fail("23505") + ready("E") + tag("ROLLBACK") + ready("I"),
		}, Want: []string{
			"INSERT|INSERT INTO t VALUES (?)||0|1", "INSERT|INSERT INTO t VALUES (?)|23505|0|0",
			"INSERT|INSERT INTO t VALUES (?)||0|0|error=not_executed", "ROLLBACK|ROLLBACK||0|0",
		}},
		{Name: "error at commit", Calls: []string{">" + parse("", "INSERT INTO t VALUES (1)") + bind("", "") + exec("") + sync_, "<" + parsed + bound + tag("INSERT 0 1") + fail("23503") + ready("I")},
			Want: []string{"INSERT|INSERT INTO t VALUES (?)|23503|0|1"}},
		{Name: "portal in parts", Calls: []string{
			">" + parse("", "SELECT * FROM t") + bind("c", "") + exec("c") + flush, "<" + parsed + bound + rows(2) + msg('s', ""),
			">" + exec("c") + sync_, "<" + rows(1) + tag("SELECT 1") + ready("I"),
		}, Want: []string{"SELECT|SELECT * FROM t||2|0", "SELECT|SELECT * FROM t||1|0"}},
		{Name: "flushed", Calls: []string{">" + parse("s", "SELECT 1") + describeS("s") + flush, "<" + parsed + params + described, ">" + bind("", "s") + exec("") + sync_, "<" + bound + rows(1) + tag("SELECT 1") + ready("I")},
			Want: []string{"PREPARE|SELECT ?||0|0", "SELECT|SELECT ?||1|0"}},
		{Name: "prepared at once", Calls: []string{">" + parse("s1", "SELECT 1") + describeS("s1") + parse("s2", "DELETE FROM t") + describeS("s2") + sync_, "<" + parsed + params + described + parsed + params + noData + ready("I")},
			Want: []string{"PREPARE|SELECT ?||0|0", "PREPARE|DELETE FROM t||0|0"}},
		{Name: "only sync", Calls: []string{">" + sync_, "<" + ready("I")}, Want: []string{"SYNC|||0|0"}},
		{Name: "copy in", Calls: []string{">" + query("COPY t FROM STDIN"), "<" + msg('G', "\x00\x00\x01\x00\x00"), ">" + msg('d', "1\n2\n"), ">" + msg('d', "3\n") + msg('c', ""), "<" + tag("COPY 3") + ready("I")},
			Want: []string{"COPY|COPY t FROM STDIN||0|3"}},
		{Name: "copy in, extended", Calls: []string{
			">" + parse("", "COPY t FROM STDIN") + bind("", "") + exec("") + sync_, "<" + parsed + bound + msg('G', "\x00\x00\x01\x00\x00"), ">" + msg('d', "1\n") + msg('c', "") + sync_,
			"<" + tag("COPY 1") + ready("I"), ">" + query("BEGIN"), "<" + tag("BEGIN") + ready("T"),
		}, Want: []string{"COPY|COPY t FROM STDIN||0|1", "BEGIN|BEGIN||0|0"}},
		{Name: "copy fails", Calls: []string{">" + query("COPY t FROM STDIN"), "<" + msg('G', "\x00\x00\x01\x00\x00"), ">" + msg('d', "1\n") + msg('f', "no\x00"), "<" + fail("57014") + ready("I")},
			Want: []string{"COPY|COPY t FROM STDIN|57014|0|0"}},
		{Name: "copy out", Calls: []string{">" + query("COPY t TO STDOUT"), "<" + msg('H', "\x00\x00\x01\x00\x00") + msg('d', "1\n") + msg('d', "2\n") + msg('c', "") + tag("COPY 2") + ready("I")},
			Want: []string{"COPY|COPY t TO STDOUT||2|0"}},
		{Name: "function call", Calls: []string{">" + msg('F', "\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00"), "<" + msg('V', "\xff\xff\xff\xff") + ready("I")}, Want: []string{"FUNCTION|||0|0"}},
		{Name: "fatal", Calls: []string{">" + query("SELECT 1"), "<" + msg('E', "SX\x00VFATAL\x00C57P01\x00\x00")}, Want: []string{"SELECT|SELECT ?|57P01|0|0"}},
		{Name: "joined in a response", Calls: []string{"<" + rows(2) + tag("SELECT 9") + ready("I"), ">" + query("SELECT 1"), "<" + described + rows(1) + tag("SELECT 1") + ready("I")},
			Want: []string{"SELECT|SELECT ?||1|0"}, Lost: signal.Losses{signal.OrphanResponse: 1}},
		{Name: "request lost", Calls: []string{
			">" + query("SELECT 1"), "<" + tag("SELECT 0") + ready("I"), "g", "<" + tag("UPDATE 5") + ready("I"),
			">" + query("DELETE FROM t"), "<" + tag("DELETE 2") + ready("I"),
		}, Want: []string{"SELECT|SELECT ?||0|0", "DELETE|DELETE FROM t||0|2"}, Lost: signal.Losses{signal.OrphanResponse: 1}},
		{Name: "request and response lost", Calls: []string{"g", "h", ">" + query("DELETE FROM t"), "<" + tag("DELETE 2") + ready("I")},
			Want: []string{"DELETE|DELETE FROM t||0|2"}},
		{Name: "request lost, nothing came", Calls: []string{"g", ">" + query("DELETE FROM t"), "<" + tag("DELETE 2") + ready("I"), ">" + query("DELETE FROM t"), "<" + tag("DELETE 2") + ready("I")},
			Want: []string{"DELETE|DELETE FROM t||0|0|partial", "DELETE|DELETE FROM t||0|2"}},
		{Name: "response lost", Calls: []string{">" + query("SELECT 1"), "<" + described + rows(1), "h", ">" + query("BEGIN"), "<" + tag("BEGIN") + ready("T")},
			Want: []string{"SELECT|SELECT ?||0|0|partial", "BEGIN|BEGIN||0|0"}},
		{Name: "end of response seen", Calls: []string{">" + query("SELECT 1"), "<" + described + rows(1), "h", "|xxx" + tag("SELECT 9") + ready("I"), ">" + query("BEGIN"), "<" + tag("BEGIN") + ready("T")},
			Want: []string{"SELECT|SELECT ?||0|0|partial", "BEGIN|BEGIN||0|0"}},
		{Name: "unanswered", Calls: []string{">" + query("SELECT 1")}, Want: []string{"SELECT|SELECT ?||0|0|unanswered"}},
	}
}

func dialogues() *parsertest.Dialogues {
	return &parsertest.Dialogues{Protocol: Protocol{}, All: conversations()}
}

func play(t *testing.T, most int, calls ...string) *parsertest.Recorder {
	t.Helper()
	return dialogues().Play(t, calls, most, nil)
}

func TestConversations(t *testing.T) { dialogues().Expect(t) }

func TestSizes(t *testing.T) { dialogues().ExpectSizes(t, sync_) }

func TestOpaque(t *testing.T) {
	for _, calls := range [][]string{
		{">\x00\x00\x00\x08\x04\xd2\x16\x2f", "<S"}, {">\x00\x00\x00\x08\x04\xd2\x16\x30", "<G"},
		{">" + startup("user\x00u\x00replication\x00database\x00")}, {">" + query("START_REPLICATION"), "<" + msg('W', "\x00\x00\x00")},
	} {
		if r := play(t, 3, calls...); !r.IsOpaque {
			t.Errorf("%q: not opaque", calls)
		}
	}
}

func TestDatabase(t *testing.T) {
	r := play(t, 5, ">"+startup("user\x00u\x00database\x00shop\x00"), "<"+entry1, ">"+query("SELECT 1"))
	if want := []protocol.Attribute{{Key: "db.namespace", Value: "shop"}}; !cmp.Equal(r.Told[len(r.Told)-1].Request.Attributes, want) {
		t.Errorf("attributes %v, want %v", r.Told[len(r.Told)-1].Request.Attributes, want)
	}
}

// A statement of 60 KiB over many calls is seen whole: what matters stands at its end.
func TestLongStatement(t *testing.T) {
	text := "SELECT a FROM t WHERE id IN (" + strings.Repeat("123456, ", 7500) + "1) AND last = 'x'"
	r := play(t, 1400, ">"+query(text), "<"+tag("SELECT 0")+ready("I"))
	if len(r.Rows()) != 1 || !strings.HasPrefix(r.Rows()[0], "SELECT|SELECT a FROM t WHERE id IN (?) AND last = ?||") {
		t.Errorf("got %q", r.Rows())
	}
}

// Lost parts never make a wrong line: what is not partial is as it was said, or says that the statement is not known.
func TestLossIsHonest(t *testing.T) {
	d := dialogues()
	d.All = d.All[:19]
	d.AnyLoss(t, 5000, func(c parsertest.Dialogue) bool {
		return strings.Contains(c.Name, "start") || c.Name == "refused" || c.Name == "no TLS" || c.Name == "cancel" || strings.HasPrefix(c.Name, "prepared")
	}, func(row string) bool { return strings.HasPrefix(row, "EXECUTE||") })
}

func BenchmarkParse(b *testing.B) {
	for name, calls := range map[string][2]string{
		"simple":   {query("SELECT c FROM t WHERE id = 4711"), described + rows(1) + tag("SELECT 1") + ready("I")},
		"prepared": {bind("", "s1") + exec("") + sync_, bound + rows(10) + tag("SELECT 10") + ready("I")},
	} {
		b.Run(name, func(b *testing.B) {
			p := newParser()
			p.Data(protocol.ToServer, []byte(parse("s1", "SELECT * FROM t WHERE id = $1")+sync_), parsertest.Discard{})
			p.Data(protocol.FromServer, []byte(parsed+ready("I")), parsertest.Discard{})
			request, response := []byte(calls[0]), []byte(calls[1])
			b.ReportAllocs()
			for b.Loop() {
				p.Data(protocol.ToServer, request, parsertest.Discard{})
				p.Data(protocol.FromServer, response, parsertest.Discard{})
			}
		})
	}
}
