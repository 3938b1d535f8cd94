package entity

import (
	"fmt"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/sonde-dev/sonde/agent/exchange"
	"github.com/sonde-dev/sonde/agent/probe/event"
)

// run starts a real program until the test ends.
func run(t *testing.T, dir string, env []string, name string, args ...string) uint32 {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		t.Skipf("no %s here", name)
	}
	cmd := exec.Command(path, args...)
	cmd.Dir, cmd.Env = dir, append(os.Environ(), env...)
	if _, err := cmd.StdinPipe(); err != nil { // stays open while the test runs: what reads it waits
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cmd.Process.Kill(); cmd.Wait() })
	return uint32(cmd.Process.Pid)
}

func script(t *testing.T, dir, name, content string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o755); err != nil {
		t.Fatal(err)
	}
}

// eventually waits for a program to be past its own start-up (shims call exec).
func eventually(t *testing.T, what string, f func() (string, bool)) {
	t.Helper()
	var last string
	for deadline := time.Now().Add(5 * time.Second); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		s, ok := f()
		if ok {
			return
		}
		last = s
	}
	t.Errorf("%s: %s", what, last)
}

// The oracle is what we started.
func TestRealPrograms(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "orders")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	script(t, dir, "main.py", "import time\ntime.sleep(30)\n")
	script(t, dir, "feed.js", "setTimeout(()=>{}, 30000)\n")
	script(t, dir, "Bill.java", "class Bill { public static void main(String[] a) throws Exception { Thread.sleep(30000); } }\n")
	script(t, dir, "cron.sh", "#!/bin/bash\nread x\n")
	script(t, dir, "mail.pl", "sleep 30\n")
	tests := []struct {
		name, service, language string
		env                     []string
		command                 []string
	}{
		{"python", "orders", "python", nil, []string{"/usr/bin/python3", "main.py"}},
		{"python module", "http.server", "python", nil, []string{"/usr/bin/python3", "-m", "http.server", "0"}},
		{"node", "feed", "nodejs", nil, []string{"node", "feed.js"}},
		{"java", "Bill", "java", nil, []string{"java", "Bill.java"}},
		{"perl", "mail", "perl", nil, []string{"perl", "mail.pl"}},
		{"shell script by its first line", "cron", "native", nil, []string{dir + "/cron.sh"}},
		{"variable", "napper", "native", []string{"DD_SERVICE=napper"}, []string{"sleep", "30"}},
		{"executable", "sleep", "native", nil, []string{"sleep", "30"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			pid := run(t, dir, tt.env, tt.command[0], tt.command[1:]...)
			eventually(t, strings.Join(tt.command, " "), func() (string, bool) {
				tb := New(DefaultConfig, silent())
				e := tb.Entity(pid, 0, "")
				return fmt.Sprintf("%+v", *e), e.Service == tt.service && e.Language == tt.language && e.PID == pid
			})
		})
	}
}

// The parent and the child of this fork run the same program, so they are one instance; the oracle is the shell's own $$.
func TestRealForkIsOneInstance(t *testing.T) {
	dir := t.TempDir()
	script(t, dir, "pool.sh", "#!/bin/bash\nexec 3<&0\n(read x <&3; :) &\necho $$ $! > "+dir+"/pids\nwait\n")
	run(t, dir, nil, dir+"/pool.sh")
	eventually(t, "pool", func() (string, bool) {
		var master, worker uint32
		b, _ := os.ReadFile(dir + "/pids")
		fmt.Sscan(string(b), &master, &worker)
		if worker == 0 {
			return "not started", false
		}
		tb := New(DefaultConfig, silent())
		if err := tb.Scan(t.Context()); err != nil {
			t.Fatal(err)
		}
		m, w := tb.Entity(master, 0, ""), tb.Entity(worker, 0, "")
		return fmt.Sprintf("%+v %+v", *m, *w), m.Service == "pool" && *w != *m && w.Instance == m.Instance &&
			strings.HasSuffix(m.Instance, fmt.Sprintf(":%d", master))
	})
}

// A server that is never announced is found by its listening socket; the oracle is who was told to listen.
func TestInvisibleServerIsFound(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	port := l.Addr().(*net.TCPAddr).Port
	l.Close()
	server := run(t, t.TempDir(), nil, "/usr/bin/python3", "-m", "http.server", fmt.Sprint(port), "--bind", "127.0.0.1")
	remote := netip.AddrPortFrom(netip.MustParseAddr("127.0.0.1"), uint16(port))
	eventually(t, "server", func() (string, bool) {
		c, err := net.Dial("tcp", remote.String())
		if err == nil {
			c.Close()
		}
		return fmt.Sprint(err), err == nil
	})

	var got []Observation
	tb := New(DefaultConfig, silent())
	j := NewJoiner(DefaultConfig, tb, func(o Observation) { got = append(got, o) })
	defer j.Close()
	netns := tb.fs.Netns("self")
	now := uint64(1000 * second)
	for i := range uint64(2) {
		c := &exchange.Conn{ID: i, PID: uint32(os.Getpid()), Local: netip.MustParseAddrPort(fmt.Sprintf("127.0.0.1:%d", 1+i)), Remote: remote, Netns: netns}
		j.HandleConn(&event.Event{Kind: event.Open, Time: now, Conn: i, PID: c.PID, Open: event.OpenInfo{
			Local: c.Local, Remote: c.Remote, Netns: netns, Role: event.RoleClient}})
		j.Handle(&exchange.Exchange{Conn: c, Side: exchange.Client, ResponseEnd: now})
		now += second + second/10
		j.Tick(now)
		eventually(t, "found", func() (string, bool) {
			j.Tick(now) // time stands still: only the search is awaited
			return fmt.Sprint(len(got)), len(got) == int(i)+1
		})
		now += second / 10 // within a second of the search: the second one must come from memory
	}
	for _, o := range got {
		if o.Peer.PID != server || o.Peer.Service != "http.server" || o.Peer.External {
			t.Errorf("Peer = %+v, want pid %d", o.Peer, server)
		}
	}
	if n := len(j.Losses()); n != 0 {
		t.Errorf("Losses = %v", j.Losses())
	}
}

// A process is named although it is gone when its events are read. The facts are those a real exec has.
func TestRealShortLived(t *testing.T) {
	tb := New(DefaultConfig, silent())
	for i := range 20 {
		cmd := exec.Command("true")
		if err := cmd.Run(); err != nil {
			t.Skip(err)
		}
		pid := uint32(cmd.Process.Pid)
		tb.HandleProcess(&event.Event{Kind: event.Exec, PID: pid, Time: uint64(i+1) * second, Process: event.ProcessInfo{
			ParentPID: uint32(os.Getpid()), StartTime: uint64(i+1) * second, Comm: "true", Filename: cmd.Path, Args: cmd.Args}})
		if e := tb.Entity(pid, uint64(i+1)*second, "true"); e.Service != "true" || e.PID != pid {
			t.Errorf("Entity = %+v", e)
		}
	}
}
