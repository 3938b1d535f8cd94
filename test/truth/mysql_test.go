package truth

import (
	"fmt"
	"io"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/sonde-dev/sonde/test/wire"
)

// A mariadb server, and the general log in which it writes each command that it gets.
type mariadbServer struct {
	*process
	dir, log string
	port     int
}

func startMariaDB(t *testing.T, service string, w way, users ...string) *mariadbServer {
	t.Helper()
	daemon, install := program(t, "/usr/sbin/mariadbd", "mariadbd"), program(t, "mariadb-install-db")
	dir := serverDir(t, "mysql")
	p := &mariadbServer{dir: dir, port: freePort(t), log: dir + "/general.log"}
	must(t, install, "--no-defaults", "--user=mysql", "--datadir="+dir+"/db", "--auth-root-authentication-method=normal", "--skip-test-db", "--tmpdir="+dir)
	argv := []string{"setpriv", "--reuid=mysql", "--regid=mysql", "--clear-groups", daemon, "--no-defaults", "--datadir=" + dir + "/db", "--socket=" + dir + "/s",
		"--bind-address=127.0.0.1", fmt.Sprint("--port=", p.port), "--general-log=1", "--general-log-file=" + p.log, "--local-infile=1", "--innodb-flush-log-at-trx-commit=0",
		"--innodb-buffer-pool-size=32M", "--log-error=" + dir + "/error.log", "--tmpdir=" + dir}
	if w.tls != "" {
		cert, key := w.keyFor(t, dir, "mysql")
		argv = append(argv, "--ssl-cert="+cert, "--ssl-key="+key)
	}
	p.process = start(t, service, nil, argv...)
	p.waitPort(t, "tcp", local(p.port))
	setup := "DELIMITER $$\nCREATE DATABASE shop; USE shop; CREATE TABLE t (a INT PRIMARY KEY, b TEXT); INSERT INTO t SELECT seq, 'b' FROM seq_1_to_100$$\n" +
		"CREATE PROCEDURE p() BEGIN SELECT 1; SELECT 2; UPDATE t SET b = 'p' WHERE a <= 3; END$$"
	p.cli(t, "-e", setup)
	for _, u := range users {
		p.cli(t, "-e", fmt.Sprintf("CREATE USER %s@'127.0.0.1' %s; GRANT ALL ON *.* TO %s@'127.0.0.1'", u, w.pick("", "REQUIRE SSL"), u))
	}
	return p
}

// cli runs the command line client as root, by the Unix socket.
func (p *mariadbServer) cli(t *testing.T, args ...string) string {
	t.Helper()
	return must(t, append([]string{program(t, "mariadb"), "--no-defaults", "--skip-ssl", "-uroot", "-N", "-S", p.dir + "/s"}, args...)...)
}

var generalLine = regexp.MustCompile(`^(?:\d{6} [ \d]\d:\d\d:\d\d)?\t\s*(\d+) (Query|Prepare|Execute|Close stmt|Reset stmt|Long Data|Fetch|Init DB|Field List|Statistics|Quit|Connect)\t(.*)`)

// truth counts the commands in the log since offset, by user. Errors are not in it.
func (p *mariadbServer) truth(t *testing.T, offset int64) map[string]tally {
	t.Helper()
	out, users := map[string]tally{}, map[string]string{}
	at := int64(0)
	for line := range strings.Lines(readFrom(t, p.log, 0)) {
		at += int64(len(line))
		m := generalLine.FindStringSubmatch(strings.TrimSuffix(line, "\n"))
		if m == nil {
			continue
		}
		id, command, text := m[1], m[2], m[3]
		if command == "Connect" {
			user, _, _ := strings.Cut(text, "@")
			users[id] = user
			continue
		}
		c := out[users[id]]
		if c == nil {
			c = tally{}
			out[users[id]] = c
		}
		switch {
		case at <= offset || command == "Quit":
		case command == "Query":
			c.add(verbOf(text), "")
		case command == "Execute" && strings.Contains(text, "/* old */"):
			c.add("EXECUTE", "")
		case command == "Execute":
			c.add(verbOf(text), "")
		default:
			c.add(map[string]string{"Prepare": "PREPARE", "Close stmt": "CLOSE", "Reset stmt": "RESET", "Long Data": "SEND_LONG_DATA", "Fetch": "FETCH",
				"Init DB": "INIT_DB", "Field List": "FIELD_LIST", "Statistics": "STATISTICS"}[command], "")
		}
	}
	return out
}

// rowsSent is the server's own count of rows that it sent to clients.
func (p *mariadbServer) rowsSent(t *testing.T) (n float64) {
	t.Helper()
	said := p.cli(t, "-e", "SHOW GLOBAL STATUS LIKE 'Rows_sent'")
	if _, err := fmt.Sscanf(said, "Rows_sent %f", &n); err != nil {
		t.Fatalf("read %q: %v", said, err)
	}
	return n
}

// fail moves what a client says has failed.
func (c tally) fail(operation, code string, n float64) {
	c[operation+" - -"] -= n
	if c[operation+" - -"] == 0 {
		delete(c, operation+" - -")
	}
	c[operation+" "+code+" "+code] += n
}

// tookOf reads the lines of a client that say how long what sleeps took.
func tookOf(t *testing.T, said string) *wire.Log {
	t.Helper()
	l := &wire.Log{}
	for line := range strings.Lines(said) {
		text, ok := strings.CutPrefix(line, "TOOK ")
		if !ok {
			continue
		}
		var seconds float64
		if _, err := fmt.Sscan(text, &seconds); err != nil {
			t.Fatalf("read %q: %v", line, err)
		}
		l.Durations = append(l.Durations, seconds)
	}
	return l
}

