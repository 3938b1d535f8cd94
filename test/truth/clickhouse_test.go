package truth

import (
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// TestClickHouse compares queries of the native protocol with the server's query log. Connecting and pings are not in that log.
// Its clients are clickhouse-driver (Python) and clickhouse-client (C++); inside TLS all are OpenSSL.
func TestClickHouse(t *testing.T) {
	t.Parallel()
	inAllWays(t, testClickHouse)
}

func testClickHouse(t *testing.T, w way) {
	id := w.id("clickhouse")
	script := filepath.Join("testdata", "clickhouse_client.py")
	python := program(t, "/usr/bin/python3", "python3")
	s := startClickHouse(t, id, w)
	cli := []string{program(t, "clickhouse-client"), "--host", "127.0.0.1", "--port", strconv.Itoa(portOf(s.addr))}
	if w.tls != "" {
		cli = append(cli, "--secure", "--config-file="+s.clientConfig)
	}
	old := start(t, id+"-old-client", nil, w.withTLS([]string{python, script, strconv.Itoa(portOf(s.addr)), "old"}, "tls")...)
	waitSaid(t, old, "ready")
	before := s.log(t)

	x := w.sonde(t)
	clients := []string{id + "-old-client", id + "-py-client", id + "-cli-client"}
	fmt.Fprintln(old.stdin, "go")
	finished(t, old)
	timed := start(t, clients[1], nil, w.withTLS([]string{python, script, strconv.Itoa(portOf(s.addr)), "all"}, "tls")...).log(t)
	for _, args := range [][]string{
		{"-q", "CREATE TABLE c (a UInt64, s String) ENGINE = Memory"},
		{"-n", "-q", "INSERT INTO c SELECT number, toString(number) FROM system.numbers LIMIT 1000; SELECT * FROM c; SELECT count() FROM c"},
		{"--compression=1", "-q", "SELECT * FROM c"},
		{"-n", "-q", "SELECT sleep(1); SELECT number, toString(number), [number], (number, 'x') FROM system.numbers LIMIT 30000"}, // how much is copied is known by then
		{"--max_threads=2", "-q", "SELECT 1"},
		{"-q", "SELECT nosuch FROM c"},
		{"-q", "DROP TABLE c"},
	} {
		p := start(t, clients[2], nil, append(append([]string(nil), cli...), args...)...)
		<-p.done // one of them is to fail
	}
	want := s.log(t)
	for k, n := range before {
		if want[k] -= n; want[k] == 0 {
			delete(want, k)
		}
	}
	if want["SELECT 47"] != 2 || want["rows"] < 30000 {
		t.Fatalf("the log is not what the clients did: %v", want)
	}
	for side, services := range map[string]string{"server": id, "client": strings.Join(clients, "|")} {
		eventuallyEqual(t, x, side, want, func() map[string]float64 {
			got, err := byLabels(x, fmt.Sprintf(`sum by (db_operation_name, db_response_status_code) (histogram_count(db_%s_operation_duration_seconds{service_name=~%q, db_operation_name!~"HELLO|PING"}))`,
				side, services), "db_operation_name", "db_response_status_code")
			if err != nil {
				t.Fatal(err)
			}
			n, err := x.Value(fmt.Sprintf(`sum(db_%s_response_returned_rows_total{service_name=~%q})`, side, services))
			if err != nil {
				t.Fatal(err)
			}
			got["rows"] = n
			return got
		})
		slept := map[string]string{"server": id, "client": clients[1]}[side] // the other client sleeps too, untimed
		checkLatency(t, x, slept, fmt.Sprintf(`db_%s_operation_duration_seconds{service_name=~%q, db_query_text="SELECT sleep(?)"}`, side, slept), 0.3, timed.Durations)
	}
	if err := x.Stop(); err != nil {
		t.Error(err)
	}
}

// clickHouseClient believes any certificate.
const clickHouseClient = `<config><openSSL><client><verificationMode>none</verificationMode>
<invalidCertificateHandler><name>AcceptCertificateHandler</name></invalidCertificateHandler></client></openSSL></config>`

// A clickHouse is a server with its query log.
type clickHouse struct {
	*process
	addr, http   string
	clientConfig string // inside TLS
}

func startClickHouse(t *testing.T, service string, w way) clickHouse {
	t.Helper()
	dir := t.TempDir()
	s := clickHouse{addr: local(freePort(t)), http: local(freePort(t))}
	conf := fmt.Sprintf(`<yandex>
<logger><level>warning</level><log>%[1]s/log</log><errorlog>%[1]s/errors</errorlog></logger>
<listen_host>127.0.0.1</listen_host><%[4]s>%[2]d</%[4]s>%[5]s<http_port>%[3]d</http_port>
<path>%[1]s/data/</path><tmp_path>%[1]s/tmp/</tmp_path><format_schema_path>%[1]s/formats/</format_schema_path><mark_cache_size>5242880</mark_cache_size>
<users_config>users.xml</users_config><default_profile>default</default_profile><default_database>default</default_database>
<query_log><database>system</database><table>query_log</table><flush_interval_milliseconds>500</flush_interval_milliseconds></query_log>
</yandex>`, dir, portOf(s.addr), portOf(s.http), w.pick("tcp_port", "tcp_port_secure"), w.pick("", fmt.Sprintf("<openSSL><server><certificateFile>%[1]s/cert.pem</certificateFile>"+
		"<privateKeyFile>%[1]s/key.pem</privateKeyFile><verificationMode>none</verificationMode></server></openSSL>", w.tls)))
	s.clientConfig = filepath.Join(dir, "client.xml")
	const users = `<yandex><profiles><default><log_queries>1</log_queries></default></profiles>
<users><default><password></password><networks><ip>::/0</ip></networks><profile>default</profile><quota>default</quota></default></users>
<quotas><default><interval><duration>3600</duration><queries>0</queries><errors>0</errors><result_rows>0</result_rows><read_rows>0</read_rows>
<execution_time>0</execution_time></interval></default></quotas></yandex>`
	for name, text := range map[string]string{"config.xml": conf, "users.xml": users, "client.xml": clickHouseClient} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	s.process = start(t, service, nil, program(t, "/usr/sbin/clickhouse-server", "clickhouse-server"), "--config-file="+dir+"/config.xml")
	s.waitPort(t, "tcp", s.addr)
	return s
}

// log asks, by HTTP, which queries came by the native protocol: "VERB code" → how many, and the rows of all results.
func (s clickHouse) log(t *testing.T) map[string]float64 {
	t.Helper()
	time.Sleep(time.Second) // a query is logged after its result, and the log is written twice a second
	out := map[string]float64{}
	for _, q := range []string{"SYSTEM FLUSH LOGS", "SELECT upper(extract(query, '^[a-zA-Z]+')) AS verb, extract(exception, '^Code: ([0-9]+)') AS code, count(), sum(result_rows) FROM system.query_log " +
		"WHERE type != 1 AND interface = 1 GROUP BY verb, code FORMAT TSV"} {
		resp, err := http.Post("http://"+s.http+"/?"+url.Values{"query": {q}}.Encode(), "", nil)
		if err != nil {
			t.Fatal(err)
		}
		b, _ := io.ReadAll(resp.Body)
		resp.Body.Close()
		if resp.StatusCode != http.StatusOK {
			if strings.Contains(string(b), "query_log doesn't exist") { // nobody asked anything yet
				return out
			}
			t.Fatalf("%s: %s", q, b)
		}
		for l := range strings.Lines(string(b)) {
			f := strings.Split(strings.TrimSpace(l), "\t")
			if len(f) != 4 {
				t.Fatalf("the log says %q", l)
			}
			code, n := f[1], 0.0
			if code == "" {
				code = "OK"
			}
			n, _ = strconv.ParseFloat(f[2], 64)
			out[f[0]+" "+code] += n
			if f[0] != "INSERT" { // there, they are the rows written
				n, _ = strconv.ParseFloat(f[3], 64)
				out["rows"] += n
			}
		}
	}
	return out
}
