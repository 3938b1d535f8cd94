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

func startMosquitto(t *testing.T, service string) mosquitto {
	t.Helper()
	dir, port := t.TempDir(), freePort(t)
	m := mosquitto{addr: local(port), port: fmt.Sprint(port), log: filepath.Join(dir, "log")}
	conf := filepath.Join(dir, "conf")
	acl := filepath.Join(dir, "acl")
	for name, text := range map[string]string{
		conf: fmt.Sprintf("listener %d 127.0.0.1\nallow_anonymous true\nuser root\nlog_dest file %s\nlog_type all\nlog_timestamp false\nacl_file %s\n", port, m.log, acl),
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
		{"ping", "success", c["Received PINGREQ"]}, {"disconnect", "success", c["Received DISCONNECT"]},
	} {
		if x.n > 0 {
			a.add(x.operation, x.status, int(x.n))
		}
	}
	return &a.log
}

// TestMQTT compares MQTT with mosquitto's log and the account of paho.
func TestMQTT(t *testing.T) {
	id := fmt.Sprintf("t%d-mqtt", os.Getpid()%1000)
	broker := startMosquitto(t, id)
	old := startRole(t, id+"-old", "mqtt-client", Args{Addr: broker.addr, Plan: "old", Requests: 30})
	waitSaid(t, old, "ready")
	_, at := broker.packets(t, 0)

	x := startSonde(t, sut.Options{Capture: "socket"})
	before := lossesBefore(t, x)
	whole := &wire.Log{}
	t.Run("joined", func(t *testing.T) {
		fmt.Fprintln(old.stdin, "go")
		l := old.log(t)
		checkOperations(t, x, "mqtt", old.service, "client", l)
		whole.Merge(l)
	})
	t.Run("paho", func(t *testing.T) {
		p := startRole(t, id+"-paho", "mqtt-client", Args{Addr: broker.addr, Plan: "new", Requests: 300})
		l := p.log(t)
		checkOperations(t, x, "mqtt", p.service, "client", l)
		whole.Merge(l)
	})
	for _, version := range []string{"mqttv311", "mqttv5"} {
		t.Run("mosquitto_pub "+version, func(t *testing.T) {
			l := mosquittoClients(t, x, broker, id+"-"+version, version)
			whole.Merge(l)
		})
	}
	counts, _ := broker.packets(t, at)
	if d := cmp.Diff(accountOf(counts).String(), whole.String()); d != "" {
		t.Errorf("the oracles disagree (-mosquitto's log +clients):\n%s%v", d, counts)
	}
	checkOperations(t, x, "mqtt", id, "server", whole)
	sameLosses(t, x, before)
	if err := x.Stop(); err != nil {
		t.Error(err)
	}
}

// mosquittoClients publishes with mosquitto_pub to mosquitto_sub. Its account is what it was told to do.
func mosquittoClients(t *testing.T, x *sut.Sonde, broker mosquitto, id, version string) *wire.Log {
	const n = 40
	pub, sub := &account{}, &account{}
	subscribed := broker.count(t, "Sending SUBACK")
	receiver := start(t, id+"-sub", nil, program(t, "mosquitto_sub"), "-V", version, "-h", "127.0.0.1", "-p", broker.port, "-q", "2", "-t", "shop/#", "-C", fmt.Sprint(3*n))
	broker.waitFor(t, "Sending SUBACK", subscribed+1)
	sub.add("connect", "success", 1)
	sub.add("subscribe", "granted_qos_2", 1)
	for qos := range 3 {
		sender := start(t, id+"-pub", nil, program(t, "mosquitto_pub"), "-V", version, "-h", "127.0.0.1", "-p", broker.port, "-q", fmt.Sprint(qos), "-t", "shop/basket", "-l")
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
	sub.add("disconnect", "success", 1)
	checkOperations(t, x, "mqtt", id+"-pub", "client", &pub.log)
	checkOperations(t, x, "mqtt", id+"-sub", "client", &sub.log)
	all := &wire.Log{}
	all.Merge(&pub.log)
	all.Merge(&sub.log)
	return all
}
