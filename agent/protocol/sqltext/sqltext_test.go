package sqltext

import (
	"math/rand/v2"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestDescribe(t *testing.T) {
	const pg, my, plain = PostgreSQL, MySQL, MySQLNoEscapes
	for _, tt := range []struct {
		d               Dialect
		in              string
		operation, want string
	}{
		{pg, "select * from t where id = 42", "SELECT", "select * from t where id = ?"},
		{pg, "  SELECT\n\t1 ;  ", "SELECT", "SELECT ?"},
		{pg, "SELECT 'it''s', E'it\\'s', $$a'b$$, $x$ $$ $x$, X'1F', B'01', N'x', U&'d\\0061', 1.5e-3, 0x1F, .5, 1_000", "SELECT", "SELECT ?"},
		{pg, "SELECT $1::int, \"a b\".c FROM t LIMIT $2", "SELECT", "SELECT ?::int, \"a b\".c FROM t LIMIT ?"},
		{pg, "INSERT INTO t (a, b) VALUES (1, 'x'), (2, NULL),(-3,'z') RETURNING id", "INSERT", "INSERT INTO t (a, b) VALUES (?) RETURNING id"},
		{pg, "INSERT INTO t VALUES (1, now()), (2, now())", "INSERT", "INSERT INTO t VALUES (?, now())"},
		{pg, "SELECT 1 -- it's\n, 2 /* a /* 'nested */ ' */ FROM t", "SELECT", "SELECT ? FROM t"},
		{pg, "SELECT a->>'k', b#>'{x}', c ? 'd', e || 'f' FROM t", "SELECT", "SELECT a->>?, b#>?, c ? ?, e || ? FROM t"},
		{pg, "WITH x AS (SELECT 1) INSERT INTO t SELECT * FROM x", "INSERT", "WITH x AS (SELECT ?) INSERT INTO t SELECT * FROM x"},
		{pg, "WITH RECURSIVE x AS (DELETE FROM u RETURNING *) (SELECT 1)", "WITH", "WITH RECURSIVE x AS (DELETE FROM u RETURNING *) (SELECT ?)"},
		{pg, "(SELECT 1) UNION (SELECT 2)", "SELECT", "(SELECT ?) UNION (SELECT ?)"},
		{pg, "SELECT 1; UPDATE t SET a = 'b'; SET x TO secret", "SELECT", "SELECT ?; UPDATE t SET a = ?; SET x TO ?"},
		{pg, "UPDATE t SET a = b WHERE c IS NULL", "UPDATE", "UPDATE t SET a = b WHERE c IS NULL"},
		{pg, "SET search_path = tenant_4711, public", "SET", "SET search_path = ?, public"},
		{pg, "SAVEPOINT sp_1234", "SAVEPOINT", "SAVEPOINT ?"},
		{pg, "ROLLBACK TO SAVEPOINT sp_1234", "ROLLBACK", "ROLLBACK TO SAVEPOINT ?"},
		{pg, "ALTER USER u PASSWORD 'hunter2'", "ALTER", "ALTER USER u PASSWORD ?"},
		{pg, "SELECT 'C:\\', secret", "SELECT", "SELECT ?..."},
		{pg, "SELECT 'C:\\' || 'secret'", "SELECT", "SELECT ?..."},
		{pg, "SELECT 'C:\\\\' || 'x'", "SELECT", "SELECT ? || ?"},
		{pg, "SELECT 'not closed", "SELECT", "SELECT ?"},
		{pg, "SELECT caf\xc3\xa9 FROM t", "SELECT", "SELECT caf\xc3\xa9 FROM t"},
		{pg, "SELECT caf\xe9 FROM 'x'", "SELECT", "SELECT..."},
		{pg, "", Other, ""},
		{pg, ";", Other, ""},
		{pg, "-- ping", Other, ""},
		{pg, "FROBNICATE 12", Other, "FROBNICATE ?"},
		{my, "SELECT \"a\", 'it\\'s', `b``c`, x'1f', 0b01, _utf8mb4'x', _binary \"y\", @v, @@g.h # it's\nFROM t", "SELECT", "SELECT ?, `b``c`, ?, @v, @@g.h FROM t"},
		{my, "SELECT 5--1, 'a\nsecret'", "SELECT", "SELECT ?-?"},
		{my, "SELECT 5 -- 'x\n+ 1", "SELECT", "SELECT ? + ?"},
		{my, "SELECT * FROM t WHERE id IN (?, ?, ?) AND n IN (1,2,3)", "SELECT", "SELECT * FROM t WHERE id IN (?) AND n IN (?)"},
		{my, "/*!40101 SET NAMES utf8mb4 */", "SET", "SET NAMES utf8mb4"},
		{my, "SELECT /*+ MAX(1) */ /*!50000 STRAIGHT_JOIN */ a FROM t", "SELECT", "SELECT STRAIGHT_JOIN a FROM t"},
		{my, "SELECT 1 /*!99999 it's */, 'secret'", "SELECT", "SELECT ?..."},
		{my, "SELECT \"{\\\"a\\\": 1}\"", "SELECT", "SELECT ?..."},
		{my, "SELECT '\x83\x5c', secret", "SELECT", "SELECT ?..."},
		{my, "SET autocommit=0, @x := 5", "SET", "SET autocommit=?, @x := ?"},
		{my, "CREATE USER 'u'@'h' IDENTIFIED BY 'p'", "CREATE", "CREATE USER ?@? IDENTIFIED BY ?"},
		{plain, "SELECT 'a''b', 'c'", "SELECT", "SELECT ?"},
		{plain, "SELECT 'a\\', 'secret'", "SELECT", "SELECT ?..."},
	} {
		got := Describe(tt.d, []byte(tt.in), false)
		if want := (Statement{tt.operation, tt.want}); got != want {
			t.Errorf("Describe(%d, %q) = %+v, want %+v", tt.d, tt.in, got, want)
		}
	}
}

func TestCutAndLong(t *testing.T) {
	in := []byte("SELECT a FROM t WHERE id IN (" + strings.Repeat("12345, ", 9000) + "1) AND b = 'x'")
	if got := Describe(PostgreSQL, in, false).Template; got != "SELECT a FROM t WHERE id IN (?) AND b = ?" {
		t.Errorf("a long list gives %q", got)
	}
	if got := Describe(PostgreSQL, in[:100], true).Template; got != "SELECT a FROM t WHERE id IN (?..." {
		t.Errorf("a cut statement gives %q", got)
	}
	long := Describe(PostgreSQL, []byte("SELECT "+strings.Repeat("a_column, ", 200)+"b FROM t"), false).Template
	if len(long) > MaxTemplate || !strings.HasSuffix(long, dots) {
		t.Errorf("a long statement gives %d bytes: %q", len(long), long)
	}
}

// secrets writes literals that all contain the word "sEcReT" or the digits 777, in every form a dialect has.
func secrets(r *rand.Rand, d Dialect) string {
	inner := []string{"sEcReT", "a 777 b", "-- sEcReT", "/* sEcReT", "*/ sEcReT", "; sEcReT", "sEcReT, 777", "(sEcReT", "`sEcReT", "$1 sEcReT", "\n sEcReT \n", "é sEcReT"}
	text := ""
	for range 1 + r.IntN(3) {
		text += inner[r.IntN(len(inner))]
	}
	switch d {
	case PostgreSQL:
		forms := []string{
			"'" + text + "'", "'" + text + "''" + text + "'", "E'" + text + "\\'" + text + "'", "e'\\\\" + text + "'", "$$" + text + "'$$", "$t$" + text + "$$ \" $t$",
			"'\"" + text + "\"'", "777", "-777.777e+7", "0x777", "'" + text + "\\'", "/* " + text + " ' */ 777", "U&'" + text + "'", "'\\" + text + "'",
		}
		f := forms[r.IntN(len(forms))]
		if strings.Contains(text, "*/") || strings.Contains(text, "/*") {
			f = strings.Replace(f, "/* "+text, "/* ", 1)
		}
		return f
	default:
		q := strings.ReplaceAll(text, "\\", "")
		forms := []string{
			"'" + q + "'", "'" + q + "''" + q + "'", "\"" + q + "\"", "\"'" + q + "\"", "'\"" + q + "'", "777", "0x777", "7.77", "_binary'" + q + "'",
			"'" + q + "\\\\'", "'" + q + "\\''" /* ambiguous, or one string that goes on */, "5--777",
		}
		if d == MySQL {
			forms[10] = "'" + q + "\\'" + q + "'"
		} else {
			forms[10] = "'" + q + "\\'"
		}
		return forms[r.IntN(len(forms))]
	}
}

// Whatever the form and the place of a literal, and wherever the statement is cut, nothing of it shows.
func TestNoLiteralLeaks(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	frames := []string{
		"SELECT a, %, b FROM t WHERE c = % AND d IN (%, %,%)", "INSERT INTO t (a, b) VALUES (%, %), (%,%) , (%, f(%))",
		"UPDATE t SET a=%, b = % WHERE c LIKE % OR d BETWEEN % AND %", "ALTER USER u PASSWORD %", "CALL p(%, %)", "SET a = %; SELECT %",
		"SELECT\t% % % FROM (SELECT %) x -- done",
	}
	var c Cache
	for i := range 200_000 {
		d := Dialect(r.IntN(3))
		text := ""
		for _, part := range strings.SplitAfter(frames[r.IntN(len(frames))], "%") {
			if p, ok := strings.CutSuffix(part, "%"); ok {
				part = p + secrets(r, d)
			}
			text += part
		}
		isCut := i%3 == 0
		if isCut {
			text = text[:r.IntN(len(text)+1)]
		}
		got := c.Describe(d, []byte(text), isCut).Template
		if strings.Contains(got, "sEc") || strings.Contains(got, "ReT") || strings.Contains(got, "7") || strings.Contains(got, "'") {
			t.Fatalf("dialect %d: %q\nbecomes %q", d, text, got)
		}
		check(t, got)
	}
}

func check(t *testing.T, template string) {
	t.Helper()
	if len(template) > MaxTemplate || !utf8.ValidString(template) {
		t.Fatalf("not a label: %q", template)
	}
}

func FuzzDescribe(f *testing.F) {
	f.Add(uint8(0), []byte("SELECT $a$b$a$, E'\\'' -- x\n\"q\""), false)
	f.Add(uint8(1), []byte("/*!1 SET a=0x1 */; (1),(2) `b` # \n--"), true)
	f.Fuzz(func(t *testing.T, d uint8, in []byte, isCut bool) {
		got := Describe(Dialect(d%3), in, isCut)
		check(t, got.Template)
		if strings.ContainsRune(got.Template, '\'') && !strings.ContainsAny(got.Template, "\"`") {
			t.Errorf("%q becomes %q", in, got.Template)
		}
		if got.Operation != Other && verbs[got.Operation] == "" {
			t.Errorf("operation %q", got.Operation)
		}
	})
}

func BenchmarkDescribe(b *testing.B) {
	for name, text := range map[string]string{
		"short": "SELECT c FROM sbtest1 WHERE id = 4711",
		"list":  "SELECT c FROM t WHERE id IN (" + strings.Repeat("4711, ", 100) + "1)",
	} {
		b.Run(name, func(b *testing.B) {
			var c Cache
			in := []byte(text)
			b.ReportAllocs()
			b.SetBytes(int64(len(in)))
			for b.Loop() {
				c.Describe(MySQL, in, false)
			}
		})
	}
}
