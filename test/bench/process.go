package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// The roles that this program plays as a process of its own.
const (
	roleEnv = "SONDE_BENCH_ROLE"
	argsEnv = "SONDE_BENCH_ARGS"
)

// A worker is one process of a load.
type worker struct {
	cmd    *exec.Cmd
	stdout bytes.Buffer
	stderr bytes.Buffer
	done   chan struct{}
	err    error
}

func start(env []string, argv ...string) (*worker, error) {
	w := &worker{cmd: exec.Command(argv[0], argv[1:]...), done: make(chan struct{})}
	w.cmd.Env = append(os.Environ(), env...)
	w.cmd.Stdout, w.cmd.Stderr = &w.stdout, &w.stderr
	w.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGTERM}
	started := make(chan error, 1)
	go func() {
		runtime.LockOSThread() // PR_SET_PDEATHSIG is about the thread (prctl(2))
		defer close(w.done)
		err := w.cmd.Start()
		started <- err
		if err == nil {
			w.err = w.cmd.Wait()
		}
	}()
	if err := <-started; err != nil {
		return nil, fmt.Errorf("start %s: %w", argv[0], err)
	}
	return w, nil
}

func startRole(role string, args any) (*worker, error) {
	b, err := json.Marshal(args)
	if err != nil {
		return nil, err
	}
	self, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("find the own program: %w", err)
	}
	return start([]string{roleEnv + "=" + role, argsEnv + "=" + string(b), "OTEL_SERVICE_NAME=bench-" + role}, self)
}

// wait returns when the process has ended well.
func (w *worker) wait() error {
	<-w.done
	if w.err != nil {
		return fmt.Errorf("%s: %w: %s %s", w.cmd.Path, w.err, w.stdout.String(), w.stderr.String())
	}
	return nil
}

// stop ends a server; how it ends does not matter.
func (w *worker) stop() {
	select {
	case <-w.done:
		return
	default:
	}
	w.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-w.done:
	case <-time.After(5 * time.Second):
		syscall.Kill(-w.cmd.Process.Pid, syscall.SIGKILL)
		<-w.done
	}
}

// cpu is the time that an ended process and its own ended children used (wait4(2)).
func (w *worker) cpu() time.Duration {
	return w.cmd.ProcessState.UserTime() + w.cmd.ProcessState.SystemTime()
}

// softirq is the time that one CPU, or all ("cpu"), spent in soft interrupts so far, which on loopback is the receiving half
// of TCP: it belongs to the load, but is nobody's CPU time (proc_stat(5), seventh figure, in USER_HZ).
func softirq(cpu string) time.Duration {
	b, err := os.ReadFile("/proc/stat")
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(b)) {
		if f := strings.Fields(line); len(f) > 7 && f[0] == cpu {
			ticks, _ := strconv.Atoi(f[7])
			return time.Duration(ticks) * 10 * time.Millisecond
		}
	}
	return 0
}
