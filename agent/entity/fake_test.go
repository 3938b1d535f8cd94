package entity

import (
	"fmt"
	"io"
	"log/slog"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/sonde-dev/sonde/agent/probe/event"
)

// second is a unit of the kernel's clocks.
const second = uint64(1e9)

// fakeProc is a tree that looks like /proc.
type fakeProc struct {
	t    testing.TB
	root string
}

// fake is a process in it.
type fake struct {
	pid, ppid uint32
	start     uint64 // seconds after boot
	comm, exe string
	args      string // separated by spaces
	env       []string
	cwd       string
	cgroup    string
	state     string
}

func newFakeProc(t testing.TB) *fakeProc { return &fakeProc{t, t.TempDir()} }

func (f *fakeProc) add(p fake) {
	f.t.Helper()
	dir := filepath.Join(f.root, fmt.Sprint(p.pid))
	os.RemoveAll(dir)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		f.t.Fatal(err)
	}
	if p.comm == "" {
		p.comm = filepath.Base(p.exe)
	}
	if p.state == "" {
		p.state = "S"
	}
	write := func(name, content string) {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o644); err != nil {
			f.t.Fatal(err)
		}
	}
	write("stat", fmt.Sprintf("%d (%s) %s %d 1 1 0 -1 0 0 0 0 0 0 0 0 0 20 0 1 0 %d 0 0\n", p.pid, p.comm, p.state, p.ppid, p.start*100))
	write("cmdline", strings.ReplaceAll(p.args, " ", "\x00")+"\x00")
	write("environ", strings.Join(p.env, "\x00")+"\x00")
	write("cgroup", p.cgroup)
	if p.exe != "" {
		os.Symlink(p.exe, filepath.Join(dir, "exe"))
	}
	os.Symlink(p.cwd+"/", filepath.Join(dir, "cwd"))
}

func (f *fakeProc) remove(pid uint32) { os.RemoveAll(filepath.Join(f.root, fmt.Sprint(pid))) }

func (f *fakeProc) config() Config {
	cfg := DefaultConfig
	cfg.ProcRoot, cfg.HostRoot, cfg.Host = f.root, f.root, "h"
	cfg.LocalAddresses = func() ([]netip.Addr, error) { return []netip.Addr{netip.MustParseAddr("192.0.2.2")}, nil }
	return cfg
}

func (f *fakeProc) table() *Table { return New(f.config(), silent()) }

func silent() *slog.Logger { return slog.New(slog.NewTextHandler(io.Discard, nil)) }

func execEvent(pid, ppid uint32, start uint64, filename, args string) *event.Event {
	return &event.Event{Kind: event.Exec, PID: pid, Time: start*second + 1e6, Process: event.ProcessInfo{
		ParentPID: ppid, StartTime: start*second + 3e6, Comm: filepath.Base(filename), Filename: filename, Args: strings.Fields(args)}}
}

func forkEvent(pid, ppid uint32, start uint64, comm string) *event.Event {
	return &event.Event{Kind: event.Fork, PID: pid, Time: start * second, Process: event.ProcessInfo{
		ParentPID: ppid, StartTime: start*second + 3e6, Comm: comm}}
}

func exitEvent(pid uint32, start, now uint64) *event.Event {
	return &event.Event{Kind: event.Exit, PID: pid, Time: now * second, Process: event.ProcessInfo{StartTime: start*second + 3e6}}
}

func loopback(port int) netip.AddrPort {
	return netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 0, 0, 1}), uint16(port))
}
