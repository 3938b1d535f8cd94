package truth

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/sonde-dev/sonde/test/wire"
)

// TestNATS compares NATS with the accounts of nats.go, of libnats (in C, by Python) and of a client that writes the protocol itself, and those with
// what nats-server counts. Inside TLS, which follows the server's greeting, the server and nats.go use crypto/tls, the others OpenSSL.
func TestNATS(t *testing.T) { inAllWays(t, testNATS) }

// timedOnes are the requests that a client times: their labels, how long each takes at least, and how long each took, in seconds.
type timedOnes struct {
	labels string
	least  float64
	took   []float64
}

func testNATS(t *testing.T, w way) {
	id := w.id("nats")
	addr := local(freePort(t))
	port, python, inside := fmt.Sprint(portOf(addr)), program(t, "/usr/bin/python3", "python3"), w.pick("plain", "tls")
	broker := startRole(t, id, "nats-server", Args{Addr: addr, TLS: w.tls})
	broker.waitPort(t, "tcp", addr)
	olds := map[string]*process{
		"joined nats.go": startRole(t, id+"-old-go", "nats-client", Args{Addr: addr, Plan: "old", Requests: 40, TLS: w.tls}),
		"joined libnats": start(t, id+"-old-lib", nil, python, filepath.Join("testdata", "nats_c.py"), port, "40", inside, "old"),
	}
	for _, p := range olds {
		waitSaid(t, p, "ready")
	}

	x := w.sonde(t)
	before := lossesBefore(t, x)
	whole := &wire.Log{}
	timed := map[string]*timedOnes{
		"nats.go": {labels: `messaging_operation_name="request", messaging_destination_name="shop.slow"`, least: natsSlow.Seconds()},
		"libnats": {labels: `messaging_operation_name="request", messaging_destination_name="lib.echo"`},
		"raw":     {labels: `messaging_operation_name="publish", messaging_response_status_code="ok"`},
	}
	for _, client := range []string{"joined nats.go", "joined libnats", "nats.go", "libnats", "raw"} {
		t.Run(client, func(t *testing.T) {
			p := olds[client]
			switch client {
			case "nats.go":
				p = startRole(t, id+"-go", "nats-client", Args{Addr: addr, Requests: 300, TLS: w.tls})
			case "libnats":
				p = start(t, id+"-lib", nil, python, filepath.Join("testdata", "nats_c.py"), port, "200", inside)
			case "raw":
				p = start(t, id+"-raw", nil, python, filepath.Join("testdata", "nats.py"), port, "100", inside)
			default:
				fmt.Fprintln(p.stdin, "go")
			}
			l := p.log(t)
			checkOperations(t, x, "nats", p.service, "client", l)
			o := timed[strings.TrimPrefix(client, "joined ")]
			checkTimed(t, x, p.service, "client", o.labels, o.least, l.Durations)
			o.took = append(o.took, l.Durations...)
			whole.Merge(l)
		})
	}
	checkOperations(t, x, "nats", id, "server", whole)
	for _, o := range timed {
		checkTimed(t, x, id, "server", o.labels, o.least, o.took)
	}
	broker.stop()
	varz := broker.log(t)
	const before0 = 2 * 2                            // what the old clients asked before Sonde came: the request and its reply
	noResponders := counted(whole, "request", "503") // they are answered without a message
	in := counted(whole, "publish", "*") + counted(whole, "request", "*") + counted(whole, "reply", "*") + before0
	out := counted(whole, "deliver", "*") + counted(whole, "request", "ok") + before0
	if got := counted(varz, "in_msgs", "*"); got != in {
		t.Errorf("the oracles disagree: nats-server received %d messages, its clients sent %d", got, in)
	}
	if got := counted(varz, "out_msgs", "*"); got != out && got != out+noResponders {
		t.Errorf("the oracles disagree: nats-server sent %d messages, its clients got %d", got, out)
	}
	before["parser_gave_up"] += 2 // the line of nonsense, at both ends
	sameLosses(t, x, before)
	if err := x.Stop(); err != nil {
		t.Error(err)
	}
}