// TestMySQL compares with the general log of a MariaDB, which holds commands, and with what clients say of errors. Inside TLS the server and
// the clients in C and Perl use OpenSSL, PyMySQL uses it through Python, and go-sql-driver uses crypto/tls.
func TestMySQL(t *testing.T) { inAllWays(t, testMySQL) }

func testMySQL(t *testing.T, w way) {
	id := w.id("my")
	plans := []string{"old", "prepared", "text", "zip"}
	p := startMariaDB(t, id, w, append(plans, "python", "perl", "cli", "zipped", "slap")...)
	dsn := func(user string) string {
		return fmt.Sprintf("%s@tcp(127.0.0.1:%d)/shop?tls=%s", user, p.port, w.pick("false", "skip-verify"))
	}
	old := startRole(t, id+"-old", "mysql", Args{Addr: dsn("old"), Plan: "old", Requests: 4})
	waitSaid(t, old, "ready")
	before := p.rowsSent(t)
	x := w.sonde(t)
	time.Sleep(time.Second)
	settled(t, p.log)
	offset := sizeOf(t, p.log)

	clean := func() { p.cli(t, "shop", "-e", "DELETE FROM t WHERE a > 100") }
	io.WriteString(old.stdin, "go\n")
	logs := map[string]*wire.Log{"old": old.log(t)}
	for _, plan := range plans[1:] {
		clean()
		logs[plan] = startRole(t, id+"-"+plan, "mysql", Args{Addr: dsn(plan), Plan: plan, Requests: 5}).log(t)
	}
	failed := map[string]string{}
	clean()
	failed["python"] = start(t, id+"-python", nil, program(t, "/usr/bin/python3", "python3"), filepath.Join("testdata", "mysql.py"), fmt.Sprint(p.port), w.pick("plain", "tls")).finish(t)
	clean()
	logs["python"] = tookOf(t, failed["python"])
	failed["perl"] = start(t, id+"-perl", nil, program(t, "/usr/bin/perl", "perl"), filepath.Join("testdata", "mysql.pl"), fmt.Sprint(p.port), w.pick("0", "1")).finish(t)
	for _, user := range []string{"cli", "zipped"} {
		args := []string{program(t, "mariadb"), "--no-defaults", "-A", "-f", "-h127.0.0.1", fmt.Sprint("-P", p.port), "-u" + user, w.pick("--skip-ssl", "--ssl"), "shop"}
		if user == "zipped" {
			args = append(args, "-C")
		}
		c := start(t, id+"-"+user, nil, args...)
		io.WriteString(c.stdin, "SELECT 1;\nSELECT seq, repeat('x', 300) FROM seq_1_to_500;\nUPDATE t SET b = 'y' WHERE a < 50;\nBEGIN;\nSAVEPOINT s;\nROLLBACK TO s;\nCOMMIT;\nSELECT * FROM missing;\nINSERT INTO t VALUES (1, 'duplicate');\nCALL p();\nSHOW TABLES;\n")
		c.stdin.Close()
		<-c.done
		failed[user] = "SELECT 1146\nINSERT 1062\n"
	}
	start(t, id+"-slap", nil, program(t, "mariadb-slap"), "--no-defaults", w.pick("--skip-ssl", "--ssl"), "-h127.0.0.1", fmt.Sprint("-P", p.port), "-uslap", "--create-schema=shop", "--no-drop", "--concurrency=4", "--iterations=2",
		"--number-of-queries=200", "--delimiter=;", "--query=SELECT b FROM t WHERE a = 5;UPDATE t SET b = 'z' WHERE a = 6", "-C").finish(t)
	failed["slap"] = ""

	settled(t, p.log)
	rows := p.rowsSent(t) - before - 1 // that of the first question was sent before Sonde
	truth := p.truth(t, offset)
	var all []tally
	var claims []sqlClaim
	python := "" // what it says of rows
	for user, c := range truth {
		if l := logs[user]; l != nil {
			for _, r := range l.Rows {
				if r.Status == "" {
					c[r.Method+" - -"] += float64(r.N) // pings are not logged
				} else {
					c.fail(r.Method, r.Status, float64(r.N))
				}
			}
		}
		for line := range strings.Lines(failed[user]) {
			operation, code, _ := strings.Cut(strings.TrimSpace(line), " ")
			switch operation {
			case "ROWS":
				python = line
				continue
			case "TOOK":
				continue
			}
			if code == "-" {
				c.add(operation, "")
				continue
			}
			c.fail(operation, code, 1)
		}
		if user != "root" {
			claims = append(claims, sqlClaim{service: id + "-" + user, side: "client", want: sum(c)})
		}
		all = append(all, c)
	}
	claims = append(claims, sqlClaim{service: id, side: "server", want: sum(all...), rows: map[string]float64{"returned": rows + 1}})
	var returned, affected float64
	if _, err := fmt.Sscanf(python, "ROWS %f %f", &returned, &affected); err != nil || affected < 20000 {
		t.Fatalf("read %q: %v", python, err)
	}
	for i := range claims {
		if claims[i].service == id+"-python" {
			claims[i].rows = map[string]float64{"returned": returned, "affected": affected}
		}
	}
	checkSQL(t, x, claims...)
	checkSleeps(t, x, id, "SELECT SLEEP(?)", logs)
	if err := x.Stop(); err != nil {
		t.Error(err)
	}
}
