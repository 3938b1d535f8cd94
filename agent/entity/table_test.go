package entity

import (
	"context"
	"fmt"
	"runtime"
	"strings"
	"testing"

	"github.com/sonde-dev/sonde/signal"
)

const id64 = "0f3c2b1a4d5e6f708192a3b4c5d6e7f8091a2b3c4d5e6f708192a3b4c5d6e7f8"

func TestServiceNameOrder(t *testing.T) {
	all := []string{"OTEL_RESOURCE_ATTRIBUTES=a=b,service.name=from%20attributes,c=d", "OTEL_SERVICE_NAME=otel",
		"DD_SERVICE=dd", "DK_BPFTRACE_SERVICE=dk", "PATH=/bin"}
	container := "0::/system.slice/docker-" + id64 + ".scope\n"
	unit := "0::/system.slice/shop.service\n"
	tests := []struct {
		name string
		p    fake
		want string
	}{
		{"otel first", fake{env: all, cgroup: container}, "otel"},
		{"resource attributes", fake{env: append([]string{"OTEL_SERVICE_NAME="}, all[0], all[2]), cgroup: container}, "from attributes"},
		{"datadog", fake{env: all[2:], cgroup: container}, "dd"},
		{"dk", fake{env: all[3:], cgroup: container}, "dk"},
		{"container", fake{cgroup: container}, "0f3c2b1a4d5e"},
		{"unit", fake{cgroup: unit}, "shop"},
		{"script", fake{cgroup: "0::/user.slice/user-0.slice/session-1.scope\n"}, "cart"},
		{"executable", fake{exe: "/usr/sbin/nginx", args: "nginx: worker process"}, "nginx"},
		{"program in memory", fake{exe: "/memfd:runc_cloned:/proc/self/exe (deleted)", args: "/usr/bin/runc init"}, "runc"},
		{"replaced while running", fake{exe: "/usr/sbin/sshd (deleted)", args: "sshd"}, "sshd"},
		{"kernel thread", fake{comm: "kworker/0:1", exe: "-"}, "kworker/0:1"},
		{"control characters", fake{env: []string{"DD_SERVICE= a\x01b\nc\u200b "}}, "abc"},
		{"long", fake{env: []string{"DD_SERVICE=" + strings.Repeat("ä", 100)}}, strings.Repeat("ä", 64)},
		{"nothing but control characters", fake{env: []string{"DD_SERVICE=\x01"}, exe: "/bin/x"}, "x"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f := newFakeProc(t)
			p := tt.p
			p.pid, p.start = 10, 5
			if p.exe == "" {
				p.exe, p.args = "/usr/bin/python3.11", "python3 /srv/cart.py"
			}
			if p.exe == "-" {
				p.exe = ""
			}
			f.add(p)
			if got := f.table().Entity(10, 5*second+3e6, p.comm).Service; got != tt.want {
				t.Errorf("Service = %q, want %q", got, tt.want)
			}
		})
	}
}

func TestEntityFields(t *testing.T) {
	f := newFakeProc(t)
	f.add(fake{pid: 7, start: 5, exe: "/usr/bin/python3.11", args: "python3 cart.py", cgroup: "0::/system.slice/docker-" + id64 + ".scope\n"})
	want := signal.Entity{Service: "0f3c2b1a4d5e", Instance: "0f3c2b1a4d5e", PID: 7, Executable: "python3.11", Language: "python",
		ContainerID: id64, ContainerName: "docker", Host: "h"}
	if got := *f.table().Entity(7, 0, ""); got != want {
		t.Errorf("Entity = %+v, want %+v", got, want)
	}
}

func TestMasterAndWorkersAreOneInstance(t *testing.T) {
	f := newFakeProc(t)
	nginx := func(pid, ppid uint32) {
		f.add(fake{pid: pid, ppid: ppid, start: uint64(pid), exe: "/usr/sbin/nginx", args: "nginx: x"})
	}
	f.add(fake{pid: 1, start: 1, exe: "/sbin/init", args: "init"})
	nginx(10, 1)
	nginx(11, 10)
	nginx(12, 10)
	nginx(20, 1) // a second one, started apart
	nginx(21, 20)
	tb := f.table()
	if err := tb.Scan(context.Background()); err != nil {
		t.Fatal(err)
	}
	for pid, want := range map[uint32]string{10: "h:10", 11: "h:10", 12: "h:10", 20: "h:20", 21: "h:20", 1: "h:1"} {
		if got := tb.Entity(pid, 0, "").Instance; got != want {
			t.Errorf("Instance of %d = %q, want %q", pid, got, want)
		}
	}
	if tb.Processes() != 6 {
		t.Errorf("Processes = %d, want 6", tb.Processes())
	}
}

