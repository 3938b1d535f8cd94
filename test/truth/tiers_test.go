package truth

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/sonde-dev/sonde/test/sut"
	"github.com/sonde-dev/sonde/test/wire"
)

// A tier is one running Sonde that several tests share, and what they claimed of it. Each test names its services anew.
type tier struct {
	*sut.Sonde
	name   string
	claims []claim
	edges  map[[2]string]int64
}

// TestTiers runs every exact comparison on both capture tiers.
func TestTiers(t *testing.T) {
	for _, capture := range []string{"socket", "syscall"} {
		t.Run(capture, func(t *testing.T) {
			x := &tier{Sonde: startSonde(t, sut.Options{Capture: capture}), name: capture, edges: map[[2]string]int64{}}
			if st, err := x.Status(); err != nil || st.Tier != capture {
				t.Fatalf("tier = %q (%s), %v, want %q", st.Tier, st.TierReason, err, capture)
			}
			for _, kind := range serverKinds() {
				t.Run("server/"+kind, func(t *testing.T) { x.testServer(t, kind) })
			}
			t.Run("nginx/static", x.testNginxStatic)
			t.Run("nginx/proxy", x.testNginxProxy)
			t.Run("curl", x.testCurl)
			t.Run("wrk", x.testWrk)
			for _, plan := range []string{"pipeline", "http10", "forms"} {
				t.Run("raw/"+plan, func(t *testing.T) { x.testRaw(t, plan) })
			}
			t.Run("ipv6", func(t *testing.T) { x.testNetwork(t, "tcp", fmt.Sprintf("[::1]:%d", freePort(t))) })
			t.Run("unix", func(t *testing.T) { x.testNetwork(t, "unix", t.TempDir()+"/s") })
			t.Run("unix/abstract", func(t *testing.T) { x.testNetwork(t, "unix", fmt.Sprintf("@sonde-truth-%d", os.Getpid())) })
			t.Run("mapped", x.testMapped)
			t.Run("syscalls", x.testSyscalls)
			t.Run("brief", x.testBrief)
			t.Run("self", x.testSelf)
			t.Run("percentiles", x.testPercentiles)
			t.Run("all", x.testAll)
		})
	}
}

// startSonde runs Sonde until the test ends, and fails the test unless it stops cleanly.
func startSonde(t *testing.T, o sut.Options) *sut.Sonde {
	t.Helper()
	if o.Data == "" {
		o.Data = t.TempDir()
	}
	s, err := sut.Start(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Kill) // where Stop was not reached
	return s
}

// name makes a service name that nobody else on the machine uses.
func (x *tier) service(t *testing.T, role string) string {
	short := strings.NewReplacer("TestTiers/", "", "/", "-").Replace(t.Name())
	return fmt.Sprintf("t%d-%s-%s", os.Getpid()%1000, short, role)
}

// expect checks claims and remembers them, and an edge where a conversation is claimed, for the look at all of them.
func (x *tier) expect(t *testing.T, claims ...claim) {
	t.Helper()
	check(t, x.Sonde, claims...)
	x.claims = append(x.claims, claims...)
}

func (x *tier) talk(t *testing.T, client, server string, l *wire.Log) {
	t.Helper()
	x.edges[[2]string{client, server}] += l.Total().N
	x.expect(t, conversation(client, server, l)...)
}

// testAll looks once more, when much else has happened: nothing counted late or twice, the services' page and the map
// agree, and the truth did not need any excuse.
func (x *tier) testAll(t *testing.T) {
	if d := differences(x.Sonde, x.claims); d != "" {
		t.Errorf("after all tests (-truth +Sonde):\n%s", d)
	}
	checkServices(t, x.Sonde, x.Started, x.claims)
	checkEdges(t, x.Sonde, x.Started, x.edges)
	lost, err := x.Lost()
	t.Logf("%s tier: %d claims held; losses reported: %v %v; RSS %d MB", x.name, len(x.claims), lost, err, x.RSS()>>20)
	if err := x.Stop(); err != nil {
		t.Error(err)
	}
}

func (x *tier) testServer(t *testing.T, kind string) {
	client, service := x.service(t, "client"), x.service(t, "server")
	s := startServer(t, kind, service)
	l := startRole(t, client, "client", Args{Network: "tcp", Addr: s.addr, Requests: 3, Connections: 3}).log(t)
	x.talk(t, client, service, l)
}

func (x *tier) testNetwork(t *testing.T, network, addr string) {
	client, service := x.service(t, "client"), x.service(t, "server")
	s := startRole(t, service, "server", Args{Network: network, Addr: addr})
	s.waitPort(t, network, addr)
	l := startRole(t, client, "client", Args{Network: network, Addr: addr, Requests: 3, Connections: 3}).log(t)
	x.talk(t, client, service, l)
}

// testMapped connects by IPv4 to a server that listens on IPv6: at its end the addresses are ::ffff:127.0.0.1.
func (x *tier) testMapped(t *testing.T) {
	client, service, port := x.service(t, "client"), x.service(t, "server"), freePort(t)
	s := startRole(t, service, "server", Args{Network: "tcp", Addr: fmt.Sprintf("[::]:%d", port)})
	s.waitPort(t, "tcp", local(port))
	l := startRole(t, client, "client", Args{Network: "tcp4", Addr: local(port), Requests: 2, Connections: 2}).log(t)
	x.talk(t, client, service, l)
}

func (x *tier) testRaw(t *testing.T, plan string) {
	kinds := []string{"go", "asyncio", "node"}
	if plan == "forms" {
		kinds = kinds[1:] // net/http refuses an empty line before a request line
	}
	for _, kind := range kinds {
		t.Run(kind, func(t *testing.T) {
			client, service := x.service(t, "client"), x.service(t, "server")
			s := startServer(t, kind, service)
			l := startRole(t, client, "raw", Args{Network: "tcp", Addr: s.addr, Plan: plan, Requests: 3}).log(t)
			x.talk(t, client, service, l)
		})
	}
}

// testBrief starts processes that make three requests and are gone.
func (x *tier) testBrief(t *testing.T) {
	client, service := x.service(t, "client"), x.service(t, "server")
	s := startServer(t, "go", service)
	all := &wire.Log{}
	for range 15 {
		begin := time.Now()
		p := startRole(t, client, "load", Args{Network: "tcp", Addr: s.addr, Connections: 1, Requests: 3, Rate: 15, Paths: []string{"/hello", "/items/7"}})
		all.Merge(p.log(t))
		if d := time.Since(begin); d > time.Second {
			t.Logf("a brief process lived %v", d)
		}
	}
	x.talk(t, client, service, all)
}

// testSelf makes a service call itself: one edge, counted once.
func (x *tier) testSelf(t *testing.T) {
	name := x.service(t, "both")
	s := startServer(t, "go", name)
	x.talk(t, name, name, startRole(t, name, "client", Args{Network: "tcp", Addr: s.addr, Requests: 2, Connections: 2}).log(t))
}
