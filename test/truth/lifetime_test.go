package truth

import (
	"fmt"
	"io"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/sonde-dev/sonde/test/sut"
)

// TestOldConnections starts Sonde between two requests of the same connections. PIDs do not change, nothing reconnects.
func TestOldConnections(t *testing.T) {
	for _, capture := range []string{"socket", "syscall"} {
		t.Run(capture, func(t *testing.T) {
			id := fmt.Sprintf("t%d-old-%s", os.Getpid()%1000, capture)
			s := startServer(t, "go", id+"-server")
			path := t.TempDir() + "/s"
			startRole(t, id+"-unix", "server", Args{Network: "unix", Addr: path}).waitPort(t, "unix", path)
			clients := map[string]*process{
				id + "-server": startRole(t, id+"-client", "old", Args{Network: "tcp", Addr: s.addr, Connections: 4, Requests: 5}),
				id + "-unix":   startRole(t, id+"-unix-client", "old", Args{Network: "unix", Addr: path, Connections: 3, Requests: 5}),
			}
			for _, c := range clients {
				waitSaid(t, c, "ready")
			}
			x := startSonde(t, sut.Options{Capture: capture})
			time.Sleep(time.Second)
			for server, c := range clients {
				io.WriteString(c.stdin, "go\n")
				check(t, x, conversation(c.service, server, c.log(t))...)
			}
			if err := x.Stop(); err != nil {
				t.Error(err)
			}
		})
	}
}

// TestRestartKeepsHistory stops Sonde and starts it again on the same data, cleanly and by SIGKILL.
func TestRestartKeepsHistory(t *testing.T) {
	id := fmt.Sprintf("t%d-restart", os.Getpid()%1000)
	s := startServer(t, "go", id+"-server")
	data := t.TempDir()
	begin := time.Now().Add(-5 * time.Second) // the API wants a range of at least a second
	var total, sure int64
	for round, kill := range []bool{false, true, false} {
		x := startSonde(t, sut.Options{Data: data})
		// What was counted before must be there before anything new happens.
		if round > 0 {
			if got := served(t, x, id+"-server", begin); got != sure {
				t.Errorf("after restart %d: %d requests in /api/services, want the %d of before", round, got, sure)
			}
		}
		l := startRole(t, id+"-client", "load", Args{Network: "tcp", Addr: s.addr, Connections: 3, Requests: 150, Paths: []string{"/hello", "/items/%d"}}).log(t)
		total += l.Total().N
		for deadline := time.Now().Add(settleTimeout); time.Now().Before(deadline) && served(t, x, id+"-server", begin) != total; pause() {
		}
		if got := served(t, x, id+"-server", begin); got != total {
			t.Errorf("round %d: %d requests in /api/services over all rounds, want %d", round, got, total)
		}
		sure = total
		if kill {
			time.Sleep(sinceFsync(t, x))
			x.Kill()
		} else if err := x.Stop(); err != nil {
			t.Error(err)
		}
	}
}

// sinceFsync is how long Sonde itself says to wait until nothing can be lost by a SIGKILL.
func sinceFsync(t *testing.T, x *sut.Sonde) time.Duration {
	t.Helper()
	var st struct {
		Store struct{ FsyncInterval float64 }
	}
	if err := x.Get("/api/status", &st); err != nil {
		t.Fatal(err)
	}
	if st.Store.FsyncInterval > 30 {
		t.Fatalf("fsync interval of %v s: too long to promise anything after a crash", st.Store.FsyncInterval)
	}
	return time.Duration(st.Store.FsyncInterval * float64(time.Second))
}

func served(t *testing.T, x *sut.Sonde, service string, start time.Time) int64 {
	t.Helper()
	services, err := x.Services(start, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range services {
		if s.Name == service && s.Server != nil {
			return int64(s.Server.Requests)
		}
	}
	return 0
}

// TestKillLeavesNothing compares what bpftool lists before Sonde, and after it was killed while busy.
func TestKillLeavesNothing(t *testing.T) {
	for _, capture := range []string{"socket", "syscall"} {
		t.Run(capture, func(t *testing.T) {
			before := bpfObjects(t)
			x := startSonde(t, sut.Options{Capture: capture})
			service := fmt.Sprintf("t%d-kill-%s", os.Getpid()%1000, capture)
			s := startServer(t, "go", service)
			c := startRole(t, service+"-client", "load", Args{Network: "tcp", Addr: s.addr, Connections: 2, Requests: 4000, Rate: 2000, Paths: []string{"/hello"}})
			time.Sleep(500 * time.Millisecond)
			own := sut.Appeared(before, bpfObjects(t))
			kinds := map[string]int{}
			for _, o := range own {
				kinds[o.Kind]++
			}
			if kinds["prog"] == 0 || kinds["map"] == 0 || kinds["link"] == 0 {
				t.Fatalf("a running Sonde shows %v in bpftool: the comparison would be void", kinds)
			}
			x.Kill()
			left := own
			for deadline := time.Now().Add(10 * time.Second); len(left) > 0 && time.Now().Before(deadline); pause() { // the kernel frees after a grace period
				left = sut.Remaining(own, bpfObjects(t))
			}
			if len(left) > 0 {
				t.Errorf("after SIGKILL the kernel still has %+v", left)
			}
			t.Logf("%v while running, %d left", kinds, len(left))
			if n := c.log(t).Total().N; n != 4000 {
				t.Errorf("the observed client made %d of 4000 requests", n)
			}
		})
	}
}

func bpfObjects(t *testing.T) []sut.BPFObject {
	t.Helper()
	o, err := sut.BPFObjects()
	if err != nil {
		t.Fatal(err)
	}
	return o
}

func waitSaid(t *testing.T, p *process, word string) {
	t.Helper()
	for range 400 {
		if strings.Contains(p.said(), word) {
			return
		}
		pause()
	}
	t.Fatalf("%s never said %q, but: %s", p.service, word, p.said())
}
