package truth

import (
	"fmt"
	"path/filepath"
	"testing"

	"github.com/sonde-dev/sonde/test/wire"
)

// TestNATS compares NATS with the accounts of nats.go, of libnats (in C, by Python) and of a client that writes the protocol itself, and those with
// what nats-server counts. Inside TLS, which follows the server's greeting, the server and nats.go use crypto/tls, the others OpenSSL.
func TestNATS(t *testing.T) { inAllWays(t, testNATS) }

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
	// Old clients ping first, to have what was under way over. Inside TLS that may be seen at an end or not (docs/tls.md).
	var unjudged []string
	if w.tls != "" {
		unjudged = []string{"ping"}
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
			checkOperations(t, x, "nats", p.service, "client", l, unjudged...)
			whole.Merge(l)
		})
	}
	checkOperations(t, x, "nats", id, "server", whole, unjudged...)
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
	w.sameLosses(t, x, before)
	if err := x.Stop(); err != nil {
		t.Error(err)
	}
}