func TestForkInheritsAndExecReplaces(t *testing.T) {
	f := newFakeProc(t)
	f.add(fake{pid: 10, start: 10, exe: "/usr/bin/python3.11", args: "python3 cart.py", env: []string{"DD_SERVICE=cart"}})
	tb := f.table()
	tb.Entity(10, 10*second, "python3.11")
	tb.HandleProcess(forkEvent(11, 10, 20, "python3.11")) // never in /proc: all is inherited
	e := tb.Entity(11, 20*second+3e6, "python3.11")
	if e.Service != "cart" || e.Instance != "h:10" || e.PID != 11 || e.Language != "python" {
		t.Errorf("after fork: %+v", e)
	}
	// The program is gone before it is read: the kernel's facts name it, the environment is the inherited one.
	tb.HandleProcess(execEvent(11, 10, 20, "/usr/bin/curl", "curl http://x/"))
	e = tb.Entity(11, 20*second+3e6, "curl")
	if e.Service != "cart" || e.Executable != "curl" || e.Instance != "h:11" {
		t.Errorf("after exec: %+v", e)
	}
	if n := tb.Losses()[signal.ProcessUnknown]; n != 0 {
		t.Errorf("ProcessUnknown = %d, want 0", n)
	}
}

func TestShortLivedIsNamed(t *testing.T) {
	tb := newFakeProc(t).table()
	tb.HandleProcess(execEvent(11, 10, 20, "/usr/bin/curl", "curl http://x/"))
	tb.HandleProcess(exitEvent(11, 20, 21))
	tb.HandleProcess(execEvent(12, 10, 20, "./feed.py", "/usr/bin/python3 ./feed.py"))
	tb.HandleProcess(exitEvent(12, 20, 21))
	for pid, want := range map[uint32]signal.Entity{
		11: {Service: "curl", Instance: "h:11", PID: 11, Executable: "curl", Host: "h"},
		12: {Service: "feed", Instance: "h:12", PID: 12, Executable: "python3", Language: "python", Host: "h"},
	} {
		if got := *tb.Entity(pid, 20*second+3e6, "x"); got != want {
			t.Errorf("Entity(%d) = %+v, want %+v", pid, got, want)
		}
	}
	if tb.Processes() != 0 {
		t.Errorf("Processes = %d, want 0", tb.Processes())
	}
}

func TestUnknownIsNamedByComm(t *testing.T) {
	tb := newFakeProc(t).table()
	e := tb.Entity(99, 7*second, "curl")
	if e.Service != "curl" || e.PID != 99 || tb.Losses()[signal.ProcessUnknown] != 1 {
		t.Errorf("Entity = %+v, losses %v", e, tb.Losses())
	}
	tb.Entity(99, 7*second, "curl")
	if n := tb.Losses()[signal.ProcessUnknown]; n != 1 {
		t.Errorf("ProcessUnknown = %d after a second look-up, want 1", n)
	}
	// Its exec comes after all.
	tb.HandleProcess(execEvent(99, 1, 7, "/usr/bin/python3", "python3 feed.py"))
	if e := tb.Entity(99, 7*second+3e6, "python3"); e.Service != "feed" {
		t.Errorf("after a late exec: %+v", e)
	}
}

func TestZombieIsNotRead(t *testing.T) {
	f := newFakeProc(t)
	f.add(fake{pid: 8, start: 7, exe: "/bin/sh", args: "sh", cgroup: "0::/system.slice/docker-" + id64 + ".scope\n"})
	f.add(fake{pid: 9, start: 7, comm: "python3", state: "Z", cgroup: "0::/\n"}) // no command line any more
	tb := f.table()
	tb.Entity(8, 7*second, "sh")
	tb.HandleProcess(forkEvent(9, 8, 7, "sh"))
	tb.HandleProcess(execEvent(9, 8, 7, "/usr/bin/python3", "python3 feed.py"))
	if e := tb.Entity(9, 7*second, "python3"); e.ContainerID != id64 || e.Executable != "python3" {
		t.Errorf("Entity = %+v", e)
	}
}

func TestPIDReuse(t *testing.T) {
	f := newFakeProc(t)
	f.add(fake{pid: 10, start: 10, exe: "/bin/old", args: "old"})
	tb := f.table()
	tb.HandleProcess(execEvent(10, 1, 10, "/bin/old", "old"))
	f.add(fake{pid: 10, start: 20, exe: "/bin/new", args: "new"})
	// No exit was reported.
	tb.HandleProcess(execEvent(10, 1, 20, "/bin/new", "new"))
	if e := tb.Entity(10, 20*second, "new"); e.Service != "new" {
		t.Errorf("new: %+v", e)
	}
	if e := tb.Entity(10, 10*second, "old"); e.Service != "old" {
		t.Errorf("old: %+v", e)
	}
	if e := tb.Entity(10, 0, ""); e.Service != "new" {
		t.Errorf("start unknown: %+v", e)
	}
	if tb.Processes() != 1 {
		t.Errorf("Processes = %d, want 1", tb.Processes())
	}
}

