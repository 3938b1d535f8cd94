package proc

import (
	"bytes"
	"net"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"
)

// start runs a command until the test ends.
func start(t *testing.T, env []string, name string, args ...string) *exec.Cmd {
	t.Helper()
	cmd := exec.Command(name, args...)
	cmd.Env = append(os.Environ(), env...)
	if err := cmd.Start(); err != nil {
		t.Skipf("start %s: %v", name, err)
	}
	t.Cleanup(func() { cmd.Process.Kill(); cmd.Wait() })
	return cmd
}

// The oracle is what we started, and ps.
func TestReadRealProcess(t *testing.T) {
	cmd := start(t, []string{"OTEL_SERVICE_NAME=napper", "SECRET=x"}, "sleep", "30")
	pid := uint32(cmd.Process.Pid)
	fs := Open("/proc")
	f, err := fs.Read(pid, map[string]bool{"OTEL_SERVICE_NAME": true})
	if err != nil {
		t.Fatal(err)
	}
	if f.PID != pid || f.ParentPID != uint32(os.Getpid()) || f.Comm != "sleep" || f.Executable() != "sleep" && f.Executable() != "coreutils" {
		t.Errorf("Read = %+v", f)
	}
	if strings.Join(f.Args, " ") != "sleep 30" {
		t.Errorf("Args = %q", f.Args)
	}
	if len(f.Env) != 1 || f.Env["OTEL_SERVICE_NAME"] != "napper" {
		t.Errorf("Env = %v: want the one wanted variable", f.Env)
	}
	if wd, _ := os.Getwd(); f.Cwd != wd {
		t.Errorf("Cwd = %q, want %q", f.Cwd, wd)
	}
	if f.Language != "native" {
		t.Errorf("Language = %q, want native", f.Language)
	}
	elapsed, err := exec.Command("ps", "-o", "etimes=", "-p", strconv.Itoa(int(pid))).Output()
	if err == nil && len(bytes.TrimSpace(elapsed)) > 0 {
		up, _ := os.ReadFile("/proc/uptime")
		secs, _ := strconv.ParseFloat(strings.Fields(string(up))[0], 64)
		if age := secs - float64(f.StartTicks)/100; age < 0 || age > 10 {
			t.Errorf("StartTicks = %d is %v s ago", f.StartTicks, age)
		}
	}
}

func TestReadGone(t *testing.T) {
	fs := Open("/proc")
	cmd := exec.Command("true")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	pid := uint32(cmd.Process.Pid)
	for deadline := time.Now().Add(5 * time.Second); ; { // a zombie, since nobody has waited for it
		if _, err := fs.Read(pid, nil); err == ErrGone {
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("a zombie was read as a process")
		}
		time.Sleep(time.Millisecond)
	}
	cmd.Wait()
	if _, err := fs.Read(pid, nil); err != ErrGone {
		t.Errorf("Read of an ended process: %v, want ErrGone", err)
	}
}

func TestLanguageOfGo(t *testing.T) {
	fs := Open("/proc")
	for range 2 { // the second time from the cache
		f, err := fs.Read(uint32(os.Getpid()), nil)
		if err != nil || f.Language != "go" {
			t.Errorf("Language of this test = %q, %v, want go", f.Language, err)
		}
	}
}

func TestLanguage(t *testing.T) {
	for exe, want := range map[string]string{
		"python3.11": "python", "python": "python", "pypy3": "python", "node": "nodejs", "nodejs": "nodejs", "java": "java",
		"ruby3.1": "ruby", "php8.2": "php", "php-fpm8.2": "php", "perl5.36.0": "perl", "perl": "perl", "nginx": "", "bash": "",
		"pythonista": "",
	} {
		if got := Language(exe); got != want {
			t.Errorf("Language(%q) = %q, want %q", exe, got, want)
		}
	}
}

// The oracle is the net package's own view of sockets it made.
func TestSocketsAndOwners(t *testing.T) {
	for _, addr := range []string{"127.0.0.1:0", "[::1]:0", ":0"} {
		l, err := net.Listen("tcp", addr)
		if err != nil {
			t.Skipf("listen on %s: %v", addr, err)
		}
		defer l.Close()
		c, err := net.Dial("tcp", l.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		fs := Open("/proc")
		want := map[uint64]bool{}
		for _, s := range fs.Sockets("self") {
			if s.Listening && int(s.Local.Port()) == l.Addr().(*net.TCPAddr).Port {
				want[s.Inode] = true
			}
			if s.Local == c.LocalAddr().(*net.TCPAddr).AddrPort() && s.Remote.Port() == l.Addr().(*net.TCPAddr).AddrPort().Port() {
				want[s.Inode] = true
			}
		}
		if len(want) != 2 {
			t.Fatalf("%s: found %d of listener and client", addr, len(want))
		}
		for inode, pid := range fs.Owners(want) {
			delete(want, inode)
			if pid != uint32(os.Getpid()) {
				t.Errorf("Owners = %d, want %d", pid, os.Getpid())
			}
		}
		if len(want) != 0 {
			t.Errorf("no owner found for %v", want)
		}
	}
}

func TestNetns(t *testing.T) {
	target, err := os.Readlink("/proc/self/ns/net")
	if err != nil {
		t.Skip(err)
	}
	if got := Open("/proc").Netns("self"); "net:["+strconv.Itoa(int(got))+"]" != target {
		t.Errorf("Netns = %d, want that of %s", got, target)
	}
}

func BenchmarkRead(b *testing.B) {
	fs := Open("/proc")
	pid := uint32(os.Getpid())
	want := map[string]bool{"OTEL_SERVICE_NAME": true, "DD_SERVICE": true}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := fs.Read(pid, want); err != nil {
			b.Fatal(err)
		}
	}
}
