package truth

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/sonde-dev/sonde/test/wire"
)

// A postgres server, and the log in which it writes each statement that it has run.
type postgresServer struct {
	*process
	bin, dir, log string
	port          int
}

func startPostgres(t *testing.T, service string, w way) *postgresServer {
	t.Helper()
	bins, _ := filepath.Glob("/usr/lib/postgresql/*/bin")
	if len(bins) == 0 {
		t.Fatal("PostgreSQL not found: `make test-packages` installs what truth tests need")
	}
	bin := bins[len(bins)-1]
	dir := serverDir(t, "postgres")
	as := []string{"setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"}
	must(t, append(as, bin+"/initdb", "-D", dir+"/db", "-A", "trust", "-U", "postgres", "-E", "UTF8", "--no-sync")...)
	p := &postgresServer{bin: bin, dir: dir, port: freePort(t), log: dir + "/db/log/log.json"}
	conf := fmt.Sprintf(`
port = %d
listen_addresses = '127.0.0.1'
unix_socket_directories = '%s'
fsync = off
autovacuum = off
logging_collector = on
log_destination = 'jsonlog'
log_filename = 'log.log'
log_rotation_size = 0
log_rotation_age = 0
log_min_duration_statement = 0
shared_preload_libraries = 'pg_stat_statements'
`, p.port, dir)
	if w.tls != "" {
		cert, key := w.keyFor(t, dir, "postgres")
		conf += fmt.Sprintf("ssl = on\nssl_cert_file = '%s'\nssl_key_file = '%s'\n", cert, key)
		if err := os.WriteFile(dir+"/db/pg_hba.conf", []byte("local all all trust\nhostssl all all 127.0.0.1/32 trust\n"), 0o644); err != nil { // nobody comes without TLS
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(dir+"/db/postgresql.auto.conf", []byte(conf), 0o600); err != nil {
		t.Fatal(err)
	}
	must(t, "chown", "postgres", dir+"/db/postgresql.auto.conf")
	p.process = start(t, service, nil, append(as, bin+"/postgres", "-D", dir+"/db")...)
	p.waitPort(t, "tcp", local(p.port))
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(50 * time.Millisecond) { // it listens before it is ready
		if _, err := os.Stat(p.log); err == nil && strings.Contains(readFrom(t, p.log, 0), "ready to accept") {
			return p
		}
		if time.Now().After(deadline) {
			t.Fatalf("PostgreSQL is not ready: %s", p.said())
		}
	}
}

func (p *postgresServer) psql(t *testing.T, statements string) string {
	t.Helper()
	return must(t, "psql", "-X", "-q", "-At", "-h", p.dir, "-p", fmt.Sprint(p.port), "-U", "postgres", "-c", statements)
}

// truth counts what the server's log says since offset, by application. A line is a message or an error.
func (p *postgresServer) truth(t *testing.T, offset int64) map[string]tally {
	t.Helper()
	out := map[string]tally{}
	for line := range strings.Lines(readFrom(t, p.log, offset)) {
		var l struct {
			Application string `json:"application_name"`
			Message     string `json:"message"`
			State       string `json:"state_code"`
			Severity    string `json:"error_severity"`
			Statement   string `json:"statement"`
			Tag         string `json:"ps"`
		}
		if err := json.Unmarshal([]byte(line), &l); err != nil {
			t.Fatalf("read %q: %v", line, err)
		}
		c := out[l.Application]
		if c == nil {
			c = tally{}
			out[l.Application] = c
		}
		_, what, timed := strings.Cut(l.Message, " ms  ")
		kind, text, _ := strings.Cut(what, ": ")
		switch {
		case l.Severity == "ERROR" && l.Tag == "PARSE" && l.Application != "exec": // by itself; in an Execute's messages otherwise
			c.add("PREPARE", l.State)
		case l.Severity == "ERROR":
			c.add(verbOf(l.Statement), l.State)
		case !timed:
		case kind == "statement":
			c.add(verbOf(text), "")
		case strings.HasPrefix(kind, "parse ") && kind != "parse <unnamed>":
			c.add("PREPARE", "")
		case strings.HasPrefix(kind, "execute ") && strings.Contains(text, "/* old */"):
			c.add("EXECUTE", "")
		case strings.HasPrefix(kind, "execute "):
			c.add(verbOf(text), "")
		}
	}
	return out
}

// TestPostgres compares with the server's own log, for clients that speak each form of the protocol, on connections from before Sonde too:
// pgx is crypto/tls, the others are libpq with OpenSSL, as the server is.
func TestPostgres(t *testing.T) { inAllWays(t, testPostgres) }

func testPostgres(t *testing.T, w way) {
	id := w.id("pg")
	p := startPostgres(t, id, w)
	p.psql(t, "CREATE TABLE t (a int PRIMARY KEY, b text); INSERT INTO t SELECT i, 'b' FROM generate_series(1, 100) i; CREATE TABLE u (a int PRIMARY KEY); CREATE EXTENSION pg_stat_statements")
	pgbench := program(t, "pgbench", p.bin+"/pgbench")
	must(t, pgbench, "-i", "-q", "-h", p.dir, "-p", fmt.Sprint(p.port), "-U", "postgres", "postgres")
	dsn := fmt.Sprintf("postgres://postgres@127.0.0.1:%d/postgres?sslmode=%s", p.port, w.pick("disable", "require"))
	old := startRole(t, id+"-old", "pgx", Args{Addr: dsn, Plan: "old", Requests: 4})
	waitSaid(t, old, "ready")
	oldPsql := start(t, id+"-old-psql", []string{"PGAPPNAME=old-psql"}, "psql", "-X", "-At", dsn)
	fmt.Fprintln(oldPsql.stdin, "SELECT 'warm';")
	waitPrinted(t, p, "'warm'")
	p.psql(t, "SELECT pg_stat_statements_reset()")
	settled(t, p.log)
	x := w.sonde(t)
	time.Sleep(time.Second)
	offset := sizeOf(t, p.log)

	io.WriteString(old.stdin, "go\n")
	logs := map[string]*wire.Log{"old": old.log(t), "old-psql": {}}
	for i := range 5 {
		fmt.Fprintf(oldPsql.stdin, "SELECT %d;\nUPDATE t SET b = 'old' WHERE a = 7;\nSELECT 1/0;\n", i)
	}
	oldPsql.stdin.Close()
	oldPsql.finish(t)
	for _, plan := range []string{"cached", "simple", "exec"} {
		p.psql(t, "SET application_name = 'reset'; DELETE FROM t WHERE a > 100; DELETE FROM u")
		logs[plan] = startRole(t, id+"-"+plan, "pgx", Args{Addr: dsn, Plan: plan, Requests: 5}).log(t)
	}
	p.psql(t, "SET application_name = 'reset'; DELETE FROM t WHERE a > 100")
	python := program(t, "/usr/bin/python3", "python3")
	logs["python"] = start(t, id+"-python", nil, python, filepath.Join("testdata", "postgres.py"), dsn+"&application_name=python").log(t)
	for _, mode := range []string{"simple", "extended", "prepared"} {
		name := "pgbench-" + mode
		start(t, id+"-"+name, []string{"PGAPPNAME=" + name}, pgbench, "-n", "-M", mode, "-c", "3", "-t", "15", dsn).finish(t)
		logs[name] = &wire.Log{}
	}
	cli := start(t, id+"-psql", []string{"PGAPPNAME=psql"}, "psql", "-X", dsn)
	logs["psql"] = &wire.Log{}
	io.WriteString(cli.stdin, "SELECT 1;\nSELECT 2 \\; SELECT 'a;b' \\; INSERT INTO u VALUES (-1);\nSELECT g, repeat('x', 500) FROM generate_series(1, 300) g;\nCREATE TABLE v AS SELECT g FROM generate_series(1, 7) g;\n"+
		"DO 'BEGIN RAISE NOTICE ''hello''; END';\nSELECT 1/0;\nBEGIN;\nSAVEPOINT s;\nROLLBACK TO s;\nCOMMIT;\n\\copy v FROM PROGRAM 'seq 1 9'\nUPDATE v SET g = 0;\n")
	cli.stdin.Close()
	cli.finish(t)

	settled(t, p.log)
	truth := p.truth(t, offset)
	rows := rowsOf(t, p.psql(t, "SET application_name = 'late'; SELECT sum(rows) FROM pg_stat_statements"))
	truth["old"].skipped(logs["old"])
	older := sum(truth["old"], truth["old-psql"])
	claims := []sqlClaim{
		{service: id + "-old", side: "client", want: truth["old"], unlogged: unlogged},
		{service: id + "-old-psql", side: "client", want: truth["old-psql"], unlogged: unlogged},
		// They were forked before Sonde, and PostgreSQL writes its title over the environment in which the service's name stood.
		// Others of that name may run on this machine.
		{service: "postgres", side: "server", want: older, unlogged: unlogged, hasOthers: true},
	}
	for _, application := range []string{"old", "old-psql", "late"} {
		delete(truth, application)
	}
	var all []tally
	for application, c := range truth {
		if l := logs[application]; l != nil {
			c.skipped(l)
			claims = append(claims, sqlClaim{service: id + "-" + application, side: "client", want: c, unlogged: unlogged})
		}
		all = append(all, c)
	}
	claims = append(claims, sqlClaim{service: id, side: "server", want: sum(append(all, tally{"SET - -": 1})...), unlogged: unlogged})
	checkSQL(t, x, claims...)
	checkSleeps(t, x, id, "SELECT pg_sleep(?)", logs, "old")
	got := 0.0
	for _, side := range []string{"server_response_%s_rows_total{service_name=%q}", "client_response_%s_rows_total{service_name=~%q}"} {
		for _, kind := range []string{"returned", "affected"} {
			service := id
			if strings.HasPrefix(side, "client") { // of the connections whose other end has another name
				service = id + "-old.*"
			}
			n, err := x.Value("sum(db_" + fmt.Sprintf(side, kind, service) + ")")
			if err != nil {
				t.Fatal(err)
			}
			got += n
		}
	}
	// PostgreSQL's counts hold the row of their reset, which was before Sonde, and not yet the one that told them.
	if got != rows {
		t.Errorf("%.0f rows, PostgreSQL counts %.0f", got, rows)
	}
	if err := x.Stop(); err != nil {
		t.Error(err)
	}
}

// waitPrinted waits until a text is in the server's log.
func waitPrinted(t *testing.T, p *postgresServer, text string) {
	t.Helper()
	for range 400 {
		if strings.Contains(readFrom(t, p.log, 0), text) {
			return
		}
		pause()
	}
	t.Fatalf("PostgreSQL's log never had %q", text)
}

// unlogged is what PostgreSQL does not log: Close messages, which look like the statement CLOSE, and Sync alone.
var unlogged = []string{"CLOSE - -", "SYNC - -"}

func rowsOf(t *testing.T, s string) (n float64) {
	t.Helper()
	if _, err := fmt.Sscan(s, &n); err != nil {
		t.Fatalf("read %q: %v", s, err)
	}
	return n
}
