package truth

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/sonde-dev/sonde/test/sut"
	"github.com/sonde-dev/sonde/test/wire"
)

// checkOperations compares the number of operations of each kind and outcome, but some.
func checkOperations(t *testing.T, x *sut.Sonde, system, service, side string, l *wire.Log, except ...string) {
	t.Helper()
	want := map[string]float64{}
	for _, r := range l.Rows {
		if r.N == 0 || slices.Contains(except, r.Method) {
			continue
		}
		status := r.Status
		if status == "" {
			status = "-"
		}
		want[r.Method+" "+status] += float64(r.N)
	}
	if len(want) == 0 {
		t.Fatalf("%s made no requests: the test is void", service)
	}
	query := fmt.Sprintf(`sum by (messaging_operation_name, messaging_response_status_code) (`+
		`histogram_count(messaging_%s_operation_duration_seconds{service_name=%q, messaging_system=%q, messaging_operation_name!~%q}))`,
		side, service, system, strings.Join(except, "|"))
	sameSoon(t, x, service+" as "+side, query, want, "messaging_operation_name", "messaging_response_status_code")
}

// checkOperationNames compares the number of operations of each kind but some, whatever came of them.
func checkOperationNames(t *testing.T, x *sut.Sonde, system, service, side string, want map[string]float64, except ...string) {
	t.Helper()
	query := fmt.Sprintf(`sum by (messaging_operation_name) (`+
		`histogram_count(messaging_%s_operation_duration_seconds{service_name=%q, messaging_system=%q, messaging_operation_name!~%q}))`,
		side, service, system, strings.Join(except, "|"))
	sameSoon(t, x, service+" as "+side, query, want, "messaging_operation_name")
}

// checkTimed compares the durations of some operations with what their client measured of each (checkLatency).
func checkTimed(t *testing.T, x *sut.Sonde, service, side, labels string, least float64, measured []float64) {
	t.Helper()
	selector := fmt.Sprintf(`messaging_%s_operation_duration_seconds{service_name=%q, %s}`, side, service, labels)
	n, sum := checkLatency(t, x, service+" as "+side+", "+labels, selector, least, measured)
	if n != float64(len(measured)) {
		t.Errorf("%s as %s: %v operations with %s, %d were timed", service, side, n, labels, len(measured))
	}
	t.Logf("%s as %s, %s: %d operations took %.4f s in all, their client measured %.4f s", service, side, labels, len(measured), sum, sumOf(measured))
}

// counted adds up the rows of some operations.
func counted(l *wire.Log, operation, status string) (n int64) {
	for _, r := range l.Rows {
		if r.Method == operation && (status == "*" || r.Status == status) {
			n += r.N
		}
	}
	return n
}

// rabbit is a RabbitMQ that runs, with an Erlang port mapper of its own.
type rabbit struct {
	*process
	addr, tlsAddr string
	env           []string
}

const rabbitBin = "/usr/lib/rabbitmq/bin/"

// startRabbit listens with and without TLS.
func startRabbit(t *testing.T, service, certificate string) rabbit {
	t.Helper()
	program(t, rabbitBin+"rabbitmq-server")
	dir, port, tlsPort, mapper := t.TempDir(), freePort(t), freePort(t), freePort(t)
	conf := filepath.Join(dir, "rabbitmq.conf")
	text := fmt.Sprintf("listeners.tcp.1 = 127.0.0.1:%d\nlisteners.ssl.1 = 127.0.0.1:%d\nssl_options.certfile = %[3]s/cert.pem\n"+
		"ssl_options.keyfile = %[3]s/key.pem\nlog.console = false\n", port, tlsPort, certificate)
	for name, text := range map[string]string{conf: text, filepath.Join(dir, "plugins"): "[].\n", filepath.Join(dir, ".erlang.cookie"): "SONDETRUTH"} {
		if err := os.WriteFile(name, []byte(text), 0o400); err != nil {
			t.Fatal(err)
		}
	}
	env := []string{
		"HOME=" + dir, "RABBITMQ_NODENAME=sonde" + strconv.Itoa(port) + "@localhost", "RABBITMQ_MNESIA_BASE=" + dir, "RABBITMQ_LOG_BASE=" + dir,
		"RABBITMQ_CONFIG_FILE=" + conf, "RABBITMQ_ENABLED_PLUGINS_FILE=" + filepath.Join(dir, "plugins"), "RABBITMQ_DIST_PORT=" + strconv.Itoa(freePort(t)),
		"ERL_EPMD_PORT=" + strconv.Itoa(mapper), "ERL_EPMD_ADDRESS=127.0.0.1", "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS=+S 2 -kernel inet_dist_use_interface {127,0,0,1}",
	}
	epmd := start(t, service+"-epmd", env, program(t, "epmd"), "-port", strconv.Itoa(mapper), "-address", "127.0.0.1")
	epmd.waitPort(t, "tcp", local(mapper))
	began := time.Now()
	r := rabbit{start(t, service, env, rabbitBin+"rabbitmq-server"), local(port), local(tlsPort), env}
	r.waitPort(t, "tcp", r.addr)
	r.waitPort(t, "tcp", r.tlsAddr)
	t.Logf("RabbitMQ listens after %v", time.Since(began))
	return r
}

// counters are the broker's own, since its start.
func (r rabbit) counters(t *testing.T) map[string]int64 {
	t.Helper()
	cmd := exec.Command(rabbitBin+"rabbitmqctl", "eval", "rabbit_global_counters:overview().")
	cmd.Env = append(os.Environ(), r.env...)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("rabbitmqctl: %v: %s", err, out)
	}
	got := map[string]int64{}
	for _, m := range regexp.MustCompile(`(\w+) => (\d+)`).FindAllStringSubmatch(string(out), -1) {
		n, _ := strconv.ParseInt(m[2], 10, 64)
		got[m[1]] += n // of all kinds of queues
	}
	return got
}

