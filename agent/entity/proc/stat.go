package proc

import (
	"os"
	"strconv"
	"strings"
)

// nanosPerTick is the unit of times in /proc/<pid>/stat: USER_HZ is 100 on every architecture Sonde runs on.
const nanosPerTick = 1e9 / 100

// Ticks converts nanoseconds of CLOCK_BOOTTIME as the kernel's nsec_to_clock_t does (kernel/time/time.c): by truncation.
func Ticks(startNanos uint64) uint64 { return startNanos / nanosPerTick }

// Stat is the part of /proc/<pid>/stat that says who a process is.
type Stat struct {
	PID, ParentPID uint32
	StartTicks     uint64 // since boot, in units of 10 ms; with PID it identifies a process beyond reuse of the number
	Comm           string // name of the main thread, up to 15 bytes
}

// Stat reads who a process is. The error is ErrGone if it has ended, even if it is still a zombie.
func (f *FS) Stat(pid uint32) (Stat, error) {
	s, state, ok := parseStat(f.text(f.dir(pid)+"/stat", maxStat))
	// fs/proc/array.c: Z is a zombie, X and x are dead.
	if !ok || state == 'Z' || state == 'X' || state == 'x' {
		return Stat{}, ErrGone
	}
	return s, nil
}

// parseStat reads "pid (comm) state ppid … starttime(22) …" (proc_pid_stat(5)). The name may hold spaces and brackets, so
// its end is the last bracket of the line.
func parseStat(s string) (st Stat, state byte, ok bool) {
	open, end := strings.IndexByte(s, '('), strings.LastIndexByte(s, ')')
	if open < 1 || end < open {
		return Stat{}, 0, false
	}
	pid, err := strconv.ParseUint(strings.TrimSpace(s[:open]), 10, 32)
	if err != nil {
		return Stat{}, 0, false
	}
	fields := strings.Fields(s[end+1:]) // fields[0] is field 3
	if len(fields) < 20 {
		return Stat{}, 0, false
	}
	ppid, err1 := strconv.ParseUint(fields[1], 10, 32)
	start, err2 := strconv.ParseUint(fields[19], 10, 64)
	if err1 != nil || err2 != nil {
		return Stat{}, 0, false
	}
	return Stat{PID: uint32(pid), ParentPID: uint32(ppid), StartTicks: start, Comm: s[open+1 : end]}, fields[0][0], true
}

func readdirnames(name string) ([]string, error) {
	d, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer d.Close()
	return d.Readdirnames(-1)
}
