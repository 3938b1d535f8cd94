package truth

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/sonde-dev/sonde/test/wire"
)

// TestNATS compares NATS with the accounts of nats.go and of a client that writes the protocol itself, and those with what nats-server
// counts.
func TestNATS(t *testing.T) { inTiers(t, testNATS) }

func testNATS(t *testing.T, w way) {
	id := w.id("nats")
	addr := local(freePort(t))
	broker := startRole(t, id, "nats-server", Args{Addr: addr})
	broker.waitPort(t, "tcp", addr)
	old := startRole(t, id+"-old", "nats-client", Args{Addr: addr, Plan: "old", Requests: 40})
	waitSaid(t, old, "ready")

	x := w.sonde(t)
	before := lossesBefore(t, x)
	whole := &wire.Log{}
	for _, client := range []string{"joined", "nats.go", "raw"} {
		t.Run(client, func(t *testing.T) {
			var p *process
			switch client {
			case "joined":
				p = old
				fmt.Fprintln(p.stdin, "go")
			case "nats.go":
				p = startRole(t, id+"-go", "nats-client", Args{Addr: addr, Requests: 300})
			case "raw":
				p = start(t, id+"-raw", nil, program(t, "/usr/bin/python3", "python3"), filepath.Join("testdata", "nats.py"), strings.TrimPrefix(addr, "127.0.0.1:"), "100")
			}
			l := p.log(t)
			checkOperations(t, x, "nats", p.service, "client", l)
			whole.Merge(l)
		})
	}
	checkOperations(t, x, "nats", id, "server", whole)
	broker.stop()
	varz := broker.log(t)
	const before0 = 2                                // what the old client asked before Sonde came: the request and its reply
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
