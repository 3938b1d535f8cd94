package probe

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/sonde-dev/sonde/agent/probe/event"
)

// procStat returns the fields of /proc/pid/stat behind the name, and the name.
func procStat(t *testing.T, pid int) (comm string, fields []string) {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "stat"))
	if err != nil {
		t.Fatal(err)
	}
	open, end := bytes.IndexByte(b, '('), bytes.LastIndexByte(b, ')')
	return string(b[open+1 : end]), strings.Fields(string(b[end+2:]))
}

// checkStart compares a start time with field 22 of /proc/pid/stat, which counts in hundredths of a second (proc(5)).
func checkStart(t *testing.T, what string, start uint64, fields []string) {
	t.Helper()
	ticks, err := strconv.ParseUint(fields[22-3], 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	if start/10_000_000 != ticks {
		t.Errorf("%s: start time %d ns, /proc says %d hundredths", what, start, ticks)
	}
}

// TestWhoSpeaks compares what an Open says of the process with /proc.
func TestWhoSpeaks(t *testing.T) {
	inBothTiers(t, func(t *testing.T, r *recorder) {
		c := start(t, "exchange", "tcp4", "write", "read")
		rep := c.finish()
		comm, fields := procStat(t, rep.PID)
		var ns unix.Stat_t
		if err := unix.Stat("/proc/"+strconv.Itoa(rep.PID)+"/ns/net", &ns); err != nil {
			t.Fatal(err)
		}
		before := Now()
		c.leave()
		events := r.waitExit(t, rep.PID)
		opens := 0
		for _, e := range events {
			switch e.Kind {
			case event.Open:
				opens++
				if e.Open.Comm != comm || uint64(e.Open.Netns) != ns.Ino {
					t.Errorf("comm %q, netns %d; /proc says %q, %d", e.Open.Comm, e.Open.Netns, comm, ns.Ino)
				}
				checkStart(t, "open", e.Open.StartTime, fields)
				fallthrough
			case event.Data:
				if int(e.PID) != rep.PID || int(e.TID) != rep.TID {
					t.Errorf("pid %d, tid %d, want %d, %d", e.PID, e.TID, rep.PID, rep.TID)
				}
				if e.Time > before || before-e.Time > uint64(patience) {
					t.Errorf("time %d, looked at afterwards at %d", e.Time, before)
				}
			}
		}
		if opens < 2 {
			t.Errorf("%d opens, want one for each end", opens)
		}
	})
}

// TestProcesses follows processes from fork to exit, also those that are gone at once.
func TestProcesses(t *testing.T) {
	r := sharedRecorder(t, TierSocket)
	c := start(t, "family")
	rep := c.finish()
	comm, fields := procStat(t, rep.PID)
	cgroup := memoryCgroup(t, rep.PID)
	c.leave()
	for _, e := range r.waitExit(t, rep.PID) {
		if e.Kind == event.Open || e.Kind == event.Data || e.Kind == event.Close {
			continue
		}
		checkStart(t, e.Kind.String(), e.Process.StartTime, fields)
		if e.Kind == event.Exec && (e.Process.Comm != comm || int(e.Process.ParentPID) != os.Getpid() || e.Process.Filename != os.Args[0]) {
			t.Errorf("exec of %q %q by %d, want %q %q by %d", e.Process.Filename, e.Process.Comm, e.Process.ParentPID, os.Args[0], comm, os.Getpid())
		}
		if e.Kind == event.Exec && e.Process.Cgroup != cgroup {
			t.Errorf("control group %q, /proc says %q", e.Process.Cgroup, cgroup)
		}
	}
	for _, f := range rep.Family {
		var kinds []event.Kind
		for _, e := range r.waitExit(t, f.PID) {
			kinds = append(kinds, e.Kind)
			if e.Kind == event.Fork && int(e.Process.ParentPID) != rep.PID {
				t.Errorf("%v: forked by %d, want %d", f.Args, e.Process.ParentPID, rep.PID)
			}
			if e.Kind != event.Exec {
				continue
			}
			if e.Process.Filename != f.Args[0] || !slices.Equal(trimEmpty(e.Process.Args), trimEmpty(f.Args)) {
				t.Errorf("exec of %q %q, want %q", e.Process.Filename, e.Process.Args, f.Args)
			}
			if want := strings.Join(f.Env, "\x00") + "\x00"; string(e.Process.Environ) != want || e.Process.EnvironCut {
				t.Errorf("%v: environment %q, cut %t, want %q", f.Args, e.Process.Environ, e.Process.EnvironCut, want)
			}
		}
		if want := []event.Kind{event.Fork, event.Exec, event.Exit}; !slices.Equal(kinds, want) {
			t.Errorf("%v (lived %s): events %v, want %v", f.Args, f.Life, kinds, want)
		}
	}
}

// trimEmpty drops empty arguments at the end, which an Exec does not keep.
func trimEmpty(args []string) []string {
	for len(args) > 0 && args[len(args)-1] == "" {
		args = args[:len(args)-1]
	}
	return args
}

// memoryCgroup returns the last component of the path of the memory controller, or of the unified hierarchy.
func memoryCgroup(t *testing.T, pid int) (last string) {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "cgroup"))
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(b)) {
		parts := strings.SplitN(strings.TrimSpace(line), ":", 3)
		if slices.Contains(strings.Split(parts[1], ","), "memory") || parts[1] == "" && last == "" {
			last = filepath.Base(parts[2])
		}
	}
	if last == "/" {
		return ""
	}
	return last
}

// TestExecCutsLongTexts: arguments and environment are cut at their bounds, and the environment says so.
func TestExecCutsLongTexts(t *testing.T) {
	r := sharedRecorder(t, TierSocket)
	c := start(t, "exec", "long")
	c.untilPause()
	c.proceed()
	_ = c.stdin.Close()
	err := c.cmd.Wait() // cat does not find the file of the long name
	if err == nil {
		t.Fatal("cat succeeded")
	}
	var execs []event.Event
	for _, e := range r.waitExit(t, c.pid()) {
		if e.Kind == event.Exec {
			execs = append(execs, e)
		}
	}
	if len(execs) != 2 {
		t.Fatalf("%d execs, want 2", len(execs))
	}
	p := execs[1].Process
	if want := "cat\x00-\x00" + strings.Repeat("x", 1024-6); p.Filename != "/bin/cat" || p.Comm != "cat" || strings.Join(p.Args, "\x00") != want {
		t.Errorf("exec of %q %q %.40q, want %.40q", p.Filename, p.Comm, p.Args, want)
	}
	if want := "FIRST=1\x00LONG=" + strings.Repeat("y", 8192-13); string(p.Environ) != want || !p.EnvironCut {
		t.Errorf("environment of %d bytes, cut %t, want %d bytes, cut", len(p.Environ), p.EnvironCut, len(want))
	}
}