// since takes what was counted before away.
func since(before, after map[string]int64) map[string]int64 {
	d := map[string]int64{}
	for k, n := range after {
		d[k] = n - before[k]
	}
	return d
}

// TestAMQP compares AMQP 0-9-1 with the accounts of amqp091-go (crypto/tls) and pika (OpenSSL), and both with the counters of RabbitMQ. The broker
// does TLS in Erlang, which is not read: there its end shows nothing but handshakes.
func TestAMQP(t *testing.T) {
	broker := startRabbit(t, fmt.Sprintf("t%d-amqp", os.Getpid()%1000), newCertificate(t))
	inAllWays(t, func(t *testing.T, w way) { testAMQP(t, w, broker) })
}

func testAMQP(t *testing.T, w way, broker rabbit) {
	id, addr, python := w.id("amqp"), w.pick(broker.addr, broker.tlsAddr), program(t, "/usr/bin/python3", "python3")
	pika := func(service, plan string, n int) *process {
		return start(t, service, nil, python, filepath.Join("testdata", "amqp.py"), fmt.Sprint(portOf(addr)), fmt.Sprint(n), w.pick("plain", "tls"), plan)
	}
	olds := []*process{
		startRole(t, id+"-old-go", "amqp-client", Args{Addr: addr, Plan: "old", Requests: 50, TLS: w.tls}), pika(id+"-old-pika", "old", 50),
	}
	for _, p := range olds {
		waitSaid(t, p, "ready")
	}

	x := w.sonde(t)
	before := lossesBefore(t, x)
	counters := broker.counters(t)
	whole := &wire.Log{} // at the broker
	for _, client := range []string{"amqp091-go", "pika"} {
		t.Run(client, func(t *testing.T) {
			var p *process
			if client == "pika" {
				p = pika(id+"-pika", "all", 100)
			} else {
				p = startRole(t, id+"-go", "amqp-client", Args{Addr: addr, Requests: 300, TLS: w.tls})
			}
			l := p.log(t)
			whole.Merge(l)
			checkOperations(t, x, "rabbitmq", p.service, "client", l)
			checkTimed(t, x, p.service, "client", confirmedOnes, 0, l.Durations)
			now := broker.counters(t)
			agreeWithRabbit(t, l, since(counters, now))
			counters = now
		})
	}
	if w.tls == "" {
		checkOperations(t, x, "rabbitmq", broker.service, "server", whole)
		checkTimed(t, x, broker.service, "server", confirmedOnes, 0, whole.Durations)
	}
	names := map[string]float64{} // at the broker
	for _, r := range whole.Rows {
		names[r.Method] += float64(r.N)
	}
	for _, old := range olds {
		t.Run("joined "+old.service, func(t *testing.T) {
			fmt.Fprintln(old.stdin, "go")
			l := old.log(t)
			now := broker.counters(t)
			agreeWithRabbit(t, l, since(counters, now))
			counters = now
			want := map[string]float64{}
			for _, r := range l.Rows {
				want[r.Method] += float64(r.N)
				names[r.Method] += float64(r.N)
			}
			var except []string
			if w.tls != "" {
				except = []string{"queue.declare"} // what amqp091-go asks first; seen where a heartbeat came before
			}
			checkOperationNames(t, x, "rabbitmq", old.service, "client", want, except...)
		})
	}
	if w.tls == "" {
		checkOperationNames(t, x, "rabbitmq", broker.service, "server", names)
	}
	sameLosses(t, x, before)
	if err := x.Stop(); err != nil {
		t.Error(err)
	}
}

// confirmedOnes are the messages that both clients time: until the broker has confirmed them.
const confirmedOnes = `messaging_operation_name="publish", messaging_response_status_code="ack"`

// agreeWithRabbit compares an account with what the broker says (of messages that nobody acknowledges it counts those delivered only
// together with the others) it has received, confirmed, delivered and got back.
func agreeWithRabbit(t *testing.T, l *wire.Log, got map[string]int64) {
	t.Helper()
	for name, want := range map[string]int64{
		"messages_received_total": counted(l, "publish", "*"), "messages_confirmed_total": counted(l, "publish", "ack"),
		"messages_unroutable_returned_total": counted(l, "return", "*"), "messages_acknowledged_total": counted(l, "deliver", "ack"),
		"messages_delivered_total": counted(l, "deliver", "*") + counted(l, "get", "ok"),
		"messages_get_empty_total": counted(l, "get", "empty"),
	} {
		if got[name] != want {
			t.Errorf("the oracles disagree: %s of RabbitMQ is %d, the client says %d", name, got[name], want)
		}
	}
}

// lossesBefore are the losses once the connections of whoever else is on the host, which were there before Sonde, have said what they
// had under way.
func lossesBefore(t *testing.T, x *sut.Sonde) map[string]float64 {
	t.Helper()
	time.Sleep(2 * time.Second)
	lost, err := x.Lost()
	if err != nil {
		t.Fatal(err)
	}
	return lost
}

// sameLosses fails when bytes were lost or not understood since.
func sameLosses(t *testing.T, x *sut.Sonde, before map[string]float64) {
	t.Helper()
	sameLossesOf(t, x, before, "parser_gave_up", "bytes_lost", "ring_full", "payload_fault")
}

func sameLossesOf(t *testing.T, x *sut.Sonde, before map[string]float64, causes ...string) {
	t.Helper()
	lost, err := x.Lost()
	for _, cause := range causes {
		if err != nil || lost[cause] != before[cause] {
			t.Errorf("losses %v %v, want %s as in %v", lost, err, cause, before)
		}
	}
}
