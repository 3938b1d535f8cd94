package truth

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sonde-dev/sonde/test/sut"
	"github.com/sonde-dev/sonde/test/wire"
)

// mosquitto is one that runs. Its log has a line for each packet.
type mosquitto struct {
	*process
	addr, port, log string
}

func startMosquitto(t *testing.T, service string, w way) mosquitto {
	t.Helper()
	dir, port := t.TempDir(), freePort(t)
	inside := ""
	if w.tls != "" {
		inside = fmt.Sprintf("certfile %[1]s/cert.pem\nkeyfile %[1]s/key.pem\n", w.tls)
	}
	m := mosquitto{addr: local(port), port: fmt.Sprint(port), log: filepath.Join(dir, "log")}
	conf := filepath.Join(dir, "conf")
	acl := filepath.Join(dir, "acl")
	for name, text := range map[string]string{
		conf: fmt.Sprintf("listener %d 127.0.0.1\n%sallow_anonymous true\nuser root\nlog_dest file %s\nlog_type all\nlog_timestamp false\nacl_file %s\n", port, inside, m.log, acl),
		acl:  "topic readwrite shop/#\ntopic readwrite before/#\n",
	} {
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	m.process = start(t, service, nil, program(t, "/usr/sbin/mosquitto", "mosquitto"), "-c", conf)
	m.waitPort(t, "tcp", m.addr)
	return m
}

// packets counts the lines of the log by what is sent or received, from an offset on.
func (m mosquitto) packets(t *testing.T, from int) (counts map[string]int64, size int) {
	t.Helper()
	b, err := os.ReadFile(m.log)
	if err != nil {
		t.Fatal(err)
	}
	counts = map[string]int64{}
	for line := range strings.Lines(string(b[from:])) {
		f := regexp.MustCompile(`^(Received|Sending) ([A-Z]+) (?:to|from) \S+(?: \(d\d, q(\d))?`).FindStringSubmatch(line)
		if f != nil {
			counts[strings.TrimSpace(f[1]+" "+f[2]+" "+f[3])]++
		}
	}
	return counts, len(b)
}

// count is how often the log has a packet; waitFor waits until it has it so often.
func (m mosquitto) count(t *testing.T, packet string) int64 {
	counts, _ := m.packets(t, 0)
	return counts[packet]
}

func (m mosquitto) waitFor(t *testing.T, packet string, n int64) {
	t.Helper()
	for range 400 {
		if m.count(t, packet) >= n {
			return
		}
		pause()
	}
	t.Fatalf("mosquitto's log never had %q %d times", packet, n)
}

// client is the command of one of mosquitto's clients.
func (m mosquitto) client(t *testing.T, w way, name string, more ...string) []string {
	t.Helper()
	argv := append([]string{program(t, name), "-h", "127.0.0.1", "-p", m.port}, more...)
	return w.withTLS(argv, "--insecure --cafile", filepath.Join(w.tls, "cert.pem"))
}

// accountOf is what the log says, in our words. A message with QoS 1 or 2 succeeds with PUBACK or PUBCOMP.
func accountOf(c map[string]int64) *wire.Log {
	a := &account{}
	for _, x := range []struct {
		operation, status string
		n                 int64
	}{
		{"publish", "", c["Received PUBLISH 0"]}, {"publish", "success", c["Sending PUBACK"] + c["Sending PUBCOMP"]},
		{"deliver", "", c["Sending PUBLISH 0"]}, {"deliver", "success", c["Received PUBACK"] + c["Received PUBCOMP"]},
		{"connect", "success", c["Sending CONNACK"]}, {"subscribe", "granted_qos_2", c["Received SUBSCRIBE"]}, {"unsubscribe", "success", c["Received UNSUBSCRIBE"]},
		{"disconnect", "success", c["Received DISCONNECT"]},
	} {
		if x.n > 0 {
			a.add(x.operation, x.status, int(x.n))
		}
	}
	return &a.log
}

// TestMQTT compares MQTT with mosquitto's log, the account of paho (in Go) and what mosquitto's own clients (in C) were told to do. Inside TLS
// paho uses crypto/tls, the others OpenSSL.
func TestMQTT(t *testing.T) { inAllWays(t, testMQTT) }

func testMQTT(t *testing.T, w way) {
	id := w.id("mqtt")
	broker := startMosquitto(t, id, w)
	old := startRole(t, id+"-old", "mqtt-client", Args{Addr: broker.addr, Plan: "old", Requests: 30, TLS: w.tls})
	waitSaid(t, old, "ready")
	oldC := startOldMosquitto(t, broker, id, w)
	_, at := broker.packets(t, 0)

	x := w.sonde(t)
	before := lossesBefore(t, x)
	whole, timed := &wire.Log{}, map[string][]float64{}
	t.Run("joined paho", func(t *testing.T) {
		fmt.Fprintln(old.stdin, "go")
		l := old.log(t)
		checkOperations(t, x, "mqtt", old.service, "client", l)
		checkTimed(t, x, old.service, "client", acknowledgedOnes("old"), 0, l.Durations)
		timed["old"] = l.Durations
		whole.Merge(l)
	})
	t.Run("joined mosquitto_pub", func(t *testing.T) { whole.Merge(oldC.use(t, x, broker)) })
	t.Run("paho", func(t *testing.T) {
		p := startRole(t, id+"-paho", "mqtt-client", Args{Addr: broker.addr, Plan: "new", Requests: 300, TLS: w.tls})
		l := p.log(t)
		checkOperations(t, x, "mqtt", p.service, "client", l)
		checkTimed(t, x, p.service, "client", acknowledgedOnes("new"), 0, l.Durations)
		timed["new"] = l.Durations
		whole.Merge(l)
	})
	for _, version := range []string{"mqttv311", "mqttv5"} {
		t.Run("mosquitto_pub "+version, func(t *testing.T) {
			l := mosquittoClients(t, x, broker, w, id+"-"+version, version)
			whole.Merge(l)
		})
	}
	counts, _ := broker.packets(t, at)
	if d := cmp.Diff(accountOf(counts).String(), whole.String()); d != "" {
		t.Errorf("the oracles disagree (-mosquitto's log +clients):\n%s%v", d, counts)
	}
	checkOperations(t, x, "mqtt", id, "server", whole, "ping")
	for plan, took := range timed {
		checkTimed(t, x, id, "server", acknowledgedOnes(plan), 0, took)
	}
	sameLosses(t, x, before)
	if err := x.Stop(); err != nil {
		t.Error(err)
	}
}

// acknowledgedOnes are the messages that paho times, by its plan: those with QoS 1 and 2, until the broker has acknowledged them.
func acknowledgedOnes(plan string) string {
	return fmt.Sprintf(`messaging_operation_name="publish", messaging_destination_name="shop/orders/%s", messaging_response_status_code="success"`, plan)
}

// oldMosquitto is mosquitto_pub and mosquitto_sub, connected before Sonde.
type oldMosquitto struct{ pub, sub *process }

const oldMessages = 50 // that they move then

func startOldMosquitto(t *testing.T, broker mosquitto, id string, w way) oldMosquitto {
	t.Helper()
	subscribed := broker.count(t, "Sending SUBACK")
	sub := start(t, id+"-old-sub", nil, broker.client(t, w, "mosquitto_sub", "-i", "old-sub", "-k", "5", "-q", "2", "-t", "before/c", "-C", fmt.Sprint(1+oldMessages))...)
	broker.waitFor(t, "Sending SUBACK", subscribed+1)
	pub := start(t, id+"-old-pub", nil, broker.client(t, w, "mosquitto_pub", "-i", "old-pub", "-k", "5", "-q", "2", "-t", "before/c", "-l")...)
	fmt.Fprintln(pub.stdin, "one before Sonde")
	broker.waitFor(t, "Received PUBCOMP", 1)
	broker.waitFor(t, "Sending PUBCOMP", 1)
	return oldMosquitto{pub, sub}
}

// use moves messages and ends both. Its account is what they were told to do. Before, each is to say by a ping that it is a client: messages
// look the same both ways.
func (o oldMosquitto) use(t *testing.T, x *sut.Sonde, broker mosquitto) *wire.Log {
	t.Helper()
	_, size := broker.packets(t, 0)
	for _, id := range []string{"old-pub", "old-sub"} {
		for range 400 {
			if strings.Contains(readFrom(t, broker.log, int64(size)), "Received PINGREQ from "+id) {
				break
			}
			pause()
		}
	}
	for i := range oldMessages {
		fmt.Fprintf(o.pub.stdin, "message %d\n", i)
	}
	o.pub.stdin.Close()
	finished(t, o.pub)
	finished(t, o.sub)
	pub, sub := &account{}, &account{}
	pub.add("publish", "success", oldMessages)
	sub.add("deliver", "success", oldMessages)
	for _, a := range []*account{pub, sub} {
		a.add("disconnect", "success", 1)
	}
	checkOperations(t, x, "mqtt", o.pub.service, "client", &pub.log, "ping")
	checkOperations(t, x, "mqtt", o.sub.service, "client", &sub.log, "ping")
	pub.log.Merge(&sub.log)
	return &pub.log
}

// mosquittoClients publishes with mosquitto_pub to mosquitto_sub. Its account is what it was told to do.
func mosquittoClients(t *testing.T, x *sut.Sonde, broker mosquitto, w way, id, version string) *wire.Log {
	const n = 40
	pub, sub := &account{}, &account{}
	subscribed := broker.count(t, "Sending SUBACK")
	argv := broker.client(t, w, "mosquitto_sub", "-V", version, "-q", "2", "-t", "shop/#", "-C", fmt.Sprint(3*n))
	if version == "mqttv5" { // Debian's gives up now and then where its own bound, 20, is reached
		argv = append(argv, "-D", "connect", "receive-maximum", fmt.Sprint(10*n))
	}
	receiver := start(t, id+"-sub", nil, argv...)
	broker.waitFor(t, "Sending SUBACK", subscribed+1)
	sub.add("connect", "success", 1)
	sub.add("subscribe", "granted_qos_2", 1)
	for qos := range 3 {
		sender := start(t, id+"-pub", nil, broker.client(t, w, "mosquitto_pub", "-V", version, "-q", fmt.Sprint(qos), "-t", "shop/basket", "-l")...)
		for i := range n {
			fmt.Fprintf(sender.stdin, "message %d\n", i)
		}
		sender.stdin.Close()
		if <-sender.done; sender.err != nil {
			t.Fatalf("mosquitto_pub: %v: %s", sender.err, sender.said())
		}
		status := "success"
		if qos == 0 {
			status = ""
		}
		pub.add("connect", "success", 1)
		pub.add("publish", status, n)
		pub.add("disconnect", "success", 1)
		sub.add("deliver", status, n)
	}
	select {
	case <-receiver.done:
	case <-time.After(20 * time.Second):
		t.Fatalf("mosquitto_sub got too little: %s", receiver.said())
	}
	if receiver.err != nil {
		t.Fatalf("mosquitto_sub: %v: %s: the test is void", receiver.err, receiver.stderr.String())
	}
	sub.add("disconnect", "success", 1)
	checkOperations(t, x, "mqtt", id+"-pub", "client", &pub.log)
	checkOperations(t, x, "mqtt", id+"-sub", "client", &sub.log)
	all := &wire.Log{}
	all.Merge(&pub.log)
	all.Merge(&sub.log)
	return all
}
