package postgres

import (
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

// A conversation is a list of calls: ">" from the client, "<" from the server; "g" and "h" lose n bytes of the client or the server.
type conversation struct {
	name  string
	calls []string
	want  []string
	lost  signal.Losses
}

func conversations() []conversation {
	return []conversation{
		{"simple", []string{">" + query("SELECT * FROM t WHERE a = 'x'"), "<" + described + rows(3) + tag("SELECT 3") + ready("I")},
			[]string{"SELECT|SELECT * FROM t WHERE a = ?||3|0"}, nil},
		{"several statements", []string{">" + query("INSERT INTO t VALUES (1); SELECT 1; DELETE FROM t"), "<" + tag("INSERT 0 1") + described + rows(1) + tag("SELECT 1") + tag("DELETE 7") + ready("I")},
			[]string{"INSERT|INSERT INTO t VALUES (?); SELECT ?; DELETE FROM t||1|8"}, nil},
		{"error", []string{">" + query("SELEC 1"), "<" + fail("42601") + ready("I")}, []string{"other|SELEC ?|42601|0|0"}, nil},
		{"empty", []string{">" + query(""), "<" + msg('I', "") + ready("I")}, []string{"other|||0|0"}, nil},
		{"unasked", []string{"<" + notice, ">" + query("SELECT 1"), "<" + notice + described, "<" + notice, "<" + rows(1) + tag("SELECT 1") + msg('A', "\x00\x00\x00\x01c\x00\x00") + ready("I")},
			[]string{"SELECT|SELECT ?||1|0"}, nil},
		{"created from a query", []string{">" + query("CREATE TABLE u AS SELECT 1"), "<" + tag("SELECT 5") + ready("I")}, []string{"CREATE|CREATE TABLE u AS SELECT ?||0|5"}, nil},
		{"started", []string{">" + startup("user\x00u\x00database\x00d\x00"), "<" + msg('R', "\x00\x00\x00\x05salt"), ">" + msg('p', "md5secret\x00"), "<" + entry1, ">" + query("BEGIN"), "<" + tag("BEGIN") + ready("T"), ">" + msg('X', "")},
			[]string{"BEGIN|BEGIN||0|0"}, nil},
		{"refused", []string{">" + startup("user\x00u\x00"), "<" + fail("28P01")}, nil, nil},
		{"no TLS", []string{">\x00\x00\x00\x08\x04\xd2\x16\x2f", "<N", ">" + startup("user\x00u\x00"), "<" + entry1, ">" + query("SELECT 1"), "<" + described + rows(1) + tag("SELECT 1") + ready("I")},
			[]string{"SELECT|SELECT ?||1|0"}, nil},
		{"cancel", []string{">\x00\x00\x00\x10\x04\xd2\x16\x2e12345678"}, nil, nil},
		{"extended", []string{">" + parse("", "SELECT a FROM t WHERE b = $1") + bind("", "") + msg('D', "P\x00") + exec("") + sync_, "<" + parsed + bound + described + rows(2) + tag("SELECT 2") + ready("I")},
			[]string{"SELECT|SELECT a FROM t WHERE b = ?||2|0"}, nil},
		{"prepared", []string{
			">" + parse("s1", "UPDATE t SET a = $1") + describeS("s1") + sync_, "<" + parsed + params + noData + ready("I"),
			">" + bind("", "s1") + exec("") + sync_, "<" + bound + tag("UPDATE 4") + ready("I"),
			">" + bind("p", "s1") + exec("p") + sync_, "<" + bound + tag("UPDATE 0") + ready("I"),
			">" + msg('C', "Ss1\x00") + sync_, "<" + closed + ready("I"),
			">" + bind("", "s1") + exec("") + sync_, "<" + fail("26000") + ready("I"),
		}, []string{
			"PREPARE|UPDATE t SET a = ?||0|0", "UPDATE|UPDATE t SET a = ?||0|4",
			"UPDATE|UPDATE t SET a = ?||0|0", "CLOSE|||0|0", "EXECUTE||26000|0|0",
		}, nil},
		{"prepared before", []string{">" + bind("", "old") + exec("") + sync_, "<" + bound + rows(1) + tag("SELECT 1") + ready("I")},
			[]string{"EXECUTE|||1|0|db.query.summary=SELECT"}, nil},
		{"failed to prepare", []string{">" + parse("s", "SELECT x") + sync_, "<" + fail("42703") + ready("I"), ">" + bind("", "s") + exec("") + sync_, "<" + fail("26000") + ready("I")},
			[]string{"PREPARE|SELECT x|42703|0|0", "EXECUTE||26000|0|0"}, nil},
		{"pipelined", []string{
			">" + parse("", "INSERT INTO t VALUES ($1)") + bind("", "") + exec("") + bind("", "") + exec("") + parse("", "SELECT 1") + bind("", "") + exec("") + sync_ + query("COMMIT"),
			"<" + parsed + bound + tag("INSERT 0 1") + bound + tag("INSERT 0 1") + parsed + bound + rows(1) + tag("SELECT 1") + ready("T") + tag("COMMIT") + ready("I"),
		}, []string{
			"INSERT|INSERT INTO t VALUES (?)||0|1", "INSERT|INSERT INTO t VALUES (?)||0|1",
			"SELECT|SELECT ?||1|0", "COMMIT|COMMIT||0|0",
		}, nil},
		{"pipelined error", []string{
			">" + parse("", "INSERT INTO t VALUES ($1)") + bind("", "") + exec("") + bind("", "") + exec("") + bind("", "") + exec("") + sync_ + query("ROLLBACK"),
			"<" + parsed + bound + tag("INSERT 0 1") + bound + fail("23505") + ready("E") + tag("ROLLBACK") + ready("I"),
		}, []string{
			"INSERT|INSERT INTO t VALUES (?)||0|1", "INSERT|INSERT INTO t VALUES (?)|23505|0|0",
			"INSERT|INSERT INTO t VALUES (?)||0|0|error=not_executed", "ROLLBACK|ROLLBACK||0|0",
		}, nil},
		{"error at commit", []string{">" + parse("", "INSERT INTO t VALUES (1)") + bind("", "") + exec("") + sync_, "<" + parsed + bound + tag("INSERT 0 1") + fail("23503") + ready("I")},
			[]string{"INSERT|INSERT INTO t VALUES (?)|23503|0|1"}, nil},
		{"portal in parts", []string{
			">" + parse("", "SELECT * FROM t") + bind("c", "") + exec("c") + flush, "<" + parsed + bound + rows(2) + msg('s', ""),
			">" + exec("c") + sync_, "<" + rows(1) + tag("SELECT 1") + ready("I"),
		}, []string{"SELECT|SELECT * FROM t||2|0", "SELECT|SELECT * FROM t||1|0"}, nil},
		{"flushed", []string{">" + parse("s", "SELECT 1") + describeS("s") + flush, "<" + parsed + params + described, ">" + bind("", "s") + exec("") + sync_, "<" + bound + rows(1) + tag("SELECT 1") + ready("I")},
			[]string{"PREPARE|SELECT ?||0|0", "SELECT|SELECT ?||1|0"}, nil},
		{"prepared at once", []string{">" + parse("s1", "SELECT 1") + describeS("s1") + parse("s2", "DELETE FROM t") + describeS("s2") + sync_, "<" + parsed + params + described + parsed + params + noData + ready("I")},
			[]string{"PREPARE|SELECT ?||0|0", "PREPARE|DELETE FROM t||0|0"}, nil},
		{"only sync", []string{">" + sync_, "<" + ready("I")}, []string{"SYNC|||0|0"}, nil},
		{"copy in", []string{">" + query("COPY t FROM STDIN"), "<" + msg('G', "\x00\x00\x01\x00\x00"), ">" + msg('d', "1\n2\n"), ">" + msg('d', "3\n") + msg('c', ""), "<" + tag("COPY 3") + ready("I")},
			[]string{"COPY|COPY t FROM STDIN||0|3"}, nil},
		{"copy in, extended", []string{
			">" + parse("", "COPY t FROM STDIN") + bind("", "") + exec("") + sync_, "<" + parsed + bound + msg('G', "\x00\x00\x01\x00\x00"), ">" + msg('d', "1\n") + msg('c', "") + sync_,
			"<" + tag("COPY 1") + ready("I"), ">" + query("BEGIN"), "<" + tag("BEGIN") + ready("T"),
		}, []string{"COPY|COPY t FROM STDIN||0|1", "BEGIN|BEGIN||0|0"}, nil},
		{"copy fails", []string{">" + query("COPY t FROM STDIN"), "<" + msg('G', "\x00\x00\x01\x00\x00"), ">" + msg('d', "1\n") + msg('f', "no\x00"), "<" + fail("57014") + ready("I")},
			[]string{"COPY|COPY t FROM STDIN|57014|0|0"}, nil},
		{"copy out", []string{">" + query("COPY t TO STDOUT"), "<" + msg('H', "\x00\x00\x01\x00\x00") + msg('d', "1\n") + msg('d', "2\n") + msg('c', "") + tag("COPY 2") + ready("I")},
			[]string{"COPY|COPY t TO STDOUT||2|0"}, nil},
		{"function call", []string{">" + msg('F', "\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00"), "<" + msg('V', "\xff\xff\xff\xff") + ready("I")}, []string{"FUNCTION|||0|0"}, nil},
		{"fatal", []string{">" + query("SELECT 1"), "<" + msg('E', "SX\x00VFATAL\x00C57P01\x00\x00")}, []string{"SELECT|SELECT ?|57P01|0|0"}, nil},
		{"joined in a response", []string{"<" + rows(2) + tag("SELECT 9") + ready("I"), ">" + query("SELECT 1"), "<" + described + rows(1) + tag("SELECT 1") + ready("I")},
			[]string{"SELECT|SELECT ?||1|0"}, signal.Losses{signal.OrphanResponse: 1}},
		{"request lost", []string{
			">" + query("SELECT 1"), "<" + tag("SELECT 0") + ready("I"), "g30", "<" + tag("UPDATE 5") + ready("I"),
			">" + query("DELETE FROM t"), "<" + tag("DELETE 2") + ready("I"),
		}, []string{"SELECT|SELECT ?||0|0", "DELETE|DELETE FROM t||0|2"}, signal.Losses{signal.OrphanResponse: 1}},
		{"request and response lost", []string{"g30", "h40", ">" + query("DELETE FROM t"), "<" + tag("DELETE 2") + ready("I")},
			[]string{"DELETE|DELETE FROM t||0|2"}, nil},
		{"request lost, nothing came", []string{"g30", ">" + query("DELETE FROM t"), "<" + tag("DELETE 2") + ready("I"), ">" + query("DELETE FROM t"), "<" + tag("DELETE 2") + ready("I")},
			[]string{"DELETE|DELETE FROM t||0|0|partial", "DELETE|DELETE FROM t||0|2"}, nil},
		{"response lost", []string{">" + query("SELECT 1"), "<" + described + rows(1), "h100", ">" + query("BEGIN"), "<" + tag("BEGIN") + ready("T")},
			[]string{"SELECT|SELECT ?||0|0|partial", "BEGIN|BEGIN||0|0"}, nil},
		{"end of response seen", []string{">" + query("SELECT 1"), "<" + described + rows(1), "h100", "<xxx" + tag("SELECT 9") + ready("I"), ">" + query("BEGIN"), "<" + tag("BEGIN") + ready("T")},
			[]string{"SELECT|SELECT ?||0|0|partial", "BEGIN|BEGIN||0|0"}, nil},
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
			n := uint32(len(call)) // any number
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
			r.Moved += uint64(n)
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

func TestConversations(t *testing.T) {
	for _, c := range conversations() {
		for _, most := range []int{1 << 20, 1, 2, 3, 7, 20} {
			if strings.Contains(c.name, "lost") && most < 20 {
				continue // after a loss a call must show that it begins a message
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

var sizes = regexp.MustCompile(`\|req=\d+\|res=\d+`)

func withoutSizes(lines []string) (out []string) {
	for _, l := range lines {
		out = append(out, sizes.ReplaceAllString(l, ""))
	}
	return out
}

// Where one call is the request and one the response, their sizes are those of the exchange.
func TestSizes(t *testing.T) {
	for _, c := range conversations() {
		if len(c.calls) != 2 || len(c.want) != 1 || c.calls[0][0] != '>' || c.calls[1][0] != '<' {
			continue
		}
		req, res := strings.TrimSuffix(c.calls[0][1:], sync_), c.calls[1][1:]
		if len(req) == 0 {
			req = sync_
		}
		if c.name == "unasked" {
			res = strings.ReplaceAll(res, notice, "")
		}
		want := fmt.Sprintf("|req=%d|res=%d", len(req), len(res))
		if r := play(t, c, 9, nil); !strings.Contains(r.Rows()[0], want) {
			t.Errorf("%s: %s, want %s", c.name, r.Rows()[0], want)
		}
	}
}

func TestOpaque(t *testing.T) {
	for _, calls := range [][]string{
		{">\x00\x00\x00\x08\x04\xd2\x16\x2f", "<S"}, {">\x00\x00\x00\x08\x04\xd2\x16\x30", "<G"},
		{">" + startup("user\x00u\x00replication\x00database\x00")}, {">" + query("START_REPLICATION"), "<" + msg('W', "\x00\x00\x00")},
	} {
		if r := play(t, conversation{calls: calls}, 3, nil); !r.IsOpaque {
			t.Errorf("%q: not opaque", calls)
		}
	}
}

func TestDatabase(t *testing.T) {
	r := play(t, conversation{calls: []string{">" + startup("user\x00u\x00database\x00shop\x00"), "<" + entry1, ">" + query("SELECT 1")}}, 5, nil)
	if want := []protocol.Attribute{{Key: "db.namespace", Value: "shop"}}; !cmp.Equal(r.Told[len(r.Told)-1].Request.Attributes, want) {
		t.Errorf("attributes %v, want %v", r.Told[len(r.Told)-1].Request.Attributes, want)
	}
}

// A statement of 60 KiB over many calls is seen whole: what matters stands at its end.
func TestLongStatement(t *testing.T) {
	text := "SELECT a FROM t WHERE id IN (" + strings.Repeat("123456, ", 7500) + "1) AND last = 'x'"
	r := play(t, conversation{calls: []string{">" + query(text), "<" + tag("SELECT 0") + ready("I")}}, 1400, nil)
	if len(r.Rows()) != 1 || !strings.HasPrefix(r.Rows()[0], "SELECT|SELECT a FROM t WHERE id IN (?) AND last = ?||") {
		t.Errorf("got %q", r.Rows())
	}
}

// Lost parts never make a wrong line: what is not partial is as it was said.
func TestLossIsHonest(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	full := 0
	for i := range 5000 {
		var c conversation
		truth := map[string]int{}
		for range 1 + r.IntN(6) {
			all := conversations()
			next := all[r.IntN(19)]
			if strings.Contains(next.name, "start") || next.name == "refused" || next.name == "no TLS" || next.name == "cancel" || strings.HasPrefix(next.name, "prepared") {
				continue
			}
			c.calls = append(c.calls, next.calls...)
			for _, w := range next.want {
				truth[w]++
			}
		}
		drop := 1 + r.IntN(4)
		for range drop {
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
			if strings.Contains(l, "|partial") || strings.Contains(l, "|unanswered") || strings.HasPrefix(l, "EXECUTE||") {
				continue // the last: it says that the statement is not known
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
		"simple":   {query("SELECT c FROM t WHERE id = 4711"), described + rows(1) + tag("SELECT 1") + ready("I")},
		"prepared": {bind("", "s1") + exec("") + sync_, bound + rows(10) + tag("SELECT 10") + ready("I")},
	} {
		b.Run(name, func(b *testing.B) {
			p := newParser()
			p.Data(protocol.ToServer, []byte(parse("s1", "SELECT * FROM t WHERE id = $1")+sync_), null{})
			p.Data(protocol.FromServer, []byte(parsed+ready("I")), null{})
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
