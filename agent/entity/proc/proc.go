// Package proc reads what /proc tells of a process.
//
// In: a pid and a tree that looks like /proc. Out: Facts, what the program is (language, script), owners of sockets.
// It must not know services, containers or connections; it keeps nothing but a small cache of executables.
package proc

import (
	"bytes"
	"errors"
	"fmt"
	"path"
	"path/filepath"
	"strconv"
	"strings"
	"sync"

	"golang.org/x/sys/unix"
)

// ErrGone says that the process ended before, or while, it was read: nothing of what was read counts.
var ErrGone = errors.New("process is gone")

// Bounds of what is read of one process.
const (
	maxCmdline = 4 << 10
	maxEnviron = 64 << 10
	maxCgroup  = 8 << 10 // 13 lines of cgroup v1 with kubelet's longest paths take 4 KiB
	maxStat    = 1 << 10
)

// FS is a tree that looks like /proc. It is safe for concurrent use.
type FS struct {
	root        string
	executables executables
	buffers     sync.Pool
}

// Open returns the tree at root, usually "/proc". Nothing is read yet.
func Open(root string) *FS {
	return &FS{root: root, buffers: sync.Pool{New: func() any { return new([maxEnviron]byte) }}}
}

// Facts is what /proc says of one process at one moment. It owns its memory.
type Facts struct {
	Stat
	Exe      string            // path of the executable in the process's mount namespace; "" for a kernel thread
	Args     []string          // first 4 KiB of the command line
	Env      map[string]string // the wanted variables that are set; nil for none
	Cwd      string            // working directory, "" if unreadable
	Cgroup   string            // content of /proc/<pid>/cgroup
	Language string            // see Language
}

// Executable returns process.executable.name: the last component of Exe, or Comm where there is none.
func (f *Facts) Executable() string {
	if f.Exe == "" {
		return f.Comm
	}
	return path.Base(f.Exe)
}

// Read reads one process. want lists the environment variables to keep. The error is ErrGone if the process has ended,
// even if it is still a zombie.
func (f *FS) Read(pid uint32, want map[string]bool) (Facts, error) {
	dir := f.dir(pid)
	facts := Facts{Exe: link(dir + "/exe")}
	if facts.Exe != "" {
		facts.Language = f.executables.language(dir+"/exe", path.Base(facts.Exe))
	} else if _, err := f.Stat(pid); err != nil { // the usual way to be gone; kernel threads have no executable either
		return Facts{}, err
	}
	facts.Args = f.args(dir)
	// mm/memfd.c names it thus; such programs (runc copies itself into one) are known by what they were called as.
	if strings.HasPrefix(facts.Exe, "/memfd:") && len(facts.Args) > 0 && facts.Args[0] != "" {
		facts.Exe = facts.Args[0]
	}
	facts.Env = f.environ(dir, want)
	facts.Cwd = link(dir + "/cwd")
	facts.Cgroup = f.text(dir+"/cgroup", maxCgroup)
	// The end of a process is final: if it is alive now, it was alive during all the reading above. A zombie has no
	// command line and sits in the root cgroup, so what was read of it would be wrong rather than missing.
	st, err := f.Stat(pid)
	if err != nil {
		return Facts{}, err
	}
	facts.Stat = st
	return facts, nil
}

// Environ reads the wanted variables of a process's initial environment; nil if there are none or it is gone.
func (f *FS) Environ(pid uint32, want map[string]bool) map[string]string {
	return f.environ(f.dir(pid), want)
}

// PIDs lists the processes there are.
func (f *FS) PIDs() ([]uint32, error) {
	names, err := readdirnames(f.root)
	if err != nil {
		return nil, fmt.Errorf("list processes: %w", err)
	}
	pids := make([]uint32, 0, len(names))
	for _, n := range names {
		if pid, err := strconv.ParseUint(n, 10, 32); err == nil {
			pids = append(pids, uint32(pid))
		}
	}
	return pids, nil
}

func (f *FS) dir(pid uint32) string {
	return f.root + "/" + strconv.FormatUint(uint64(pid), 10)
}

func (f *FS) args(dir string) []string {
	s := strings.TrimRight(f.text(dir+"/cmdline", maxCmdline), "\x00")
	if s == "" {
		return nil
	}
	return strings.Split(s, "\x00")
}

func (f *FS) environ(dir string, want map[string]bool) map[string]string {
	if len(want) == 0 {
		return nil
	}
	buf := f.buffers.Get().(*[maxEnviron]byte)
	defer f.buffers.Put(buf)
	return Variables(read(dir+"/environ", buf[:]), want)
}

// Variables returns the wanted variables of an environment as execve lays it out, NAME=value separated by zero bytes; nil
// if there are none.
func Variables(b []byte, want map[string]bool) map[string]string {
	var env map[string]string
	for len(b) > 0 {
		var v []byte
		v, b, _ = bytes.Cut(b, []byte{0})
		name, value, ok := bytes.Cut(v, []byte{'='})
		if !ok || !want[string(name)] {
			continue
		}
		if env == nil {
			env = make(map[string]string, 2)
		}
		env[string(name)] = string(value)
	}
	return env
}

func (f *FS) text(name string, limit int) string {
	buf := f.buffers.Get().(*[maxEnviron]byte)
	defer f.buffers.Put(buf)
	return string(read(name, buf[:limit]))
}

// link reads a symbolic link of /proc; "" if it cannot be read.
func link(name string) string {
	var buf [unix.PathMax]byte
	n, err := unix.Readlink(name, buf[:])
	if err != nil || n <= 0 {
		return ""
	}
	// fs/d_path.c appends this to the path of an unlinked file.
	return strings.TrimSuffix(string(buf[:n]), " (deleted)")
}

// read fills buf from a file and returns what there was; nothing if it cannot be read. It avoids os.File, which asks
// the poller about every descriptor.
func read(name string, buf []byte) []byte {
	fd, err := unix.Open(filepath.Clean(name), unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil
	}
	defer unix.Close(fd)
	n := 0
	for n < len(buf) {
		m, err := unix.Read(fd, buf[n:])
		if err == unix.EINTR {
			continue
		}
		if err != nil || m <= 0 {
			break
		}
		n += m
	}
	return buf[:n]
}

// Netns returns the inode number of a process's network namespace, 0 if it cannot be read. pid may be "self".
func (f *FS) Netns(pid string) uint32 {
	s, ok := strings.CutPrefix(link(f.root+"/"+pid+"/ns/net"), "net:[")
	n, err := strconv.ParseUint(strings.TrimSuffix(s, "]"), 10, 32)
	if !ok || err != nil {
		return 0
	}
	return uint32(n)
}