func TestMissedExecShowsByComm(t *testing.T) {
	f := newFakeProc(t)
	f.add(fake{pid: 10, start: 10, exe: "/bin/bash", args: "bash"})
	tb := f.table()
	tb.Entity(10, 10*second, "bash")
	tb.HandleProcess(forkEvent(11, 10, 20, "bash"))
	f.add(fake{pid: 11, ppid: 10, start: 20, exe: "/usr/bin/python3.11", comm: "python3", args: "python3 feed.py"})
	if e := tb.Entity(11, 20*second+3e6, "python3"); e.Service != "feed" {
		t.Errorf("Entity = %+v, want the program that runs now", e)
	}
}

func TestTitleDoesNotRename(t *testing.T) {
	f := newFakeProc(t)
	f.add(fake{pid: 10, start: 10, exe: "/usr/bin/python3.11", comm: "python3", args: "python3 mail.py"})
	tb := f.table()
	tb.HandleProcess(execEvent(10, 1, 10, "/usr/bin/python3", "python3 mail.py"))
	f.add(fake{pid: 10, start: 10, exe: "/usr/bin/python3.11", comm: "mailer", args: "mailer:-idle"})
	if e := tb.Entity(10, 10*second, "mailer"); e.Service != "mail" {
		t.Errorf("Entity = %+v, want the name it was started with", e)
	}
}

func TestDaemonKeepsOneRoot(t *testing.T) {
	f := newFakeProc(t)
	tb := f.table()
	tb.HandleProcess(execEvent(10, 1, 10, "/usr/sbin/nginx", "nginx"))
	tb.HandleProcess(forkEvent(11, 10, 11, "nginx"))
	if e := tb.Entity(11, 11*second+3e6, "nginx"); e.Instance != "h:10" {
		t.Errorf("Instance = %q, want h:10", e.Instance)
	}
	tb.HandleProcess(forkEvent(12, 11, 12, "nginx"))
	tb.Entity(12, 12*second+3e6, "nginx")
	tb.HandleProcess(exitEvent(10, 10, 13)) // the daemon's parent goes
	for _, pid := range []uint32{11, 12} {
		if e := tb.Entity(pid, uint64(pid)*second+3e6, "nginx"); e.Instance != "h:11" {
			t.Errorf("Instance of %d = %q, want h:11 as a scan would say", pid, e.Instance)
		}
	}
}

func TestSweepFindsMissedExits(t *testing.T) {
	f := newFakeProc(t)
	f.add(fake{pid: 10, start: 10, exe: "/bin/a", args: "a"})
	tb := f.table()
	tb.Entity(10, 10*second, "a")
	f.remove(10)
	tb.Tick(100 * second)
	if tb.Processes() != 0 {
		t.Errorf("Processes = %d, want 0", tb.Processes())
	}
	if e := tb.Entity(10, 10*second, "a"); e.Service != "a" {
		t.Errorf("an ended process should be remembered: %+v", e)
	}
	tb.Tick(300 * second)
	if len(tb.byKey) != 0 || len(tb.byPID) != 0 {
		t.Errorf("%d processes remembered after two minutes", len(tb.byKey))
	}
}

func TestExecStormIsReadLater(t *testing.T) {
	f := newFakeProc(t)
	cfg := f.config()
	cfg.MaxExecReads = 1
	tb := New(cfg, silent())
	for pid := uint32(10); pid < 13; pid++ {
		f.add(fake{pid: pid, start: 10, exe: "/bin/a", args: "a", env: []string{fmt.Sprintf("DD_SERVICE=s%d", pid)}})
		tb.HandleProcess(execEvent(pid, 1, 10, "/bin/a", "a"))
	}
	f.remove(12)
	for pid, want := range map[uint32]string{10: "s10", 11: "s11", 12: "a"} {
		if got := tb.Entity(pid, 10*second, "a").Service; got != want {
			t.Errorf("Service of %d = %q, want %q", pid, got, want)
		}
	}
}

func TestChurnIsBounded(t *testing.T) {
	tb := newFakeProc(t).table()
	tb.cfg.MaxEnded, tb.cfg.MaxProcesses = 1000, 500
	args := "curl " + strings.Repeat("x", 900)
	churn := func(n int) {
		for i := range n {
			pid, start := uint32(i%30000)+100, uint64(i/30000)+10
			tb.HandleProcess(forkEvent(pid, 50, start, "bash"))
			tb.HandleProcess(execEvent(pid, 50, start, "/usr/bin/curl", args))
			tb.Entity(pid, start*second+3e6, "curl")
			if i%10 != 0 { // every tenth exit is not reported
				tb.HandleProcess(exitEvent(pid, start, start))
			}
		}
	}
	churn(5000)
	before := heap()
	churn(20000)
	after := heap()
	if n := tb.Processes(); n > 500 {
		t.Errorf("Processes = %d, want at most 500", n)
	}
	if n := len(tb.ended); n > 1000 {
		t.Errorf("%d ended processes kept, want at most 1000", n)
	}
	if len(tb.byKey) > 1500 || len(tb.byPID) > 1500 {
		t.Errorf("%d keys, %d pids kept", len(tb.byKey), len(tb.byPID))
	}
	if after > before+(4<<20) {
		t.Errorf("heap grew from %d to %d KiB", before>>10, after>>10)
	}
}

func heap() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}
